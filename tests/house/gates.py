# SPDX-License-Identifier: BSD-2-Clause
"""Posterns of a test's own, in front of the town."""

import os
import signal

from peers import Postern, janitor
from peers.process import children_of, session_of, wait_until
from town import Doors, configuration


class Gate(Postern):
    """A postern whose configuration can be given anew in parts: outermost lines, those of mail {}, more servers."""

    def __init__(self, site, town, main="worker_processes 2;", mail="", servers=(), **more):
        self.town = town
        self.doors = Doors(site)
        super().__init__(site, self.config_with(main, mail, servers), **more)

    def config_with(self, main="worker_processes 2;", mail="", servers=()):
        return configuration(self.town.mail_lines() + mail, *self.doors.lines(), *servers, main=main)

    def reload_with(self, **parts):
        return self.reload(self.config_with(**parts))

    def start(self, workers=2):
        super().start()
        wait_until(lambda: len(self.workers()) == workers, 20, "the workers", self)
        return self


class Daemon(Gate):
    """One in the background: the program that was started ends, and its pid file alone knows the master."""

    globals = "daemon on;"
    session = None  # which the first master began, and its heirs stay in

    def command(self, *more):
        argv = super().command(*more)
        return [a.replace(" daemon off;", "") if isinstance(a, str) else a for a in argv]

    def start(self, workers=2):
        self.site.own(self)
        self.process.start()
        assert self.process.wait() == 0, self.log_tail()
        # The program may end before the master has written its pid file; and 0 would be the session of init.
        self.session = wait_until(self.master, 20, "the pid file")
        janitor.watch_session(self.session)
        wait_until(lambda: len(self.workers()) == workers, 20, "the workers", None)
        return self

    def master(self, suffix=""):
        """The pid in the pid file, 0 if there is none."""
        try:
            return int(self.pid_file.with_name(self.pid_file.name + suffix).read_text())
        except (OSError, ValueError):
            return 0

    def tell(self, sig, pid=None):
        pid = pid or self.master()
        assert pid > 1, "no master; and kill() would take 0 for ourselves"
        os.kill(pid, sig)

    def workers(self, master=None):
        return [pid for pid in children_of(master or self.master()) if b"worker process" in title(pid)]

    @property
    def running(self):
        return bool(self.master())

    @property
    def status(self):
        return None

    def pause(self, milliseconds):
        self.process.pause(0)

    def wait_log(self, text, seconds=10, times=1):
        wait_until(lambda: self.log_text().count(text) >= times, seconds, f"{text!r} in {self.name}'s log")
        return self.log_text()

    def wait_gone(self, pid):
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 20, f"the end of process {pid}")

    def stop(self):
        """Ends all masters and workers, however many there are."""
        if self.session is None:
            self.process.stop()
            return
        for sig in (signal.SIGTERM, signal.SIGKILL):
            for pid in session_of(self.session):
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            try:
                wait_until(lambda: not session_of(self.session), 5, "the daemons to end")
                break
            except Exception:  # pylint: disable=broad-except
                if sig == signal.SIGKILL:
                    raise
        janitor.forget_session(self.session)
        self.process.stop()


def title(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return f.read()
    except OSError:
        return b""
