# SPDX-License-Identifier: BSD-2-Clause
"""HUP: the running workers take the new configuration, a broken one changes nothing, and no session notices."""

import os
import pwd
import socket
import ssl

import pytest

from conftest import unharmed
from gates import Gate
from line import Line, greeted, log_in, logged_in, still_works
from peers.process import accepts, wait_until
from town import HOST, alarms

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may choose whom workers become")


@pytest.fixture
def own(site, town):
    return Gate(site, town).start()


# A broken configuration

BROKEN = {
    "syntax": (lambda g: g.config_with(mail="bogus on;"), 'unknown directive "bogus" in {conf}:'),
    "certificate": (lambda g: g.config_with(mail="").replace(str(g.town.certificate.chain), "/nowhere/cert.pem"),
                    'cannot load certificate "/nowhere/cert.pem": open() failed (2: No such file'),
    "log folder": (lambda g: g.config_with(main="error_log /nowhere/log;"), 'open() "/nowhere/log" failed (2: No such file'),
    "address": (lambda g: g.config_with(servers=("listen 192.0.2.1:143; protocol imap;",)),
                "bind() to 192.0.2.1:143 failed (99: Cannot assign requested address)"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_configuration_changes_nothing(own, town, what):
    user = town.user()
    config, complaint = BROKEN[what]
    with unharmed_but_for_emerg(own), logged_in(own.doors, "imap", user) as old, greeted(own.doors, "imap", "plain", None) as half:
        said = own.reload(config(own))
        assert "[emerg]" in said and complaint.format(conf=own.config) in said
        assert "the new configuration was not taken, the running one stays" in said
        assert still_works(old, "imap")
        assert log_in(half, "imap", user).startswith("a OK")
        with logged_in(own.doors, "pop3", user):
            pass
        assert "took over" in own.reload_with()


class unharmed_but_for_emerg:
    """The same workers before and after; [emerg] lines are what the test is about."""

    def __init__(self, gate):
        self.gate, self.workers = gate, gate.workers()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self.gate.workers() == self.workers
        assert "[alert]" not in self.gate.log_text()


def test_port_in_use_opens_no_other(own, site):
    """Sockets that were opened before the one that could not be are closed again."""
    free = site.port()
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        said = own.reload_with(servers=(f"listen {HOST}:{free}; protocol imap;", f"listen {HOST}:{taken}; protocol imap;"))
    assert f"bind() to {HOST}:{taken} failed (98: Address already in use)" in said
    assert "still could not bind()" in said and "the running one stays" in said
    assert not accepts((HOST, free))
    with Line(own.doors.address("smtp")) as line:
        assert line.line().startswith("220 ")


# A changed certificate


def shown_certificate(doors, authority):
    context = ssl.create_default_context(cafile=authority.ca)
    with Line(doors.address("imap", "tls"), tls=context) as line:
        return line.sock.getpeercert(binary_form=True)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_renewed_certificate(own, town, tls, kind):
    own.reload(own.config.read_text().replace(str(town.certificate.chain), "server.pem")
               .replace(str(town.certificate.key), "server.key"))
    assert "the running one stays" in own.log_text()  # the files are not there yet
    install(own, town.certificate)
    own.reload()
    user, before = town.user(), shown_certificate(own.doors, town.authority)
    with unharmed(own), logged_in(own.doors, "imap", user, "tls", tls) as old:
        renewed = town.authority.issue("renewed", kind=kind)
        install(own, renewed)
        assert shown_certificate(own.doors, town.authority) == before, "not before the reload"
        own.reload()
        after = shown_certificate(own.doors, town.authority)
        assert after == ssl.PEM_cert_to_DER_cert(renewed.cert.read_text())
        assert still_works(old, "imap")
        with greeted(own.doors, "imap", "starttls", tls) as line:
            assert line.sock.getpeercert(binary_form=True) == after


def install(gate, certificate):
    (gate.dir / "server.pem").write_bytes(certificate.chain.read_bytes())
    (gate.dir / "server.key").write_bytes(certificate.key.read_bytes())


# The number of workers, and who they are


def test_more_and_fewer_workers(own, town):
    user = town.user()
    first = own.workers()
    own.reload_with(main="worker_processes 4;")
    wait_until(lambda: len(own.workers()) == 4, 10, "four workers", own)
    assert set(first) < set(own.workers())

    sessions = [logged_in(own.doors, "imap", user) for _ in range(12)]
    own.reload_with(main="worker_processes 1;")
    own.wait_log("gracefully shutting down", times=3)
    for session in sessions:
        assert still_works(session, "imap")
        assert session.ask("z LOGOUT").startswith("* BYE")
        session.close()
    wait_until(lambda: len(own.workers()) == 1, 20, "the others to end", own)
    with logged_in(own.doors, "imap", user):
        pass
    assert alarms(own.log_text()) == []


@needs_root
def test_another_user(own, town):
    """Who a process is cannot change: new workers take over, and old ones stay as long as their sessions."""
    user = town.user()
    old = own.workers()
    with logged_in(own.doors, "imap", user) as session:
        own.reload_with(main="worker_processes 2; user daemon;")
        wait_until(lambda: len(set(own.workers()) - set(old)) == 2, 10, "two new workers", own)
        wait_until(lambda: {uid_of(pid) for pid in set(own.workers()) - set(old)} == {pwd.getpwnam("daemon").pw_uid}, 10,
                   "both to be the new user", own)
        assert still_works(session, "imap")
        with logged_in(own.doors, "imap", user):
            pass
        assert session.ask("z LOGOUT").startswith("* BYE")
    wait_until(lambda: not set(own.workers()) & set(old), 20, "the old workers to end", own)


def uid_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("Uid:")).split()[1])


