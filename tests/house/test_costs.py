# SPDX-License-Identifier: BSD-2-Clause
"""What a login, a relayed piece and an idle session cost, in calls and bytes: numbers that are the same on every
machine, and that nobody raises without noticing. Whoever lowers one may write the lower number here.

One client at a time, and each side waits for the other, so that the order of events is always the same. What is left
to chance is only whether two events meet in one turn: the number of epoll_wait calls has an upper bound instead.
"""

import os
import re
import socket
import struct
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from peers import Postern, Site
from peers.process import wait_until

NAMES = ("accept", "close", "connect", "epoll_ctl", "epoll_wait", "recv", "send", "shutdown", "socket",
         "socket_options", "socket_names", "read_write", "allocations", "heap", "waiting")
CONFIG = """
worker_processes 1;
error_log {dir}/log crit;
events {{ }}
mail {{
    auth_http 127.0.0.1:{auth}/auth;
    xclient off;
    server {{ listen 127.0.0.1:{imap}; protocol imap; }}
    server {{ listen 127.0.0.1:{pop3}; protocol pop3; }}
    server {{ listen 127.0.0.1:{smtp}; protocol smtp; smtp_auth plain; }}
}}
"""


class Counter:
    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(8 * len(NAMES)))

    def read(self):
        return dict(zip(NAMES, struct.unpack(f"{len(NAMES)}q", self.path.read_bytes())))

    def settled(self):
        """The numbers once master and worker have done all that they were given to do, and wait.

        For a client that was just answered: the worker is still in the turn that did it, or has finished it.
        """
        return wait_until(lambda: (now := self.read())["waiting"] == 2 and now, 10, "the end of the turn")

    @contextmanager
    def counted(self, *, closes=0):
        """What is counted inside; the end waits until so many descriptors are closed."""
        before, found = self.settled(), {}
        yield found
        wait_until(lambda: self.read()["close"] - before["close"] >= closes, 10, f"{closes} closed descriptors")
        found.update({name: n - before[name] for name, n in self.settled().items()})


class Server:
    """Connections are served one by one, by a function that is given lines; what it returns is sent in one go.

    A text that is returned with LAST leaves together with the end of the connection, as one packet.
    """

    def __init__(self, site, greeting, hear):
        self.greeting, self.hear = greeting, hear
        self.listener = socket.create_server(("127.0.0.1", site.port()))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection, connection.makefile("rb") as lines:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(self.greeting)
            for line in lines:
                answer, last = self.hear(line)
                if answer:
                    connection.send(answer, socket.MSG_MORE if last else 0)
                if last:
                    return

    def close(self):
        self.listener.close()


def imap(line):
    tag, _, command = line.rstrip().partition(b" ")
    if command == b"LOGOUT":
        return b"* BYE\r\n" + tag + b" OK\r\n", True
    size = re.fullmatch(rb"FETCH (\d+)", command)
    return (b"x" * int(size[1]) if size else tag + b" OK\r\n"), False


def pop3(line):
    return b"+OK\r\n", line.startswith(b"QUIT")


def smtp(line):
    if line.startswith(b"EHLO"):
        return b"250-x\r\n250 AUTH PLAIN\r\n", False
    return (b"235 ok\r\n" if line.startswith(b"AUTH") else b"250 ok\r\n"), line.startswith(b"QUIT")


