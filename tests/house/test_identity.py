# SPDX-License-Identifier: BSD-2-Clause
"""Who the client is, told to servers that trust the proxy: real ones, whose logs say what they believe.

Clients connect from 127.0.0.77, which servers can only know because it was passed on.
"""

import re

import pytest

from line import Line, log_in, still_works
from peers import Authority, Dovecot, Postern, Postfix, Site
from town import HOST, IMPATIENT, User, alarms, configuration

CLIENT = "127.0.0.77"
ADA = User("ada@example.org", "pw-ada-secret", "alpha")
TRUSTING = IMPATIENT + """
login_trusted_networks = 127.0.0.0/8
login_log_format_elements = user=<%u> method=%m rip=%r rport=%b lip=%l lport=%a mpid=%e %c session=<%{session}>
"""
WARY = IMPATIENT + "login_log_format_elements = user=<%u> rip=%r session=<%{session}>\n"
IN = {"imap": "a OK", "pop3": "+OK", "smtp": "235"}


class Street:
    def __init__(self, site):
        self.site = site
        self.authority = Authority(site.directory("ca"))
        self.certificate = self.authority.issue("mail.example.org", alt=("DNS:mail.example.org",))
        people = {ADA.name: ADA.password}
        self.dovecot = Dovecot(site, "alpha", people, tls=self.certificate, extra=TRUSTING).start()
        self.wary = Dovecot(site, "wary", people, extra=WARY).start()
        self._postfix = None

    @property
    def postfix(self):
        if Postfix.why_not():
            pytest.skip(Postfix.why_not())
        if self._postfix is None:
            boxes = {ADA.name: self.dovecot.maildir(ADA.name)}
            self._postfix = Postfix(self.site, "post", boxes, sasl=self.dovecot.sasl_socket,
                                    tls=self.certificate).start()
        return self._postfix


@pytest.fixture(scope="module")
def street():
    with Site() as site:
        yield Street(site)


@pytest.fixture
def open_gate(site, street):
    gates = []

    def start(protocol, port, lines):
        door = HOST, site.port()
        gate = Postern(site, configuration(
            f"proxy_ssl_name mail.example.org; proxy_ssl_trusted_certificate {street.authority.ca}; {lines}",
            f"listen {door[0]}:{door[1]}; protocol {protocol}; proxy_pass {HOST}:{port};")).start()
        gate.door, gate.protocol = door, protocol
        gates.append(gate)
        return gate
    yield start
    for gate in gates:
        assert alarms(gate.log_text()) == []
        assert ADA.password not in gate.log_text()


@pytest.fixture
def line_to():
    lines = []

    def connect(gate):
        line = Line(gate.door, source=CLIENT)
        lines.append(line)
        line.line()
        return line
    yield connect
    for line in lines:
        line.close()


def enter(line, gate):
    assert log_in(line, gate.protocol, ADA).startswith(IN[gate.protocol]), gate.log_tail()
    assert still_works(line, gate.protocol)


def session_in_our_log(gate):
    log = gate.wait_log("client logged in, ")
    return re.search(r"client logged in, .*, session: (\S+)", log)[1]


def dovecots_word(dovecot, session):
    """Dovecot's log line of a login in that session."""
    log = dovecot.process.wait_log(f"session=<{session}>")
    entry, = (entry for entry in log.splitlines() if "Login: " in entry and f"session=<{session}>" in entry)
    return entry


WAYS = [("imap", "imap", "imap_proxy_id on;"), ("imap", "imap", "imap_proxy_id always; imap_proxy_pipelining off;"),
        ("imap", "imaps", "imap_proxy_id on; proxy_ssl on;"), ("imap", "imap", "imap_proxy_id on; proxy_ssl starttls;"),
        ("pop3", "pop3", "pop3_proxy_xclient on;"), ("pop3", "pop3s", "pop3_proxy_xclient on; proxy_ssl on;"),
        ("pop3", "pop3", "pop3_proxy_xclient on; proxy_ssl starttls;")]


@pytest.mark.parametrize("protocol, port, lines", WAYS)
def test_dovecot_knows_client_and_session(open_gate, street, line_to, protocol, port, lines):
    gate = open_gate(protocol, getattr(street.dovecot, port), lines)
    line = line_to(gate)
    client = line.sock.getsockname()
    enter(line, gate)
    session = session_in_our_log(gate)
    assert re.fullmatch(r"[A-Za-z0-9]{16}", session)
    entry = dovecots_word(street.dovecot, session)
    assert f"user=<{ADA.name}>" in entry
    assert f", rip={CLIENT}, rport={client[1]}, lip={HOST}, " in entry
    if protocol == "imap":  # POP3's XCLIENT tells it too, but this Dovecot does not take it
        assert f", lport={gate.door[1]}, " in entry


