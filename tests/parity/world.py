# SPDX-License-Identifier: BSD-2-Clause
"""A world is one process of one program with everything around it: the configuration with a door (a listening
server block) for each kind of talk, the authentication server, the name server, certificates. Talks that
share the settings above the server level share a world; a few dozen of them are held in it at the same
time.

What tells them apart are loopback addresses: every talk has a client address and a backend address of its
own, so questions, connections and log lines find their way to the right Stage.
"""

import asyncio
import os
import re
import shutil
import ssl
import tempfile
import warnings

from stubs import auth, names, wire

from . import program as programs
from .differences import POSTERN_EXTRA_LOGS
from .player import Outcome, Stage

AT_ONCE = 16
SILENCES = 2 * AT_ONCE  # a program that has left so many without a word is not asked any more
LISTEN_ADDRESS = "127.25.0.1"

SESSION_ID = re.compile(r", session: [a-z2-7]{16}$")
FAILED_LOGIN = re.compile(r'(client sent invalid .* in AUTH .*), login: "[^"]*"$')
LOG_ESCAPE = re.compile(r"\\x([0-9A-F]{2})")

CONFIG = """load_module modules/ngx_mail_module.so;
daemon off;
{user}
worker_processes 1;
error_log stderr info;
pid {dir}/run.pid;
lock_file {dir}/run.lock;
{main}
events {{
    worker_connections 4096;
}}
mail {{
{mail}
{servers}
}}
"""

MAIL_DEFAULTS = {
    # nginx 1.22 leaves TLSv1.3 out by default, 1.27.3 and postern do not.
    "ssl_protocols": "ssl_protocols TLSv1.2 TLSv1.3;",
    "server_name": "server_name mail.example;",
    "auth_http": "auth_http {auth}/auth;",
    "ssl_certificate": "ssl_certificate {certs}/mail.example.crt;",
    "ssl_certificate_key": "ssl_certificate_key {certs}/mail.example.key;",
}


def mail_directives(given, starts_with):
    """What the talk gives, and the defaults for what it does not."""
    lines = [line for word, line in MAIL_DEFAULTS.items() if word not in starts_with]
    return "\n".join(lines + [given])


