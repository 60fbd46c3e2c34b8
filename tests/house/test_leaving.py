# SPDX-License-Identifier: BSD-2-Clause
"""Clients that leave before they have logged in: nothing of them stays, and nobody else is kept waiting."""

import socket

import pytest

from peers import Postern, Site

CONFIG = """
worker_processes 1;
events {{ }}
mail {{
    auth_http 127.0.0.1:{nowhere};
    server {{ listen 127.0.0.1:{port}; protocol {protocol}; }}
}}
"""

# What was said before leaving: nothing, half a command, a whole one, the middle of a login.
WORDS = {
    "imap": ["", "a NO", "a NOOP\r\n", "a LOGIN {5}\r\n", "a AUTHENTICATE PLAIN\r\n"],
    "pop3": ["", "NO", "NOOP\r\n", "USER ada\r\n", "AUTH PLAIN\r\n"],
    "smtp": ["", "NO", "NOOP\r\n", "EHLO x\r\nAUTH PLAIN\r\n", "MAIL FROM:<>\r\n"],
}
CASES = [(protocol, words) for protocol, several in WORDS.items() for words in several]


def close(s):
    s.close()


def half_close(s):
    """The answers still come, then the other side closes too."""
    s.shutdown(socket.SHUT_WR)
    while s.recv(4096):
        pass
    s.close()


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()


@pytest.fixture(scope="module")
def gates():
    """A proxy for each protocol: {protocol: (proxy, address)}."""
    with Site() as site:
        found = {}
        for protocol in WORDS:
            port = site.port()
            config = CONFIG.format(nowhere=site.port(), port=port, protocol=protocol)
            found[protocol] = Postern(site, config, name=protocol).start(), ("127.0.0.1", port)
        yield found


def connect(address):
    s = socket.create_connection(address, 10)
    assert s.recv(512)
    return s


@pytest.mark.parametrize("leave", [close, half_close, reset])
@pytest.mark.parametrize("protocol, words", CASES)
def test_the_next_client_is_served(gates, protocol, words, leave):
    _, address = gates[protocol]
    s = connect(address)
    s.sendall(words.encode())
    leave(s)
    connect(address).close()


@pytest.mark.parametrize("protocol", WORDS)
def test_a_graceful_stop_waits_for_nobody_who_left(gates, protocol):
    gate, address = gates[protocol]
    half_close(connect(address))
    assert gate.quit() == 0
    assert "[alert]" not in gate.log_text()
