# SPDX-License-Identifier: BSD-2-Clause
"""The example authentication server of examples/auth-server, as a process."""

import json
import shutil
import sys
from pathlib import Path

from .process import Process
from .site import unprivileged_user

HOST = "127.0.0.1"
PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "auth-server" / "auth_server.py"


class AuthServer:
    """`users` is what the example's users file holds: see examples/auth-server/README.md."""

    def __init__(self, site, users, *, name="auth", options=()):
        self.site = site
        self.name = name
        self.port = site.port()
        self.dir = site.directory(name)
        self.users_file = self.dir / "users.json"
        self.write_users(users)
        # A copy, because the user it runs as need not be able to read this checkout.
        program = shutil.copy(PROGRAM, self.dir)
        argv = [sys.executable, program, "--users", self.users_file, "--listen", f"{HOST}:{self.port}", *options]
        self.process = Process(name, argv, self.dir / "log", user=unprivileged_user())

    @property
    def url(self):
        return f"http://{HOST}:{self.port}/auth"

    def write_users(self, users):
        self.users_file.write_text(json.dumps(users, indent=2))

    def start(self):
        self.site.own(self)
        self.process.start().wait_accepts((HOST, self.port))
        return self

    def stop(self):
        return self.process.stop()
