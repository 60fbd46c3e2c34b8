# SPDX-License-Identifier: BSD-2-Clause
"""The clients that every machine has, each with every mechanism it knows, plain, with STARTTLS and over TLS.

A retrieval is proven by the one message of the user's own mailbox, which lies on one of two servers; a submission by its arrival.
"""

import imaplib
import poplib
import smtplib
import ssl
import subprocess

import pytest

from line import sasl_plain
from town import HOST, SERVERS

SECURITY = ("plain", "starttls", "tls")


def run(*argv, given=None):
    """Runs a client to its end; its output, or a failed test."""
    done = subprocess.run([str(a) for a in argv], input=given, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{argv[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def letter(town):
    """A message to somebody on the other server than the sender: (text, recipient, function that waits for it)."""
    def write(sender):
        recipient = town.user(next(s for s in SERVERS if s != sender.lives), mail=False)
        mark = f"letter from {sender.name} to {recipient.name}"
        return f"From: {sender.name}\r\nSubject: test\r\n\r\n{mark}\r\n", recipient, lambda: town.arrived(recipient, mark)
    return write


# curl

CURL = {"plain": (), "starttls": ("--ssl-reqd",), "tls": ()}


def curl(gate, town, protocol, security, path, user, *more):
    scheme = protocol + ("s" if security == "tls" else "")
    _, port = gate.doors.address(protocol, security)
    return run("curl", "-sS", "--cacert", town.authority.ca, *CURL[security], "-u", f"{user.name}:{user.password}", *more,
               f"{scheme}://localhost:{port}{path}")


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("server", SERVERS)
def test_curl_imap(gate, town, server, mechanism, security):
    user = town.user(server)
    said = curl(gate, town, "imap", security, "/INBOX;MAILINDEX=1", user, "--login-options", f"AUTH={mechanism}")
    assert user.proof in said


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["+APOP", "PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("server", SERVERS)
def test_curl_pop3(gate, town, server, mechanism, security):
    user = town.user(server)
    said = curl(gate, town, "pop3", security, "/1", user, "--login-options", f"AUTH={mechanism}")
    assert user.proof in said


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_curl_smtp(gate, town, letter, tmp_path, mechanism, security):
    user = town.user(mail=False)
    text, recipient, arrives = letter(user)
    mail = tmp_path / "mail"
    mail.write_text(text, newline="")
    curl(gate, town, "smtp", security, "/client.example", user, "--login-options", f"AUTH={mechanism}",
         "--mail-from", user.name, "--mail-rcpt", recipient.name, "-T", mail)
    arrives()


# swaks


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_swaks(gate, town, letter, mechanism, security):
    user = town.user(mail=False)
    text, recipient, arrives = letter(user)
    host, port = gate.doors.address("smtp", security)
    protect = {"plain": (), "starttls": ("--tls",), "tls": ("--tls-on-connect",)}[security]
    run("swaks", "--server", f"{host}:{port}", *protect, "--auth", mechanism, "--auth-user", user.name,
        "--auth-password", user.password, "--from", user.name, "--to", recipient.name, "--data", text)
    arrives()


# Python's libraries


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN", "CRAM-MD5"])
def test_imaplib(gate, town, tls, mechanism, security):
    user = town.user()
    host, port = gate.doors.address("imap", security)
    imap = imaplib.IMAP4_SSL(host, port, ssl_context=tls) if security == "tls" else imaplib.IMAP4(host, port)
    if security == "starttls":
        imap.starttls(tls)
    if mechanism == "LOGIN":
        imap.login(user.name, user.password)
    elif mechanism == "CRAM-MD5":
        imap.login_cram_md5(user.name, user.password)
    else:
        imap.authenticate("PLAIN", lambda _: f"\0{user.name}\0{user.password}")
    assert imap.select()[1] == [b"1"]
    assert user.proof.encode() in imap.fetch("1", "(BODY[TEXT])")[1][0][1]
    assert imap.logout()[0] == "BYE"


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["USER", "APOP"])
def test_poplib(gate, town, tls, mechanism, security):
    user = town.user("beta")
    host, port = gate.doors.address("pop3", security)
    pop = poplib.POP3_SSL(host, port, context=tls) if security == "tls" else poplib.POP3(host, port)
    if security == "starttls":
        pop.stls(tls)
    if mechanism == "APOP":
        pop.apop(user.name, user.password)
    else:
        pop.user(user.name)
        pop.pass_(user.password)
    assert user.proof.encode() in pop.retr(1)[1]
    pop.dele(1)
    assert pop.quit().startswith(b"+OK")
    assert not list((town.maildir(user) / "new").iterdir()) and not list((town.maildir(user) / "cur").iterdir())


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login", "auth_cram_md5"])
def test_smtplib(gate, town, tls, letter, mechanism, security):
    user = town.user(mail=False)
    text, recipient, arrives = letter(user)
    host, port = gate.doors.address("smtp", security)
    smtp = smtplib.SMTP_SSL(host, port, context=tls) if security == "tls" else smtplib.SMTP(host, port)
    with smtp:
        if security == "starttls":
            smtp.starttls(context=tls)
        smtp.ehlo("client.example")
        smtp.user, smtp.password = user.name, user.password
        name = mechanism[5:].upper().replace("_", "-")
        assert smtp.auth(name, getattr(smtp, mechanism))[0] == 235
        assert smtp.sendmail(user.name, [recipient.name], text) == {}
    arrives()


# openssl s_client

TYPED = {
    "imap": lambda u: f"a LOGIN {u.name} {u.password}\na SELECT INBOX\na FETCH 1 BODY[TEXT]\na LOGOUT\n",
    "pop3": lambda u: f"AUTH PLAIN {sasl_plain(u.name, u.password)}\nRETR 1\nQUIT\n",
    "smtp": lambda u: f"EHLO client.example\nAUTH PLAIN {sasl_plain(u.name, u.password)}\nNOOP\nQUIT\n",
}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("protocol", TYPED)
def test_s_client(gate, town, protocol, security, version):
    user = town.user()
    _, port = gate.doors.address(protocol, security)
    upgrade = ("-starttls", protocol) if security == "starttls" else ()
    said = run("openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", town.authority.ca, "-crlf", version,
               *upgrade, "-connect", f"localhost:{port}", given=TYPED[protocol](user))
    assert ("235 2.0.0 OK" if protocol == "smtp" else user.proof) in said


# What all of them are told


@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
def test_wrong_password(gate, town, protocol):
    user = town.user(mail=False)
    host, port = gate.doors.address(protocol)
    if protocol == "imap":
        with pytest.raises(imaplib.IMAP4.error, match="Invalid login or password"):
            imaplib.IMAP4(host, port).login(user.name, "wrong")
    elif protocol == "pop3":
        pop = poplib.POP3(host, port)
        pop.user(user.name)
        with pytest.raises(poplib.error_proto, match="-ERR Invalid login or password"):
            pop.pass_("wrong")
    else:
        smtp = smtplib.SMTP(host, port)
        smtp.user, smtp.password = user.name, "wrong"
        with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
            smtp.auth("PLAIN", smtp.auth_plain)
        assert (refusal.value.smtp_code, refusal.value.smtp_error) == (535, b"5.7.8 Invalid login or password")
    gate.wait_log(f'client login failed: "Invalid login or password" while in http auth state, client: {HOST}')


def test_untrusted_certificate(gate):
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(*gate.doors.address("imap", "tls"), ssl_context=ssl.create_default_context())
    gate.wait_log("SSL_do_handshake() failed")
