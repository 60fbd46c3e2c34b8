# SPDX-License-Identifier: BSD-2-Clause
"""One end of a byte stream, read line by line, with TLS that can be turned on in the middle.

asyncio's own streams hide what these tests are about: which bytes came before the handshake, whether the
end was announced by close_notify, whether only one direction was closed.  So a Wire is a plain
non-blocking socket and, once secured, an OpenSSL object between two memory buffers.
"""

import asyncio
import socket
import ssl

CHUNK = 1 << 16


class Wire:
    """Reads come from `buffer`; `end` says why no more will come: None while open, "eof", "reset", "tls"."""

    def __init__(self, sock):
        sock.setblocking(False)
        self.sock = sock
        self.buffer = bytearray()
        self.end = None
        self.tls = None
        self.notified = False  # the peer said close_notify before it closed
        self._in = self._out = None

    @classmethod
    async def connect(cls, target, source=None):
        """`target` is (address, port) or the path of a unix socket; `source` an address to come from."""
        if isinstance(target, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if source:
                sock.bind((source, 0))
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(sock, target)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    @property
    def local(self):
        return self.sock.getsockname()

    @property
    def remote(self):
        return self.sock.getpeername()

    # --- bytes ---------------------------------------------------------------------------------------

    async def send(self, data):
        """Hands all of `data` to the kernel; a peer that is gone shows as `end`, not as an exception."""
        if self.tls:
            self.tls.write(data)
            data = self._out.read()
        await self._push(data)

    async def line(self):
        """Up to and including the next LF; what is left when the stream ends, b"" at its very end."""
        while b"\n" not in self.buffer:
            if not await self._pull():
                return self._take(len(self.buffer))
        return self._take(self.buffer.index(b"\n") + 1)

    async def exactly(self, count):
        """`count` bytes, fewer only when the stream ends."""
        while len(self.buffer) < count and await self._pull():
            pass
        return self._take(min(count, len(self.buffer)))

    async def some(self):
        """Whatever is there, at least one byte; b"" at the end."""
        if not self.buffer:
            await self._pull()
        return self._take(len(self.buffer))

    async def until(self, mark):
        """Up to and including `mark`, or what is left when the stream ends."""
        while mark not in self.buffer:
            if not await self._pull():
                return self._take(len(self.buffer))
        return self._take(self.buffer.index(mark) + len(mark))

    async def rest(self):
        """Everything until the end."""
        while await self._pull():
            pass
        return self._take(len(self.buffer))

    def _take(self, count):
        head = bytes(self.buffer[:count])
        del self.buffer[:count]
        return head

    # --- TLS -----------------------------------------------------------------------------------------

    async def secure(self, context, server_side=False, name=None, session=None):
        """Shakes hands.  Bytes that already came and were not read are taken as the peer's first flight."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._in, self._out, server_side=server_side, server_hostname=name,
                               session=session)
        self._in.write(self._take(len(self.buffer)))
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._push(self._out.read())
                data = await self._recv()
                if not data:
                    raise ssl.SSLEOFError("closed in handshake") from None
                self._in.write(data)
            except ssl.SSLError:
                await self._push(self._out.read())
                raise
        self.tls = tls
        await self._push(self._out.read())
        self._decrypt()

    def _decrypt(self):
        """Moves what has arrived in clear to `buffer`."""
        try:
            while True:
                data = self.tls.read(CHUNK)
                if not data:
                    self.notified = True
                    self.end = self.end or "eof"
                    return
                self.buffer += data
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            self.notified = True
            self.end = self.end or "eof"
        except ssl.SSLError as error:
            self.end = "tls " + (error.reason or "error")

    # --- the end -------------------------------------------------------------------------------------

    async def shut(self):
        """Says that nothing more will be sent; still listens."""
        if self.tls:
            try:
                self.tls.unwrap()
            except (ssl.SSLError, OSError):
                pass  # it waits for the peer's answer, which the next read takes
            await self._push(self._out.read())
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        self.sock.close()

    # --- the socket ----------------------------------------------------------------------------------

    async def _push(self, data):
        try:
            await asyncio.get_running_loop().sock_sendall(self.sock, data)
        except OSError:
            pass  # the reader will meet the same end, after what came before it

    async def _recv(self):
        try:
            data = await asyncio.get_running_loop().sock_recv(self.sock, CHUNK)
        except ConnectionError:
            self.end = "reset"
            return b""
        if not data:
            self.end = self.end or "eof"
        return data

    async def _pull(self):
        """Waits for more; says whether there is hope."""
        if self.end:
            return False
        before = len(self.buffer)
        data = await self._recv()
        if not self.tls:
            self.buffer += data
            return bool(data)
        if data:
            self._in.write(data)
            self._decrypt()
        return len(self.buffer) > before or not self.end


async def listen(on_wire, address="127.0.0.1", port=0, backlog=512):
    """Calls `on_wire(wire)` (a coroutine) for each connection.  Returns a Listener."""
    if isinstance(address, str) and address.startswith("/"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.bind(address)
    else:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
    sock.listen(backlog)
    sock.setblocking(False)
    return Listener(sock, on_wire)


class Listener:
    """Accepts until closed; then ends the conversations that it began."""

    def __init__(self, sock, on_wire):
        self.sock = sock
        self.port = sock.getsockname()[1] if sock.family != socket.AF_UNIX else None
        self._on_wire = on_wire
        self._talks = set()
        self._task = asyncio.get_running_loop().create_task(self._accept())

    async def _accept(self):
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(self.sock)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = loop.create_task(self._serve(Wire(sock)))
            self._talks.add(talk)
            talk.add_done_callback(self._talks.discard)

    async def _serve(self, wire):
        try:
            await self._on_wire(wire)
        finally:
            wire.close()

    async def close(self):
        ending = [self._task, *self._talks]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self.sock.close()
