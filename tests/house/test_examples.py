# SPDX-License-Identifier: BSD-2-Clause
"""The configurations of examples/, as operators read them but for ports and paths, from end to end."""

import imaplib
import poplib
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from line import Line
from peers import AioSmtp, Dovecot, Postern, Postfix, Process
from peers.examples import EXAMPLES, example
from peers.maildir import messages
from peers.process import wait_until
from stubs.background import Background
from stubs.names import NameServer
from town import HOST, IMPATIENT


@pytest.fixture
def open_gate(site, town):
    """Starts postern with examples/NAME; returns it with its ports by their well-known numbers."""
    def start(name, auth=None, **more):
        text, ports = example(name, site, auth=auth or f"{HOST}:{town.auth.port}/auth", **more)
        return Postern(site, text).start(), ports
    return start


# 1: everybody logs in, an authentication server knows who lives where


@pytest.mark.parametrize("server", ["alpha", "beta"])
def test_auth_server(open_gate, town, server):
    user, recipient = town.user(server), town.user(mail=False)
    _, ports = open_gate("auth-server.conf")

    imap = imaplib.IMAP4(HOST, ports[143])
    assert imap.capabilities == ("IMAP4REV1", "UIDPLUS", "IDLE", "LITERAL+", "AUTH=PLAIN")
    imap.login(user.name, user.password)
    imap.select()
    assert user.proof.encode() in imap.fetch("1", "(BODY[TEXT])")[1][0][1]
    imap.logout()

    pop = poplib.POP3(HOST, ports[110])
    pop.user(user.name)
    pop.pass_(user.password)
    assert user.proof.encode() in pop.retr(1)[1]
    pop.quit()

    # XCLIENT is on by default: Postfix is told who logged in, and takes mail for its own domains anyway.
    with smtplib.SMTP(HOST, ports[587]) as smtp:
        smtp.login(user.name, user.password)
        assert smtp.esmtp_features["size"] == "52428800"
        smtp.sendmail(user.name, [recipient.name], f"Subject: x\r\n\r\nexample 1, {user.name}\r\n")
    town.arrived(recipient, f"example 1, {user.name}")


# 2: POP3 alone, an auth_http without a scheme, `proxy on`


def test_pop3(open_gate, town):
    user = town.user("beta")
    gate, ports = open_gate("pop3.conf")
    assert list(ports) == [110]
    pop = poplib.POP3(HOST, ports[110])
    pop.user(user.name)
    pop.pass_(user.password)
    assert user.proof.encode() in pop.retr(1)[1]
    pop.quit()
    assert gate.stop() == 0


# 3: a provider's, with all ports


@pytest.fixture
def provider(open_gate, town):
    return open_gate("provider.conf", certificate=town.certificate, allow="127.0.0.1")


def test_provider_imap(provider, town):
    user = town.user()
    imap = imaplib.IMAP4(HOST, provider[1][143])
    assert imap.capabilities == ("IMAP4REV1", "UIDPLUS", "IDLE", "LITERAL+", "QUOTA", "AUTH=PLAIN")
    imap.login(user.name, user.password)
    assert imap.select()[1] == [b"1"]
    imap.logout()


def test_provider_pop3(provider, town):
    user = town.user()
    pop = poplib.POP3(HOST, provider[1][110])
    capabilities = pop.capa()
    assert list(capabilities) == ["LAST", "TOP", "USER", "PIPELINING", "UIDL", "SASL"]
    assert capabilities["SASL"] == ["PLAIN", "LOGIN", "CRAM-MD5"]
    pop.apop(user.name, user.password)
    assert pop.stat()[0] == 1
    pop.quit()


def test_provider_passes_the_servers_words_on(provider, town):
    """proxy_pass_error_message: the mail server refuses whom the authentication server let in."""
    stranger = ("known-here-only@example.org", {"password": "x", "server": "alpha"})
    town.auth.write_users(town.users_file(stranger))
    with Line((HOST, provider[1][110])) as line:
        line.line()
        line.send("USER known-here-only@example.org", "PASS x")
        assert line.line() == "+OK"
        assert line.rest().startswith("-ERR [AUTH] Authentication failed")
    with Line((HOST, provider[1][143])) as line:
        line.line()
        line.send("a LOGIN known-here-only@example.org x")
        assert line.rest() == "* BAD internal server error\r\n"


