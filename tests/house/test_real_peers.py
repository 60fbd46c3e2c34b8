# SPDX-License-Identifier: BSD-2-Clause
"""Programs that others wrote, on both sides of the gate: who the client is must come through from end to end.

HAProxy stands in front and says so by the PROXY protocol; Dovecot and Postfix stand behind, and write the
address that they were told into their logs. All programs talk to each other from 127.0.0.1, so 127.0.0.77 can
only have been passed on.
"""

import pytest

from line import Line, log_in, still_works
from peers import AuthServer, Dovecot, Missing, Postern, Postfix, Process, find_program
from town import HOST, User, alarms, configuration

CLIENT = "127.0.0.77"
ADA = User("ada@example.org", "pw-ada", "alpha")
VERSIONS = {"send-proxy": "on", "send-proxy-v2": "v2"}  # HAProxy's word, and ours for the same header

_HAPROXY = """
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen mail
    bind {host}:{port}
    server gate {host}:{gate} {how}
"""


@pytest.fixture(scope="module", autouse=True)
def haproxy():
    try:
        return find_program("haproxy")
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=VERSIONS)
def how(request):
    return request.param


class Street:
    """HAProxy and postern in front of a mail server, and an authentication server that knows Ada."""

    def __init__(self, site, haproxy, how, *, protocol, port, lines):
        self.protocol, self.inner, self.door = protocol, site.port(), (HOST, site.port())
        users = {ADA.name: {"password": ADA.password, "server": ADA.lives}}
        auth = AuthServer(site, {"servers": {ADA.lives: {protocol: f"{HOST}:{port}"}}, "users": users}).start()
        self.gate = Postern(site, configuration(
            f"auth_http {auth.url}; server_name mail.example.org; set_real_ip_from 127.0.0.0/8; {lines}",
            f"listen {HOST}:{self.inner} proxy_protocol; protocol {protocol};")).start()
        config = site.root / "haproxy.cfg"
        config.write_text(_HAPROXY.format(host=HOST, port=self.door[1], gate=self.inner, how=how))
        front = site.own(Process("haproxy", [haproxy, "-db", "-f", config], site.root / "haproxy.log"))
        front.start().wait_accepts(self.door)

    def enter(self):
        """Ada, logged in; postern has written where she came from."""
        line = Line(self.door, source=CLIENT)
        line.line()
        assert log_in(line, self.protocol, ADA).startswith(("a OK", "+OK", "235"))
        assert still_works(line, self.protocol)
        here = f"{HOST}:{self.inner}"
        self.gate.wait_log(f'client logged in, client: {CLIENT}, server: {here}, login: "{ADA.name}"')
        return line

    def leave(self, line, word):
        line.send(word)
        line.rest()
        line.close()
        assert alarms(self.gate.log_text()) == []


@pytest.mark.parametrize("protocol, word", [("imap", "z LOGOUT"), ("pop3", "QUIT")])
def test_from_haproxy_to_dovecot(site, haproxy, how, protocol, word):
    dovecot = Dovecot(site, ADA.lives, {ADA.name: ADA.password}, proxied=True).start()
    street = Street(site, haproxy, how, protocol=protocol, port=getattr(dovecot, protocol),
                    lines=f"proxy_protocol {VERSIONS[how]};")
    ada = street.enter()
    log = dovecot.process.wait_log(f"rip={CLIENT},")
    entry, = (entry for entry in log.splitlines() if f"rip={CLIENT}," in entry)
    assert f"user=<{ADA.name}>" in entry
    street.leave(ada, word)


def send_mail(line):
    assert line.ask(f"MAIL FROM:<{ADA.name}>").startswith("250")
    assert line.ask(f"RCPT TO:<{ADA.name}>").startswith("250")
    assert line.ask("DATA").startswith("354")
    assert line.ask("Subject: from afar", "", "Hello.", ".").startswith("250")


@pytest.fixture
def post(site):
    """Makes a Postfix that knows Ada, with more lines in its main.cf."""
    if Postfix.why_not():
        pytest.skip(Postfix.why_not())
    dovecot = Dovecot(site, ADA.lives, {ADA.name: ADA.password}).start()
    boxes = {ADA.name: dovecot.maildir(ADA.name)}
    return lambda extra="": Postfix(site, "post", boxes, sasl=dovecot.sasl_socket, extra=extra).start()


@pytest.mark.parametrize("way, extra, lines", [
    ("PROXY", "smtpd_upstream_proxy_protocol = haproxy", "xclient off; proxy_protocol {version};"),
    ("XCLIENT", "smtpd_authorized_xclient_hosts = 127.0.0.1", "xclient on;"),
], ids=["PROXY", "XCLIENT"])
def test_from_haproxy_to_postfix(site, haproxy, how, post, way, extra, lines):
    postfix = post(extra)
    street = Street(site, haproxy, how, protocol="smtp", port=postfix.port,
                    lines="proxy_smtp_auth on; " + lines.format(version=VERSIONS[how]))
    ada = street.enter()
    send_mail(ada)
    street.leave(ada, "QUIT")
    log = postfix.process.wait_log(f"[{CLIENT}], sasl_method=")
    assert f"sasl_username={ADA.name}" in log
    # The PROXY header comes before Postfix takes note of a connection, XCLIENT when it has done so.
    assert (f" connect from unknown[{CLIENT}]" in log) == (way == "PROXY")
