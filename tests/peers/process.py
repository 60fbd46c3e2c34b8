# SPDX-License-Identifier: BSD-2-Clause
"""One server in the foreground: started, waited for, stopped by its pid, and never left behind.

- Every server leads a session of its own, so a Ctrl-C in the terminal reaches only the program that started
  it, which then stops its servers in order. What a server leaves in that session is killed at the end.
- When the program that started it dies without stopping it, the janitor does.
- Waiting means looking until a deadline, and a server that dies meanwhile ends the wait at once, with
  the end of its log in the message.
"""

import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import time

from . import janitor

_PAUSE_MS = 20


class Missing(Exception):
    """A program that is needed is not installed, or cannot run here; the text says what and why."""


class NotReady(Exception):
    """A server died or did not answer in time."""


def find_program(name, package=None):
    """The path of an installed program, also from the sbin folders that a user's PATH lacks."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise Missing(f"{name} is not installed (Debian package: {package or name})")
    return found


def wait_until(condition, seconds, what, process=None):
    """Looks at condition() until it returns something true, and returns that.

    Raises NotReady after `seconds`, or as soon as `process` has ended. `what` completes "waited for …".
    """
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if process is not None and not process.running:
            raise NotReady(f"{process.name} ended with status {process.status} while waiting for {what}\n"
                           + process.log_tail())
        if time.monotonic() > deadline:
            raise NotReady(f"waited {seconds} s for {what}\n" + (process.log_tail() if process else ""))
        if process is None:
            select.select([], [], [], _PAUSE_MS / 1000)
        else:
            process.pause(_PAUSE_MS)


def greeting(address, seconds=1.0):
    """The first line that a server sends to a new connection, or b"" if there is none in time."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(seconds)
            s.connect(address)
            line = b""
            while not line.endswith(b"\n"):
                more = s.recv(512)
                if not more:
                    return b""
                line += more
            return line
    except OSError:
        return b""


def accepts(address):
    """Whether somebody listens there."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(1.0)
        return s.connect_ex(address) == 0


def children_of(pid):
    """The pids of a process' living children."""
    return sorted(child for child, parent, _ in janitor.processes() if parent == pid)


def session_of(leader):
    """The pids of all living processes of the session that `leader` began."""
    return sorted(pid for pid, _, session in janitor.processes() if session == leader)


class Process:
    """A program in the foreground. Its output goes to the file `log`, or to `output` (a file descriptor)."""

    def __init__(self, name, argv, log, *, cwd=None, env=None, user=None, output=None):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.log = log
        self.cwd = cwd
        self.env = env
        self.user = user
        self.output = output
        self._child = None
        self._pidfd = None

    # Life

    def start(self):
        """Starts the program; returns self. Says nothing about whether it is ready."""
        as_user = {}
        if self.user is not None and os.geteuid() == 0:
            entry = pwd.getpwnam(self.user)
            as_user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        with open(self.log, "ab") as log:
            out = log if self.output is None else self.output
            self._child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.cwd,
                                           env=self.env, start_new_session=True, **as_user)
        janitor.watch_session(self.pid)
        self._pidfd = os.pidfd_open(self._child.pid)
        return self

    def stop(self, sig=signal.SIGTERM, seconds=10):
        """Ends the program, first by `sig`, and whatever it leaves behind. Returns its exit status."""
        if self._child is None:
            return None
        for attempt in (sig, signal.SIGKILL):
            if self.running:
                self.signal(attempt)
                self.pause(seconds * 1000)
        status = self._child.wait()
        for attempt in (sig, signal.SIGKILL):
            self._signal_session(attempt, 2)
        janitor.forget_session(self.pid)
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        return status

    def _signal_session(self, sig, seconds):
        """Signals what is left of the session, which is usually nothing, and gives it time to end."""
        for pid in session_of(self.pid):
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass
        try:
            wait_until(lambda: not session_of(self.pid), seconds, f"what {self.name} left behind")
        except NotReady:
            if sig == signal.SIGKILL:
                raise

    # Facts

    @property
    def pid(self):
        return self._child.pid

    @property
    def pidfd(self):
        """A descriptor that becomes readable when the program ends."""
        return self._pidfd

    @property
    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def status(self):
        """Exit status; negative for a signal; None while it runs."""
        return self._child.poll()

    def children(self):
        return children_of(self.pid)

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="backslashreplace") as f:
                return f.read()
        except OSError:
            return ""

    def log_tail(self, lines=15):
        return "\n".join(f"    {self.name}: {line}" for line in self.log_text().splitlines()[-lines:])

    # Dealing with it

    def signal(self, sig):
        self._child.send_signal(sig)

    def pause(self, milliseconds):
        """Waits that long, or until the program ends."""
        if self._pidfd is not None:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            poll.poll(milliseconds)

    def wait(self, seconds=10):
        """Waits for the program to end by itself; its exit status."""
        return wait_until(lambda: not self.running and (self.status,), seconds, f"the end of {self.name}")[0]

    def wait_greeting(self, address, prefix, seconds=30):
        """Waits until a connection to `address` is greeted with a line that begins with `prefix`."""
        wait_until(lambda: greeting(address).startswith(prefix), seconds,
                   f"{self.name} to say {prefix.decode()} on {address[0]}:{address[1]}", self)
        return self

    def wait_accepts(self, address, seconds=30):
        """Waits until `address` takes connections."""
        wait_until(lambda: accepts(address), seconds, f"{self.name} to listen on {address[0]}:{address[1]}", self)
        return self

    def wait_log(self, text, seconds=10, times=1):
        """Waits until `text` stands in the log, so many times; returns the log."""
        wait_until(lambda: self.log_text().count(text) >= times, seconds, f"{text!r} in the log", self)
        return self.log_text()
