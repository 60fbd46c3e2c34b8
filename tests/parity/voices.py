# SPDX-License-Identifier: BSD-2-Clause
"""How each protocol says what all have in common, so that a talk about SASL or TLS can be written once for
three."""

from base64 import b64encode
from dataclasses import dataclass

from .script import Talk, escape


def b64(*parts):
    """Base64 of the parts, joined by NUL if there are several; text counts as Latin-1."""
    return b64encode(b"\0".join(p if isinstance(p, bytes) else p.encode("latin-1") for p in parts)).decode()


def kept(line):
    """A line whose last blank survives."""
    return line[:-1] + "\\x20" if line.endswith(" ") else line


@dataclass
class Voice:
    """`a` is the tag that IMAP scripts use throughout."""

    name: str
    base: str                # the protocol directive
    hello: str               # greeting without challenge
    hello_challenge: str     # greeting when APOP or CRAM-MD5 is on
    auth: str                # the command that begins SASL
    more: str                # what stands before a challenge
    bad: str                 # the reply to an invalid command
    internal: str            # the reply when something behind us is broken
    starttls: tuple          # command, reply
    noop: tuple
    logout: tuple            # command, replies
    refusal: str             # before the text of a refused login
    login: str               # lines that log in joe with the password secret, without SASL

    def enter(self, user="joe", password="secret", tag="a"):
        """The backend's side of a login that works, and what the client hears of it."""
        if self.name == "imap":
            return f"""
                b> * OK backend ready
                {kept(f'b-login {tag} {user} {password}')}
                b> {tag} OK logged in
                < {tag} OK logged in
            """
        if self.name == "pop3":
            return f"""
                b> +OK backend ready
                {kept(f'b< USER {user}')}
                b> +OK
                {kept(f'b< PASS {password}')}
                b> +OK logged in
                < +OK logged in
            """
        return """
            b> 220 backend ready
            b< HELO mail.example
            b> 250 backend
            < 235 2.0.0 OK
        """

    def ask(self, user="joe", password="secret", method="plain", *, attempt=1, salt=None, more=()):
        """The question about a client, complete."""
        lines = [f"Auth-Method: {method}", f"Auth-User: {user}", f"Auth-Pass: {password}"]
        if salt:
            lines.append(f"Auth-Salt: {salt}")
        lines += [f"Auth-Protocol: {self.name}", f"Auth-Login-Attempt: {attempt}", "Client-IP: {client}"]
        if self.name == "smtp":
            lines.append("Client-Host: [UNAVAILABLE]")
        return "\n".join("? " + kept(line) for line in [*lines, *more]) + "\n"

    def opening(self, how, challenge=False, tls=""):
        """From the connection to the prompt."""
        hello = "< " + (self.hello_challenge if challenge else self.hello) + "\n"
        if how == "plain":
            return hello
        if how == "implicit":
            return f"tls {tls}\n" + hello
        return hello + f"> {self.starttls[0]}\n< {self.starttls[1]}\ntls {tls}\n"


IMAP = Voice("imap", "protocol imap;", "* OK IMAP4 ready", "* OK IMAP4 ready", "a AUTHENTICATE", "+ ",
             "a BAD invalid command", "* BAD internal server error", ("a STARTTLS", "a OK completed"),
             ("a NOOP", "a OK completed"), ("a LOGOUT", "* BYE", "a OK completed"), "a NO ",
             "> a LOGIN joe secret\n")
POP3 = Voice("pop3", "protocol pop3;", "+OK POP3 ready", "+OK POP3 ready {challenge}", "AUTH", "+ ",
             "-ERR invalid command", "-ERR internal server error", ("STLS", "+OK"),
             ("NOOP", "+OK"), ("QUIT", "+OK"), "-ERR ", "> USER joe\n< +OK\n> PASS secret\n")
SMTP = Voice("smtp", "protocol smtp; xclient off;", "220 mail.example ESMTP ready",
             "220 mail.example ESMTP ready",
             "AUTH", "334 ", "500 5.5.1 Invalid command", "451 4.3.2 Internal server error",
             ("STARTTLS", "220 2.0.0 Start TLS"), ("NOOP", "250 2.0.0 OK"), ("QUIT", "221 2.0.0 Bye"),
             "535 5.7.0 ", "> AUTH PLAIN " + b64("", "joe", "secret") + "\n")
VOICES = (IMAP, POP3, SMTP)


class Book:
    """Collects talks whose names begin alike."""

    def __init__(self, name):
        self.name = name
        self.talks = []

    def add(self, name, voice, script, *, server="", opening="plain", challenge=False, listen="", tls="",
            **more):
        """`opening` is "plain", "starttls", "implicit", or None for a script that begins with the
        connection."""
        if opening == "implicit":
            listen = f"ssl {listen}".strip()
        if opening == "starttls" and "starttls" not in server:
            server = f"starttls on; {server}"
        begin = voice.opening(opening, challenge, tls) if opening else ""
        lines = [line.strip() for line in (begin + script).split("\n")]
        self.talks.append(Talk(f"{self.name}/{name}", f"{voice.base} {server}".strip(),
                               "\n".join(line for line in lines if line), listen=listen, **more))


__all__ = ["IMAP", "POP3", "SMTP", "VOICES", "Book", "Voice", "b64", "escape"]
