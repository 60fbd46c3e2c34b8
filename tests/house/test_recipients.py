# SPDX-License-Identifier: BSD-2-Clause
"""smtp_route_recipients: mail without a login, each recipient to its own server, with real servers behind."""

import smtplib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from line import Line
from peers import Postern, Site
from peers.maildir import messages
from peers.process import wait_until
from peers.site import unprivileged_user
from town import HOST, alarms, configuration
from peers.aiosmtp import AioSmtp
from peers.postfix import Postfix

PEOPLE = ("ann", "bob")
LARGE = 300_000  # lines of 70 bytes
PEAK_MAX = 12_000  # KB of a worker, far less than the message
ELSEWHERE = "451 4.5.3 Recipient belongs to another server, try again"


class Hamlet:
    """Two SMTP servers: people at red.example live on one, at blue.example on the other."""

    def __init__(self, site):
        self.site = site
        self.boxes, self.servers = {}, {}
        kind = Postfix if Postfix.why_not() is None else AioSmtp
        for color in ("red", "blue"):
            folder = site.directory(f"boxes-{color}", unprivileged_user())
            boxes = {f"{name}@{color}.example": folder / name for name in PEOPLE}
            self.boxes.update(boxes)
            self.servers[color] = kind(site, f"smtp-{color}", boxes).start()

    def address(self, color):
        return f"{HOST}:{self.servers[color].port}"

    def arrived(self, who, text, count=1):
        def look():
            return sum(text.encode() in message for message in messages(self.boxes[who])) == count
        wait_until(look, 30, f"{count} messages with {text!r} for {who}")

    def absent(self, who, text):
        assert not any(text.encode() in message for message in messages(self.boxes[who]))


@pytest.fixture(scope="module")
def hamlet():
    with Site() as site:
        yield Hamlet(site)


