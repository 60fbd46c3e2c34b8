#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An authentication server for a mail relay: nobody logs in, the first recipient's domain chooses the server.

For servers with `smtp_auth none`: the proxy takes MAIL and the first RCPT from the client and asks us with
Auth-Method: none. Auth-SMTP-To holds the RCPT command as the client typed it, such as

    RCPT TO:<ada@eng.abc.com> NOTIFY=NEVER

Python's standard library is all that is needed. It speaks HTTP/1.1 and keeps connections open.
"""

import argparse
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# RFC 5321 section 4.1.1.3; people also leave out the brackets. A source route before the address is passed over.
_PATH = re.compile(r"^\s*RCPT\s+TO:\s*(?:<(?P<path>.*?[^\\]?)>|(?P<bare>\S+))(?:\s|$)", re.IGNORECASE)


def domain_of(command):
    """The domain of the recipient in a RCPT command, lower-case and without a final dot; "" if there is none."""
    match = _PATH.match(command)
    path = (match.group("path") or match.group("bare") or "") if match else ""
    return path.rpartition("@")[2].lower().rstrip(".") if "@" in path else ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    routes = {}

    def do_GET(self):  # the library looks for this name
        domain = domain_of(self.headers.get("Auth-SMTP-To", ""))
        server = self.routes.get(domain)
        if self.headers.get("Auth-Method") != "none":
            self.reply({"Auth-Status": "Authentication is not offered here", "Auth-Error-Code": "503 5.5.1"})
        elif server is None:
            # Auth-Wait keeps the session, so the client may try another recipient.
            self.reply({"Auth-Status": "Relay access denied", "Auth-Error-Code": "554 5.7.1", "Auth-Wait": "1"})
        else:
            self.reply({"Auth-Status": "OK", "Auth-Server": server[0], "Auth-Port": server[1]})

    def reply(self, headers):
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
        domain = domain_of(self.headers.get("Auth-SMTP-To", ""))
        print(f'{self.headers.get("Client-IP", "?")} to {domain!r}:', ", ".join(headers.values()), file=sys.stderr,
              flush=True)

    def log_request(self, *_):
        """reply() says more."""


def route(text):
    """DOMAIN=ADDRESS:PORT from the command line."""
    domain, _, server = text.partition("=")
    address, _, port = server.rpartition(":")
    if not (domain and address and port.isdigit()):
        raise argparse.ArgumentTypeError(f'"{text}" is not of the form DOMAIN=ADDRESS:PORT')
    return domain.lower(), (address.strip("[]"), port)


def main():
    parser = argparse.ArgumentParser(description="Chooses a mail server by the domain of the first recipient.")
    parser.add_argument("--listen", default="127.0.0.1:8000", help="address and port (127.0.0.1:8000)")
    parser.add_argument("route", nargs="+", type=route, help="DOMAIN=ADDRESS:PORT, the address being an IP")
    settings = parser.parse_args()
    Handler.routes = dict(settings.route)
    host, _, port = settings.listen.rpartition(":")
    ThreadingHTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
