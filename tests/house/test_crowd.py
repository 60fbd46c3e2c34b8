# SPDX-License-Identifier: BSD-2-Clause
"""Fifty clients at once; and fifty sessions, each somewhere else in its life, that a reload must not disturb."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import unharmed
from line import Line, b64, greeted, log_in, logged_in, sasl_plain, still_works
from peers import Postern
from test_messages import body, message, stuffed
from town import PROTOCOLS, SERVERS, Doors, configuration

WAYS = [(protocol, security) for protocol in PROTOCOLS for security in ("plain", "starttls", "tls")]


def read_mail(line, protocol, user):
    """Reads the message that proves whose mailbox it is; of SMTP, only that the server answers."""
    if protocol == "smtp":
        return bool(still_works(line, protocol))
    commands = ("x SELECT INBOX", "y FETCH 1 BODY[TEXT]") if protocol == "imap" else ("RETR 1",)
    line.send(*commands)
    return user.proof in line.until("y OK" if protocol == "imap" else ".")


def test_fifty_at_once(gate, town, tls):
    """All are connected before the first logs in."""
    together = threading.Barrier(50)

    def session(number):
        protocol, security = WAYS[number % len(WAYS)]
        user = town.user(SERVERS[number % 2], mail=False)
        town.put(user, f"Subject: x\r\n\r\n{user.proof}\r\n".encode())
        with greeted(gate.doors, protocol, security, tls) as line:
            together.wait(60)
            assert "OK" in log_in(line, protocol, user)
            return read_mail(line, protocol, user)

    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(session, range(50))) == [True] * 50


# The lives: each goes to some point, waits for what comes to pass (yield), and ends properly.


def waiting_for_mail(doors, town, security, tls):
    user = town.user()
    with logged_in(doors, "imap", user, security, tls) as line:
        line.send("x SELECT INBOX")
        line.until("x OK")
        assert line.ask("y IDLE").startswith("+ ")
        yield
        town.put(user, b"Subject: news\r\n\r\nnews\r\n")
        line.until("* 2 EXISTS")
        line.send("DONE", "z LOGOUT")
        assert line.until("z ")[-1].startswith("z OK")


def downloading(doors, town, security, tls):
    user = town.user(mail=False)
    sent = message(4 << 20, "large")
    town.put(user, sent)
    with logged_in(doors, "imap", user, security, tls) as line:
        line.send("c SELECT INBOX")
        line.until("c OK")
        size = int(line.ask("d FETCH 1 BODY.PEEK[]").rpartition("{")[2].rstrip("}"))
        data = line.take(100000)
        yield
        assert data + line.take(size - len(data)) == sent
        line.send("z LOGOUT")
        assert line.until("z ")[-1].startswith("z OK")


def appending(doors, town, security, tls):
    user, data = town.user(mail=False), message(1 << 20, "appended")
    with logged_in(doors, "imap", user, security, tls) as line:
        assert line.ask(f"b APPEND INBOX {{{len(data)}}}").startswith("+")
        line.raw(data[:300000])
        yield
        line.raw(data[300000:] + b"\r\n")
        assert line.until("b ")[-1].startswith("b OK")


def sending(doors, town, security, tls):
    user, data = town.user(mail=False), message(1 << 20, "sent in two halves")
    wire = stuffed(data) + b".\r\n"
    with logged_in(doors, "smtp", user, security, tls) as line:
        for command in (f"MAIL FROM:<{user.name}> BODY=8BITMIME", f"RCPT TO:<{user.name}>", "DATA"):
            assert line.ask(command).startswith(("250 ", "354 "))
        line.raw(wire[:300000])
        yield
        line.raw(wire[300000:])
        assert line.line().startswith("250 ")
    assert body(town.arrived(user, "sent in two halves").replace(b"\n", b"\r\n")) == body(data)


def in_a_literal(doors, town, security, tls):
    user = town.user()
    with greeted(doors, "imap", security, tls) as line:
        assert line.ask(f"a LOGIN {{{len(user.name)}}}") == "+ OK"
        line.raw(user.name[:3].encode())
        yield
        assert line.ask(f"{user.name[3:]} {{{len(user.password)}}}") == "+ OK"
        line.send(user.password)
        assert line.until("a ")[-1].startswith("a OK")
        assert still_works(line, "imap")


def between_name_and_password(doors, town, security, tls):
    user = town.user()
    with greeted(doors, "pop3", security, tls) as line:
        assert line.ask(f"USER {user.name}") == "+OK"
        yield
        assert line.ask(f"PASS {user.password}").startswith("+OK")
        assert still_works(line, "pop3")


def in_the_middle_of_sasl(doors, town, security, tls):
    user = town.user(mail=False)
    with greeted(doors, "smtp", security, tls) as line:
        line.send("EHLO client.example")
        line.until("250 ")
        assert line.ask("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert line.ask(b64(user.name)) == "334 UGFzc3dvcmQ6"
        yield
        assert line.ask(b64(user.password)) == "235 2.0.0 OK"
        assert still_works(line, "smtp")


def in_the_middle_of_a_line(doors, town, security, tls):
    user = town.user(mail=False)
    response = sasl_plain(user.name, user.password).encode()
    with greeted(doors, "pop3", security, tls) as line:
        assert line.ask("AUTH PLAIN") == "+ "
        line.raw(response[:10])
        yield
        line.raw(response[10:] + b"\r\n")
        assert line.line().startswith("+OK")


def not_greeted_yet(doors, town, security, tls):
    user = town.user(mail=False)
    with Line(doors.address("imap", security)) as line:
        yield
        if security == "tls":
            line.secure(tls)
        assert line.line().startswith("* OK")
        assert log_in(line, "imap", user).startswith("a OK")


def being_refused(doors, town, security, tls):
    """The refusal is held back for a second; then the client tries again."""
    user = town.user(mail=False)
    with greeted(doors, "imap", security, tls) as line:
        line.send(f"w LOGIN {user.name} wrong")
        yield
        assert line.line() == "w NO Invalid login or password"
        assert log_in(line, "imap", user).startswith("a OK")


LIVES = [waiting_for_mail, downloading, appending, sending, in_a_literal, between_name_and_password, in_the_middle_of_sasl,
         in_the_middle_of_a_line, not_greeted_yet, being_refused]


@pytest.fixture
def own_gate(site, town):
    doors = Doors(site)
    config = configuration(town.mail_lines(), *doors.lines(), main="worker_processes 2;")
    gate = Postern(site, config).start()
    gate.doors = doors
    return gate


def fifty_lives(gate, town, tls):
    """Fifty sessions, five of each life, brought to where they wait."""
    security = itertools.cycle(("plain", "starttls", "tls"))
    lives = [life(gate.doors, town, next(security), tls) for life in LIVES for _ in range(5)]
    for life in lives:
        next(life)
    return lives


def test_reload_under_fifty_sessions(own_gate, town, tls):
    gate = own_gate
    lives = fifty_lives(gate, town, tls)
    config = gate.config.read_text()
    with unharmed(gate):
        for name in ("second.example.org", "third.example.org"):
            said = gate.reload(config.replace("server_name mail.example.org", f"server_name {name}"))
            assert said.count("took over configuration") == 2
            with Line(gate.doors.address("smtp")) as line:
                assert line.line() == f"220 {name} ESMTP ready"
        for life in lives:
            assert next(life, "over") == "over"
    assert gate.quit() == 0


def test_graceful_stop_waits_for_fifty_sessions(own_gate, town, tls):
    """Those that have not logged in yet count like all others."""
    gate = own_gate
    lives = fifty_lives(gate, town, tls)
    gate.process.signal(3)
    gate.wait_log("gracefully shutting down", times=2)
    for life in lives:
        assert next(life, "over") == "over"
    assert gate.process.wait() == 0
