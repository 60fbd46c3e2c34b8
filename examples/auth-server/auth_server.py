#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An authentication server for postern (auth_http): who may log in, and which mail server he is sent to.

The proxy asks with one GET per login. All it knows stands in the request's headers; all we answer stands in the
headers of the reply. See README.md beside this file for both, and for the users file.

Two things are easy to get wrong, and often are:

- The proxy percent-encodes Auth-User and Auth-Pass, and what they decode to is *bytes*. A `+` is a plus, not a blank,
  and a password need not be UTF-8.
- A wrong password and an unknown user must look alike, in the text and in the time they take.
"""

import argparse
import hashlib
import hmac
import json
import os
import sys
import threading
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, request
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.serving import WSGIRequestHandler, make_server

PROTOCOLS = ("imap", "pop3", "smtp")


# The users file


class Users:
    """The users file, read again whenever it has changed; a broken new version leaves the old one in force."""

    def __init__(self, path):
        self._path = path
        self._lock = threading.Lock()
        self._seen = None
        self._users = {}
        self._servers = {}
        # Whose password is checked when there is no such user, so that it takes as long as for one that exists.
        self.nobody = None
        self._load(self._mark())

    def _mark(self):
        stat = os.stat(self._path)
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _load(self, mark):
        with open(self._path, encoding="utf-8") as f:
            data = json.load(f)
        users, servers = data["users"], data["servers"]
        for name, user in users.items():
            if user["server"] not in servers:
                raise ValueError(f'user "{name}" lives on server "{user["server"]}", which "servers" does not name')
        if any("hash" in user for user in users.values()):
            self.nobody = {"hash": generate_password_hash(os.urandom(16).hex())}
        else:
            self.nobody = {"password": os.urandom(16).hex()}
        self._users = {name.encode(): user for name, user in users.items()}
        self._servers = servers
        self._seen = mark

    def refresh(self):
        with self._lock:
            try:
                mark = self._mark()
                if mark != self._seen:
                    self._load(mark)
            except (OSError, ValueError, KeyError, TypeError) as problem:
                say(f"{self._path} was not taken up: {problem!r}")

    def find(self, name):
        """The entry of a user, or None; `name` is bytes."""
        self.refresh()
        return self._users.get(name)

    def address(self, user, protocol):
        """Where this user's mail is served over that protocol, as (address, port), or None."""
        text = self._servers[user["server"]].get(protocol)
        if text is None:
            return None
        host, _, port = text.rpartition(":")
        return host.strip("[]"), port


# Checking credentials: one function per Auth-Method. Each is given the user's entry, Auth-Pass and Auth-Salt.


def secret_of(user):
    return user.get("password", "").encode()


def check_plain(user, given, _salt):
    if "password" in user:
        return hmac.compare_digest(secret_of(user), given)
    try:
        return check_password_hash(user["hash"], given.decode())
    except UnicodeDecodeError:
        return False


def check_cram_md5(user, given, salt):
    digest = hmac.new(secret_of(user), salt, hashlib.md5).hexdigest().encode()
    return "password" in user and hmac.compare_digest(digest, given.lower())


def check_apop(user, given, salt):
    digest = hashlib.md5(salt + secret_of(user)).hexdigest().encode()
    return "password" in user and hmac.compare_digest(digest, given.lower())


def check_external(user, _given, _salt):
    """The client certificate decides: it must be verified, and be the one that the users file names."""
    subject = header("Auth-SSL-Subject")
    return (header("Auth-SSL-Verify") == b"SUCCESS" and bool(subject)
            and hmac.compare_digest(user.get("certificate", "").encode(), subject))


CHECKS = {b"plain": check_plain, b"cram-md5": check_cram_md5, b"apop": check_apop, b"external": check_external}


# One question, one answer


def header(name):
    """A request header as the bytes that came over the wire (WSGI hands them on as Latin-1)."""
    return request.headers.get(name, "").encode("latin-1")


