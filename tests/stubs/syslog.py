# SPDX-License-Identifier: BSD-2-Clause
"""A syslog server: keeps every datagram, from UDP or a unix socket."""

import asyncio
import os
import socket


class SyslogServer:
    """`received` grows; `wait(count)` returns when there are so many."""

    def __init__(self):
        self.received = []
        self.port = None
        self._sock = None
        self._news = asyncio.Event()

    async def start(self, address="127.0.0.1", port=0):
        """`address` may be the path of a unix socket."""
        if address.startswith("/"):
            self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sock.bind(address)
            os.chmod(address, 0o777)
        else:
            self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._sock.bind((address, port))
            self.port = self._sock.getsockname()[1]
        self._sock.setblocking(False)
        asyncio.get_running_loop().add_reader(self._sock, self._read)
        return self

    def _read(self):
        self.received.append(self._sock.recv(65536))
        self._news.set()

    async def wait(self, count):
        while len(self.received) < count:
            self._news.clear()
            await self._news.wait()
        return self.received[:count]

    async def stop(self):
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()
