# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP server for machines where we are not root: aiosmtpd, delivering into Maildirs.

It speaks what the proxy needs of a backend: AUTH PLAIN and LOGIN, XCLIENT, 8BITMIME, SIZE. The server itself
is aiosmtp_server.py, a program of its own, so that it ends like every other one.
"""

import importlib.util
import json
import sys
from pathlib import Path

from .postfix import Postfix
from .process import Missing, Process

HOST = "127.0.0.1"


class AioSmtp:
    """Same constructor and attributes as Postfix, but for `sasl`: here `users` maps names to passwords."""

    def __init__(self, site, name, mailboxes, *, users=None, host=HOST, port=None):
        self.site = site
        self.name = name
        self.mailboxes = dict(mailboxes)
        self.users = dict(users or {})
        self.host = host
        self.port = port or site.port()
        self.dir = site.directory(name)
        self.log = self.dir / "log"
        self.process = None

    @staticmethod
    def why_not():
        """Why it cannot run here, or None."""
        if importlib.util.find_spec("aiosmtpd") is None:
            return "aiosmtpd is not installed (Debian package: python3-aiosmtpd)"
        return None

    def start(self):
        reason = self.why_not()
        if reason is not None:
            raise Missing(reason)
        settings = self.dir / "settings.json"
        settings.write_text(json.dumps({
            "host": self.host, "port": self.port, "hostname": f"{self.name}.example", "users": self.users,
            "mailboxes": {a: str(path) for a, path in self.mailboxes.items()}}))
        program = Path(__file__).with_name("aiosmtp_server.py")
        self.process = Process(self.name, [sys.executable, program, settings], self.log)
        self.site.own(self)
        self.process.start().wait_greeting((self.host, self.port), b"220")
        return self

    def stop(self):
        return self.process.stop() if self.process else None


def smtp_server(site, name, mailboxes, dovecot, port=None):
    """Postfix where it can run, else AioSmtp, on the address of `dovecot`; not started. Its users are those of `dovecot`."""
    if Postfix.why_not() is None:
        return Postfix(site, name, mailboxes, sasl=dovecot.sasl_socket, host=dovecot.host, port=port)
    return AioSmtp(site, name, mailboxes, users=dovecot.users, host=dovecot.host, port=port)