class Auth:
    """Sends everybody to the server of his protocol, over one connection that is kept."""

    def __init__(self, site, ports):
        self.ports, self.protocol = ports, None
        self.server = Server(site, b"", self.hear)

    def hear(self, line):
        if line.startswith(b"Auth-Protocol: "):
            self.protocol = line.split()[1].decode()
        if line != b"\r\n":
            return b"", False
        return (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\n"
                b"Auth-Port: %d\r\n\r\n" % self.ports[self.protocol]), False


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    if b"__asan_init" in Path(Postern.program()).read_bytes():
        pytest.skip("the sanitizers have an allocator of their own")
    library = tmp_path_factory.mktemp("shim") / "count_calls.so"
    source = Path(__file__).with_name("count_calls.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-U_FORTIFY_SOURCE", "-D_GNU_SOURCE", "-o", library, source,
                    "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def gate(shim):
    with Site() as site:
        servers = {"imap": Server(site, b"* OK\r\n", imap), "pop3": Server(site, b"+OK\r\n", pop3),
                   "smtp": Server(site, b"220 x\r\n", smtp)}
        auth = Auth(site, {name: server.port for name, server in servers.items()})
        ports = {name: site.port() for name in servers}
        gate = Postern(site, CONFIG.format(dir=site.directory("costs"), auth=auth.server.port, **ports))
        gate.counter = Counter(site.root / "numbers")
        gate.ports = ports
        gate.process.env = {**os.environ, "LD_PRELOAD": str(shim), "COUNT_CALLS": str(gate.counter.path)}
        gate.start()
        for protocol in ports:  # the first one opens the connection to the auth server, and fills the heap's bins
            for _ in range(3):
                session(gate, protocol)
        yield gate
        for server in [auth.server, *servers.values()]:
            server.close()


class Client:
    def __init__(self, gate, protocol):
        self.socket = socket.create_connection(("127.0.0.1", gate.ports[protocol]), 10)
        self.lines = self.socket.makefile("rb")

    def say(self, words, answer):
        """Says it and reads on to the line that begins with `answer`."""
        if words:
            self.socket.sendall(words)
        for line in self.lines:
            if line.startswith(answer):
                return
        raise AssertionError(f"no {answer} after {words}")

    def close(self):
        assert self.lines.read() == b""
        self.lines.close()
        self.socket.close()


LOGIN = {
    "imap": [(b"", b"* OK"), (b"a LOGIN ada secret\r\n", b"a OK")],
    "pop3": [(b"", b"+OK"), (b"USER ada\r\n", b"+OK"), (b"PASS secret\r\n", b"+OK")],
    "smtp": [(b"", b"220"), (b"EHLO x\r\n", b"250 "), (b"AUTH PLAIN AGFkYQBzZWNyZXQ=\r\n", b"235")],
}
GOODBYE = {"imap": (b"c LOGOUT\r\n", b"c OK"), "pop3": (b"QUIT\r\n", b"+OK"), "smtp": (b"QUIT\r\n", b"250")}


def log_in(gate, protocol):
    client = Client(gate, protocol)
    for words, answer in LOGIN[protocol]:
        client.say(words, answer)
    return client


def session(gate, protocol):
    """A whole one, up to the closing of both its descriptors."""
    with gate.counter.counted(closes=2) as found:
        client = log_in(gate, protocol)
        client.say(*GOODBYE[protocol])
        client.close()
    return found


# One connection from the client and one to the server, with one registration each and one option; one question on a
# connection that stands; each line that comes is one recv, and each that goes one send. The ends: the server's comes
# with its last words, the client's costs a recv.
WHOLE_SESSION = {
    "imap": {"recv": 7, "send": 6},
    "pop3": {"recv": 9, "send": 8},
    "smtp": {"recv": 8, "send": 7},
}
EVERY_SESSION = {"accept": 1, "close": 2, "connect": 1, "epoll_ctl": 2, "shutdown": 1, "socket": 1,
                 "socket_options": 1, "socket_names": 0, "read_write": 0, "heap": 0, "waiting": 0}
# Turns without a recv: the connection that stands before the server speaks, the client's receipt of our FIN before
# his own, a timer that moves to a finer wheel, and the wait for what comes after. A session has one more, the accept.
CHANCE = 5
# struct session, everything before the relay, and the name for log lines of the relay.
ALLOCATIONS = 3


@pytest.mark.parametrize("protocol", sorted(LOGIN))
def test_calls_of_a_session(gate, protocol):
    found = session(gate, protocol)
    waits, allocations = found.pop("epoll_wait"), found.pop("allocations")
    assert found == {**EVERY_SESSION, **WHOLE_SESSION[protocol]}
    assert allocations == ALLOCATIONS
    assert waits <= found["recv"] + CHANCE + 1


@pytest.mark.parametrize("size", [1, 4000, 60000])
def test_calls_of_a_relayed_piece(gate, size):
    rounds = 20
    client = log_in(gate, "imap")
    client.say(b"b NOOP\r\n", b"b OK")
    with gate.counter.counted() as found:
        for _ in range(rounds):
            client.socket.sendall(b"b FETCH %d\r\n" % size)
            assert len(client.lines.read(size)) == size
    # There and back, each way one recv and one send; a large piece may come as several packets.
    pieces = rounds * (2 if size < 16000 else 2 + size // 16000)
    assert 2 * rounds <= found["recv"] <= pieces
    assert found["send"] == found["recv"]
    assert found["epoll_wait"] <= found["recv"] + CHANCE
    assert {n for n, k in found.items() if k} <= {"recv", "send", "epoll_wait"}
    with gate.counter.counted(closes=2):
        client.say(*GOODBYE["imap"])
        client.close()


# struct session and the user's name, with what the heap rounds them up to; the list stands in
# docs/performance.md.
IDLE_BYTES = 456


def test_bytes_of_an_idle_session(gate):
    many = 50
    before = gate.counter.settled()["heap"]
    clients = [log_in(gate, "imap") for _ in range(many)]
    assert gate.counter.settled()["heap"] - before <= many * IDLE_BYTES
    with gate.counter.counted(closes=2 * many):
        for client in clients:
            client.say(*GOODBYE["imap"])
            client.close()
    assert gate.counter.settled()["heap"] == before
