# SPDX-License-Identifier: BSD-2-Clause
"""auth_dovecot with a real Dovecot's auth socket: its users, their proxy fields, and what happens when it is away.

Two Dovecots: `judge` answers questions at its socket, `store` holds the mailboxes, for some under other names
and passwords.
"""

import os
import re
import signal
import threading

import pytest

from line import Line, log_in, sasl_plain, still_works
from peers import Dovecot, Postern, Site
from peers.process import session_of, wait_until
from town import HOST, IMPATIENT, User, alarms, configuration

ADA = User("ada@example.org", "pw-ada-secret", "store")
BOB = User("bob@example.org", "pw-bob-secret", "store")
REFUSED = {"imap": "a NO Auth", "pop3": "-ERR Auth"}
UNAVAILABLE = {"imap": "a NO [UNAVAILABLE]", "pop3": "-ERR [SYS/TEMP]"}
IN = {"imap": "a OK", "pop3": "+OK"}
CROWD = {f"crowd{n}@example.org": f"pw-crowd-secret-{n}" for n in range(25)}

# A passwd-file with extra fields, in place of the one that Dovecot's class writes.
FIELDS = """
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {file}
}}
"""


class Court:
    def __init__(self, site):
        self.site = site
        self.people = {ADA.name: ADA.password, "bobby": "pw-bobby-inside-secret", **CROWD}
        self.store = Dovecot(site, "store", self.people, extra=IMPATIENT).start()
        self.fields = site.root / "fields"
        self.written = 1_700_000_000
        self.write({})
        self.judge = Dovecot(site, "judge", {ADA.name: ADA.password, **CROWD},
                             extra=IMPATIENT + FIELDS.format(file=self.fields)).start()

    def write(self, people):
        """{user: fields}, in a file of another second each time, which Dovecot notices."""
        self.fields.write_text("".join(f"{user.name}:{{PLAIN}}{user.password}::::::{fields}\n"
                                       for user, fields in people.items()))
        self.written += 2
        os.utime(self.fields, (self.written, self.written))


@pytest.fixture(scope="module")
def court():
    with Site() as site:
        yield Court(site)


@pytest.fixture
def open_gate(site, court):
    gates = []

    def start(protocol="imap", lines="", socket=None):
        door = HOST, site.port()
        gate = Postern(site, configuration(
            f"auth_dovecot unix:{socket or court.judge.sasl_socket}; auth_failure_delay 0; {lines}",
            f"listen {door[0]}:{door[1]}; protocol {protocol}; "
            f"proxy_pass {HOST}:{getattr(court.store, protocol)};")).start()
        gate.door, gate.protocol = door, protocol
        gates.append(gate)
        return gate
    yield start
    for gate in gates:
        assert alarms(gate.log_text()) == []
        assert not re.search(r"pw-[\w-]+-secret", gate.log_text()), "passwords in the log"


def enter(gate, user):
    with Line(gate.door) as line:
        line.line()
        answer = log_in(line, gate.protocol, user)
        if answer.startswith(IN[gate.protocol]):
            assert still_works(line, gate.protocol)
        return answer


@pytest.mark.parametrize("protocol", IN)
def test_good_wrong_unknown(open_gate, protocol):
    gate = open_gate(protocol)
    assert enter(gate, ADA).startswith(IN[protocol]), gate.log_tail()
    wrong = enter(gate, User(ADA.name, "wrong", ""))
    assert wrong.startswith(REFUSED[protocol])
    assert enter(gate, User("nobody@example.org", ADA.password, "")) == wrong
    assert enter(gate, User("bobby", "pw-bobby-inside-secret", "")) == wrong  # whom the store alone knows


def test_mechanisms(open_gate):
    gate = open_gate(lines="imap_capabilities IMAP4rev1 SASL-IR;")
    for commands in ([f"a AUTHENTICATE PLAIN {sasl_plain(ADA.name, ADA.password)}"],
                     ["a AUTHENTICATE PLAIN", sasl_plain(ADA.name, ADA.password)]):
        with Line(gate.door) as line:
            line.line()
            for command in commands:
                line.send(command)
                answer = line.until("a ", "+ ")[-1]
            assert answer.startswith("a OK"), gate.log_tail()


@pytest.mark.parametrize("secret", ["' OR 1=1 --", "a\tb\tnologin", "x\\", "p\u00e4ss", "y" * 2000, "*)(uid=*"])
def test_strange_passwords_are_just_wrong(open_gate, secret):
    gate = open_gate(lines="imap_client_buffer 16k;")
    with Line(gate.door) as line:
        line.line()
        line.send("a AUTHENTICATE PLAIN")
        line.line()
        line.send(sasl_plain(ADA.name, secret))
        assert line.until("a ")[-1].startswith("a NO Auth"), gate.log_tail()
        assert log_in(line, "imap", ADA).startswith("a OK")


