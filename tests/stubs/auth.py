# SPDX-License-Identifier: BSD-2-Clause
"""An auth_http server that answers as it is told, byte by byte if need be.

The server understands just enough HTTP to find the end of a request (there is never a body). Every request
becomes a Question; the owner's coroutine looks at it and answers, slowly, wrongly or not at all.
"""

from urllib.parse import unquote_to_bytes

from . import wire


class Question:
    """One request: `head` is every byte of it, `fields` the header lines in order as (name, value) bytes."""

    def __init__(self, head, connection, number):
        self.head = head
        self.wire = connection
        self.number = number  # 1 for the first request of a connection
        self.kept = False
        lines = head.split(b"\r\n")
        self.request_line = lines[0]
        self.fields = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines[1:] if line]

    def get(self, name):
        """The value of a header as it came, None if absent.  `name` is text in any case."""
        wanted = name.lower().encode()
        return next((field[1] for field in self.fields if field[0].lower() == wanted), None)

    def decoded(self, name):
        """The value of a header with %XX undone: bytes, for names and passwords are bytes."""
        value = self.get(name)
        return None if value is None else unquote_to_bytes(value)

    @property
    def wants_keepalive(self):
        line_11 = self.request_line.endswith(b"HTTP/1.1")
        option = (self.get("Connection") or b"").lower()
        return option == b"keep-alive" or (line_11 and option != b"close")

    async def write(self, data):
        await self.wire.send(data)

    async def reply(self, *fields):
        """A well-formed answer: `fields` are (name, value) pairs. The connection stays if the asker likes."""
        self.kept = self.wants_keepalive
        await self.write(response(*fields, keep=self.kept))

    async def grant(self, server, port, *more):
        await self.reply(("Auth-Status", "OK"), ("Auth-Server", server), ("Auth-Port", port), *more)

    async def refuse(self, text, *more):
        await self.reply(("Auth-Status", text), *more)


def response(*fields, keep=False):
    """The bytes of a 200 answer without a body."""
    out = [b"HTTP/1.1 200 OK"]
    for name, value in fields:
        if not isinstance(value, bytes):
            value = str(value).encode("utf-8")
        out.append(name.encode() + b": " + value)
    out += [b"Content-Length: 0", b"Connection: " + (b"keep-alive" if keep else b"close")]
    return b"\r\n".join(out) + b"\r\n\r\n"


class AuthServer:
    """`on_question(question)` is awaited for every request; when it returns, the connection is closed
    unless it set `question.kept`."""

    def __init__(self, on_question):
        self.on_question = on_question
        self.listener = None

    async def start(self, address="127.0.0.1", port=0):
        self.listener = await wire.listen(self._serve, address, port)
        return self

    @property
    def port(self):
        return self.listener.port

    async def stop(self):
        await self.listener.close()

    async def _serve(self, connection):
        number = 0
        while True:
            head = await connection.until(b"\r\n\r\n")
            if not head.endswith(b"\r\n\r\n"):
                return
            number += 1
            question = Question(head, connection, number)
            await self.on_question(question)
            if not question.kept:
                return


def by_table(users):
    """A handler from {(user, password): (server, port)}, all bytes or text; others get "Invalid login"."""
    table = {(_bytes(user), _bytes(secret)): place for (user, secret), place in users.items()}

    async def answer(question):
        place = table.get((question.decoded("Auth-User"), question.decoded("Auth-Pass")))
        if place:
            await question.grant(*place)
        else:
            await question.refuse("Invalid login or password")

    return answer


def _bytes(value):
    return value if isinstance(value, bytes) else value.encode("utf-8")
