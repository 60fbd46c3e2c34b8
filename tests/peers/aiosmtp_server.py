# SPDX-License-Identifier: BSD-2-Clause
"""The program behind aiosmtp.py: python3 aiosmtp_server.py SETTINGS.json, in the foreground."""

import asyncio
import json
import re
import signal
import sys

from aiosmtpd.smtp import SMTP, AuthResult, syntax

from maildir import deliver


class Server(SMTP):
    """SMTP plus XCLIENT, believed from everybody: it listens on loopback only.

    The parameters of DSN (RFC 3461) are taken and passed over, as nobody here would send a notification.
    """

    @syntax("MAIL FROM: <address>", extended=" [parameters]")
    async def smtp_MAIL(self, arg):
        await super().smtp_MAIL(arg and re.sub(r"\s+(RET|ENVID)=\S+", "", arg, flags=re.IGNORECASE))

    @syntax("RCPT TO: <address>", extended=" [parameters]")
    async def smtp_RCPT(self, arg):
        await super().smtp_RCPT(arg and re.sub(r"\s+(NOTIFY|ORCPT)=\S+", "", arg, flags=re.IGNORECASE))

    @syntax("XCLIENT attributes")
    async def smtp_XCLIENT(self, arg):  # the library finds commands by this name
        if not arg or not all("=" in word for word in arg.split()):
            await self.push("501 5.5.4 Syntax: XCLIENT attributes")
            return
        print("xclient", arg, flush=True)
        self.session.host_name = None
        await self.push(f"220 {self.hostname} ESMTP")


class Deliver:
    def __init__(self, mailboxes):
        self.mailboxes = mailboxes

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):
        session.host_name = hostname
        return responses[:-1] + ["250-DSN", "250-XCLIENT ADDR NAME LOGIN", responses[-1]]

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address.lower() not in self.mailboxes:
            return f"550 5.1.1 <{address}>: no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server, _session, envelope):
        for address in envelope.rcpt_tos:
            deliver(self.mailboxes[address.lower()], b"Delivered-To: " + address.encode() + b"\n" +
                    envelope.content.replace(b"\r\n", b"\n"))
        print("delivered from", envelope.mail_from, "to", *envelope.rcpt_tos, flush=True)
        return "250 2.0.0 OK: delivered"


def authenticator(users):
    def check(_server, _session, _envelope, _mechanism, data):
        known = users.get(data.login.decode(errors="replace"))
        return AuthResult(success=known is not None and known.encode() == data.password)
    return check


async def main(path):
    with open(path, encoding="utf-8") as f:
        settings = json.load(f)
    users = settings["users"]
    handler = Deliver(settings["mailboxes"])
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, ended.cancel)

    def session():
        return Server(handler, hostname=settings["hostname"], ident="ESMTP", enable_SMTPUTF8=True, loop=loop,
                      data_size_limit=200 << 20, auth_require_tls=False,
                      authenticator=authenticator(users) if users else None)

    server = await loop.create_server(session, settings["host"], settings["port"])
    try:
        await ended
    except asyncio.CancelledError:
        server.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