def decoded(name):
    """A percent-encoded request header, as bytes."""
    return unquote_to_bytes(header(name))


def shown(raw):
    """Bytes from a stranger, fit for one line of a log."""
    return raw.decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")


def say(text):
    print(text, file=sys.stderr, flush=True)


def answer(**headers):
    """A reply without a body; underscores in the names stand for dashes."""
    reply = Response(status=200)
    for name, value in headers.items():
        reply.headers[name.replace("_", "-")] = value
    return reply


def refuse(text, settings, protocol):
    """No. Auth-Wait makes the proxy keep the client and delay the reply; without it, the proxy hangs up."""
    headers = {"Auth_Status": text}
    attempt = header("Auth-Login-Attempt")
    if attempt.isdigit() and int(attempt) < settings.attempts:
        headers["Auth_Wait"] = str(settings.wait)
    if protocol == "smtp":
        headers["Auth_Error_Code"] = "535 5.7.8"
    return answer(**headers)


def accept(user, address, method):
    """Yes, and where to go. Digests and certificates are of no use to the mail server: it gets the password."""
    headers = {"Auth_Status": "OK", "Auth_Server": address[0], "Auth_Port": address[1]}
    if "login" in user:
        headers["Auth_User"] = user["login"].encode().decode("latin-1")
    if "backend_password" in user or method != b"plain":
        headers["Auth_Pass"] = user.get("backend_password", user.get("password", "")).encode().decode("latin-1")
    return answer(**headers)


def make_app(users, settings):
    app = Flask(__name__)

    @app.get("/auth")
    def auth():
        name, method = decoded("Auth-User"), header("Auth-Method")
        protocol = header("Auth-Protocol").decode("latin-1")
        who = f'{shown(header("Auth-Protocol"))} {shown(header("Client-IP"))} {shown(name)} ({shown(method)})'

        if settings.key and not hmac.compare_digest(settings.key.encode(), header("X-Auth-Key")):
            say(f"{who}: asked without the key")
            return Response(status=403)

        user = users.find(name)
        check = CHECKS.get(method)
        if check is None or protocol not in PROTOCOLS:
            say(f"{who}: refused, not a way to log in here")
            return refuse("This way to log in is not supported", settings, protocol)

        good = check(user or users.nobody, decoded("Auth-Pass"), header("Auth-Salt"))
        if user is None or not good:
            say(f"{who}: refused")
            return refuse("Invalid login or password", settings, protocol)

        address = users.address(user, protocol)
        if address is None:
            say(f"{who}: refused, no {protocol} for this user")
            return refuse("Not available for this account", settings, protocol)

        say(f"{who}: to {address[0]}:{address[1]}")
        return accept(user, address, method)

    return app


# The program


class Handler(WSGIRequestHandler):
    def log_request(self, *_):
        """No access log: auth() says more."""


def arguments():
    parser = argparse.ArgumentParser(description="Authentication server for a mail proxy (auth_http).")
    parser.add_argument("--users", required=True, help="the users file (JSON)")
    parser.add_argument("--listen", default="127.0.0.1:9000", help="address and port (127.0.0.1:9000)")
    parser.add_argument("--wait", type=int, default=2, help="seconds that a refusal is delayed (2)")
    parser.add_argument("--attempts", type=int, default=5, help="attempts after which the client is sent away (5)")
    parser.add_argument("--key", default=os.environ.get("AUTH_KEY"),
                        help="require this value in the header X-Auth-Key (default: $AUTH_KEY)")
    return parser.parse_args()


def main():
    settings = arguments()
    host, _, port = settings.listen.rpartition(":")
    try:
        users = Users(settings.users)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        sys.exit(f"auth_server: {settings.users}: {problem!r}")
    server = make_server(host.strip("[]"), int(port), make_app(users, settings), threaded=True,
                         request_handler=Handler)
    say(f"listening on {settings.listen}")
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
