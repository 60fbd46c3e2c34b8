# SPDX-License-Identifier: BSD-2-Clause
"""Mail servers behind a proxy: they hear a login, in whatever form it comes, and then echo.

`MailServer` accepts and leaves the conversation to the owner, either by a handler or one connection at a
time through `accepted()`. The `*_login` coroutines play the server's part up to the moment when the login
must be answered and return what they heard as a Login; `echo` then plays the relayed part.
"""

import asyncio
import base64
import re
from dataclasses import dataclass, field

from . import wire


@dataclass
class Login:
    """What a backend was told: `raw` is every byte in the order of arrival, `tag` only in IMAP."""

    user: bytes = None
    password: bytes = None
    tag: bytes = None
    form: str = ""
    raw: bytes = b""
    lines: list = field(default_factory=list)


class MailServer:
    """Without a handler, connections wait in a queue for `accepted()`."""

    def __init__(self, handler=None):
        self.handler = handler
        self.waiting = asyncio.Queue()
        self.listener = None

    async def start(self, address="127.0.0.1", port=0):
        self.listener = await wire.listen(self._serve, address, port)
        return self

    @property
    def port(self):
        return self.listener.port

    async def accepted(self):
        """The next connection, a Wire."""
        return (await self.waiting.get())[0]

    async def stop(self):
        await self.listener.close()

    async def _serve(self, connection):
        if self.handler:
            await self.handler(connection)
            return
        over = asyncio.Event()
        self.waiting.put_nowait((connection, over))
        await over.wait()  # for ever: the owner closes the Wire, stop() ends this task


# --- IMAP ----------------------------------------------------------------------------------------------


async def imap_login(connection, continuation=b"+ OK\r\n"):
    """Hears one LOGIN command: atoms, quoted strings, literals of both kinds."""
    heard = Login()
    values = []
    rest = await _line(connection, heard)
    heard.tag, verb, rest = (rest.split(b" ", 2) + [b"", b""])[:3]
    if verb.upper() != b"LOGIN":
        heard.form = "unknown"
        return heard
    forms = []
    while len(values) < 2:
        literal = re.fullmatch(rb"\{(\d+)(\+?)\}", rest)
        if literal:
            forms.append("literal+" if literal[2] else "literal")
            if not literal[2]:
                await connection.send(continuation)
            value = await connection.exactly(int(literal[1]))
            heard.raw += value
            rest = (await _line(connection, heard)).lstrip(b" ")
        else:
            quoted = re.match(rb'"((?:[^"\\]|\\.)*)" ?', rest)
            form = quoted or re.match(rb"([^ ]*) ?", rest)
            forms.append("quoted" if quoted else "atom")
            value = re.sub(rb"\\(.)", rb"\1", quoted[1]) if quoted else form[1]
            rest = rest[form.end():]
        values.append(value)
    heard.user, heard.password = values
    heard.form = " ".join(forms)
    return heard


# --- POP3 ----------------------------------------------------------------------------------------------


async def pop3_login(connection, user_reply=b"+OK\r\n"):
    """Hears USER and PASS."""
    heard = Login(form="user")
    line = await _line(connection, heard)
    if not line.startswith(b"USER "):
        heard.form = "unknown"
        return heard
    heard.user = line[5:]
    await connection.send(user_reply)
    line = await _line(connection, heard)
    heard.password = line[5:] if line.startswith(b"PASS ") else None
    return heard


# --- SMTP ----------------------------------------------------------------------------------------------


async def smtp_login(connection, name=b"backend.example", offers=(b"AUTH PLAIN", b"XCLIENT ADDR LOGIN NAME")):
    """Hears EHLO, HELO, XCLIENT and AUTH PLAIN, answering all but AUTH, MAIL and RCPT: returns at the first
    command that is one of those; `lines` are the commands before it."""
    heard = Login()
    while True:
        line = await _line(connection, heard)
        verb = line.split(b" ", 1)[0].upper()
        if verb == b"AUTH":
            parts = line.split(b" ")
            heard.form = parts[1].decode("latin-1").lower()
            if heard.form == "plain" and len(parts) == 3:
                _, heard.user, heard.password = base64.b64decode(parts[2]).split(b"\0", 2)
            return heard
        if verb in (b"MAIL", b"RCPT", b""):
            heard.form = verb.decode().lower()
            return heard
        if verb == b"EHLO":
            said = [name, *offers]
            await connection.send(b"".join(
                b"250" + (b" " if place == len(said) - 1 else b"-") + word + b"\r\n"
                for place, word in enumerate(said)))
        elif verb == b"HELO":
            await connection.send(b"250 " + name + b"\r\n")
        elif verb == b"XCLIENT":
            await connection.send(b"220 " + name + b" ESMTP\r\n")
        else:
            await connection.send(b"502 5.5.1 Not here\r\n")


# --- after the login -----------------------------------------------------------------------------------


async def echo(connection):
    """Sends back what comes, until the other side is done."""
    while data := await connection.some():
        await connection.send(data)
    await connection.shut()


async def _line(connection, heard):
    raw = await connection.line()
    heard.raw += raw
    line = raw.rstrip(b"\r\n")
    heard.lines.append(line)
    return line
