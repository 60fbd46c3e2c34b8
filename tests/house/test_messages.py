# SPDX-License-Identifier: BSD-2-Clause
"""Messages of all sizes arrive byte for byte, in both directions, plain and over TLS."""

import pytest

from line import logged_in
from town import SERVERS

SIZES = {"1 KB": 1 << 10, "1 MB": 1 << 20, "30 MB": 30 << 20}


def message(size, mark):
    """A message that is hard on whoever looks into it: dots, ends that look like ends, bytes of all kinds, short and long lines."""
    odd = bytes(b for b in range(1, 256) if b not in b"\r\n")
    lines = [b".", b"..", b"", b"a LOGOUT", b"QUIT", b"\t" + odd, odd * 3, b".x" * 400, b"x" * 76]
    block = b"".join(line + b"\r\n" for line in lines)
    head = f"From: x@example.org\r\nSubject: of {size} bytes\r\n\r\n{mark}\r\n".encode()
    lines = b"".join(b"%d\r\n" % n + block for n in range(size // len(block) + 1))
    # cut in the middle of whatever it is, but not between CR and LF
    return (head + lines)[:size - 2].rstrip(b"\r\n").ljust(size - 2, b"z") + b"\r\n"


def body(data):
    """What stands below the header, to which a mail server may add."""
    return data.partition(b"\r\n\r\n")[2]


def stuffed(data):
    return (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:]


def unstuffed(data):
    return (b"\r\n" + data).replace(b"\r\n..", b"\r\n.")[2:]


def send_by_smtp(line, sender, recipient, data):
    for command in (f"MAIL FROM:<{sender.name}> BODY=8BITMIME", f"RCPT TO:<{recipient.name}>"):
        assert line.ask(command).startswith("250 ")
    assert line.ask("DATA").startswith("354 ")
    line.raw(stuffed(data) + b".\r\n")
    assert line.line().startswith("250 ")


def append_by_imap(line, data):
    assert line.ask(f"b APPEND INBOX {{{len(data)}}}").startswith("+")
    line.raw(data + b"\r\n")
    assert line.until("b ")[-1].startswith("b OK")


def fetch_by_imap(line):
    line.send("c SELECT INBOX")
    line.until("c OK")
    head = line.ask("d FETCH 1 BODY.PEEK[]")
    data = line.take(int(head.rpartition("{")[2].rstrip("}")))
    assert line.until("d ")[-1].startswith("d OK")
    return data


def retrieve_by_pop3(line):
    assert line.ask("RETR 1").startswith("+OK")
    return unstuffed(line.take_through(b"\r\n.\r\n")[:-3])


@pytest.mark.parametrize("size, security", [*((size, s) for size in ("1 KB", "1 MB") for s in ("plain", "starttls", "tls")),
                                            ("30 MB", "plain"), ("30 MB", "tls")])
def test_round_trip(gate, town, tls, size, security):
    sender, recipient = (town.user(server, mail=False) for server in SERVERS)
    mark = f"sent as {size} by {security}"
    data = message(SIZES[size], mark)
    assert len(data) == SIZES[size]

    with logged_in(gate.doors, "smtp", sender, security, tls) as line:
        send_by_smtp(line, sender, recipient, data)
    arrived = town.arrived(recipient, mark).replace(b"\n", b"\r\n")
    assert body(arrived) == body(data)

    with logged_in(gate.doors, "imap", recipient, security, tls) as line:
        fetched = fetch_by_imap(line)
    assert fetched == arrived
    with logged_in(gate.doors, "pop3", recipient, security, tls) as line:
        retrieved = retrieve_by_pop3(line)
    assert retrieved == arrived

    with logged_in(gate.doors, "imap", sender, security, tls) as line:
        append_by_imap(line, data)
        assert fetch_by_imap(line) == data
