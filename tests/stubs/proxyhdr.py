# SPDX-License-Identifier: BSD-2-Clause
"""PROXY protocol headers, made and taken apart (versions 1 and 2, with TLVs)."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0, 1
TLV_NAMES = {0x01: "ALPN", 0x02: "AUTHORITY", 0x03: "CRC32C", 0x04: "NOOP", 0x05: "UNIQUE_ID", 0x20: "SSL",
             0x21: "VERSION", 0x22: "CN", 0x23: "CIPHER", 0x24: "SIG_ALG", 0x25: "KEY_ALG", 0x30: "NETNS"}


def v1(source, target, source_port, target_port):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {target} {source_port} {target_port}\r\n".encode()


def v2(source=None, target=None, source_port=0, target_port=0, command=PROXY, tlvs=(), transport=1,
       version=2):
    """Without addresses: family UNSPEC.  `tlvs` are (type, bytes) pairs."""
    if source is None:
        family, body = 0, b""
    else:
        family = 2 if ":" in source else 1
        body = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
        body += struct.pack("!HH", source_port, target_port)
    body += b"".join(struct.pack("!BH", kind, len(value)) + value for kind, value in tlvs)
    head = bytes([version << 4 | command, family << 4 | transport]) + struct.pack("!H", len(body))
    return SIGNATURE + head + body


def parse_v2(data):
    """A v2 header as a dictionary; `length` is how many bytes it took.  ValueError if it is not one."""
    if data[:12] != SIGNATURE or len(data) < 16:
        raise ValueError("no signature")
    command, family, size = data[12], data[13], struct.unpack("!H", data[14:16])[0]
    body = data[16:16 + size]
    if len(body) < size:
        raise ValueError("cut off")
    seen = {"version": command >> 4, "command": command & 15, "family": family >> 4,
            "transport": family & 15, "length": 16 + size}
    width = {1: 4, 2: 16}.get(family >> 4, 0)
    if width:
        seen["source"] = str(ipaddress.ip_address(body[:width]))
        seen["target"] = str(ipaddress.ip_address(body[width:2 * width]))
        seen["source_port"], seen["target_port"] = struct.unpack("!HH", body[2 * width:2 * width + 4])
        body = body[2 * width + 4:]
    seen["tlvs"] = parse_tlvs(body)
    return seen


def parse_tlvs(body):
    """[(name, value)] in order; an SSL TLV's value is (client flags, verify result, [(name, value)])."""
    found = []
    while body:
        kind, size = struct.unpack("!BH", body[:3])
        value, body = body[3:3 + size], body[3 + size:]
        if kind == 0x20:
            value = (value[0], struct.unpack("!I", value[1:5])[0], parse_tlvs(value[5:]))
        found.append((TLV_NAMES.get(kind, hex(kind)), value))
    return found


def crc32c(data):
    """The checksum of RFC 3720 that the CRC32C TLV carries, over a header in which the field is zero."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def crc32c_holds(header):
    """Whether the CRC32C TLV of a v2 header is right."""
    place = header.find(b"\x03\x00\x04", 16)
    if place < 0:
        return False
    cleared = header[:place + 3] + bytes(4) + header[place + 7:]
    return struct.unpack("!I", header[place + 3:place + 7])[0] == crc32c(cleared)
