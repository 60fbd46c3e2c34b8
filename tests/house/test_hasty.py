# SPDX-License-Identifier: BSD-2-Clause
"""Peers that are ahead of the proxy: servers that leave during the login, headers that lie there before the accept."""

import os
import signal

import pytest

from conftest import unharmed
from line import Line
from peers import Postern, Site
from peers.process import wait_until
from stubs import mailserver, proxyhdr
from stubs.auth import AuthServer
from stubs.background import Background

CONFIG = """
worker_processes 1;
events {{ }}
mail {{
    auth_http 127.0.0.1:{auth};
    server_name mail.example;
    proxy_smtp_auth on;
    set_real_ip_from 127.0.0.1;
    server {{ listen 127.0.0.1:{imap}; protocol imap; }}
    server {{ listen 127.0.0.1:{pop3}; protocol pop3; }}
    server {{ listen 127.0.0.1:{smtp}; protocol smtp; }}
    server {{ listen 127.0.0.1:{behind} proxy_protocol; protocol pop3; }}
}}
"""

GREETINGS = {"imap": b"* OK ready\r\n", "pop3": b"+OK ready\r\n", "smtp": b"220 ready\r\n"}
LOGINS = {"imap": ("a LOGIN ada secret",), "pop3": ("USER ada", "PASS secret"), "smtp": ("AUTH PLAIN AGFkYQBzZWNyZXQ=",)}
REPLIES = {"imap": "* BAD internal server error", "pop3": "-ERR internal server error", "smtp": "451 4.3.2 Internal server error"}


class Hasty:
    """A proxy before a mail server that says `words`, hears an answer if that was a whole line, and leaves."""

    def __init__(self, site, stubs):
        self.words = b""
        self.server = stubs.run(mailserver.MailServer(self.leave).start())
        self.ports = {name: site.port() for name in (*GREETINGS, "behind")}
        auth = stubs.run(AuthServer(lambda q: q.grant("127.0.0.1", self.server.port)).start())
        self.gate = Postern(site, CONFIG.format(auth=auth.port, **self.ports)).start()
        wait_until(self.gate.workers, 20, "the worker", self.gate)

    async def leave(self, connection):
        await connection.send(self.words)
        if self.words.endswith(b"\n"):
            await connection.line()

    def line(self, name):
        return Line(("127.0.0.1", self.ports[name]))


@pytest.fixture(scope="module")
def hasty():
    with Site() as site, Background() as stubs:
        yield Hasty(site, stubs)


@pytest.mark.parametrize("moment", ["at once", "within the greeting", "after the greeting"])
@pytest.mark.parametrize("protocol", GREETINGS)
def test_a_server_that_leaves_during_the_login(hasty, protocol, moment):
    greeting = GREETINGS[protocol]
    hasty.words = {"at once": b"", "within the greeting": greeting[:3], "after the greeting": greeting}[moment]
    with unharmed(hasty.gate), hasty.line(protocol) as client:
        client.line()
        client.send(*LOGINS[protocol])
        assert REPLIES[protocol] in client.rest()
        with hasty.line(protocol) as other:
            assert other.line()


def test_a_header_that_came_before_the_accept(hasty):
    [worker] = hasty.gate.workers()
    os.kill(worker, signal.SIGSTOP)
    try:
        client = hasty.line("behind")
        client.raw(proxyhdr.v1("192.0.2.7", "192.0.2.8", 1111, 110) + b"NOOP\r\n")
    finally:
        os.kill(worker, signal.SIGCONT)
    with client:
        assert client.line().startswith("+OK")
        assert client.line() == "+OK"