@pytest.mark.parametrize("port", [25, 587, 465])
@pytest.mark.parametrize("mechanism", ["auth_login", "auth_plain", "auth_cram_md5"])
def test_provider_smtp(provider, town, tls, port, mechanism):
    user, recipient = town.user(mail=False), town.user(mail=False)
    port = provider[1][port]
    smtp = smtplib.SMTP_SSL(HOST, port, context=tls) if port == provider[1][465] else smtplib.SMTP(HOST, port)
    with smtp:
        smtp.ehlo()
        assert list(smtp.esmtp_features) == ["size", "enhancedstatuscodes", "8bitmime", "dsn", "auth"]
        smtp.user, smtp.password = user.name, user.password
        smtp.auth(mechanism[5:].upper().replace("_", "-"), getattr(smtp, mechanism))
        smtp.sendmail(user.name, [recipient.name], f"Subject: x\r\n\r\nexample 3, {user.name}\r\n")
    town.arrived(recipient, f"example 3, {user.name}")


def test_provider_denies(open_gate, town):
    gate, ports = open_gate("provider.conf", certificate=town.certificate, allow="192.168.1.0/24")
    with Line((HOST, ports[587])) as line:
        assert line.rest() == "554 5.7.1 Access denied\r\n"
    gate.wait_log(f"access forbidden by rule, client: {HOST}, server: {HOST}:{ports[587]}")
    with Line((HOST, ports[25])) as line:
        assert line.line() == "220 mail.example.org ESMTP ready"


# 4: a relay, where the domain of the first recipient chooses


@pytest.fixture
def relay(site, open_gate):
    kind = AioSmtp if Postfix.why_not() else Postfix
    boxes = {d: site.directory(d, "nobody") / "Maildir" for d in ("eng.abc.com", "hr.abc.com")}
    servers = {d: kind(site, d, {f"{who}@{d}": box for who in ("ada", "bob")}).start() for d, box in boxes.items()}
    port = site.port()
    process = site.own(Process("auth-relay", [
        sys.executable, EXAMPLES / "auth-relay" / "auth_relay.py", "--listen", f"{HOST}:{port}",
        *(f"{d}={HOST}:{s.port}" for d, s in servers.items())], site.root / "auth-relay.log"))
    process.start().wait_accepts((HOST, port))
    _, ports = open_gate("relay.conf", auth=f"{HOST}:{port}")
    return ports[3333], boxes


def test_relay_chooses_by_domain(relay):
    port, boxes = relay
    for domain, box in boxes.items():
        with smtplib.SMTP(HOST, port) as smtp:
            smtp.sendmail("x@client.example", [f"ada@{domain}", f"bob@{domain}"], f"Subject: x\r\n\r\nfor {domain}\r\n")
        wait_until(lambda: len(messages(box)) == 2, 30, f"mail for {domain}")  # pylint: disable=cell-var-from-loop
        assert all(f"for {domain}".encode() in m for m in messages(box))


def test_relay_denies_other_domains_and_stays(relay):
    port, boxes = relay
    with Line((HOST, port)) as line:
        line.line()
        line.send("EHLO client.example", "MAIL FROM:<x@client.example> SIZE=10")
        line.until("250 2.0.0")
        assert line.ask("RCPT TO:<ada@elsewhere.example>") == "554 5.7.1 Relay access denied"
        assert line.ask("RCPT TO:<ada@hr.abc.com> NOTIFY=NEVER").startswith("250 ")
        assert line.ask("RCPT TO:<nobody@hr.abc.com>").startswith("550 ")
        assert line.ask("DATA").startswith("354 ")
        assert line.ask("Subject: x", "", "second attempt", ".").startswith("250 ")
        assert line.ask("QUIT").startswith("221 ")
    wait_until(lambda: messages(boxes["hr.abc.com"]), 30, "the message")
    assert not messages(boxes["eng.abc.com"])


# 5: the smallest one, where the mail server decides


def test_passthrough(open_gate, town):
    user = town.user("alpha")
    _, ports = open_gate("passthrough.conf", behind={143: town.dovecots["alpha"].imap}, words={"192.0.2.10": HOST})
    imap = imaplib.IMAP4(HOST, ports[143])
    with pytest.raises(imaplib.IMAP4.error):
        imap.login(user.name, "wrong")
    imap = imaplib.IMAP4(HOST, ports[143])
    imap.login(user.name, user.password)
    imap.select()
    assert user.proof.encode() in imap.fetch("1", "(BODY[TEXT])")[1][0][1]
    imap.logout()


