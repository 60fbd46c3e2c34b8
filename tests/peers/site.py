# SPDX-License-Identifier: BSD-2-Clause
"""A place for servers: one temporary directory, the ports taken and the processes started in it."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

from . import janitor
from .ports import release_port, take_port


class Site:
    """Use it with `with`, or call close(): servers end in reverse order, then the directory goes.

    With POSTERN_KEEP=1 in the environment, or keep=True, the directory stays for a post-mortem look.
    """

    def __init__(self, keep=None):
        # Short on purpose: unix sockets below it have 108 bytes for their whole path.
        self.root = Path(tempfile.mkdtemp(prefix="postern-"))
        # Servers started by root work as other users, and must be able to pass through.
        self.root.chmod(0o755)
        janitor.watch_folder(self.root)
        self.keep = bool(os.environ.get("POSTERN_KEEP")) if keep is None else keep
        self._servers = []
        self._ports = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def directory(self, name, owner=None, mode=0o755):
        """Makes a folder in the site; `owner` is a user name and counts only for root."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        self.give(path, owner)
        return path

    @staticmethod
    def give(path, owner):
        """Makes a file or folder belong to a user, if we are root."""
        if owner is not None and os.geteuid() == 0:
            entry = pwd.getpwnam(owner)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def port(self):
        port = take_port()
        self._ports.append(port)
        return port

    def own(self, server):
        """Remembers something with a stop() method, to be stopped when the site closes."""
        self._servers.append(server)
        return server

    @property
    def servers(self):
        return list(self._servers)

    def close(self):
        problems = []
        while self._servers:
            server = self._servers.pop()
            try:
                server.stop()
            except Exception as problem:  # the others must be ended all the same
                problems.append(problem)
        while self._ports:
            release_port(self._ports.pop())
        if not self.keep:
            shutil.rmtree(self.root, ignore_errors=True)
        janitor.forget_folder(self.root)
        if problems:
            raise problems[0]


def unprivileged_user():
    """Whom servers work for: nobody if we are root, else ourselves."""
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
