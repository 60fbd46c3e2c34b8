# SPDX-License-Identifier: BSD-2-Clause
"""Plays one talk with one running program and notes what came of it.

All that a program says is either told by the script, and then it must be just that, or noted, and then the
other program must have said the same.  Most is both.  A Stage ends at the first thing that is not as told.
"""

import asyncio
import base64
import hashlib
import os
import re
import ssl
from dataclasses import dataclass, field

from stubs import mailserver, names, proxyhdr, wire

from .script import escape, fill, unescape

DEADLINE = float(os.environ.get("PARITY_DEADLINE", 15))  # for what happens at once when all is well
PLACE = re.compile(r"(\[[0-9a-f:]+\]|\d+\.\d+\.\d+\.\d+):\d+(?!\w)")
PORT = re.compile(r"(?<![\w.])\d{4,5}(?!\w)")
TLS_REASON = re.compile(r"^.*?\[[^]]*\] |: .*| \(_ssl.*")  # what surrounds the reason in Python's text
CHALLENGE = re.compile(r"<\d+\.\d+@mail\.example>")


class Mismatch(Exception):
    """The program did not do what the step says."""


@dataclass
class Outcome:
    """`notes` maps a step's line to what was seen there; `fault` is None if all went as told."""

    program: str
    notes: dict = field(default_factory=dict)
    private: set = field(default_factory=set)
    seen: list = field(default_factory=list)
    fault: str = None
    used: set = field(default_factory=set)  # differences of all conversations that showed here
    logs: list = field(default_factory=list)
    raw_logs: list = field(default_factory=list)
    stage: object = None