# 6: users in the store, names of servers, TLS to them


ADA, BOB, PASSWORD = "ada@example.org", "bob@example.org", "a password"


class Store:
    """Two Dovecots and one Postfix with TLS; the first server of the south has an address where nobody listens."""

    SERVERS = {"north": "127.0.0.2", "south2": "127.0.0.3"}

    def __init__(self, site, town, open_gate, stubs):
        imap, pop3, smtp = site.port(), site.port(), site.port()
        zone = {(f"{name}.example.org", "A"): [host] for name, host in {"south1": "127.0.0.4", **self.SERVERS}.items()}
        names = stubs.run(NameServer(zone).start())
        self.dovecots = {}
        for name, host in self.SERVERS.items():
            certificate = town.authority.issue(f"{name}.example.org", alt=(f"DNS:{name}.example.org",))
            self.dovecots[name] = Dovecot(site, name, {ADA: PASSWORD, BOB: PASSWORD}, tls=certificate, host=host,
                                          extra=IMPATIENT, ports=(imap, pop3)).start()
            if Postfix.why_not() is None:
                boxes = {who: self.dovecots[name].maildir(who) for who in (ADA, BOB)}
                Postfix(site, f"smtp-{name}", boxes, sasl=self.dovecots[name].sasl_socket, tls=certificate, host=host,
                        port=smtp).start()
        self.gate, self.ports = open_gate(
            "store.conf", certificate=town.certificate, behind={143: imap, 993: imap, 995: pop3, 587: smtp},
            words={"127.0.0.53": f"{HOST}:{names.port}", "/etc/postern/mail-ca.pem": town.authority.ca})

    def add(self, name, *more):
        store = self.gate.dir / "users.db"
        program = Path(Postern.program()).parent / "posternctl"
        subprocess.run([program, "user", "add", name, "--stdin", "--store", store, *more], input=PASSWORD + "\n",
                       text=True, check=True)
        store.chmod(0o644)  # the prefix of the test is not that of the workers' group


@pytest.fixture
def store(site, town, open_gate):
    with Background() as stubs:
        yield Store(site, town, open_gate, stubs)


@pytest.mark.parametrize("route, lives", [((), "north"), (("--route", "south"), "south2")])
def test_store(store, tls, route, lives):
    store.add(ADA, *route)
    store.add(BOB)
    store.dovecots[lives].save(ADA, f"Subject: here\r\n\r\nThis is {lives}.\r\n".encode())

    imap = imaplib.IMAP4(HOST, store.ports[143])
    assert "LOGINDISABLED" in imap.capabilities or "AUTH=PLAIN" not in imap.capabilities
    imap.starttls(tls)
    imap.login(ADA, PASSWORD)
    imap.select()
    assert f"This is {lives}.".encode() in imap.fetch("1", "(BODY[TEXT])")[1][0][1]
    imap.logout()

    pop = poplib.POP3_SSL(HOST, store.ports[995], context=tls)
    pop.user(ADA)
    pop.pass_(PASSWORD)
    assert f"This is {lives}.".encode() in pop.retr(1)[1]
    pop.quit()


@pytest.mark.skipif(Postfix.why_not() is not None, reason="only Postfix speaks TLS here")
def test_store_submission(store, tls):
    store.add(ADA, "--route", "south")
    with smtplib.SMTP(HOST, store.ports[587]) as smtp:
        smtp.starttls(context=tls)
        smtp.login(ADA, PASSWORD)
        smtp.sendmail(ADA, [BOB], "Subject: x\r\n\r\nby the store\r\n")
    wait_until(lambda: messages(store.dovecots["south2"].maildir(BOB)), 30, "the message")


def test_store_refuses(store, tls):
    store.add(ADA)
    for name, password in ((ADA, "wrong"), (BOB, PASSWORD)):
        imap = imaplib.IMAP4_SSL(HOST, store.ports[993], ssl_context=tls)
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED|[Aa]uthentication failed|nvalid"):
            imap.login(name, password)
        imap.shutdown()