# Listening sockets


def test_sockets_come_and_go(own, town, site):
    user, extra = town.user(), site.port()
    own.reload_with(servers=(f"listen {HOST}:{extra}; protocol imap; server_name extra;",))
    with unharmed(own), Line((HOST, extra)) as line:
        assert line.line() == "* OK IMAP4 ready"
        assert log_in(line, "imap", user).startswith("a OK")
        own.reload_with()
        assert not accepts((HOST, extra))
        assert still_works(line, "imap")
        own.reload_with(servers=(f"listen {HOST}:{extra}; protocol pop3;",))
        with Line((HOST, extra)) as other:
            assert other.line().startswith("+OK POP3 ready")


def test_narrow_address_behind_the_wildcard(own, site):
    """Both are one socket, so the narrow one may come and go."""
    port = site.port()
    wide, narrow = f"listen *:{port}; protocol imap;", f"listen 127.0.0.2:{port}; protocol pop3;"
    for servers, expected in (((wide, narrow), "+OK POP3"), ((wide,), "* OK IMAP4"), ((narrow, wide), "+OK POP3")):
        own.reload_with(servers=servers)
        assert greeting(("127.0.0.2", port)).startswith(expected)
        assert greeting((HOST, port)).startswith("* OK IMAP4")


def greeting(address):
    with Line(address) as line:
        return line.line()


def test_unix_sockets(own, town):
    user, path = town.user(), str(own.dir / "gate.sock")
    own.reload_with(servers=(f"listen unix:{path}; protocol imap;",))
    with unharmed(own), Line(path) as line:
        assert line.line() == "* OK IMAP4 ready"
        assert log_in(line, "imap", user).startswith("a OK")
        own.wait_log(f'client logged in, client: unix:, server: unix:{path}, login: "{user.name}"')
        own.reload_with(servers=(f"listen unix:{path}; protocol pop3;",))
        assert greeting(path).startswith("+OK POP3 ready")
        own.reload_with()
        assert not os.path.exists(path)
        assert still_works(line, "imap")


def test_unix_sockets_go_with_the_last_process(own):
    path = own.dir / "gate.sock"
    own.reload_with(servers=(f"listen unix:{path}; protocol imap;",))
    assert path.exists()
    assert own.stop() == 0
    assert not path.exists()


# Files


def test_another_log(site, town):
    before, after = site.root / "before", site.root / "after"
    own = Gate(site, town, f"worker_processes 2;\nerror_log {before} info;")
    own.log = before
    own.start()
    own.configure(own.config_with(main=f"worker_processes 2;\nerror_log {after} info;"))
    own.reload(wait=False)
    own.log = after
    own.wait_log("took over configuration", times=2)
    said = before.read_text()
    with logged_in(own.doors, "imap", town.user()):
        own.wait_log("client logged in")
    assert before.read_text() == said


def test_another_pid_file(site, town):
    first, second = site.root / "first.pid", site.root / "second.pid"
    own = Gate(site, town)
    own.pid_file = first
    own.configure(own.config_with(main=f"worker_processes 2;\npid {first};"))
    own.process.argv = own.command()
    own.start()
    own.reload_with(main=f"worker_processes 2;\npid {second};")
    assert second.read_text() == f"{own.pid}\n"
    assert not first.exists()


# worker_shutdown_timeout


def test_sessions_of_the_old_configuration_end_in_time(site, town):
    """The time that the old configuration gave them, whatever the new one says; new sessions are not meant."""
    own = Gate(site, town, "worker_processes 2; worker_shutdown_timeout 1s;").start()
    user = town.user()
    with logged_in(own.doors, "imap", user) as relayed, greeted(own.doors, "pop3", "plain", None) as greeted_only:
        own.reload_with()
        with logged_in(own.doors, "imap", user) as new:
            own.wait_log("shutdown timeout while ", times=2)
            assert relayed.rest() == "" and greeted_only.rest() == ""
            assert still_works(new, "imap")