@pytest.mark.parametrize("name", ["ada@example.org\tnologin", "ada@example.org\nAUTH", "x" * 1000])
def test_strange_names_are_just_wrong(open_gate, name):
    gate = open_gate(lines="imap_client_buffer 16k;")
    with Line(gate.door) as line:
        line.line()
        line.send("a AUTHENTICATE PLAIN")
        line.line()
        line.send(sasl_plain(name, ADA.password))
        assert line.until("a ", "* ")[-1].startswith(("a NO", "a BAD")), gate.log_tail()
    assert enter(gate, ADA).startswith("a OK")


@pytest.mark.parametrize("protocol", IN)
def test_proxy_fields(site, open_gate, court, protocol):
    """Where, as whom, and by which password."""
    elsewhere = Dovecot(site, "elsewhere", {"robert": "pw-robert-secret"}, extra=IMPATIENT).start()
    gate = open_gate(protocol)
    court.write({BOB: f"proxy=y host={HOST} port={getattr(elsewhere, protocol)} destuser=robert "
                      f"pass=pw-robert-secret"})
    wait_until(lambda: enter(gate, BOB).startswith(IN[protocol]), 20, "the way to elsewhere", gate)
    assert f"upstream: {HOST}:{getattr(elsewhere, protocol)}" in gate.log_text()
    elsewhere.process.wait_log("Login: user=<robert>")
    assert enter(gate, User(BOB.name, "pw-robert-secret", "")).startswith(REFUSED[protocol])


def test_another_name_without_another_place(open_gate, court):
    gate = open_gate()
    court.write({BOB: "proxy=y destuser=bobby pass=pw-bobby-inside-secret"})
    wait_until(lambda: enter(gate, BOB).startswith("a OK"), 20, "Bob as bobby", gate)


@pytest.mark.parametrize("fields, complaint", [
    ("proxy=y host=no_such_host! port=143", 'in upstream "no_such_host!"'),
    (f"proxy=y host={HOST} port=1", "connect() failed (111: Connection refused)"),
])
def test_a_place_that_is_none(open_gate, court, fields, complaint):
    gate = open_gate()
    court.write({BOB: fields})
    wait_until(lambda: enter(gate, BOB).startswith("a NO [UNAVAILABLE]") and complaint in gate.log_text(), 20,
               complaint, gate)
    assert enter(gate, ADA).startswith("a OK")


@pytest.mark.parametrize("protocol", IN)
def test_gone_and_back(site, open_gate, protocol):
    """Temporary trouble while Dovecot is away; then it works, without a restart of ours."""
    judge = Dovecot(site, "passing", {ADA.name: ADA.password}, extra=IMPATIENT)
    gate = open_gate(protocol, socket=judge.sasl_socket)
    assert enter(gate, ADA).startswith(UNAVAILABLE[protocol])
    gate.wait_log("auth_dovecot: unix:" + str(judge.sasl_socket))
    judge.start()
    wait_until(lambda: enter(gate, ADA).startswith(IN[protocol]), 20, "the first login", gate)
    judge.stop()
    with Line(gate.door) as line:
        line.line()
        assert log_in(line, protocol, ADA).startswith(UNAVAILABLE[protocol])
        assert log_in(line, protocol, User(ADA.name, "wrong", "")).startswith(UNAVAILABLE[protocol])
        judge.process.start()
        judge.process.wait_greeting((HOST, judge.imap), b"* OK")
        wait_until(lambda: log_in(line, protocol, ADA).startswith(IN[protocol]), 20, "a login again", gate)


def test_another_socket_serves_meanwhile(site, open_gate, court):
    gate = open_gate(socket=f"{site.root}/nobody unix:{court.judge.sasl_socket}")
    assert enter(gate, ADA).startswith("a OK"), gate.log_tail()


def test_frozen(site, open_gate):
    """No answer in time is temporary trouble, and all is well when it thaws."""
    judge = Dovecot(site, "frozen", {ADA.name: ADA.password}, extra=IMPATIENT).start()
    gate = open_gate(lines="auth_dovecot_timeout 300ms;", socket=judge.sasl_socket)
    assert enter(gate, ADA).startswith("a OK")
    everybody = session_of(judge.process.pid)
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert enter(gate, ADA).startswith("a NO [UNAVAILABLE]")
        gate.wait_log("does not answer (110: Connection timed out)")
    finally:
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: enter(gate, ADA).startswith("a OK"), 20, "a login", gate)


def test_many_questions_by_one_connection(open_gate, court):
    """A hundred logins, many at a time; some are wrong, and each gets its own answer."""
    gate = open_gate()
    answers = []

    def client(name, password):
        for secret, good in ((password, True), ("wrong", False), (password, True), (password, True)):
            answers.append(enter(gate, User(name, secret, "")).startswith("a OK") == good)

    threads = [threading.Thread(target=client, args=who) for who in CROWD.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * (4 * len(CROWD))
    assert connections(court.judge.sasl_socket) == 1


def connections(path):
    """How many connections the listener at `path` has taken that are still there."""
    with open("/proc/net/unix", encoding="utf-8") as table:
        rows = [row.split() for row in table][1:]
    connected = "03"
    return sum(len(row) > 7 and row[7] == str(path) and row[5] == connected for row in rows)
