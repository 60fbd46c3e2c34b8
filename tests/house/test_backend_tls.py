# SPDX-License-Identifier: BSD-2-Clause
"""TLS to mail servers: Dovecot and Postfix behind certificates of every kind, and servers that would rather not.

Nobody's password goes to a server that is not the one that was meant: the client hears of temporary trouble, the
log of the reason, with names.
"""

import re

import pytest

from line import Line, log_in, still_works
from peers import Authority, Dovecot, Postern, Postfix, Site
from peers.maildir import messages
from peers.postern import REPOSITORY
from peers.process import wait_until
from stubs.background import Background
from stubs.mailserver import MailServer
from town import HOST, User, alarms, configuration

NAME = "mail.example.org"
ADA = User("ada@example.org", "pw-ada", "alpha")
WAYS = ("on", "starttls")
UNAVAILABLE = {
    "imap": "a NO [UNAVAILABLE]",
    "pop3": "-ERR [SYS/TEMP]",
    "smtp": "454 4.7.0",
}
REASONS = {
    "expired": r'verify error: \(10:certificate has expired\), subject "CN=expired\.mail\.example\.org", '
               r'issuer "CN=Test CA"',
    "wrong name": rf'does not match "{re.escape(NAME)}", it is for "other\.example\.net, third\.example\.net"',
    "unknown issuer": r'verify error: \(19:self.signed certificate in certificate chain\), '
                      r'subject "CN=Stranger CA", issuer "CN=Stranger CA"',
}


@pytest.fixture(scope="module")
def street():
    with Site() as site:
        yield Street(site)


class Street:
    """Real servers, one for each certificate, started when first asked for."""

    def __init__(self, site):
        self.site = site
        self.authority = Authority(site.directory("ca"))
        self.certificates = self.authority.issue_faulty(NAME)
        self.dovecots, self.postfixes = {}, {}

    def dovecot(self, kind):
        if kind not in self.dovecots:
            self.dovecots[kind] = Dovecot(self.site, kind.replace(" ", "-"), {ADA.name: ADA.password},
                                          tls=self.certificates[kind]).start()
        return self.dovecots[kind]

    def postfix(self, kind):
        if Postfix.why_not():
            pytest.skip(Postfix.why_not())
        if kind not in self.postfixes:
            dovecot = self.dovecot("good")
            self.postfixes[kind] = Postfix(self.site, "post-" + kind.replace(" ", "-"),
                                           {ADA.name: dovecot.maildir(ADA.name)}, sasl=dovecot.sasl_socket,
                                           tls=self.certificates[kind],
                                           extra="smtpd_tls_auth_only = yes").start()
        return self.postfixes[kind]

    def port(self, protocol, kind, way):
        if protocol == "smtp":
            postfix = self.postfix(kind)
            return postfix.smtps if way == "on" else postfix.port
        return getattr(self.dovecot(kind), protocol + ("s" if way == "on" else ""))


@pytest.fixture
def open_gate(site, street):
    """Starts a postern that passes logins through to a port on this machine; returns it with its address."""
    def start(protocol, port, way, lines=""):
        door = HOST, site.port()
        gate = Postern(site, configuration(
            f"proxy_ssl {way}; proxy_ssl_name {NAME}; proxy_ssl_trusted_certificate {street.authority.ca}; {lines}",
            f"listen {door[0]}:{door[1]}; protocol {protocol}; proxy_smtp_auth on; "
            f"proxy_pass {HOST}:{port};")).start()
        return gate, door
    return start


def refused(gate, door, protocol, reason):
    """The client is told of temporary trouble, stays where it is, and the log says why."""
    with Line(door) as line:
        line.line()
        assert log_in(line, protocol, ADA).startswith(UNAVAILABLE[protocol])
    wait_until(lambda: re.search(reason, gate.log_text()), 10, reason, gate)
    entry, = re.findall(rf".*{reason}.*", gate.log_text())[:1]
    assert "[error]" in entry
    assert ADA.password not in gate.log_text()


def welcomed(gate, door, protocol):
    with Line(door) as line:
        line.line()
        assert log_in(line, protocol, ADA).startswith(("a OK", "+OK", "235")), gate.log_tail()
        assert still_works(line, protocol)


