# SPDX-License-Identifier: BSD-2-Clause
"""A program with a life of its own, for the tests of signals: it logs in whoever comes, and can be told to
end.

Unlike a World it may be a daemon, may change its configuration, and may be two programs at once (an
upgrade). What it logs still comes through the pipe that is its standard error, so everything is waited for
by its line in the log.
"""

import asyncio
import os
import re
import signal
import tempfile
from pathlib import Path

from stubs import auth, mailserver, wire

from . import program as programs

CONFIG = """load_module modules/ngx_mail_module.so;
daemon {daemon};
{user}
worker_processes 1;
error_log stderr info;
pid {dir}/run.pid;
{main}
events {{ worker_connections 100; {events} }}
mail {{
    auth_http {auth}/;
    server_name {name};
    {mail}
    {servers}
}}
"""
IMAP = "server {{ listen 127.25.0.1:{imap}; protocol imap; }}\n"
SMTP = "server {{ listen 127.25.0.1:{smtp}; protocol smtp; xclient off; }}\n"


class Life:
    """`async with Life("nginx") as life`."""

    def __init__(self, name, *, daemon="off", main="", events="", mail="", servers=IMAP + SMTP, before=None):
        """`before` is awaited with the Life before the program starts; it may add to `names`."""
        self.name = name
        self.place = Path(tempfile.mkdtemp(prefix=f"life-{name}-"))
        self.place.chmod(0o755)
        self.before = before
        self.names = {}
        self.settings = {"daemon": daemon, "main": main, "events": events, "mail": mail, "servers": servers,
                         "name": "first.example"}
        self.program = programs.Program(name, self.place)
        self.back = mailserver.MailServer()
        self.masters = set()

    async def __aenter__(self):
        self.auth = await auth.AuthServer(self._grant).start("127.25.0.2")
        await self.back.start("127.26.0.1")
        ports = programs.FreePorts()
        self.ports = {word: ports.take("127.25.0.1") for word in ("imap", "smtp", "more")}
        ports.release()
        if self.before:
            await self.before(self)
        try:
            await self.program.start(self.config())
            self.masters.add(self.program.process.pid if self.settings["daemon"] == "off"
                             else await self.daemon())
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def daemon(self):
        """The number that a daemon writes when it comes to it."""
        async with asyncio.timeout(programs.DEADLINE):
            while not (self.place / "run.pid").read_text():
                await asyncio.sleep(0.01)
        return self.pid()

    async def end(self):
        """Ends all that was started, by TERM."""
        process = self.program.process
        if process and process.returncode is None:
            self.masters.add(process.pid)
        for pid in self.masters:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        if process:
            await self.program.gone()

    async def __aexit__(self, *_):
        await self.end()
        await self.auth.stop()
        await self.back.stop()
        for path in sorted(self.place.rglob("*"), reverse=True):
            path.unlink()
        self.place.rmdir()

    def config(self, **changes):
        """The configuration, after changing some of its settings."""
        self.settings.update(changes)
        values = {**self.names, "dir": self.place, "auth": f"127.25.0.2:{self.auth.port}", **self.ports}
        parts = {key: value.format(**values) for key, value in self.settings.items()}
        return CONFIG.format(user="user nobody nogroup;" if os.geteuid() == 0 else "", **values, **parts)

    def configure(self, **changes):
        """Writes it; a signal makes it count."""
        (self.place / "mail.conf").write_text(self.config(**changes))

    async def _grant(self, question):
        await question.grant("127.26.0.1", self.back.port)

    # --- the process ---------------------------------------------------------------------------------

    def pid(self, file="run.pid"):
        return int((self.place / file).read_text())

    def workers(self, since=0):
        """The workers whose start was logged, in order."""
        found = (re.search(r"start worker process (\d+)",
                           line.text) for line in self.program.lines[since:] if line)
        return [int(one[1]) for one in found if one]

    def signal(self, number, pid=None):
        os.kill(pid or self.pid(), number)

    async def command(self, *options):
        """Runs the program as a command beside it."""
        process = await asyncio.create_subprocess_exec(
            *self.program.command, *options, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            start_new_session=True)
        _, err = await process.communicate()
        return process.returncode, err.decode()

    def mark(self):
        return len(self.program.lines)

    async def logged(self, text, since=0, count=1):
        return await self.program.logged(text, since, count)

    def texts(self, level, since=0):
        return [line.text for line in self.program.lines[since:] if line and line.level == level]

    # --- sessions ------------------------------------------------------------------------------------

    async def connect(self, door="imap"):
        """A client that has heard the greeting, and the greeting."""
        client = await wire.Wire.connect(("127.25.0.1", self.ports[door]))
        return client, await client.line()

    async def login(self):
        """A client and its backend, in the midst of the relay."""
        client, _ = await self.connect()
        await client.send(b"a LOGIN joe secret\r\n")
        back = await self.back.accepted()
        await back.send(b"* OK\r\n")
        await mailserver.imap_login(back)
        await back.send(b"a OK in\r\n")
        assert await client.line() == b"a OK in\r\n"
        return client, back

    async def refused(self, door="imap"):
        """Whether nobody listens any more."""
        try:
            client = await wire.Wire.connect(("127.25.0.1", self.ports[door]))
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            return False  # it was waiting to be accepted when the door was closed
        client.close()
        return False


async def relays(client, back):
    """Whether a session is alive, in both directions."""
    await client.send(b"there\r\n")
    there = await back.line()
    await back.send(b"back\r\n")
    return (there, await client.line()) == (b"there\r\n", b"back\r\n")
