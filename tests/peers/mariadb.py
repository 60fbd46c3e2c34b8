# SPDX-License-Identifier: BSD-2-Clause
"""A MariaDB of its own: one database, one user who may read it, on a port of loopback."""

import subprocess

from .process import Process, find_program, wait_until

OWNER = "mysql"


class MariaDb:
    database, user = "mail", "postern"

    def __init__(self, site, password, name="mariadb"):
        self.site, self.password, self.name = site, password, name
        self.dir = site.directory(name, OWNER)
        self.port = site.port()
        self.socket = self.dir / "s"
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        """Makes the database when it is not there, and serves."""
        data = self.dir / "data"
        if not data.exists():
            self._once([find_program("mariadb-install-db", "mariadb-server"), "--no-defaults", f"--datadir={data}",
                        "--auth-root-authentication-method=normal", "--skip-test-db"])
        self.process = Process(self.name, [
            find_program("mariadbd", "mariadb-server"), "--no-defaults", f"--datadir={data}", f"--socket={self.socket}",
            f"--port={self.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", f"--pid-file={self.dir}/pid",
            "--innodb-buffer-pool-size=8M", "--skip-log-bin"], self.dir / "log", user=OWNER)
        self.site.own(self.process)
        self.process.start()
        self.process.wait_accepts(("127.0.0.1", self.port), 60)
        wait_until(lambda: self._try("SELECT 1", None), 60, "MariaDB to answer", self.process)
        self.sql(f"CREATE DATABASE IF NOT EXISTS {self.database} CHARACTER SET utf8mb4")
        self.sql(f"CREATE OR REPLACE USER '{self.user}'@'127.0.0.1' IDENTIFIED BY '{self.password}'")
        self.sql(f"GRANT SELECT ON {self.database}.* TO '{self.user}'@'127.0.0.1'")
        return self

    def stop(self):
        return self.process.stop()

    def _once(self, argv):
        log = self.dir / "install.log"
        process = Process(f"{self.name}-install", argv, log, user=OWNER)
        self.site.own(process)
        process.start()
        assert process.wait(120) == 0, process.log_tail()

    def _try(self, text, database):
        argv = [find_program("mariadb", "mariadb-client"), "--no-defaults", f"--socket={self.socket}", "-uroot", "-e", text]
        return subprocess.run(argv + ([database] if database else []), capture_output=True, check=False).returncode == 0

    def sql(self, text, database=None):
        """Runs statements as the database's administrator."""
        argv = [find_program("mariadb", "mariadb-client"), "--no-defaults", f"--socket={self.socket}", "-uroot",
                "--default-character-set=utf8mb4"]
        subprocess.run(argv + ([database] if database else []), input=text.encode(), check=True, capture_output=True)