# Real servers


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("protocol", UNAVAILABLE)
def test_the_server_that_was_meant(open_gate, street, protocol, way):
    gate, door = open_gate(protocol, street.port(protocol, "good", way), way)
    welcomed(gate, door, protocol)
    assert alarms(gate.log_text()) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("protocol", UNAVAILABLE)
@pytest.mark.parametrize("kind", REASONS)
def test_another_server(open_gate, street, kind, protocol, way):
    gate, door = open_gate(protocol, street.port(protocol, kind, way), way)
    refused(gate, door, protocol, "upstream SSL certificate " + REASONS[kind])


def test_a_certificate_that_was_revoked(open_gate, street):
    certificate = street.authority.issue("revoked.example.org", alt=(f"DNS:{NAME}",))
    street.authority.revoke(certificate)
    dovecot = Dovecot(street.site, "revoked", {ADA.name: ADA.password}, tls=certificate).start()
    lines = f"proxy_ssl_crl {street.authority.crl()};"
    gate, door = open_gate("imap", dovecot.imaps, "on", lines)
    refused(gate, door, "imap", r"upstream SSL certificate verify error: \(23:certificate revoked\), subject")


def test_verification_can_be_turned_off(open_gate, street):
    gate, door = open_gate("imap", street.port("imap", "unknown issuer", "on"), "on", "proxy_ssl_verify off;")
    welcomed(gate, door, "imap")


def test_mail_arrives(open_gate, street):
    """Through Postfix under TLS, which offers AUTH nowhere else."""
    _, door = open_gate("smtp", street.port("smtp", "good", "starttls"), "starttls")
    with Line(door) as line:
        line.line()
        assert log_in(line, "smtp", ADA).startswith("235")
        assert line.ask(f"MAIL FROM:<{ADA.name}>").startswith("250")
        assert line.ask(f"RCPT TO:<{ADA.name}>").startswith("250")
        assert line.ask("DATA").startswith("354")
        assert line.ask("Subject: under cover", "", "Hello.", ".").startswith("250")
    box = street.dovecot("good").maildir(ADA.name)
    wait_until(lambda: any(b"under cover" in m for m in messages(box)), 20, "the message")


@pytest.mark.parametrize("kind, port, field", [
    ("good", "imaps", "ssl=yes"), ("good", "imap", "starttls=yes"),
    ("wrong name", "imaps", "ssl=any-cert"), ("expired", "imap", "starttls=any-cert"),
])
def test_an_answer_asks_for_tls(site, street, kind, port, field):
    """Where the configuration does not; verified all the same."""
    dovecot, door, users = street.dovecot(kind), (HOST, site.port()), site.root / "users"
    users.write_text(f"{ADA.name}:{{PLAIN}}{ADA.password}::::::host={HOST} port={getattr(dovecot, port)} {field}\n")
    gate = Postern(site, configuration(
        f"proxy_ssl_name {NAME}; proxy_ssl_trusted_certificate {street.authority.ca}; auth_file {users};",
        f"listen {door[0]}:{door[1]}; protocol imap;")).start()
    if kind == "good":
        welcomed(gate, door, "imap")
    else:
        refused(gate, door, "imap", "upstream SSL certificate " + REASONS[kind])


# Servers that would rather not


@pytest.fixture
def play(open_gate):
    """A stub that says its lines in turn, one for each line that it hears behind the first; postern in front."""
    with Background() as stubs:
        def start(protocol, *says):
            heard = []

            async def handler(connection):
                for said in says:
                    await connection.send(said)
                    line = await connection.line()
                    if not line:
                        return
                    heard.append(line)
                await connection.rest()

            server = stubs.run(MailServer(handler).start())
            gate, door = open_gate(protocol, server.port, "starttls")
            return gate, door, heard
        yield start


