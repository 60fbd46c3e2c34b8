# SPDX-License-Identifier: BSD-2-Clause
"""A name server with a zone made of Python: enough of DNS for PTR, A, AAAA and CNAME, over UDP and TCP.

`zone` maps (name, type) to what is to be said: a list of values, an error word, or SILENCE.  Names that have
some record but not the wanted one are answered with no data, all others with NXDOMAIN.
"""

import asyncio
import ipaddress
import struct

from . import wire

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "AAAA": 28}
WORDS = {number: word for word, number in TYPES.items()}
CODES = {"FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
SILENCE = "SILENCE"      # no answer at all
RUBBISH = "RUBBISH"      # a datagram that is no answer
TRUNCATED = "TRUNCATED"  # UDP says "ask by TCP"; ("TRUNCATED", [values]) is what TCP then says


def reverse_name(address):
    """The name whose PTR record speaks of `address`."""
    return ipaddress.ip_address(address).reverse_pointer


class NameServer:
    """`asked` lists every (name, type) in the order of arrival."""

    def __init__(self, zone=None, ttl=60):
        self.zone = dict(zone or {})
        self.ttl = ttl
        self.asked = []
        self.port = None
        self._udp = self._tcp = None

    async def start(self, address="127.0.0.1", port=0):
        loop = asyncio.get_running_loop()
        while True:
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(address, port))
            self.port = self._udp.get_extra_info("sockname")[1]
            try:
                self._tcp = await wire.listen(self._serve, address, self.port)
                break
            except OSError:  # a free number for UDP may be taken for TCP
                self._udp.close()
                if port:
                    raise
        return self

    async def stop(self):
        self._udp.close()
        await self._tcp.close()

    def say(self, name, kind, what):
        self.zone[name.lower(), kind] = what

    async def _serve(self, connection):
        while True:
            size = await connection.exactly(2)
            if len(size) < 2:
                return
            answer = self.answer(await connection.exactly(struct.unpack("!H", size)[0]), "tcp")
            if answer:
                await connection.send(struct.pack("!H", len(answer)) + answer)

    def answer(self, query, transport):
        """The bytes to send back for a query, or None for silence."""
        name, kind, end = _question(query)
        self.asked.append((name, kind))
        said = self.zone.get((name, kind))
        if said is None:
            known = any(owner == name for owner, _ in self.zone)
            said = [] if known else "NXDOMAIN"
        if isinstance(said, tuple) and said[0] == TRUNCATED:
            if transport == "udp":
                return _message(query, end, 0, [], truncated=True)
            said = said[1]
        if said == SILENCE:
            return None
        if said == RUBBISH:
            return b"\xff" * 7
        if isinstance(said, str):
            return _message(query, end, CODES[said], [])
        return _message(query, end, 0, [_record(kind, value, self.ttl) for value in said])


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server):
        self.server = server

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, sender):
        answer = self.server.answer(data, "udp")
        if answer:
            self.transport.sendto(answer, sender)


def _question(query):
    """Name in lower case, type word, and where the question ends."""
    labels, place = [], 12
    while query[place]:
        labels.append(query[place + 1:place + 1 + query[place]].decode("latin-1"))
        place += 1 + query[place]
    kind = struct.unpack("!H", query[place + 1:place + 3])[0]
    return ".".join(labels).lower(), WORDS.get(kind, str(kind)), place + 5


def _message(query, end, code, records, truncated=False):
    flags = 0x8180 | (0x0200 if truncated else 0) | code
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + query[12:end] + b"".join(records)


def _record(kind, value, ttl):
    """A record that belongs to the name asked for (a pointer to offset 12)."""
    if isinstance(value, tuple):
        kind, value = value
    if kind in ("PTR", "CNAME"):
        data = _name(value)
    else:
        data = ipaddress.ip_address(value).packed
    return b"\xc0\x0c" + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data


def _name(text):
    """A name in wire form; bytes are taken as they are, so that a hostile one can be told."""
    raw = text if isinstance(text, bytes) else text.encode("latin-1")
    return b"".join(bytes([len(label)]) + label for label in raw.split(b".") if label) + b"\0"
