# SPDX-License-Identifier: BSD-2-Clause
"""Signals: what becomes of sessions, processes, pid files and logs."""

import asyncio
import os
import re
import signal

import pytest

from .differences import DIFFERENCES
from .life import IMAP, Life, relays
from .program import DEADLINE, wanted


SHOWN = {"shutdown-before-login"}  # differences that these tests show
EMERG = re.compile(r".*?\[emerg\] (\d+#\d+: )?")


def scenario(**settings):
    """A coroutine that is given a Life, run for each program."""
    def decorate(course):
        @pytest.mark.parametrize("name", wanted())
        def test(name):
            async def run():
                async with asyncio.timeout(2 * DEADLINE), Life(name, **settings) as life:
                    await course(life)
            asyncio.run(run())
        test.__name__, test.__doc__ = course.__name__, course.__doc__
        return test
    return decorate


@scenario()
async def test_pid_file(life):
    assert (life.place / "run.pid").read_text() == f"{life.program.process.pid}\n"
    life.signal(signal.SIGTERM)
    await life.program.gone()
    assert not (life.place / "run.pid").exists()


def stopping(number, word):
    @scenario()
    async def test(life):
        """All sessions end at once, without a word."""
        fresh, _ = await life.connect()
        relayed, back = await life.login()
        life.signal(number)
        assert await fresh.rest() == b""
        assert await relayed.rest() == b""
        assert await back.rest() == b""
        assert await life.program.ended() == 0
        assert f"signal {number.value} ({word}) received from {os.getpid()}, exiting" in life.texts("notice")
        assert {"exiting", "exit"} <= set(life.texts("notice"))
        assert await life.refused()
    return test


test_term = stopping(signal.SIGTERM, "SIGTERM")
test_int = stopping(signal.SIGINT, "SIGINT")


@scenario()
async def test_quit(life):
    """Nobody new comes in, sessions of all stages go on, and the program ends with the last one."""
    fresh, _ = await life.connect()
    relayed, back = await life.login()
    life.signal(signal.SIGQUIT)
    await life.logged("gracefully shutting down")
    assert f"signal 3 (SIGQUIT) received from {os.getpid()}, shutting down" in life.texts("notice")
    while not await life.refused():
        pass  # the line comes just before the doors are closed
    assert await relays(relayed, back)
    await fresh.send(b"a NOOP\r\n")
    assert await fresh.line() == b"a OK completed\r\n"
    await fresh.send(b"a LOGIN joe secret\r\n")
    other = await life.back.accepted()
    fresh.close()
    other.close()
    assert await relays(relayed, back)
    relayed.close()
    back.close()
    assert await life.program.ended() == 0


@scenario(main="worker_shutdown_timeout 1s;")
async def test_quit_with_a_limit(life):
    """Sessions are ended when the time is up: nginx's only when they are relayed, postern's all."""
    fresh, _ = await life.connect()
    relayed, back = await life.login()
    life.signal(signal.SIGQUIT)
    assert await relayed.rest() == b""
    assert await back.rest() == b""
    if life.name == "nginx":
        await fresh.send(b"a NOOP\r\n")
        assert await fresh.line() == b"a OK completed\r\n"
    else:
        assert await fresh.rest() == b""
    fresh.close()
    assert await life.program.ended() == 0
    assert any(line.startswith("shutdown timeout while proxying, client: ") for line in life.texts("info"))


@scenario()
async def test_reload(life):
    """New sessions have the new configuration, old ones keep theirs."""
    fresh, greeting = await life.connect("smtp")
    assert greeting == b"220 first.example ESMTP ready\r\n"
    relayed, back = await life.login()
    before = life.mark()
    life.configure(name="second.example")
    life.signal(signal.SIGHUP)
    await life.logged("reconfiguring", before, 2)
    other = await greeted(life, b"220 second.example ESMTP ready\r\n")
    await fresh.send(b"HELO x\r\n")
    assert await fresh.line() == b"250 first.example\r\n"
    assert await relays(relayed, back)
    assert f"signal 1 (SIGHUP) received from {os.getpid()}, reconfiguring" in life.texts("notice", before)
    assert "reconfiguring" in life.texts("notice", before)
    for end in (fresh, other, relayed, back):
        end.close()


async def greeted(life, wanted_greeting):
    """Knocks until the new configuration answers: nginx's old workers take clients for a while longer."""
    async with asyncio.timeout(DEADLINE):
        while True:
            client, greeting = await life.connect("smtp")
            if greeting == wanted_greeting:
                return client
            client.close()


@scenario()
async def test_reload_that_fails(life):
    """A broken file changes nothing and is an error in the log."""
    relayed, back = await life.login()
    before = life.mark()
    life.configure(mail="foo;")
    life.signal(signal.SIGHUP)
    await life.logged('unknown directive "foo"', before)
    assert [text for text in life.texts("emerg",
                                        before)] == [f'unknown directive "foo" in {life.place}/mail.conf:12']
    assert await relays(relayed, back)
    client, greeting = await life.connect("smtp")
    assert greeting == b"220 first.example ESMTP ready\r\n"
    assert life.workers(before) == []
    for end in (client, relayed, back):
        end.close()