def test_the_client_cannot_forge_its_address(open_gate, street, line_to):
    gate = open_gate("imap", street.dovecot.imap, "imap_proxy_id on; imap_capabilities IMAP4rev1 ID;")
    line = line_to(gate)
    for key in ("x-originating-ip", "X-Originating-IP", " x-originating-ip", "x-originating-ip "):
        line.send(f'i ID ("name" "a client" "{key}" "192.0.2.66" "x-session-id" "forged" "x-originating-port" "1")')
        assert line.until("i ")[-1].startswith("i OK")
    literal = b"x-originating-ip"
    line.raw(b"j ID ({%d}\r\n" % len(literal))
    assert line.until("+ ")
    line.raw(literal + b' "192.0.2.66")\r\n')
    assert line.until("j ")[-1].startswith("j OK")
    enter(line, gate)
    entry = dovecots_word(street.dovecot, session_in_our_log(gate))
    assert f", rip={CLIENT}, " in entry
    log = street.dovecot.process.log_text()
    assert "192.0.2.66" not in log and "forged" not in log


def test_without_id_the_server_sees_the_proxy(open_gate, street, line_to):
    """The counterpart that shows what the others prove; and a client's forgery does not reach a trusting server."""
    gate = open_gate("imap", street.dovecot.imap, "imap_capabilities IMAP4rev1 ID;")
    seen = "Login: user=<ada@example.org>, method=PLAIN, rip=127.0.0.1, "
    line = line_to(gate)
    line.send('i ID ("x-originating-ip" "192.0.2.66")')
    assert line.until("i ")[-1].startswith("i OK")
    enter(line, gate)
    assert "192.0.2.66" not in street.dovecot.process.wait_log(seen)


@pytest.mark.parametrize("protocol, lines", [("imap", "imap_proxy_id on;"), ("imap", "imap_proxy_id always;"),
                                             ("pop3", "pop3_proxy_xclient on;")])
def test_a_server_that_does_not_trust_us_serves_all_the_same(open_gate, street, line_to, protocol, lines):
    gate = open_gate(protocol, getattr(street.wary, protocol), lines)
    enter(line_to(gate), gate)
    street.wary.process.wait_log(f"{protocol}-login: Info: Login: user=<{ADA.name}>, rip=127.0.0.1, ")
    assert CLIENT not in street.wary.process.log_text()


@pytest.mark.parametrize("way", ["off", "on", "starttls"])
def test_postfix_knows_the_client(open_gate, street, line_to, way):
    """By XCLIENT, which under TLS is said behind the handshake; then AUTH and mail as usual."""
    postfix = street.postfix
    gate = open_gate("smtp", postfix.smtps if way == "on" else postfix.port,
                     f"xclient on; proxy_smtp_auth on; proxy_ssl {way};")
    before = len(postfix.process.log_text())
    line = line_to(gate)
    enter(line, gate)
    assert line.ask(f"MAIL FROM:<{ADA.name}>").startswith("250")
    assert line.ask(f"RCPT TO:<{ADA.name}>").startswith("250")
    assert line.ask("DATA").startswith("354")
    assert line.ask(f"Subject: {way}", "", "Hello.", ".").startswith("250")
    line.ask("QUIT")
    postfix.process.wait_log("sasl_username=", times=postfix.process.log_text()[:before].count("sasl_username=") + 1)
    log = postfix.process.log_text()[before:]
    assert f"client=unknown[{CLIENT}], sasl_method=PLAIN, sasl_username={ADA.name}" in log


def test_a_session_has_its_own_name(open_gate, street, line_to):
    """Two logins, two names; each stands once in either log."""
    gate = open_gate("imap", street.dovecot.imap, "imap_proxy_id on;")
    for _ in range(2):
        enter(line_to(gate), gate)
    log = gate.wait_log("client logged in, ", times=2)
    one, two = re.findall(r"client logged in, .*, session: (\S+)", log)
    assert one != two
    for session in (one, two):
        dovecots_word(street.dovecot, session)
