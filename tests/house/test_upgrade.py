# SPDX-License-Identifier: BSD-2-Clause
"""Another binary takes the place of the running one (USR2, WINCH, QUIT), or does not (HUP, QUIT); and daemons as such."""

import os
import shutil
import signal

import pytest

from gates import Daemon, Gate, title
from line import Line, greeted, log_in, logged_in, still_works
from peers.process import accepts, wait_until
from town import HOST, alarms


class Installed(Daemon):
    """A daemon whose binary can be exchanged."""

    def __init__(self, site, town, **more):
        self.binary = site.directory("bin") / "postern"
        shutil.copy(super().program(), self.binary)
        self.socket = str(site.root / "gate.sock")
        super().__init__(site, town, servers=(f"listen unix:{self.socket}; protocol imap;",), **more)
        self.process.argv[0] = str(self.binary)

    def exchange(self):
        """Puts a new file in the place of the binary, as a package manager does it."""
        new = self.binary.with_name("new")
        shutil.copy(self.binary, new)
        new.rename(self.binary)

    def upgrade(self):
        """USR2; returns the pids of the old and the new master when both serve."""
        old = self.master()
        self.exchange()
        self.tell(signal.SIGUSR2)
        wait_until(lambda: self.master() not in (0, old) and len(self.workers()) == 2, 20, "the new binary")
        return old, self.master()


@pytest.fixture
def installed(site, town):
    return Installed(site, town).start()


def greets(address):
    with Line(address) as line:
        return line.line().startswith("* OK IMAP4 ready")


def test_upgrade(installed, town, tls):
    user = town.user()
    relayed = logged_in(installed.doors, "imap", user, "tls", tls)
    half = greeted(installed.doors, "pop3", "plain", None)
    old, new = installed.upgrade()
    assert installed.master(".oldbin") == old
    assert os.stat(f"/proc/{old}/exe").st_ino != os.stat(f"/proc/{new}/exe").st_ino
    assert len(installed.workers(old)) == 2

    installed.tell(signal.SIGWINCH, old)
    for _ in range(4):  # none of the old workers takes another connection
        with logged_in(installed.doors, "imap", user):
            pass
    assert still_works(relayed, "imap")
    assert log_in(half, "pop3", user).startswith("+OK")
    half.ask("QUIT")
    half.close()  # a client that stays silent without closing would be waited for
    installed.tell(signal.SIGQUIT, old)
    assert still_works(relayed, "imap")
    relayed.ask("z LOGOUT")
    relayed.close()
    installed.wait_gone(old)

    assert installed.master() == new and not installed.master(".oldbin")
    assert greets(installed.socket) and greets(installed.doors.address("imap"))
    assert alarms(installed.log_text()) == []

    # and once more, by the binary that was new before
    older, newest = installed.upgrade()
    assert older == new
    installed.tell(signal.SIGQUIT, older)
    installed.wait_gone(older)
    assert installed.master() == newest and greets(installed.socket)
    installed.tell(signal.SIGQUIT)
    installed.wait_gone(newest)
    assert not installed.master() and not os.path.exists(installed.socket)


def test_roll_back(installed, town):
    user = town.user()
    relayed = logged_in(installed.doors, "imap", user)
    old, new = installed.upgrade()
    installed.tell(signal.SIGWINCH, old)
    wait_until(lambda: len(installed.workers(old)) < 2, 20, "an old worker without sessions to end")

    # Second thoughts. The configuration is not read again: it may belong to the new binary.
    installed.configure("this is no configuration")
    installed.tell(signal.SIGHUP, old)
    wait_until(lambda: len(installed.workers(old)) >= 2, 20, "the old binary's workers")
    with logged_in(installed.doors, "imap", user) as meanwhile:
        installed.tell(signal.SIGQUIT, new)
        assert still_works(meanwhile, "imap")
        meanwhile.ask("z LOGOUT")
    installed.wait_gone(new)
    wait_until(lambda: installed.master() == old, 20, "the pid file to come back")
    assert not installed.master(".oldbin")
    assert still_works(relayed, "imap")
    assert greets(installed.socket) and greets(installed.doors.address("imap"))
    assert alarms(installed.log_text()) == []


def test_the_old_binary_works_on_when_the_new_one_dies(installed, town):
    old, new = installed.upgrade()
    installed.tell(signal.SIGWINCH, old)
    wait_until(lambda: not installed.workers(old), 20, "the old workers to end")
    installed.tell(signal.SIGKILL, new)
    wait_until(lambda: installed.master() == old and len(installed.workers()) == 2, 20, "the old binary")
    with logged_in(installed.doors, "imap", town.user()):
        pass


@pytest.mark.parametrize("trouble", ["configuration", "binary"])
def test_the_new_binary_does_not_start(installed, town, trouble):
    old = installed.master()
    if trouble == "binary":
        installed.binary.unlink()
    else:
        installed.configure("this is no configuration")
    with logged_in(installed.doors, "imap", town.user()) as session:
        installed.tell(signal.SIGUSR2)
        installed.wait_log("new binary process")
        if trouble == "binary":
            assert f'execve() "{installed.binary}" failed (2: No such file or directory)' in installed.log_text()
        wait_until(lambda: installed.master() == old, 20, "the pid file to come back")
        assert still_works(session, "imap")
    assert greets(installed.socket) and len(installed.workers()) == 2


def test_one_upgrade_at_a_time(installed):
    old, new = installed.upgrade()
    for master in (old, new):
        installed.tell(signal.SIGUSR2, master)
    installed.wait_log("an upgrade is under way already, ignored", times=2)
    assert installed.master() == new and installed.master(".oldbin") == old


def test_sockets_that_the_new_configuration_lacks_are_closed(installed, site):
    installed.configure(installed.config_with(main="worker_processes 2;"))  # without the unix socket
    port = installed.doors.port["imaps"]
    installed.configure(installed.config.read_text().replace(f":{port} ssl", f":{site.port()} ssl"))
    old, new = installed.upgrade()
    installed.tell(signal.SIGQUIT, old)
    installed.wait_gone(old)
    assert installed.master() == new
    assert not accepts((HOST, port))


# Daemons


def test_daemon(site, town):
    daemon = Daemon(site, town).start()  # the program that was started has ended with status 0
    pid = daemon.master()
    assert title(pid).startswith(b"postern: master process\0")
    assert all(title(worker).startswith(b"postern: worker process\0") for worker in daemon.workers())
    assert os.getsid(pid) == pid
    assert os.readlink(f"/proc/{pid}/fd/0") == os.readlink(f"/proc/{pid}/fd/1") == "/dev/null"
    with logged_in(daemon.doors, "imap", town.user()):
        pass
    daemon.tell(signal.SIGQUIT)
    daemon.wait_gone(pid)
    assert not daemon.pid_file.exists()


def test_winch_needs_a_daemon(site, town):
    """In the foreground nobody would start the workers again."""
    gate = Gate(site, town).start()
    gate.process.signal(signal.SIGWINCH)
    gate.wait_log("ignored")
    assert len(gate.workers()) == 2 and greets(gate.doors.address("imap"))