@scenario()
async def test_reload_with_other_doors(life):
    """A door that is no longer in the file is closed, a new one opened, sessions of the old one live."""
    relayed, back = await life.login()
    before = life.mark()
    life.configure(servers="server {{ listen 127.25.0.1:{more}; protocol pop3; }}\n")
    life.signal(signal.SIGHUP)
    await life.logged("reconfiguring", before, 2)
    while await life.refused("more") or not await life.refused("imap"):
        pass  # until the new doors stand and the old workers are gone
    client, greeting = await life.connect("more")
    assert greeting == b"+OK POP3 ready\r\n"
    assert await relays(relayed, back)
    for end in (client, relayed, back):
        end.close()


@scenario(main="worker_shutdown_timeout 1s;")
async def test_reload_with_a_limit(life):
    """Sessions of the old configuration end when the time is up, those of the new one do not."""
    relayed, back = await life.login()
    life.signal(signal.SIGHUP)
    assert await relayed.rest() == b""
    assert await back.rest() == b""
    relayed, back = await life.login()
    assert await relays(relayed, back)
    relayed.close()
    back.close()


@scenario(main="error_log {dir}/other.log info;")
async def test_reopen(life):
    """After USR1 the log goes to a new file of the old name."""
    log, moved = life.place / "other.log", life.place / "moved.log"
    log.rename(moved)
    life.signal(signal.SIGUSR1)
    await life.logged("reopening logs")

    async def connections(file):
        client, _ = await life.connect()
        client.close()
        return file.read_text().count(" connected to ") if file.exists() else 0

    async with asyncio.timeout(DEADLINE):
        while not await connections(log):  # the worker has its turn after the master
            pass
    before = await connections(moved)
    assert await connections(moved) == before
    assert await connections(log) == await connections(log) - 1


@scenario()
async def test_worker_that_dies(life):
    """It is replaced, with an alert; its sessions are lost, others come."""
    relayed, back = await life.login()
    victim = life.workers()[0]
    before = life.mark()
    os.kill(victim, signal.SIGKILL)
    await life.logged("start worker process ", before)
    assert life.texts("alert", before) == [f"worker process {victim} exited on signal 9"]
    assert await relayed.rest() == b""
    relayed, back = await life.login()
    assert await relays(relayed, back)
    relayed.close()
    back.close()


@scenario()
async def test_commands(life):
    """`-s` finds the master by its pid file."""
    for word, text in (("reopen", "reopening logs"), ("reload", "reconfiguring")):
        before = life.mark()
        assert (await life.command("-s", word))[0] == 0
        await life.logged(text, before)
    client, _ = await life.connect()
    assert (await life.command("-s", "quit"))[0] == 0
    await life.logged("gracefully shutting down")
    client.close()
    assert await life.program.ended() == 0


@scenario(daemon="on")
async def test_daemon(life):
    """The command returns, the master lives on alone and ends by TERM."""
    assert await life.program.detached() == 0
    assert os.getsid(life.pid()) == life.pid()
    relayed, back = await life.login()
    assert await relays(relayed, back)
    life.signal(signal.SIGTERM)
    assert await relayed.rest() == b""
    await life.program.gone()


@scenario(daemon="on")
async def test_upgrade(life):
    """USR2 starts the new binary beside the old one; QUIT sends the old one home when its sessions are
    done."""
    old = life.pid()
    relayed, back = await life.login()
    before = life.mark()
    life.signal(signal.SIGUSR2)
    await life.logged("start worker process ", before)
    new = life.pid()
    life.masters.add(new)
    assert new != old
    assert life.pid("run.pid.oldbin") == old
    assert "changing binary" in life.texts("notice", before)
    life.signal(signal.SIGQUIT, old)
    await life.logged("gracefully shutting down", before)
    assert await relays(relayed, back)
    fresh, other = await life.login()
    assert await relays(fresh, other)
    relayed.close()
    back.close()
    await life.logged("exited with code 0", before)
    assert await relays(fresh, other)
    fresh.close()
    other.close()


@scenario(daemon="on")
async def test_upgrade_and_back(life):
    """WINCH retires the old one's workers, HUP brings them back, QUIT ends the new one: nothing was lost."""
    old = life.pid()
    relayed, back = await life.login()
    before = life.mark()
    life.signal(signal.SIGUSR2)
    await life.logged("start worker process ", before)
    new = life.pid()
    life.masters.add(new)
    life.signal(signal.SIGWINCH, old)
    await life.logged("gracefully shutting down", before)
    assert await relays(relayed, back)
    before = life.mark()
    life.signal(signal.SIGHUP, old)
    await life.logged("start worker process ", before)
    life.signal(signal.SIGQUIT, new)
    await life.logged(f"signal 17 (SIGCHLD) received from {new}", before)
    while (life.place / "run.pid.oldbin").exists():
        await asyncio.sleep(0)  # the master renames it when it has seen the new one's end
    assert life.pid() == old
    assert await relays(relayed, back)
    fresh, other = await life.login()
    assert await relays(fresh, other)
    for end in (relayed, back, fresh, other):
        end.close()


@scenario(servers=IMAP)
async def test_port_in_use(life):
    """A second one cannot start: it says so, several times, and leaves the first one's pid file alone."""
    pid = life.pid()
    status, err = await life.command()
    assert status == 1
    said = [EMERG.sub("", line) for line in err.splitlines() if "[emerg]" in line]
    busy = f"bind() to 127.25.0.1:{life.ports['imap']} failed (98: Address already in use)"
    assert said == [busy] * 5 + ["still could not bind()"]
    assert life.pid() == pid


def test_differences_are_listed():
    listed = {key for key, difference in DIFFERENCES.items() if difference.shown_by == "life"}
    assert SHOWN == listed
