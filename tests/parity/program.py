# SPDX-License-Identifier: BSD-2-Clause
"""Starts the two programs on the same configuration and reads what they log.

Both are started as `PROGRAM -c FILE -p PREFIX -e stderr` with `daemon off`, and log to standard error, a
pipe that is read as it fills: so that "has it started", "has it reloaded" are events and nobody polls.
"""

import asyncio
import os
import re
import signal
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 20
LOG_LINE = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] (\d+)#(\d+): (?:\*(\d+) )?(.*)$")
BEFORE_LOG = re.compile(r"(nginx|postern): \[\w+\] ")  # said at the start, when there is no log yet
MODULES = "/usr/lib/nginx/modules"


def binary(program):
    """Where the program is: $NGINX or Debian's, $POSTERN or the build directory's."""
    if program == "nginx":
        return os.environ.get("NGINX", "/usr/sbin/nginx")
    return os.environ.get("POSTERN", str(ROOT / "build" / "postern"))


def wanted():
    """The programs of this run: both, unless PARITY_ONLY names one."""
    only = os.environ.get("PARITY_ONLY")
    return (only,) if only else ("nginx", "postern")


class FreePorts:
    """Ports that nobody has; they are held until `release`, so that none is given twice. Addresses of our
    own (127.25.*) keep strangers from taking them between then and the program's start."""

    def __init__(self):
        self.held = []

    def take(self, address):
        probe = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        probe.bind((address, 0))
        self.held.append(probe)
        return probe.getsockname()[1]

    def release(self):
        while self.held:
            self.held.pop().close()


class LogLine:
    """One line of the error log; `connection` is the number behind the star, None without."""

    def __init__(self, text):
        found = LOG_LINE.match(text)
        self.raw = text
        self.level, self.pid, self.connection, self.text = None, None, None, text
        if found:
            self.level, self.pid, self.text = found[1], int(found[2]), found[5]
            self.connection = int(found[4]) if found[4] else None

    def __str__(self):
        return f"[{self.level}] {self.text}"


class Ended(Exception):
    """The program ended while something was waited for; the text is what it had to say."""


class Program:
    """One running program.  `lines` grows as it logs."""

    def __init__(self, name, place, extra=()):
        self.name = name
        self.place = Path(place)
        self.extra = list(extra)
        self.process = None
        self.lines = []
        self._news = asyncio.Condition()
        self._reader = None

    @property
    def command(self):
        return [binary(self.name), "-c", str(self.place / "mail.conf"), "-p", str(self.place), "-e", "stderr",
                *self.extra]

    async def start(self, config):
        """Returns when the workers run."""
        (self.place / "mail.conf").write_text(config, encoding="latin-1")
        if not (self.place / "modules").exists():
            (self.place / "modules").symlink_to(MODULES)
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, limit=1 << 20, start_new_session=True)
        self._reader = asyncio.create_task(self._read())
        await self.logged("start worker process ")
        return self

    async def _read(self):
        while line := await self.process.stderr.readline():
            text = line.decode("latin-1").removesuffix("\n")
            if self.lines and not LOG_LINE.match(text) and not BEFORE_LOG.match(text):
                self.lines[-1].text += "\n" + text  # a line end from outside that nginx has logged raw
            else:
                self.lines.append(LogLine(text))
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self.lines.append(None)
            self._news.notify_all()

    async def logged(self, text, since=0, count=1):
        """Waits until `count` lines from number `since` on contain `text`; returns the number after the
        last."""
        place = since
        async with asyncio.timeout(DEADLINE):
            while True:
                while place == len(self.lines):
                    async with self._news:
                        await self._news.wait_for(lambda: place < len(self.lines))
                line = self.lines[place]
                if line is None:
                    said = "\n".join(str(line.raw) for line in self.lines if line)
                    raise Ended(f"{self.name} ended, waiting for {text!r}:\n{said}")
                place += 1
                if text in line.text:
                    count -= 1
                    if not count:
                        return place

    def signal(self, number):
        os.kill(self.process.pid, number)

    async def detached(self):
        """Waits until the command has returned, though others may hold its pipe (asyncio's wait() would
        wait for these, too). Its exit status."""
        async with asyncio.timeout(DEADLINE):
            while self.process.returncode is None:
                await asyncio.sleep(0.01)
        return self.process.returncode

    async def gone(self):
        """Waits until nobody holds the pipe any more: the master, its daemon, all workers."""
        async with asyncio.timeout(DEADLINE):
            await self._reader
            await self.process.wait()

    async def ended(self):
        """Waits for the end of the master; returns its exit status."""
        async with asyncio.timeout(DEADLINE):
            status = await self.process.wait()
            await self._reader
        return status

    async def stop(self):
        """TERM, and KILL if that does not help."""
        if not self.process or self.process.returncode is not None:
            return
        try:
            os.kill(self.process.pid, signal.SIGTERM)
            await asyncio.wait_for(self.process.wait(), DEADLINE)
        except ProcessLookupError:
            pass  # it was gone before
        except asyncio.TimeoutError:
            os.killpg(self.process.pid, signal.SIGKILL)  # the workers, too
            await self.process.wait()
        try:
            await asyncio.wait_for(self._reader, DEADLINE)
        except asyncio.TimeoutError:
            self._reader.cancel()
