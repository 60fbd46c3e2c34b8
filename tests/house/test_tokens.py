# SPDX-License-Identifier: BSD-2-Clause
"""Logging in without a password: OAuth tokens and client certificates, with the clients that know them.

The authentication server turns the token into the password that the mail server wants; for a certificate the example
server does the same.
"""

import json
import secrets
import subprocess

import pytest

from conftest import unharmed
from line import Line, b64
from peers import AuthServer, Postern, Site
from peers.process import find_program
from stubs import auth as stub_auth
from test_clients import run
from test_fetchers import OFFLINEIMAP, home  # noqa: F401 (a fixture)
from town import HOST, Doors, configuration

METHODS = ("XOAUTH2", "OAUTHBEARER")
REASON = b64(json.dumps({"status": "invalid_token", "scope": "mail"}))


class Issuer:
    """Knows which token stands for which user, and answers the gate."""

    def __init__(self, town):
        self.town = town
        self.users = {}

    def token(self, user):
        token = secrets.token_urlsafe(3000)[:2900]  # as long as those of large providers
        self.users[user.name.encode(), token.encode()] = user
        return token

    async def answer(self, question):
        user = self.users.get((question.decoded("Auth-User"), question.decoded("Auth-Pass")))
        if question.get("Auth-Method") not in (b"xoauth2", b"oauthbearer") or user is None:
            await question.refuse("Invalid credentials", ("Auth-Error-SASL", REASON), ("Auth-Wait", "1"))
            return
        host, _, port = self.town.routes(user.lives)[question.get("Auth-Protocol").decode()].rpartition(":")
        await question.grant(host, port, ("Auth-Pass", user.password))


@pytest.fixture(scope="module")
def issuer(town):
    return Issuer(town)


@pytest.fixture(scope="module")
def token_gate(town, issuer, stubs):
    with Site() as site:
        server = stubs.run(stub_auth.AuthServer(issuer.answer).start())
        doors = Doors(site)
        gate = Postern(site, configuration(f"""
            auth_http http://{HOST}:{server.port}/;
            ssl_certificate {town.certificate.chain}; ssl_certificate_key {town.certificate.key};
            imap_capabilities IMAP4rev1 SASL-IR; imap_auth plain xoauth2 oauthbearer;
            pop3_auth plain xoauth2 oauthbearer; smtp_auth plain xoauth2 oauthbearer; proxy_smtp_auth on;
            imap_client_buffer 16k; smtp_client_buffer 16k; pop3_client_buffer 16k;""", *doors.lines())).start()
        gate.doors = doors
        yield gate
        assert not [token for _, token in issuer.users if token.decode() in gate.log_text()]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("protocol, path", [("imap", "/INBOX;MAILINDEX=1"), ("pop3", "/1")])
def test_curl_reads(token_gate, town, issuer, method, protocol, path):
    user = town.user()
    said = run("curl", "-sS", "--cacert", town.authority.ca, "--oauth2-bearer", issuer.token(user), "-u", f"{user.name}:",
               "--login-options", f"AUTH={method}", f"{protocol}s://localhost:{token_gate.doors.port[protocol + 's']}{path}")
    assert user.proof in said


@pytest.mark.parametrize("method", METHODS)
def test_curl_sends(token_gate, town, issuer, method, tmp_path):
    user, recipient = town.user(mail=False), town.user(mail=False)
    mail = tmp_path / "mail"
    mail.write_text(f"by {method} from {user.name}\r\n", newline="")
    run("curl", "-sS", "--cacert", town.authority.ca, "--oauth2-bearer", issuer.token(user), "-u", f"{user.name}:",
        "--login-options", f"AUTH={method}", "--mail-from", user.name, "--mail-rcpt", recipient.name, "-T", mail,
        f"smtps://localhost:{token_gate.doors.port['smtps']}/client.example")
    town.arrived(recipient, f"by {method} from {user.name}")


@pytest.mark.parametrize("method", METHODS)
def test_msmtp(token_gate, town, issuer, home, method):  # noqa: F811
    user, recipient = town.user(mail=False), town.user(mail=False)
    home.write("token", issuer.token(user))
    home.write("msmtprc", f"account default\nhost localhost\nport {token_gate.doors.port['smtp']}\nuser {user.name}\n"
               f"passwordeval cat token\nfrom {user.name}\ntls on\ntls_trust_file {town.authority.ca}\n")
    home.run("msmtp", "-C", "msmtprc", f"--auth={method.lower()}", recipient.name, given=f"Subject: x\n\nby {method} {user.name}\n")
    town.arrived(recipient, f"by {method} {user.name}")