@contextmanager
def router(hamlet):
    """An authentication server that sends each recipient to its color's server, and knows no green."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            recipient = self.headers["Auth-SMTP-To"]
            asked.append(recipient.partition("<")[2].rstrip(">"))
            color = recipient.rpartition("@")[2].partition(".")[0]
            self.send_response(200)
            if color in hamlet.servers:
                self.send_header("Auth-Status", "OK")
                self.send_header("Auth-Server", HOST)
                self.send_header("Auth-Port", str(hamlet.servers[color].port))
            else:
                self.send_header("Auth-Status", "No such domain here")
                self.send_header("Auth-Error-Code", "550 5.1.2")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def start(hamlet, name, how, server="smtp_route_recipients on;"):
    port = hamlet.site.port()
    gate = Postern(hamlet.site, configuration(
        f"server_name gate.example; {how}",
        f"listen {HOST}:{port}; protocol smtp; smtp_auth none; smtp_capabilities PIPELINING 8BITMIME CHUNKING; {server}",
        main="worker_processes 1; error_log stderr info;"), name=name).start()
    gate.door = (HOST, port)
    return gate


def by_map(hamlet):
    return f"""map $smtp_rcpt_domain $color {{
            red.example {hamlet.address("red")}; blue.example {hamlet.address("blue")}; nowhere.example 127.0.0.1:1;
        }}
        proxy_pass $color;"""


@pytest.fixture(scope="module")
def gate(hamlet):
    """Where proxy_pass alone says where to."""
    gate = start(hamlet, "by-map", by_map(hamlet))
    yield gate
    assert gate.stop() == 0
    assert alarms(gate.process.log_text()) == []


def memory(gate, which):
    """What the worker takes, in KB."""
    worker, = gate.workers()
    with open(f"/proc/{worker}/status", encoding="ascii") as status:
        return next(int(text.split()[1]) for text in status if text.startswith(which))


def sanitized():
    """The sanitizers have an allocator of their own."""
    return b"__asan_init" in Path(Postern.program()).read_bytes()


@contextmanager
def greeted(gate):
    with Line(gate.door) as line:
        assert line.line().startswith("220 ")
        line.send("EHLO client.example")
        line.until("250 ")
        yield line


def test_a_sender_brings_the_rest_apart(hamlet, gate):
    with smtplib.SMTP(*gate.door) as client:
        everybody = ["ann@red.example", "ann@blue.example", "bob@red.example"]
        refused = client.sendmail("eve@far.example", everybody, "Subject: apart\r\n\r\nfirst\r\n")
        assert list(refused) == ["ann@blue.example"]
        assert refused["ann@blue.example"][0] == 451
        assert client.sendmail("eve@far.example", list(refused), "Subject: apart\r\n\r\nsecond\r\n") == {}
        assert client.sendmail("eve@far.example", "bob@red.example", "Subject: apart\r\n\r\nthird\r\n") == {}
    hamlet.arrived("ann@red.example", "first")
    hamlet.arrived("bob@red.example", "first")
    hamlet.arrived("ann@blue.example", "second")
    hamlet.arrived("bob@red.example", "third")
    hamlet.absent("ann@blue.example", "first")


def test_everything_in_one_packet(hamlet, gate):
    """Commands and replies keep their order, whoever answers them."""
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>", "RCPT TO:<ann@blue.example>",
                  "NOOP", "RCPT TO:<bob@red.example>", "RCPT TO:<bob@blue.example>", "DATA")
        answers = [line.line() for _ in range(7)]
        assert [a[:3] for a in answers] == ["250", "250", "451", "250", "250", "451", "354"]
        assert answers[2] == answers[5] == ELSEWHERE
        # what looks like commands is none
        line.send("Subject: packed", "", "RCPT TO:<ann@blue.example>", "..", "packed text", ".",
                  "MAIL FROM:<eve@far.example>", "RCPT TO:<bob@blue.example>", "DATA")
        assert [line.line()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        line.send("Subject: packed", "", "unpacked text", ".", "QUIT")
        assert [line.line()[:3] for _ in range(2)] == ["250", "221"]
        assert line.rest() == ""
    hamlet.arrived("ann@red.example", "RCPT TO:<ann@blue.example>\n.\npacked text")
    hamlet.arrived("bob@red.example", "packed text")
    hamlet.arrived("bob@blue.example", "unpacked text")


def test_chunks_pass(hamlet, gate):
    if not isinstance(hamlet.servers["red"], Postfix):
        pytest.skip("the stand-in server has no BDAT")
    text = b"Subject: chunks\r\n\r\n.\r\nRCPT TO:<ann@blue.example>\r\n" + b"x" * 70 + b"\r\nchunked\r\n"
    with greeted(gate) as line:
        line.raw(b"MAIL FROM:<eve@far.example>\r\nRCPT TO:<ann@red.example>\r\nRCPT TO:<ann@blue.example>\r\n"
                 b"BDAT 10\r\n" + text[:10] + b"BDAT %d LAST\r\n" % len(text[10:]) + text[10:] +
                 b"MAIL FROM:<eve@far.example>\r\nRCPT TO:<ann@blue.example>\r\nBDAT 7 LAST\r\nother\r\nQUIT\r\n")
        assert [line.line()[:3] for _ in range(9)] == [
            "250", "250", "451", "250", "250", "250", "250", "250", "221"]
    hamlet.arrived("ann@red.example", "\nchunked\n")
    hamlet.arrived("ann@blue.example", "other")


def test_a_large_message_is_not_gathered(hamlet, gate):
    body = b"".join(b"%07d %s\r\n" % (n, b"y" * 60) for n in range(LARGE))
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<bob@blue.example>", "DATA")
        assert [line.line()[:3] for _ in range(3)] == ["250", "250", "354"]
        line.raw(b"Subject: large\r\n\r\n" + body + b"end of it\r\n.\r\n")
        assert line.line().startswith("250")
        peak = memory(gate, "VmHWM")
        if not sanitized():
            assert peak < PEAK_MAX
        assert line.ask("QUIT").startswith("221")
    hamlet.arrived("bob@blue.example", "end of it")
    received = next(m for m in messages(hamlet.boxes["bob@blue.example"]) if b"end of it" in m)
    assert body.replace(b"\r\n", b"\n") in received


def test_nobody_was_taken_yet(hamlet, gate):
    """The first recipient is refused by its server: the transaction may still go to another one."""
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<nobody@red.example>", "RCPT TO:<ann@blue.example>",
                  "RCPT TO:<ann@red.example>", "RSET", "MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>")
        assert [line.line()[:3] for _ in range(7)] == ["250", "550", "250", "451", "250", "250", "250"]
        assert line.ask("QUIT").startswith("221")


def test_a_server_out_of_order_costs_its_own_recipients_only(gate):
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>", "RCPT TO:<x@nowhere.example>",
                  "RCPT TO:<x@unknown.example>", "RSET")
        answers = [line.line() for _ in range(5)]
        assert answers[2] == ELSEWHERE
        assert [a[:3] for a in answers] == ["250", "250", "451", "451", "250"]
        # now nobody keeps the session where it is
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<x@nowhere.example>", "RCPT TO:<ann@blue.example>")
        assert [line.line()[:3] for _ in range(3)] == ["250", "451", "250"]
        assert line.ask("QUIT").startswith("221")


def test_long_lines_and_strange_ones(gate):
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>")
        assert [line.line()[:3] for _ in range(2)] == ["250", "250"]
        assert line.ask("RCPT TO:<ann@blue.example>\0") == "501 5.5.4 Invalid argument"
        assert line.ask("HULLO " + "x" * 9000).startswith("5")
        assert line.ask("rcpt\tto:<ann@blue.example>").startswith("501")
        assert line.ask(" rcpt  to:<ann@blue.example>  ") == ELSEWHERE
        assert line.ask("RCPT TO:<" + "x" * 9000) == "500 5.5.2 Line too long"
        assert line.rest() == ""


def test_many_recipients_take_no_memory_each(gate):
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>")
        assert [line.line()[:3] for _ in range(2)] == ["250", "250"]
        taken = 0
        for count in range(200):
            line.raw(b"RCPT TO:<ann@blue.example>\r\n" * 100)
            assert {line.line() for _ in range(100)} == {ELSEWHERE}
            taken = taken if count else memory(gate, "VmRSS")
        if not sanitized():
            assert memory(gate, "VmRSS") - taken < 500
        assert line.ask("QUIT").startswith("221")


def test_a_session_moves_so_often_and_no_more(gate):
    with greeted(gate) as line:
        codes = []
        for n in range(40):
            line.send("MAIL FROM:<eve@far.example>", f"RCPT TO:<ann@{'blue' if n % 2 else 'red'}.example>", "RSET")
            codes.append([line.line()[:3] for _ in range(3)][1])
        assert codes[:33] == ["250"] * 33
        assert "451" in codes[33:]
        assert line.ask("QUIT").startswith("221")


def test_the_authentication_server_is_asked_for_each(hamlet):
    with router(hamlet) as (url, asked):
        gate = start(hamlet, "by-source", f"auth_http {url}; xclient on;")
        with greeted(gate) as line:
            line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>", "RCPT TO:<ann@blue.example>",
                      "RCPT TO:<ann@green.example>", "RCPT TO:<bob@red.example>", "DATA")
            answers = [line.line() for _ in range(6)]
            assert [a[:3] for a in answers] == ["250", "250", "451", "550", "250", "354"]
            assert answers[3] == "550 5.1.2 No such domain here"
            line.send("Subject: asked", "", "asked text", ".", "MAIL FROM:<eve@far.example>",
                      "RCPT TO:<ann@green.example>", "RCPT TO:<ann@blue.example>", "DATA")
            assert [line.line()[:3] for _ in range(5)] == ["250", "250", "550", "250", "354"]
            line.send("Subject: asked", "", "told text", ".", "QUIT")
            assert [line.line()[:3] for _ in range(2)] == ["250", "221"]
        assert asked == ["ann@red.example", "ann@blue.example", "ann@green.example", "bob@red.example",
                         "ann@green.example", "ann@blue.example"]
        assert gate.stop() == 0
        assert alarms(gate.process.log_text()) == []
    hamlet.arrived("bob@red.example", "asked text")
    hamlet.arrived("ann@blue.example", "told text")


def test_clients_may_leave_at_any_time(gate):
    parts = [b"EHLO client.example\r\n", b"MAIL FROM:<eve@far.example>\r\n", b"RCPT TO:<ann@red.example>\r\n",
             b"RCPT TO:<ann@blue.example>\r\n", b"RSET\r\nMAIL FROM:<eve@far.example>\r\n",
             b"RCPT TO:<ann@blue.example>\r\n", b"DATA\r\n", b"half a mess"]
    before = gate.workers()
    for count in range(len(parts) + 1):
        with Line(gate.door) as line:
            line.line()
            line.raw(b"".join(parts[:count]))
    with greeted(gate) as line:
        assert line.ask("NOOP").startswith("250")
    assert gate.workers() == before


def test_off_is_as_ever(hamlet):
    gate = start(hamlet, "off", by_map(hamlet), server="")
    with greeted(gate) as line:
        line.send("MAIL FROM:<eve@far.example>", "RCPT TO:<ann@red.example>")
        assert [line.line()[:3] for _ in range(2)] == ["250", "250"]
        # the first one's server is asked, which is not its own
        assert not line.ask("RCPT TO:<ann@blue.example>").startswith("451 4.5.3")
        assert line.ask("QUIT").startswith("221")
    assert gate.stop() == 0
