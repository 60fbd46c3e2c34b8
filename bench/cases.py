# SPDX-License-Identifier: BSD-2-Clause
"""What is measured. A case makes one run with one peer and gives its figures; bench.py repeats and compares."""

import json
import subprocess
from dataclasses import dataclass

from measure import cpu_seconds, pss_bytes

KB = 1024
GB = 1e9


@dataclass(frozen=True)
class Figure:
    """`goal`: the ratio postern : nginx to be reached, at most; or at least, where more is better."""

    name: str
    unit: str
    goal: float
    more_is_better: bool = False


class Failed(Exception):
    """A run in which something went wrong; its figures do not count."""


class Load:
    """bench-load against one port of a peer."""

    def __init__(self, bench, port, **options):
        argv = [*bench.load_pin, bench.load, "--port", port]
        for name, value in options.items():
            argv += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
        self.child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True)
        bench.loads.append(self.child)
        self.bench = bench

    def wait_ready(self):
        line = self.child.stdout.readline()
        if line != "ready\n":
            raise Failed(f"instead of being ready: {line.strip() or 'nothing'}")

    def result(self):
        out, _ = self.child.communicate(timeout=300)
        self.bench.loads.remove(self.child)
        if not out.strip():
            raise Failed("the load generator failed")
        found = json.loads(out.strip().splitlines()[-1])
        if found["errors"]:
            raise Failed(f"{found['errors']} errors, the first: {found['complaint']}")
        return found


@dataclass(frozen=True)
class Case:
    name: str
    protocol: str = "imap"
    security: str = "plain"
    peers: tuple = ()  # () means all
    workers: int = 1
    pinned: bool = True
    fresh: bool = False  # a new process for each run
    most_rounds: int = 99  # of what is slow and hardly varies
    forgetful: bool = False

    def port(self, peer):
        return peer.port(self.protocol, self.security)

    def options(self):
        return {"protocol": self.protocol, "security": self.security}


@dataclass(frozen=True)
class Login(Case):
    count: int = 6000
    resume: bool = False
    goal: float = 0.6

    def figures(self):
        return [Figure("CPU per login", "us", self.goal)]

    def run(self, bench, peer, scale):
        # Perdition, which starts a process for each session, takes thirty times as long.
        count = max(100, int(self.count * scale * (0.1 if peer.name == "perdition" else 1)))
        more = {"resume": True} if self.resume else {}
        before = cpu_seconds(peer.sessions)
        found = Load(bench, self.port(peer), count=count, parallel=16, **self.options(), **more).result()
        # The first ones have nothing to resume yet.
        if self.resume and found["resumed"] < count - 32:
            raise Failed(f"only {found['resumed']} of {count} sessions were resumed")
        return [(cpu_seconds(peer.sessions) - before) / count * 1e6]


@dataclass(frozen=True)
class Idle(Case):
    count: int = 10000
    goal: float = 0.08
    fresh: bool = True
    most_rounds: int = 3

    def figures(self):
        return [Figure("memory per session", "KB", self.goal)]

    def run(self, bench, peer, scale):
        # 20,000 descriptors are the most that one process may hold on many a machine.
        count = int(min(self.count, 9800) * scale * (0.05 if peer.name == "perdition" else 1))
        # What one pays for the first sessions, however many there are, is not theirs.
        Load(bench, self.port(peer), count=100, parallel=16, **self.options()).result()
        before = pss_bytes(peer.sessions)
        load = Load(bench, self.port(peer), body="idle", count=count, parallel=64, **self.options())
        load.wait_ready()
        after = pss_bytes(peer.sessions)
        load.result()
        return [(after - before) / count / KB]


@dataclass(frozen=True)
class Bulk(Case):
    body: str = "down"
    goal: float = 0.4
    megabytes: int = 64
    count: int = 12

    def figures(self):
        return [Figure("CPU per gigabyte", "s", self.goal)]

    def run(self, bench, peer, scale):
        count = max(2, int(self.count * scale))
        before = cpu_seconds(peer.sessions)
        found = Load(bench, self.port(peer), body=self.body, count=count, parallel=4, bytes=self.megabytes * 1000000,
                     **self.options()).result()
        return [(cpu_seconds(peer.sessions) - before) / found["bytes"] * GB]


