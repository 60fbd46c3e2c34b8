# SPDX-License-Identifier: BSD-2-Clause
"""What nginx and postern have in common: a configuration, a prefix, a pid file, a log, signals."""

import os
import re
import signal
import subprocess

from .process import Process, wait_until


class Proxy:
    """A mail proxy in the foreground, with a directory of its own as prefix.

    config  the whole configuration as text. Relative paths in it count from the prefix (`dir`). `pid` and
            `daemon` need not stand there; an `error_log` that is not named is FILE `log` at level info.
    output  a file descriptor for stderr (default: the file `stderr`)

    start() returns when the program has written its pid file, that is, when its ports are open.
    """

    globals = ""  # more directives for the command line; subclasses set it

    def __init__(self, site, config, *, name=None, output=None):
        self.site = site
        self.name = name or self.default_name
        self.dir = site.directory(self.name)
        site.directory(f"{self.name}/logs")
        self.log = self.dir / "log"
        self.config = self.dir / "proxy.conf"
        self.pid_file = self.dir / "proxy.pid"
        self.configure(config)
        self.process = Process(self.name, self.command(), self.dir / "stderr", cwd=self.dir, output=output)

    @classmethod
    def program(cls):
        raise NotImplementedError

    def configure(self, config):
        """Replaces the configuration file; reload() makes it count."""
        self.config.write_text(config)

    def command(self, *more):
        """The command line; `more` are further arguments, such as "-t"."""
        text = self.config.read_text()
        directives = self.globals + " daemon off;"
        if not _has(text, "pid"):
            directives += f" pid {self.pid_file};"
        if not _has(text, "error_log"):
            directives += f" error_log {self.log} info;"
        return [self.program(), "-p", f"{self.dir}/", "-c", self.config, "-e", self.log, "-g", directives.strip(), *more]

    def run(self, *more, timeout=20):
        """Runs the program once, with further arguments, to its end: for -t, -T, -s and the like."""
        argv = [str(a) for a in self.command(*more)]
        return subprocess.run(argv, cwd=self.dir, capture_output=True, text=True, timeout=timeout, check=False,
                              errors="backslashreplace")

    # Life

    def start(self):
        self.site.own(self)
        self.process.start()
        wait_until(self._wrote_pid, 20, f"{self.name} to open its ports", self)
        return self

    def _wrote_pid(self):
        try:
            return self.pid_file.read_text().strip() == str(self.process.pid)
        except OSError:
            return False

    def stop(self):
        return self.process.stop()

    def quit(self, seconds=20):
        """A graceful stop; returns the exit status."""
        self.process.signal(signal.SIGQUIT)
        return self.process.wait(seconds)

    def reload(self, config=None, *, wait=True):
        """SIGHUP, with a new configuration if given; waits until the log says that it was taken up or refused."""
        if config is not None:
            self.configure(config)
        before = len(self.log_text())
        self.process.signal(signal.SIGHUP)
        if wait:
            wait_until(lambda: self.reloaded(self.log_text()[before:]), 20, f"{self.name} to reload", self)
        return self.log_text()[before:]

    def reloaded(self, log):
        """Whether a piece of the log shows that a reload is over."""
        raise NotImplementedError

    # Facts; the names that wait_until() needs are those of Process

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process.running

    @property
    def status(self):
        return self.process.status

    def pause(self, milliseconds):
        self.process.pause(milliseconds)

    def workers(self):
        """Pids of the master's children."""
        return self.process.children()

    def log_text(self):
        try:
            return self.log.read_text(errors="backslashreplace")
        except OSError:
            return ""

    def log_tail(self, lines=15):
        tail = [f"    {self.name}: {line}" for line in self.log_text().splitlines()[-lines:]]
        return "\n".join(tail + [self.process.log_tail(lines)])

    def wait_log(self, text, seconds=10, times=1):
        """Waits until `text` stands in the log, so many times; returns the log."""
        wait_until(lambda: self.log_text().count(text) >= times, seconds, f"{text!r} in {self.name}'s log", self)
        return self.log_text()


def _has(config, directive):
    return re.search(rf"^\s*{directive}\s", config, re.MULTILINE) is not None


def is_root():
    return os.geteuid() == 0
