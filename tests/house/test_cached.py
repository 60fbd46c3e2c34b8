# SPDX-License-Identifier: BSD-2-Clause
"""auth_cache in the whole program: what the authentication server is asked, and what it is spared."""

import asyncio
import socket
import subprocess
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from line import BROKEN, Line
from peers import Postern, Site
from peers.process import wait_until
from stubs import auth as stub_auth
from town import HOST, configuration

GOOD, WRONG = "jane correct", "jane wrong"
CACHE = "auth_cache logins:1m; auth_cache_valid ok 1h denied 1h;"


class Mailbox:
    """An IMAP server that lets everybody in."""

    def __init__(self):
        self.listener = socket.create_server((HOST, 0), backlog=200)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    @staticmethod
    def talk(connection):
        with connection, connection.makefile("rb") as lines:
            connection.sendall(b"* OK ready\r\n")
            for line in lines:
                connection.sendall(line.split()[0] + b" OK done\r\n")


class Desk:
    """The authentication server: counts what it is asked, and may keep everybody waiting."""

    def __init__(self, stubs, port):
        self.stubs, self.port = stubs, port
        self.asked, self.password = 0, b"correct"
        self.open = asyncio.Event()
        self.open.set()
        self.server = stubs.run(stub_auth.AuthServer(self.answer).start())

    async def answer(self, question):
        self.asked += 1
        await self.open.wait()
        if question.decoded("Auth-Pass") == self.password:
            await question.grant(HOST, self.port)
        else:
            await question.refuse("Invalid login", ("Auth-Wait", "1"))

    def hold(self):
        self.open.clear()

    def let_go(self):
        self.stubs.loop.call_soon_threadsafe(self.open.set)

    def vanish(self):
        self.stubs.run(self.server.stop())


class House:
    def __init__(self, site, stubs):
        self.mailbox = Mailbox()
        self.desk = Desk(stubs, self.mailbox.port)
        self.port = site.port()
        self.site = site

    def start(self, mail=CACHE, workers=1):
        self.gate = Postern(self.site, configuration(
            f"auth_http {HOST}:{self.desk.server.port}/; auth_http_keepalive 0; {mail}",
            f"listen {HOST}:{self.port}; protocol imap;",
            main=f"worker_processes {workers}; error_log log debug;")).start()
        return self

    def log_in(self, who=GOOD):
        with Line((HOST, self.port)) as line:
            line.line()
            return line.ask(f"a LOGIN {who}")

    def flush(self, *user):
        program = Path(Postern.program()).parent / "posternctl"
        return subprocess.run([program, "cache", "flush", "--socket", self.gate.dir / "logs" / "postern.ctl", *user],
                              capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def house(stubs):
    with Site() as site:
        yield House(site, stubs)


def test_asked_once(house):
    house.start(workers=2)
    for _ in range(8):
        assert house.log_in() == "a OK done"
    assert house.desk.asked == 1
    for _ in range(3):
        assert house.log_in(WRONG) == "a NO Invalid login"
    assert house.desk.asked == 2
    assert house.log_in() == "a OK done"
    assert house.desk.asked == 2


def test_survives_a_reload_and_not_another_configuration(house):
    house.start()
    house.log_in()
    house.gate.reload()
    assert house.log_in() == "a OK done"
    assert house.desk.asked == 1
    house.gate.reload(house.gate.config.read_text() + "# something else\n")
    assert house.log_in() == "a OK done"
    assert house.desk.asked == 2


def test_a_changed_password(house):
    house.start()
    house.log_in()
    house.desk.password = b"new"
    assert house.log_in("jane new") == "a OK done"
    assert house.log_in() == "a NO Invalid login"
    assert house.desk.asked == 3


def test_flush(house):
    house.start(workers=2)
    house.log_in()
    house.log_in("joe correct")
    done = house.flush("JANE")
    assert (done.returncode, done.stdout) == (0, "1 answer forgotten\n")
    house.log_in()
    house.log_in("joe correct")
    assert house.desk.asked == 3
    assert house.flush().stdout == "2 answers forgotten\n"
    house.log_in("joe correct")
    assert house.desk.asked == 4


def test_without_a_postern_the_cure_is_named(house):
    house.start()
    assert house.gate.quit() == 0
    done = house.flush()
    assert done.returncode == 1
    assert "is it running" in done.stderr and "--socket" in done.stderr


def test_an_outage_is_bridged(house):
    house.start("auth_cache logins:1m; auth_cache_valid ok 1ms; auth_cache_stale 1h;")
    assert house.log_in() == "a OK done"
    assert house.log_in("joe wrong") == "a NO Invalid login"
    house.desk.vanish()
    for _ in range(3):
        assert house.log_in() == "a OK done"
    assert house.log_in(WRONG) == BROKEN["imap"]
    assert house.log_in("joe correct") == BROKEN["imap"]
    house.gate.wait_log("answered out of auth_cache", times=3)


def test_a_hundred_ask_as_one(house):
    house.start()
    house.desk.hold()
    with ExitStack() as open_lines:
        lines = [open_lines.enter_context(Line((HOST, house.port))) for _ in range(100)]
        for line in lines:
            line.line()
            line.send(f"a LOGIN {GOOD}")
        wait_until(lambda: house.gate.log_text().count("stage ask") >= 100, 30, "all to ask", house.gate)
        house.desk.let_go()
        assert [line.line() for line in lines] == ["a OK done"] * 100
    assert house.desk.asked == 1


def test_secrets_stay_out_of_the_log(house):
    house.start()
    house.log_in()
    house.log_in(WRONG)
    house.flush("jane")
    assert "correct" not in house.gate.log_text()