STRIPPED = {
    "imap, not offered": ("imap", (b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n",), "does not offer STARTTLS"),
    "imap, NO": ("imap", (b"* OK ready\r\n", b"a.s NO not today\r\n"), "does not offer STARTTLS"),
    "imap, PREAUTH": ("imap", (b"* PREAUTH welcome\r\n",), "PREAUTH"),
    "imap, injected": ("imap", (b"* OK ready\r\n", b"a.s OK begin\r\n* CAPABILITY IMAP4rev1\r\n"), "upstream sent"),
    "pop3, refused": ("pop3", (b"+OK ready\r\n", b"-ERR no\r\n"), "does not offer STARTTLS"),
    "pop3, injected": ("pop3", (b"+OK ready\r\n", b"+OK begin\r\n+OK in\r\n"), "upstream sent"),
    "smtp, not offered": ("smtp", (b"220 m\r\n", b"250-m\r\n250 AUTH PLAIN\r\n"), "does not offer STARTTLS"),
    "smtp, refused": ("smtp", (b"220 m\r\n", b"250-m\r\n250 STARTTLS\r\n", b"454 4.7.0 no\r\n"),
                      "does not offer STARTTLS|454 4.7.0 no"),
    "smtp, injected": ("smtp", (b"220 m\r\n", b"250-m\r\n250 STARTTLS\r\n", b"220 begin\r\n250 m\r\n"),
                       "upstream sent"),
}


@pytest.mark.parametrize("case", STRIPPED)
def test_stripped(play, case):
    protocol, says, reason = STRIPPED[case]
    gate, door, heard = play(protocol, *says)
    refused(gate, door, protocol, reason)
    spoken = b"".join(heard)
    assert ADA.password.encode() not in spoken and b"AUTH PLAIN" not in spoken and b"LOGIN" not in spoken


def test_a_server_that_speaks_no_tls(play):
    gate, door, heard = play("imap", b"* OK ready\r\n", b"a.s OK begin\r\n", b"* OK what?\r\n")
    refused(gate, door, "imap", r"SSL_do_handshake\(\) failed \(SSL: error:[0-9A-F]+:SSL routines::wrong version number")
    assert heard[0] == b"a.s STARTTLS\r\n"


# What the configuration and the document say


def test_no_authorities(site, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(site.root / "none.pem"))
    gate = Postern(site, configuration("proxy_ssl on;", f"listen {HOST}:{site.port()}; protocol imap; "
                                       f"proxy_pass {HOST}:993;"))
    done = gate.run("-t")
    assert done.returncode != 0
    assert re.search(r"no authorities to verify certificates of upstream servers against: there are none in "
                     r'".*none\.pem"; name a file with "proxy_ssl_trusted_certificate"', done.stderr)


def examples():
    text = (REPOSITORY / "docs/backend-tls.md").read_text(encoding="utf-8")
    return re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("nth", range(len(examples())))
def test_an_example_of_the_document(site, street, nth):
    """With names of files and hosts that are here, and ports that are free."""
    good = street.certificates["good"]
    text = examples()[nth].replace("/etc/postern/mail-ca.pem", str(street.authority.ca))
    text = text.replace("/etc/postern/mail-ca.crl", str(street.authority.crl()))
    text = re.sub(r"(_certificate\s+)/etc/postern/proxy\.pem", rf"\g<1>{good.chain}", text)
    text = re.sub(r"(_certificate_key\s+)/etc/postern/proxy\.key", rf"\g<1>{good.key}", text)
    text = re.sub(r"(listen\s+)\d+", lambda match: f"{match[1]}{HOST}:{site.port()}", text)
    text = re.sub(r"imap\d\.example\.org", "localhost", text)
    done = Postern(site, text).run("-t")
    assert done.returncode == 0, done.stderr


def test_the_first_example_serves(site, street):
    """As it stands but for addresses: imap1.example.org is this machine."""
    door = HOST, site.port()
    text = re.sub(r"listen\s+143;", f"listen {door[0]}:{door[1]};", examples()[0])
    port = street.port("imap", "good", "on")
    text = re.sub(r"proxy_pass\s+[^;]+;", f"proxy_pass {HOST}:{port}; "
                  f"proxy_ssl_trusted_certificate {street.authority.ca};", text)
    welcomed(Postern(site, text).start(), door, "imap")
