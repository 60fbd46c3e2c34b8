# SPDX-License-Identifier: BSD-2-Clause
"""Three Dovecots in an upstream, without an authentication source: what dies, freezes and comes back costs no login."""

import os
import signal
import threading

import pytest

from line import Line
from peers import Dovecot, Postern
from peers.process import session_of, wait_until
from town import HOST, IMPATIENT, alarms, configuration

CLIENTS = 100
PEOPLE = {f"user{n}@example.org": f"pw-{n}-secret" for n in range(CLIENTS)}
NAMES = ("one", "two", "three")


class Storm:
    """Clients that log in, ask something and log out, again and again until they are told to stop."""

    def __init__(self, address):
        self.address = address
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.count = 0
        self.failed = []
        self.threads = [threading.Thread(target=self._client, args=who, daemon=True) for who in PEOPLE.items()]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def _client(self, name, password):
        while not self.over.is_set():
            failure = self._session(name, password)
            with self.lock:
                self.count += 1
                if failure:
                    self.failed.append(failure)

    def _session(self, name, password):
        try:
            with Line(self.address) as line:
                line.line()
                line.send(f"a LOGIN {name} {password}")
                answer = line.until("a ", "* BYE", "* BAD")[-1]
                if not answer.startswith("a OK"):
                    return answer
                line.send("b LOGOUT")
                line.rest()
        except (OSError, AssertionError) as problem:
            return repr(problem)
        return None

    def more(self, count, what):
        """Waits for so many further sessions."""
        goal = self.count + count
        wait_until(lambda: self.count >= goal or self.failed, 120, f"{count} sessions {what}")
        assert self.failed == []


def everybody(dovecot):
    return session_of(dovecot.process.pid)


def signal_all(dovecot, sig):
    for pid in everybody(dovecot):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass


@pytest.fixture
def dovecots(site):
    return {name: Dovecot(site, name, PEOPLE, extra=IMPATIENT).start() for name in NAMES}


@pytest.fixture
def gate(site, dovecots):
    port = site.port()
    servers = "".join(f"server {HOST}:{d.imap} fail_timeout=1s; " for d in dovecots.values())
    postern = Postern(site, configuration(
        f"upstream store {{ {servers} }} proxy_pass store; proxy_connect_timeout 1s; timeout 60s;",
        f"listen {HOST}:{port}; protocol imap;",
        main=f"worker_processes 2; error_log {site.root}/gate.log info;"), name="gate")
    postern.log = site.root / "gate.log"
    postern.address = (HOST, port)
    postern.start()
    yield postern
    assert postern.stop() == 0
    assert alarms(postern.log_text()) == []
    assert not any(password in postern.log_text() for password in PEOPLE.values())


def said(gate, text):
    return text in gate.log_text()


def test_no_login_fails(gate, dovecots):
    one, two, three = dovecots.values()
    with Storm(gate.address) as storm:
        storm.more(300, "with three servers")
        one.stop()
        storm.more(300, "with one killed")
        wait_until(lambda: said(gate, f"server {HOST}:{one.imap} is down"), 30, "the word that it is down", gate)
        signal_all(two, signal.SIGSTOP)
        storm.more(300, "with one killed and one frozen")
        signal_all(two, signal.SIGCONT)
        storm.more(300, "with one thawed")
        one.process.start()
        one.process.wait_greeting((HOST, one.imap), b"* OK")
        wait_until(lambda: said(gate, f"server {HOST}:{one.imap} is up again"), 60, "the word that it is up", gate)
        storm.more(300, "with all of them")
        three.stop()
        storm.more(300, "with the last one killed")
    assert storm.failed == []


def test_wrong_password_is_the_clients_fault(gate, dovecots):
    """The server's no is passed on as what it is, and no other server is bothered with the password."""
    with Line(gate.address) as line:
        line.line()
        line.send("a LOGIN user1@example.org wrong")
        assert line.until("a ")[-1].startswith("a NO [AUTHENTICATIONFAILED]")
        line.send("b LOGIN user1@example.org pw-1-secret")
        assert line.until("b ")[-1].startswith("b OK")
    asked = [d for d in dovecots.values() if "user1@example.org" in d.process.log_text()]
    assert len(asked) <= 2


def test_all_servers_gone_is_temporary(gate, dovecots):
    for dovecot in dovecots.values():
        dovecot.stop()
    with Line(gate.address) as line:
        line.line()
        line.send("a LOGIN user1@example.org pw-1-secret")
        assert line.until("a ")[-1].startswith("a NO [UNAVAILABLE]")
        one = dovecots["one"]
        one.process.start()
        one.process.wait_greeting((HOST, one.imap), b"* OK")
        line.send("b LOGIN user1@example.org pw-1-secret")
        assert line.until("b ")[-1].startswith("b OK")
