# SPDX-License-Identifier: BSD-2-Clause
"""What signals and sudden death do to the program and to its sessions."""

import asyncio
import os
import signal
import threading

import pytest

from gates import Gate
from line import BROKEN, Line, greeted, log_in, logged_in, still_works
from peers import Postern
from peers.process import accepts, wait_until
from stubs import auth as stub_auth
from stubs.mailserver import MailServer, echo, imap_login
from stubs.wire import Wire
from town import HOST, alarms, configuration


@pytest.fixture
def own(site, town):
    return Gate(site, town).start()


# Death


def test_a_killed_worker_is_replaced(own, town):
    user = town.user()
    first, second = own.workers()
    with logged_in(own.doors, "imap", user) as session:
        mine = worker_of(own, user)
        other = second if mine == first else first
        os.kill(other, signal.SIGKILL)
        own.wait_log(f"[alert] {own.pid}#{own.pid}: worker process {other} exited on signal 9")
        wait_until(lambda: len(own.workers()) == 2 and other not in own.workers(), 10, "another worker", own)
        assert still_works(session, "imap")
        os.kill(mine, signal.SIGKILL)
        assert session.rest() == ""
    wait_until(lambda: len(own.workers()) == 2 and not {first, second} & set(own.workers()), 10, "two others", own)
    with logged_in(own.doors, "imap", user):
        pass
    assert own.stop() == 0


def worker_of(gate, user):
    """The pid of the process that logged this user in."""
    line = next(line for line in gate.wait_log(f'login: "{user.name}"').splitlines() if f'login: "{user.name}"' in line)
    return int(line.split("] ")[1].partition("#")[0])


def test_workers_do_not_outlive_the_master_by_more_than_their_sessions(own, town):
    user, workers = town.user(), own.workers()
    with logged_in(own.doors, "imap", user) as session:
        own.process.signal(signal.SIGKILL)
        own.process.wait()
        wait_until(lambda: "the master is gone" in own.log_text(), 10, "the workers to notice")
        wait_until(lambda: not accepts(own.doors.address("imap")), 10, "the ports to be free")
        assert still_works(session, "imap")
        session.ask("z LOGOUT")
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in workers), 10, "the workers to end")


# Logs


def test_reopen(own, town):
    moved = own.log.rename(own.dir / "moved")
    with logged_in(own.doors, "imap", town.user()):
        pass
    wait_until(lambda: "client logged in" in moved.read_text(), 10, "a line in the moved log", own)
    assert not own.log.exists()
    own.process.signal(signal.SIGUSR1)
    wait_until(own.log.exists, 10, "a new log", own)
    # The master has opened it before it tells the workers; what it says next comes when they have been told.
    own.process.signal(signal.SIGHUP)
    own.wait_log("took over configuration", times=2)
    before = moved.read_text()
    assert "reopening logs" in before
    with logged_in(own.doors, "imap", town.user()):
        own.wait_log("client logged in")
    assert moved.read_text() == before


def test_reopen_where_it_is_impossible(own, town):
    """The old file goes on being written, and says why."""
    moved = own.log.rename(own.dir / "moved")
    own.log.mkdir()
    own.process.signal(signal.SIGUSR1)
    wait_until(lambda: f'open() "{own.log}" failed (21: Is a directory)' in moved.read_text(), 10, "a complaint", own)
    with logged_in(own.doors, "imap", town.user()):
        wait_until(lambda: "client logged in" in moved.read_text(), 10, "a line in the old log", own)


# Stopping


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_fast_stop(own, town, tls, sig):
    sessions = [logged_in(own.doors, "imap", town.user(), security, tls) for security in ("plain", "starttls")]
    half = greeted(own.doors, "pop3", "plain", None)
    own.process.signal(sig)
    assert own.process.wait() == 0
    assert half.rest() == "" and sessions[0].rest() == ""
    assert sessions[1].rest() == ""  # with close_notify: rest() insists on it
    assert not own.pid_file.exists()
    assert not accepts(own.doors.address("imap"))
    assert alarms(own.log_text()) == []