@dataclass(frozen=True)
class Ping(Case):
    repeat: int = 2000

    def figures(self):
        return [Figure("CPU per round trip", "us", 0.9), Figure("median round trip", "us", 0.9)]

    def run(self, bench, peer, scale):
        repeat = max(100, int(self.repeat * scale))
        before = cpu_seconds(peer.sessions)
        found = Load(bench, self.port(peer), body="ping", count=32, parallel=32, repeat=repeat,
                     **self.options()).result()
        return [(cpu_seconds(peer.sessions) - before) / (32 * repeat) * 1e6, found["p50_us"]]


@dataclass(frozen=True)
class Saturation(Case):
    count: int = 8000
    workers: int = 2
    pinned: bool = False

    def figures(self):
        return [Figure("logins per second", "/s", 1.4, more_is_better=True)]

    def run(self, bench, peer, scale):
        count = max(100, int(self.count * scale * (0.05 if peer.name == "perdition" else 1)))
        found = Load(bench, self.port(peer), count=count, parallel=64, **self.options()).result()
        return [found["done"] / found["seconds"]]


@dataclass(frozen=True)
class Growth(Case):
    """CPU per login beside idle sessions, as a multiple of that without any."""

    count: int = 6000
    idle: int = 50000
    workers: int = 8
    fresh: bool = True
    most_rounds: int = 3
    peers: tuple = ("postern", "nginx")
    each: int = 9000  # what one process of the generator holds

    def figures(self):
        return [Figure("CPU per login: idle sessions / none", "x", 1.1), Figure("memory per session", "KB", 0.08)]

    def run(self, bench, peer, scale):
        alone, _ = self.logins(bench, peer, scale)
        before = pss_bytes(peer.sessions)
        count = int(self.idle * scale)
        loads = [Load(bench, self.port(peer), body="idle", count=min(self.each, count - at), parallel=32,
                      first_source=100 + at // self.each * 16, **self.options()) for at in range(0, count, self.each)]
        for load in loads:
            load.wait_ready()
        memory = (pss_bytes(peer.sessions) - before) / count / KB
        beside, _ = self.logins(bench, peer, scale)
        for load in loads:
            load.result()
        return [beside / alone, memory]

    def logins(self, bench, peer, scale):
        count = max(500, int(self.count * scale))
        before = cpu_seconds(peer.sessions)
        found = Load(bench, self.port(peer), count=count, parallel=16, **self.options()).result()
        return (cpu_seconds(peer.sessions) - before) / count, found


# Under TLS a peer without TCP_NODELAY keeps its clients waiting for most of a session.
_FEW = 500


def _logins():
    for protocol in ("imap", "pop3", "smtp", "smtp-open"):
        yield Login(f"login-{protocol}", protocol)
    yield Login("login-imap-forgetful-auth", forgetful=True, goal=0.87)
    for protocol in ("imap", "pop3", "smtp", "smtp-open"):
        yield Login(f"login-{protocol}-starttls", protocol, "starttls", count=_FEW, goal=0.75)
        yield Login(f"login-{protocol}-tls", protocol, "implicit", count=_FEW, goal=0.75)
    yield Login("login-imap-starttls-resumed", "imap", "starttls", count=_FEW, resume=True, goal=0.75)
    yield Login("login-imap-tls-resumed", "imap", "implicit", count=_FEW, resume=True, goal=0.75)


CASES = [
    *_logins(),
    Idle("idle"),
    Idle("idle-tls", security="implicit", count=5000, goal=0.62),
    Bulk("relay-down", body="down"),
    Bulk("relay-up", "smtp", body="up"),
    Bulk("relay-down-tls", security="implicit", body="down", goal=0.5),
    Bulk("relay-up-tls", "smtp", "implicit", body="up", goal=0.5),
    Ping("ping"),
    Ping("ping-tls", security="implicit"),
    Saturation("saturation"),
    Saturation("saturation-tls", security="implicit", count=1500),
    Growth("growth"),
]
QUICK = ["login-imap", "login-imap-tls", "idle", "relay-down", "ping"]
