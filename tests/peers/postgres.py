# SPDX-License-Identifier: BSD-2-Clause
"""A PostgreSQL of its own: one database, one user who may read it, on a port of loopback."""

import os
import subprocess
from pathlib import Path

from .process import Missing, Process, wait_until

OWNER = "postgres"


def _program(name):
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        raise Missing(f"{name} is not installed (Debian package: postgresql)")
    return found[-1]


class Postgres:
    database, user = "mail", "postern"

    def __init__(self, site, password, name="postgres"):
        self.site, self.password, self.name = site, password, name
        self.dir = site.directory(name, OWNER, 0o700)
        self.port = site.port()
        self.secret = "admin-of-the-test"
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        data, fresh = self.dir / "data", not (self.dir / "data").exists()
        if fresh:
            secret = self.dir / "secret"
            secret.write_text(self.secret)
            self.site.give(secret, OWNER)
            install = Process(f"{self.name}-install", [
                _program("initdb"), "-D", data, "-U", "admin", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync"], self.dir / "install.log", user=OWNER)
            self.site.own(install)
            install.start()
            assert install.wait(120) == 0, install.log_tail()
        self.process = Process(self.name, [
            _program("postgres"), "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c",
            f"unix_socket_directories={self.dir}", "-c", "fsync=off"], self.dir / "log", user=OWNER)
        self.site.own(self.process)
        self.process.start()
        self.process.wait_accepts(("127.0.0.1", self.port), 60)
        wait_until(lambda: self._run("SELECT 1", "postgres").returncode == 0, 60, "PostgreSQL to answer", self.process)
        if fresh:
            self.sql(f"CREATE ROLE {self.user} LOGIN PASSWORD '{self.password}'", "postgres")
            self.sql(f"CREATE DATABASE {self.database}", "postgres")
            self.sql(f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {self.user}")
        return self

    def stop(self):
        return self.process.stop()

    def _run(self, text, database):
        env = {**os.environ, "PGPASSWORD": self.secret}
        return subprocess.run([_program("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "admin", "-d", database, "-v",
                               "ON_ERROR_STOP=1", "-f", "-"], input=text.encode(), env=env, capture_output=True, check=False)

    def sql(self, text, database=None):
        """Runs statements as the database's administrator."""
        done = self._run(text, database or self.database)
        assert done.returncode == 0, done.stderr
