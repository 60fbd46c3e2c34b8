# SPDX-License-Identifier: BSD-2-Clause
"""Cleans up behind a program that died without doing so itself, kill -9 included.

A small process of its own listens on a pipe. It is told which sessions (see process.py) and which temporary directories
exist, and when each is gone. When the pipe closes, the program is dead: what is still on the list is
killed and removed. After an ordinary end the list is empty, and there is nothing to do.

PR_SET_PDEATHSIG would be simpler, but the kernel forgets it whenever a server changes its user, as most do.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

_lock = threading.Lock()
_janitor = None


def _tell(*words):
    global _janitor
    with _lock:
        if _janitor is None:
            # With -S -E it starts in a fraction of the time; it needs nothing but the standard library.
            _janitor = subprocess.Popen([sys.executable, "-S", "-E", __file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, start_new_session=True)
        _janitor.stdin.write(("\t".join(words) + "\n").encode())
        _janitor.stdin.flush()


def watch_session(leader):
    _tell("session", str(leader))


def forget_session(leader):
    _tell("no-session", str(leader))


def watch_folder(path):
    _tell("folder", str(path))


def forget_folder(path):
    _tell("no-folder", str(path))


def processes():
    """(pid, parent, session) of every living process."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path("/proc", name, "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found.append((int(name), int(fields[1]), int(fields[3])))
    return found


# The process


def _main():
    known = {"session": set(), "folder": set()}
    for line in sys.stdin:
        what, _, which = line.rstrip("\n").partition("\t")
        if what.startswith("no-"):
            known[what[3:]].discard(which)
        else:
            known[what].add(which)
    for _ in range(100):  # twice would do, but for a server that forks while it is being killed
        members = [pid for pid, _, session in processes() if str(session) in known["session"]]
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not members:
            break
    for folder in known["folder"]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