class Stage:
    """One talk, one program.  `world` owns the program and the servers that all its talks share."""

    def __init__(self, world, talk, number):
        self.world = world
        self.talk = talk
        self.outcome = Outcome(world.program.name)
        high, low = divmod(number, 250)
        self.client_address = {"inet": f"127.25.{high + 8}.{low + 1}", "inet6": "::1",
                               "unix": "unix:"}[talk.via]
        self.back_address = f"127.26.{high + 8}.{low + 1}"
        self.names = {
            "n": number, "client": self.client_address, "back": self.back_address,
            "far": f"10.25.{high + 8}.{low + 1}", "far6": f"2001:db8::{high + 8:x}:{low + 1:x}",
            "reverse": "" if talk.via == "unix" else names.reverse_name(self.client_address),
            "farreverse": names.reverse_name(f"10.25.{high + 8}.{low + 1}"),
            **world.names,
        }
        self.doors = [world.doors[key] for key in talk.doors]
        self.door = self.doors[0]
        self.ports, self.places = {}, {}
        self.names["server"] = self.door[0]
        self.know("port", *self.door)
        for name, port in world.ports.items():
            self.know(name + "port", world.SERVICE_ADDRESS, port)
        self.client = self.back = self.question = self.session = None
        self.questions = asyncio.Queue()
        self.backs = asyncio.Queue()
        self.mail = self.mail6 = None
        self.heard = None

    @property
    def addresses(self):
        """Whom the auth server may be asked about on behalf of this talk."""
        return {self.client_address, self.names["far"], self.names["far6"]}

    # --- the course ----------------------------------------------------------------------------------

    async def play(self):
        step = None
        self.mail = await wire.listen(self._accepted, self.back_address)
        self.know("bport", self.back_address, self.mail.port)
        if "{back6port}" in self.talk.script:
            self.mail6 = await wire.listen(self._accepted, "::1")
            self.know("back6port", "::1", self.mail6.port)
        try:
            for step in self.talk.course(self.world.program.name):
                async with asyncio.timeout(DEADLINE):
                    await STEPS[step.verb](self, step)
            step = None
            async with asyncio.timeout(DEADLINE):
                await self._finish()
        except Mismatch as error:
            self._fail(step, str(error))
        except TimeoutError:
            self._fail(step, "waited in vain")
        except Exception as error:  # whatever it is, the other talks go on
            self._fail(step, repr(error))
        finally:
            for end in (self.client, self.back):
                if end:
                    end.close()
            await self.mail.close()
            if self.mail6:
                await self.mail6.close()
        return self.outcome

    def _fail(self, step, why):
        where = f"line {step.line}: {step}" if step else "at the end"
        self.outcome.fault = f"{self.outcome.program}, {where}\n  {why}"

    async def _finish(self):
        """Nothing may be left: no bytes, no question, no connection; and everything ends when the client
        leaves."""
        if self.client and not self.client.end:
            await self.client.shut()
        if self.back and not self.back.end:
            rest = await self.back.rest()
            self.back.close()
            if rest:
                raise Mismatch(f"the backend got more: {escape(rest)}")
        if self.client:
            rest = await self.client.rest()
            if rest:
                raise Mismatch(f"the client got more: {escape(rest)}")
        if not self.questions.empty():
            raise Mismatch("one more question: " + escape(self.questions.get_nowait()[0].head))
        if not self.backs.empty():
            raise Mismatch("one more connection to the backend")

    def note(self, step, seen, told=None):
        """What the step brought, in comparable form; `told` is what the script wants it to be."""
        seen = self.normal(seen)
        self.outcome.seen.append(f"{step.verb} {escape(seen)}")
        self.outcome.notes[step.line] = seen
        if step.only:
            self.outcome.private.add(step.line)
        if told is not None and self.normal(told) != seen:
            raise Mismatch(f"came {escape(seen)}")

    def normal(self, data):
        """Puts names for ports, which differ from run to run; `places` knows better where the address is
        there."""
        text = data.decode("latin-1")
        text = PLACE.sub(lambda found: self.places.get(found[0], found[0]), text)
        text = PORT.sub(lambda found: self.ports.get(found[0], found[0]), text)
        return text.replace(self.names.get("challenge", "{challenge}"), "{challenge}").encode("latin-1")

    def know(self, name, address, port):
        """From now on this address and port are written as the name."""
        self.names[name] = port
        self.ports[str(port)] = "{" + name + "}"
        self.places[f"{address}:{port}"] = f"{address}:{{{name}}}"

    def told(self, text):
        return unescape(fill(text, self.names))

    # --- the client ----------------------------------------------------------------------------------

    async def connect(self, step=None):
        """Leaves the former connection, if any, and makes a new one; "second" goes to the other server
        block."""
        if self.client:
            self.client.close()
        if step and step.text == "second":
            self.door = self.doors[1]
            self.know("port", *self.door)
        address, port = self.door
        if self.talk.via == "unix":
            self.client = await wire.Wire.connect(address[len("unix:"):])
        else:
            self.client = await wire.Wire.connect((address.strip("[]"), port), self.client_address)
            self.know("cport", address if self.talk.via == "inet6" else self.client_address,
                      self.client.local[1])

    async def at_hand(self):
        if not self.client:
            await self.connect()
        return self.client

    async def says_line(self, step):
        await (await self.at_hand()).send(self.told(step.text) + b"\r\n")

    async def says_bytes(self, step):
        await (await self.at_hand()).send(self.told(step.text))

    async def chats(self, step):
        """Says a line every now and then until the connection ends, which it must do in the midst of it."""
        client = await self.at_hand()
        for _ in range(40):
            await client.send(self.told(step.text) + b"\r\n")
            if not await client.line():
                return
            await asyncio.sleep(0.1)  # the client's pace; what is waited for is the end
        raise Mismatch("the connection stays, however long one talks")

    async def says_slowly(self, step):
        client = await self.at_hand()
        for byte in self.told(step.text) + b"\r\n":
            await client.send(bytes([byte]))
            await asyncio.sleep(0)  # let the other ends of this process have their turn

    async def hears_line(self, step):
        told = self.told(step.text) + b"\r\n"
        seen = self._learn(await (await self.at_hand()).line(), told)
        self.note(step, seen, told)

    async def hears_reply(self, step):
        client = await self.at_hand()
        seen = b""
        while True:
            line = await client.line()
            seen += line
            if not line.endswith(b"\n") or REPLY_ENDS[self.talk.protocol](seen, line):
                break
        self.note(step, seen)

    async def hears_all(self, step):
        told = self.told(step.text) if step.text else None
        self.note(step, await (await self.at_hand()).rest(), told)

    async def hears_bytes(self, step):
        told = self.told(step.text)
        self.note(step, await (await self.at_hand()).exactly(len(told)), told)

    async def hears_end(self, step):
        self.note(step, await (await self.at_hand()).rest(), b"")

    async def secures(self, step):
        client = await self.at_hand()
        options = dict(word.split("=", 1) for word in fill(step.text, self.names).split())
        wanted = options.pop("fails", None)
        notes = options.pop("notes", None)
        session = self.session if options.pop("resume", None) else None
        context = self.world.tls_context(options)
        try:
            await client.secure(context, name=options.get("sni"), session=session)
        except (ssl.SSLError, ssl.SSLEOFError) as error:
            if not wanted:
                raise Mismatch(f"handshake failed: {error}") from None
            reason = TLS_REASON.sub("", str(error)).replace(" ", "_")
            self.note(step, reason.encode(), None if wanted == "*" else wanted.encode())
            return
        if wanted:
            raise Mismatch("the handshake succeeded")
        tls = client.tls
        self.names.update(tls=tls.version(), cipher=tls.cipher()[0])
        alpn = tls.selected_alpn_protocol()
        shown = hashlib.sha256(tls.getpeercert(True) or b"").hexdigest()[:16]
        facts = f"{tls.version()} {tls.cipher()[0]} {alpn} reused={tls.session_reused} certificate={shown}"
        self.note(step, facts.encode(), None)
        if notes is not None and notes not in facts.replace(" ", ","):
            raise Mismatch(f"came {facts}")

    async def keeps_session(self, step):
        self.session = self.client.tls.session

    async def half_closes(self, step):
        await self.client.shut()

    async def leaves(self, step):
        self.client.close()
        self.client = None

    async def resets(self, step):
        self.client.reset()
        self.client = None

    def _learn(self, seen, told):
        """A told {challenge} or {challenge64} is whatever challenge came; from then on it is known by that
        name."""
        for mark, decode in CHALLENGES:
            if mark not in told:
                continue
            before, after = told.split(mark, 1)
            came = decode(seen[len(before):len(seen) - len(after)]).decode("latin-1")
            if CHALLENGE.fullmatch(came) and self._good_challenge(came):
                self.names["challenge"] = came
                return told
        return seen

    def _good_challenge(self, came):
        """nginx has one for each connection; postern a new one for each attempt."""
        known = self.names.get("challenge")
        if known is None or self.outcome.program == "nginx":
            return known in (None, came)
        self.outcome.used.add("challenge-reuse")
        return came != known

    # --- the authentication server ---------------------------------------------------------------------

    async def is_asked(self, step):
        self.question, self.answered = await self.questions.get()
        self.question.kept = False
        head, extra = self.world.canonical(self.question.head)
        self.outcome.used |= extra
        line, host, fields = _split_head(head)
        told = None
        if step.verb == "?":
            told = b"".join(self.told(text) + b"\r\n" for text in [step.text, *step.more])
            if told.startswith(b"GET "):
                fields = line + host + fields
        elif step.verb == "?*":
            fields = line + host + fields
        self.note(step, fields, told)

    async def answers(self, step):
        """Header lines of a well-formed answer; `{ok}` stands for those of a success."""
        lines = [self.told(text) for text in [step.text, *step.more]]
        await self._reply(b"".join(line + b"\r\n" for line in lines))

    async def answers_ok(self, step):
        text = f"Auth-Status: OK\r\nAuth-Server: {self.back_address}\r\nAuth-Port: {self.mail.port}\r\n"
        if step.text:
            text += "".join(line.strip() + "\r\n" for line in fill(step.text, self.names).split("|"))
        await self._reply(unescape(text))

    async def _reply(self, fields):
        keep = self.question.wants_keepalive
        self.question.kept = keep
        how = b"Connection: keep-alive\r\n" if keep else b"Connection: close\r\n"
        await self.question.write(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n" + how + b"\r\n")
        self.answered.set()

    async def answers_raw(self, step):
        """These bytes and nothing else; the connection stays until `!.`"""
        await self.question.write(self.told(step.text))

    async def answers_end(self, step):
        self.answered.set()

    # --- the backend ---------------------------------------------------------------------------------

    async def _accepted(self, connection):
        over = asyncio.Event()
        self.backs.put_nowait(connection)
        await over.wait()

    async def meets_back(self, step=None):
        """A new connection to the backend."""
        if self.back:
            self.back.close()
        self.back = await self.backs.get()

    async def back_at_hand(self):
        if not self.back:
            await self.meets_back()
        return self.back

    async def back_says_line(self, step):
        await (await self.back_at_hand()).send(self.told(step.text) + b"\r\n")

    async def back_says_bytes(self, step):
        await (await self.back_at_hand()).send(self.told(step.text))

    async def back_chats(self, step):
        """The backend says a line ten times a second: "20 times", or until the program has had enough."""
        back = await self.back_at_hand()
        limit = int(step.text.split()[0]) if step.text[0].isdigit() else 100
        ending = asyncio.ensure_future(back.rest()) if limit == 100 else None
        for _ in range(limit):
            await back.send(b"news\r\n")
            await asyncio.sleep(0.1)  # the server's pace
            if ending and ending.done():
                return
        if ending:
            ending.cancel()
            raise Mismatch("the connection stays, however long the backend talks")

    async def hears_lines(self, step):
        for _ in range(int(step.text)):
            self.note(step, await self.client.line(), b"news\r\n")

    async def hears_anything_to_the_end(self, step):
        await self.client.rest()

    async def back_says_slowly(self, step):
        back = await self.back_at_hand()
        for byte in self.told(step.text) + b"\r\n":
            await back.send(bytes([byte]))
            await asyncio.sleep(0)

    async def back_hears_line(self, step):
        self.note(step, await (await self.back_at_hand()).line(), self.told(step.text) + b"\r\n")

    async def back_hears_any(self, step):
        self.note(step, await (await self.back_at_hand()).line())

    async def back_hears_bytes(self, step):
        told = self.told(step.text)
        self.note(step, await (await self.back_at_hand()).exactly(len(told)), told)

    async def back_hears_end(self, step):
        self.note(step, await (await self.back_at_hand()).rest(), b"")

    async def back_hears_proxy_v2(self, step):
        back = await self.back_at_hand()
        head = await back.exactly(16)
        head += await back.exactly(int.from_bytes(head[14:16], "big"))
        seen = proxyhdr.parse_v2(head)
        seen["crc32c"] = proxyhdr.crc32c_holds(head)
        self.note(step, repr(seen).encode(), self.told(step.text) if step.text else None)

    async def back_hears_login(self, step):
        """The IMAP login, in either form: what counts is tag, name and password."""
        told = self.told(step.text)
        heard = await mailserver.imap_login(await self.back_at_hand())
        self.names["tag"] = heard.tag.decode("latin-1")
        seen = heard.tag + b" " + (heard.user or b"") + b" " + (heard.password or b"")
        if heard.form not in ("literal literal", "quoted quoted", "literal+ literal+"):
            raise Mismatch(f"came {escape(heard.raw)}")
        if heard.form != "literal literal":
            self.outcome.used.add("imap-login-one-line")
        self.note(step, seen, told)

    async def back_closes(self, step):
        (await self.back_at_hand()).close()
        self.back = None

    async def back_resets(self, step):
        (await self.back_at_hand()).reset()
        self.back = None

    # --- the rest ------------------------------------------------------------------------------------

    async def zone(self, step):
        """`dns NAME TYPE VALUE...` puts records into the zone; one capital word is an error."""
        name, kind, *values = fill(step.text, self.names).split()
        said = values[0] if len(values) == 1 and values[0].isupper() else [unescape(value)
                                                                           for value in values]
        if isinstance(said, list) and kind in ("A", "AAAA"):
            said = [value.decode() for value in said]
        self.world.names_server.say(name, kind, said)

    async def log(self, step):
        """Is checked when the program has ended; see world.py."""


def _unbase64(data):
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return b""


def _split_head(head):
    """The request line, the Host line, and the other fields."""
    line, rest = head.split(b"\r\n", 1)
    host, fields = rest.split(b"\r\n", 1)
    return line + b"\r\n", host + b"\r\n", fields.removesuffix(b"\r\n")


def _imap_ends(seen, line):
    return line[:2] not in (b"* ",) or line.startswith(b"* BAD") or seen == line and line.startswith(b"* OK")


def _pop3_ends(seen, line):
    listing = seen.startswith((b"+OK Capability list", b"+OK methods"))
    return line == b".\r\n" or not listing


def _smtp_ends(seen, line):
    return line[3:4] != b"-"


CHALLENGES = ((b"{challenge}", bytes), (b"{challenge64}", _unbase64))

REPLY_ENDS = {"imap": _imap_ends, "pop3": _pop3_ends, "smtp": _smtp_ends}

STEPS = {
    "connect": Stage.connect,
    ">": Stage.says_line, ">>": Stage.says_bytes, ">.": Stage.says_slowly,
    "chat": Stage.chats,
    "<": Stage.hears_line, "<<": Stage.hears_bytes, "<*": Stage.hears_reply, "<all": Stage.hears_all,
    "<.": Stage.hears_end,
    "tls": Stage.secures, "tls-keep": Stage.keeps_session,
    "shut": Stage.half_closes, "leave": Stage.leaves, "reset": Stage.resets,
    "?": Stage.is_asked, "?*": Stage.is_asked,
    "!": Stage.answers, "!ok": Stage.answers_ok, "!!": Stage.answers_raw, "!.": Stage.answers_end,
    "b+": Stage.meets_back,
    "b-chat": Stage.back_chats, "<lines": Stage.hears_lines, "<end": Stage.hears_anything_to_the_end,
    "b>": Stage.back_says_line, "b>>": Stage.back_says_bytes, "b>.": Stage.back_says_slowly,
    "b<": Stage.back_hears_line, "b<<": Stage.back_hears_bytes, "b<*": Stage.back_hears_any,
    "b<.": Stage.back_hears_end, "b-proxy2": Stage.back_hears_proxy_v2, "b-login": Stage.back_hears_login,
    "b.": Stage.back_closes, "b-reset": Stage.back_resets,
    "dns": Stage.zone, "log": Stage.log,
}