def test_graceful_stop(own, town):
    """New clients are turned away at once; the others have all the time they want."""
    user = town.user()
    with logged_in(own.doors, "imap", user) as relayed, greeted(own.doors, "pop3", "plain", None) as half:
        own.process.signal(signal.SIGQUIT)
        own.wait_log("gracefully shutting down", times=2)
        wait_until(lambda: not accepts(own.doors.address("imap")), 10, "the ports to be closed", own)
        assert log_in(half, "pop3", user).startswith("+OK")
        assert still_works(relayed, "imap")
        assert half.ask("QUIT").startswith("+OK")
        own.process.signal(signal.SIGHUP)  # too late
        own.wait_log("ignored while stopping")
        assert still_works(relayed, "imap")
        relayed.ask("z LOGOUT")
    assert own.process.wait() == 0
    assert not own.pid_file.exists()
    assert alarms(own.log_text()) == []


def test_graceful_stop_made_fast(own, town):
    with logged_in(own.doors, "imap", town.user()) as session:
        own.process.signal(signal.SIGQUIT)
        own.wait_log("gracefully shutting down", times=2)
        own.process.signal(signal.SIGTERM)
        assert own.process.wait() == 0
        assert session.rest() == ""


def test_graceful_stop_with_a_limit(site, town):
    own = Gate(site, town, "worker_processes 2; worker_shutdown_timeout 500ms;").start()
    with logged_in(own.doors, "imap", town.user()) as relayed, greeted(own.doors, "smtp", "plain", None) as half:
        own.process.signal(signal.SIGQUIT)
        assert own.process.wait() == 0
        assert relayed.rest() == "" and half.rest() == ""
    log = own.log_text()
    assert log.count("shutdown timeout while proxying, client: 127.0.0.1") == 1
    assert log.count("shutdown timeout while in auth state, client: 127.0.0.1") == 1


# A login under way: the answer of the authentication server, and that of the mail server, are held back until told


async def new_event():
    return asyncio.Event()


class Held:
    """Peers that wait for a word: `asked` and `reached` say that they were asked, `go` lets them answer."""

    def __init__(self, stubs):
        self.asked, self.reached = threading.Event(), threading.Event()
        self.mail = stubs.run(MailServer(self.serve).start())
        self.auth = stubs.run(stub_auth.AuthServer(self.answer).start())
        self.stubs = stubs
        self.go = stubs.run(new_event())

    def release(self):
        self.stubs.loop.call_soon_threadsafe(self.go.set)

    async def answer(self, question):
        self.asked.set()
        if question.get("Auth-User") == b"slow-answer":
            await self.go.wait()
        await question.grant(HOST, self.mail.port)

    async def serve(self, wire: Wire):
        await wire.send(b"* OK ready\r\n")
        heard = await imap_login(wire)
        self.reached.set()
        if heard.user == b"slow-server":
            await self.go.wait()
        await wire.send(heard.tag + b" OK in\r\n")
        await echo(wire)


@pytest.fixture
def held(stubs):
    return Held(stubs)


@pytest.fixture
def slow_gate(site, held):
    port = site.port()
    gate = Postern(site, configuration(f"auth_http http://{HOST}:{held.auth.port}/;",
                                       f"listen {HOST}:{port}; protocol imap;")).start()
    gate.address = (HOST, port)
    return gate


def wait_for(event):
    assert event.wait(20)


@pytest.mark.parametrize("user, seen", [("slow-answer", "asked"), ("slow-server", "reached")])
@pytest.mark.parametrize("sig", [signal.SIGQUIT, signal.SIGHUP])
def test_login_under_way(slow_gate, held, user, seen, sig):
    with Line(slow_gate.address) as line:
        line.line()
        line.send(f"a LOGIN {user} secret")
        wait_for(getattr(held, seen))
        slow_gate.process.signal(sig)
        slow_gate.wait_log("gracefully shutting down" if sig == signal.SIGQUIT else "took over configuration")
        held.release()
        assert line.line() == "a OK in"
        assert line.ask("hello") == "hello"
    if sig == signal.SIGQUIT:
        assert slow_gate.process.wait() == 0
    assert BROKEN["imap"] not in slow_gate.log_text() and alarms(slow_gate.log_text()) == []
