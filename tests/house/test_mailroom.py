# SPDX-License-Identifier: BSD-2-Clause
"""`make run`: the mailroom as people use it, and that it leaves nothing behind."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from peers import Postern, Process, Site, take_port
from peers.janitor import processes
from peers.postern import REPOSITORY
from peers.process import wait_until

MAILROOM = REPOSITORY / "tools" / "mailroom"
PORTS = (1143, 1993, 1110, 1995, 1025, 1465)


def start(site, *options):
    """A mailroom of its own, with its temporary directories in the site; it has printed its text."""
    place = site.directory("rooms")
    process = Process("mailroom", [sys.executable, MAILROOM, *options], site.root / "mailroom.log",
                      env={**os.environ, "TMPDIR": str(place), "PYTHONUNBUFFERED": "1"})
    site.own(process)
    process.start().wait_log("The mailroom is open", 60)
    process.wait_log("by TLS'", 10)
    return process, place


def descendants(pid):
    """All processes below one, however deep."""
    everybody = processes()
    found, last = {pid}, 0
    while len(found) > last:
        last = len(found)
        found |= {child for child, parent, _ in everybody if parent in found}
    return found - {pid}


def living(pids):
    return {pid for pid, _, _ in processes()} & pids


def test_every_printed_command_works():
    done = subprocess.run([sys.executable, MAILROOM, "--check", "--free-ports"], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall("^ok +curl", done.stdout, re.MULTILINE)) == 7
    assert len(re.findall("^ok +swaks", done.stdout, re.MULTILINE)) == 2
    assert len(re.findall("^ok +echo .*posternctl user add mary", done.stdout, re.MULTILINE)) == 1


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_behind(sig):
    with Site() as site:
        room, place = start(site, "--free-ports")
        family = descendants(room.pid)
        assert len(family) > 10 and os.listdir(place)
        room.signal(sig)
        room.wait(30)
        assert room.status == (0 if sig != signal.SIGKILL else -9)

        wait_until(lambda: not living(family) and not os.listdir(place), 10, "the janitor")


def paste(text, pattern):
    """The printed command that the pattern finds, run as it stands."""
    command = re.search(rf"^  ({pattern})$", text, re.MULTILINE)[1]
    return subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=False)


def test_it_shows_the_log_and_the_commands_work_as_printed():
    with Site() as site:
        room, _ = start(site, "--free-ports")
        text = room.log_text()
        assert "This mailbox lives on the server alpha." in paste(text, "curl .*ada.* .imap://.*").stdout
        room.wait_log('login: "ada@example.org"')


def test_a_user_is_added_while_it_runs():
    with Site() as site:
        room, _ = start(site, "--free-ports")
        text = room.wait_log("curl -s -u mary")
        early = paste(text, "curl .*mary.*")
        assert early.returncode != 0 and early.stdout == ""
        added = paste(text, "echo .* user add mary.*")
        assert added.returncode == 0, added.stderr
        assert "This mailbox lives on the server beta." in paste(text, "curl .*mary.*").stdout
        assert "reconfiguring" not in room.log_text()
        again = paste(text, "echo .* user add mary.*")
        assert again.returncode == 1 and "is there already" in again.stderr


def test_a_taken_port_is_named_with_the_cure():
    shift = take_port() - PORTS[0]
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", PORTS[0] + shift))
        other.listen()
        done = subprocess.run([sys.executable, MAILROOM, "--shift", str(shift)], capture_output=True, text=True,
                              timeout=60, check=False)
    assert done.returncode == 1
    assert f"port {PORTS[0] + shift} (IMAP)" in done.stderr
    assert "make run SHIFT=" in done.stderr


def test_a_server_that_dies_ends_it_with_a_word():
    with Site() as site:
        room, place = start(site, "--free-ports")
        dovecot = next(p for p in descendants(room.pid) if b"dovecot\0-F" in Path(f"/proc/{p}/cmdline").read_bytes())
        os.kill(dovecot, signal.SIGKILL)
        assert room.wait(30) == 1
        assert "ended by itself" in room.log_text()
        assert not os.listdir(place)


def test_a_missing_program_is_said():
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run([sys.executable, MAILROOM], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "POSTERN": f"{empty}/postern"})
    assert done.returncode == 1
    assert "run `make` first" in done.stderr


def test_a_postern_without_a_store_is_said():
    with tempfile.TemporaryDirectory() as bare:
        for name in ("postern", "posternctl"):
            shutil.copy(Path(Postern.program()).parent / name, bare)
        done = subprocess.run([sys.executable, MAILROOM, "--free-ports"], capture_output=True, text=True, timeout=60,
                              check=False, env={**os.environ, "POSTERN": f"{bare}/postern"})
    assert done.returncode == 1
    assert "built without SQLite" in done.stderr and "libsqlite3-dev" in done.stderr