def test_offlineimap(token_gate, town, issuer, home):  # noqa: F811
    user = town.user()
    home.write("config", OFFLINEIMAP.format(port=token_gate.doors.port["imaps"], user=user, mechanism="XOAUTH2", ssl="yes",
                                            starttls="no", ca=town.authority.ca, home=home.path)
               + f"oauth2_access_token = {issuer.token(user)}\n")
    home.run("offlineimap", "-o", "-u", "basic", "-c", "config")
    assert user.proof in home.fetched()


def test_refused_token(token_gate, town):
    """The reason reaches the client as a challenge; the refusal follows when it has taken note (RFC 7628 section 3.2.3)."""
    user = town.user(mail=False)
    with unharmed(token_gate), Line((HOST, token_gate.doors.port["imap"])) as line:
        line.line()
        payload = b64(f"n,a={user.name},\1auth=Bearer wrong\1\1")
        assert line.ask(f"a AUTHENTICATE OAUTHBEARER {payload}") == f"+ {REASON}"
        assert line.ask("AQ==") == "a NO Invalid credentials"
        assert line.ask("b NOOP") == "b OK completed"


# Certificates


@pytest.fixture(scope="module")
def certified(town):
    """A user whose certificate the example server knows, by the name that the proxy tells (RFC 2253)."""
    user = town.user()
    return user, town.authority.issue("client", subject=f"/O=Town/CN={user.name}", alt=())


@pytest.fixture(scope="module")
def certificate_gate(town, certified):
    user, _ = certified
    with Site() as site:
        entry = {"password": user.password, "server": user.lives, "certificate": f"CN={user.name},O=Town"}
        server = AuthServer(site, town.users_file((user.name, entry)), options=("--wait", "1")).start()
        doors = Doors(site)
        gate = Postern(site, configuration(f"""
            auth_http {server.url};
            ssl_certificate {town.certificate.chain}; ssl_certificate_key {town.certificate.key};
            ssl_verify_client optional; ssl_client_certificate {town.authority.ca};
            imap_capabilities IMAP4rev1 SASL-IR; imap_auth plain external; pop3_auth plain external;
            smtp_auth plain external; proxy_smtp_auth on;""", *doors.lines())).start()
        gate.doors = doors
        yield gate


@pytest.mark.parametrize("protocol, path", [("imap", "/INBOX;MAILINDEX=1"), ("pop3", "/1")])
def test_curl_external(certificate_gate, town, certified, protocol, path):
    user, certificate = certified
    said = run("curl", "-sS", "--cacert", town.authority.ca, "--cert", certificate.cert, "--key", certificate.key,
               "-u", f"{user.name}:", "--login-options", "AUTH=EXTERNAL",
               f"{protocol}s://localhost:{certificate_gate.doors.port[protocol + 's']}{path}")
    assert user.proof in said


def test_msmtp_external(certificate_gate, town, certified, home):  # noqa: F811
    user, certificate = certified
    recipient = town.user(mail=False)
    home.write("msmtprc", f"account default\nhost localhost\nport {certificate_gate.doors.port['smtp']}\nuser {user.name}\n"
               f"from {user.name}\ntls on\ntls_trust_file {town.authority.ca}\ntls_cert_file {certificate.cert}\n"
               f"tls_key_file {certificate.key}\n")
    home.run("msmtp", "-C", "msmtprc", "--auth=external", recipient.name, given=f"Subject: x\n\nwith a certificate, {user.name}\n")
    town.arrived(recipient, f"with a certificate, {user.name}")


@pytest.mark.parametrize("who", ["nobody's", "another's"])
def test_external_needs_the_certificate(certificate_gate, town, certified, who):
    user, _ = certified
    other = town.authority.issue("other", subject="/CN=somebody", alt=())
    more = ("--cert", other.cert, "--key", other.key) if who == "another's" else ()
    done = subprocess.run([find_program("curl"), "-sS", "--cacert", town.authority.ca, *more, "-u", f"{user.name}:",
                           "--login-options", "AUTH=EXTERNAL", f"imaps://localhost:{certificate_gate.doors.port['imaps']}/"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 67  # login denied