class World:
    SERVICE_ADDRESS = "127.25.0.2"

    def __init__(self, name, talks, certs):
        """`talks` are (number, Talk) pairs with the same `main` and `mail`."""
        self.talks = talks
        self.certs = certs
        self.place = tempfile.mkdtemp(prefix=f"parity-{name}-")
        os.chmod(self.place, 0o755)  # workers of another user must reach the sockets in it
        self.program = programs.Program(name, self.place)
        self.stages = {}
        self.strays = []
        self.silences = 0  # talks in a row that got no word
        self.doors = {}
        self.ports = {}
        self.names = {"dir": self.place, "certs": certs.place}
        self.auth_server = self.auth_unix = self.auth_local = self.auth_six = self.names_server = None
        self.contexts = {}
        self.free_ports = programs.FreePorts()
        self.config = ""

    # --- setting up ----------------------------------------------------------------------------------

    async def open(self, gate):
        self.auth_server = await auth.AuthServer(self._question).start(self.SERVICE_ADDRESS)
        self.auth_unix = await auth.AuthServer(self._question).start(f"{self.place}/auth.sock")
        os.chmod(f"{self.place}/auth.sock", 0o777)
        self.auth_local = await auth.AuthServer(self._question).start("127.0.0.1")
        self.auth_six = await auth.AuthServer(self._question).start("::1")
        self.names_server = await names.NameServer().start(self.SERVICE_ADDRESS)
        for end in ("crt", "key"):
            shutil.copy(self.certs.place / f"mail.example.{end}", f"{self.place}/here.{end}")
        self.dead = wire.socket.socket()
        self.dead.bind((self.SERVICE_ADDRESS, 0))  # bound, not listening: refuses
        self.ports = {"auth": self.auth_server.port, "dns": self.names_server.port,
                      "dead": self.dead.getsockname()[1]}
        self.names.update({word: f"{self.SERVICE_ADDRESS}:{port}" for word, port in self.ports.items()})
        self.names.update(local=f"localhost:{self.auth_local.port}", lport=self.auth_local.port,
                          auth6=f"[::1]:{self.auth_six.port}")
        async with gate:  # no other world may take the ports between their release and the start
            await self._start()

    async def _start(self):
        """Somebody outside may be quicker to take a port; then others are tried."""
        for last in (False, False, True):
            self.doors = {key: None for _, talk in self.talks for key in talk.doors}
            for number, key in enumerate(self.doors):
                self.doors[key] = self._door(key[2], number)
            self.config = self._config()
            self.free_ports.release()
            try:
                await self.program.start(self.config)
                return
            except programs.Ended as error:
                if last or "Address already in use" not in str(error):
                    raise
                self.program = programs.Program(self.program.name, self.place)

    def _door(self, via, number):
        if via == "unix":
            return f"unix:{self.place}/door{number}.sock", 0
        address = LISTEN_ADDRESS if via == "inet" else "::1"
        return (address if via == "inet" else f"[{address}]"), self.free_ports.take(address)

    def _config(self):
        _, first = self.talks[0]
        servers = []
        for (text, listen, _), (address, port) in self.doors.items():
            place = address if address.startswith("unix:") else f"{address}:{port}"
            servers.append(f"    server {{\n        listen {place} {listen};\n{text}\n    }}")
        given = {line.split()[0] for line in first.mail.replace(";", ";\n").split("\n") if line.split()}
        text = CONFIG.replace("{servers}", "\n".join(servers).replace("{", "{{").replace("}", "}}"))
        text = text.format(dir=self.place, main=first.main, mail=mail_directives(first.mail, given),
                           user="user nobody nogroup;" if os.geteuid() == 0 else "")
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    async def close(self):
        await self.program.stop()
        for server in (self.auth_server, self.auth_unix, self.auth_local, self.auth_six, self.names_server):
            if server:
                await server.stop()
        self.dead.close()
        shutil.rmtree(self.place)

    # --- what the stages ask for ---------------------------------------------------------------------

    def tls_context(self, options):
        """Client contexts, one for each set of options: alpn=a,b cert=NAME max=1.2 ciphers=LIST
        curve=NAME."""
        key = tuple(sorted(options.items()))
        if key not in self.contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.load_verify_locations(self.certs.crt)
            if "alpn" in options:
                context.set_alpn_protocols(options["alpn"].split(","))
            if "cert" in options:
                stem = self.certs.place / options["cert"]
                context.load_cert_chain(f"{stem}.crt", f"{stem}.key")
            if "ciphers" in options:
                context.set_ciphers(options["ciphers"])
            if "curve" in options:
                context.set_ecdh_curve(options["curve"])
            if options.get("max") == "1.2":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            if options.get("max") == "1.1":
                context.set_ciphers("DEFAULT@SECLEVEL=0")
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # it is deprecated: hence the test
                    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            self.contexts[key] = context
        return self.contexts[key]

    def canonical(self, head):
        """The request as nginx would have put it, and which differences of all conversations that took."""
        if self.program.name == "nginx":
            return head, set()
        line, rest = head.split(b"\r\n", 1)
        if line.endswith(b" HTTP/1.1"):
            return line[:-1] + b"0\r\n" + rest, {"auth-http-1.1"}
        return head, set()

    async def _question(self, question):
        """Brings a question to the talk whose client is asked about."""
        asker = (question.get("Client-IP") or b"").decode("latin-1")
        stage = self.stages.get(asker)
        if not stage:
            self.strays.append(question.head)
            return
        answered = asyncio.Event()
        stage.questions.put_nowait((question, answered))
        await answered.wait()

    # --- running -------------------------------------------------------------------------------------

    async def play(self, starting):
        """Plays all talks; returns {talk name: Outcome}.  `starting` is a lock that all worlds share."""
        outcomes = {}
        gate = asyncio.Semaphore(AT_ONCE)
        try:
            await self.open(starting)
            together = [pair for pair in self.talks if pair[1].via == "inet"]
            await asyncio.gather(*(self._play_one(number, talk, outcomes, gate) for number, talk in together))
            for number, talk in self.talks:  # one after the other: these share the client's address
                if talk.via != "inet":
                    await self._play_one(number, talk, outcomes, gate)
        finally:
            await self.close()
        self._late(outcomes)
        self._sort_logs(outcomes)
        return outcomes

    def _late(self, outcomes):
        """What came when a talk was over, or belongs to none."""
        for outcome in outcomes.values():
            if outcome.stage and not outcome.fault and not outcome.stage.questions.empty():
                outcome.fault = f"{self.program.name} asked once more after the end"
        if self.strays:
            first = outcomes[self.talks[0][1].name]
            first.fault = f"{self.program.name} asked about nobody: {self.strays[0]}"

    async def _play_one(self, number, talk, outcomes, gate):
        async with gate:
            if self.silences > SILENCES:
                outcomes[talk.name] = Outcome(self.program.name,
                                              fault=f"{self.program.name} has stopped answering")
                return
            stage = Stage(self, talk, number)
            for address in stage.addresses:
                self.stages[address] = stage
            outcome = outcomes[talk.name] = await stage.play()
            outcome.stage = stage
            self.silences = 0 if outcome.seen or not outcome.fault else self.silences + 1
            if talk.via != "inet":
                for address in stage.addresses:
                    self.stages.pop(address, None)

    def _sort_logs(self, outcomes):
        """Gives every line to the talk whose connection it speaks of; the star's number is the thread."""
        owners = {stage.client_address: stage.outcome for stage in self.stages.values()}
        threads = {}
        for line in self.program.lines:
            if not line or line.connection is None:
                continue
            if " connected to " in line.text and line.text.startswith("client "):
                address = line.text.split()[1].rsplit(":", 1)[0]
                threads[line.connection] = owners.get(address)
            outcome = threads.get(line.connection)
            if outcome and not (self.program.name == "postern" and _extra(line)):
                text = self._log_text(line, outcome)
                outcome.logs.append(outcome.stage.normal(text.encode("latin-1")).decode("latin-1"))
                outcome.raw_logs.append(outcome.stage.normal(str(line).encode("latin-1")).decode("latin-1"))
        for outcome in outcomes.values():
            if outcome.stage:
                self._told_logs(outcome)
                outcome.stage = None

    def _log_text(self, line, outcome):
        """The line as both would have logged it: raw, without the backend if there is no login, and
        without the login if it could not be understood (postern knows none then)."""
        text = str(line)
        if self.program.name == "nginx":
            if FAILED_LOGIN.search(text):
                outcome.used.add("log-login")
            return FAILED_LOGIN.sub(r"\1", text)
        text, told = SESSION_ID.subn("", text)
        if told:
            outcome.used.add("log-session")
        if ", login: " not in text and ", upstream: " in text:
            text = text[:text.index(", upstream: ")]
            outcome.used.add("log-upstream")
        return LOG_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)

    def _told_logs(self, outcome):
        """Lines that the script tells must be there; those for one program just as it wrote them."""
        talk = outcome.stage.talk
        for step in talk.course(self.program.name):
            if step.verb != "log" or outcome.fault:
                continue
            level, text = outcome.stage.told(step.text).decode("latin-1").split(" ", 1)
            told = outcome.stage.normal(f"[{level}] {text}".encode("latin-1")).decode("latin-1")
            lines = outcome.raw_logs if step.only else outcome.logs
            if not any(line.startswith(told) for line in lines):
                outcome.fault = "\n  ".join([f"{outcome.program}, line {step.line}: no log line {told!r} in",
                                            *lines])


def _extra(line):
    return any(pattern.search(str(line)) for pattern in POSTERN_EXTRA_LOGS)
