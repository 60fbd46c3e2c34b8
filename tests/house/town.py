# SPDX-License-Identifier: BSD-2-Clause
"""The town behind the gate: two Dovecots, two SMTP servers, the example authentication server, and their users.

It is built once for a whole run; tests share it by taking users that nobody else has, and put a postern of their own in front of
it where the shared one does not do.
"""

import os
import pwd
import re
import secrets
from dataclasses import dataclass

from peers import AuthServer, Authority, Dovecot, smtp_server
from peers.maildir import deliver, messages
from peers.process import wait_until
from peers.site import unprivileged_user

HOST = "127.0.0.1"
SERVERS = ("alpha", "beta")
PROTOCOLS = ("imap", "pop3", "smtp")
USERS = 1000

# A wrong password is answered at once, and not held against the address that all tests come from.
IMPATIENT = """
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""


@dataclass(frozen=True)
class User:
    name: str
    password: str
    lives: str  # on which server

    @property
    def proof(self):
        """What stands in the one message of the mailbox, and nowhere else."""
        return f"This is the mailbox of {self.name} on {self.lives}."


class Town:
    def __init__(self, site):
        self.site = site
        self.authority = Authority(site.directory("ca"))
        self.certificate = self.authority.issue("mail.example.org")
        self.everybody = [self._user(number) for number in range(USERS)]
        self._next = {server: [u for u in self.everybody if u.lives == server] for server in SERVERS}
        self.dovecots = {}
        self.smtps = {}

    @staticmethod
    def _user(number):
        # Names and passwords are found in logs and in memory only if they stand there for themselves.
        return User(f"user{number:04}@example.org", f"pw-{secrets.token_hex(12)}", SERVERS[number % 2])

    def start(self):
        for server in SERVERS:
            people = {u.name: u.password for u in self.everybody if u.lives == server}
            self.dovecots[server] = Dovecot(self.site, server, people, extra=IMPATIENT).start()
        boxes = {u.name: self.maildir(u) for u in self.everybody}
        for server, dovecot in self.dovecots.items():
            self.smtps[server] = smtp_server(self.site, f"smtp-{server}", boxes, dovecot).start()
        self.auth = AuthServer(self.site, self.users_file(), options=("--wait", "1", "--attempts", "2")).start()
        return self

    def users_file(self, *more):
        """What the example authentication server reads; `more` are further (name, entry) pairs."""
        users = {u.name: {"password": u.password, "server": u.lives} for u in self.everybody}
        return {"servers": {s: self.routes(s) for s in SERVERS}, "users": {**users, **dict(more)}}

    def routes(self, server):
        dovecot = self.dovecots[server]
        return {"imap": f"{HOST}:{dovecot.imap}", "pop3": f"{HOST}:{dovecot.pop3}",
                "smtp": f"{HOST}:{self.smtps[server].port}"}

    # People and their mail

    def user(self, server="alpha", mail=True):
        """Somebody whom no other test knows; with a message in the mailbox that proves where it is."""
        user = self._next[server].pop()
        if mail:
            self.put(user, f"From: town@example.org\r\nSubject: proof\r\n\r\n{user.proof}\r\n".encode())
        return user

    def maildir(self, user):
        return self.dovecots[user.lives].maildir(user.name)

    def put(self, user, message):
        """Puts a message (bytes, CRLF) into a mailbox."""
        box = self.maildir(user)
        deliver(box, message.replace(b"\r\n", b"\n"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam(unprivileged_user())
            for folder in (box.parent, box, *box.rglob("*")):
                os.chown(folder, owner.pw_uid, owner.pw_gid)

    def arrived(self, user, text):
        """The message of a mailbox that contains `text`, when it has come."""
        def look():
            return next((m for m in messages(self.maildir(user)) if text.encode() in m), None)
        return wait_until(look, 30, f"a message with {text!r} for {user.name}")

    def backend_log(self, user, protocol):
        """The log of the server that serves this user."""
        server = self.smtps[user.lives] if protocol == "smtp" else self.dovecots[user.lives]
        return server.process

    # Configurations

    def mail_lines(self):
        """What mail {} needs so that this town's users can log in by every mechanism."""
        return f"""
            server_name mail.example.org;
            auth_http {self.auth.url};
            ssl_certificate {self.certificate.chain};
            ssl_certificate_key {self.certificate.key};
            imap_capabilities IMAP4rev1 UIDPLUS IDLE LITERAL+ SASL-IR;
            imap_auth plain login cram-md5;
            pop3_capabilities TOP USER UIDL PIPELINING;
            pop3_auth plain apop cram-md5;
            smtp_capabilities 8BITMIME ENHANCEDSTATUSCODES;
            smtp_auth plain login cram-md5;
            proxy_smtp_auth on;
        """


def configuration(mail, *servers, main="", events="worker_connections 1024;"):
    """A configuration file: lines of mail {}, and the lines of each server {}."""
    blocks = "\n".join(f"    server {{ {lines} }}" for lines in servers)
    return f"{main}\nevents {{ {events} }}\nmail {{\n{mail}\n{blocks}\n}}\n"


class Doors:
    """Ports for the classic six servers, and their lines: imap, pop3, smtp with STARTTLS; imaps, pop3s, smtps."""

    def __init__(self, site, extra=""):
        self.port = {name: site.port() for p in PROTOCOLS for name in (p, p + "s")}
        self.extra = extra

    def lines(self):
        for protocol in PROTOCOLS:
            yield f"listen {HOST}:{self.port[protocol]}; protocol {protocol}; starttls on; {self.extra}"
            yield f"listen {HOST}:{self.port[protocol + 's']} ssl; protocol {protocol}; {self.extra}"

    def address(self, protocol, security="plain"):
        """Where a client connects for security "plain", "starttls" or "tls"."""
        return HOST, self.port[protocol + "s" if security == "tls" else protocol]


def alarms(log):
    """The lines of a log that a healthy house does not write."""
    return re.findall(r"^.*\[(?:alert|emerg)\].*$|^.*(?:Sanitizer|runtime error).*$", log, re.MULTILINE)
