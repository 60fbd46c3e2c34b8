# SPDX-License-Identifier: BSD-2-Clause
"""The two example programs of examples/, asked directly, as a proxy would ask them."""

import hashlib
import hmac
import json
import os
import socket
import sys

import pytest

from peers import AuthServer, Process, Site
from peers.examples import EXAMPLES

# Every byte that a client can type and a JSON file can hold, UTF-8 of two, three and four bytes included.
AWKWARD = "".join(map(chr, range(0x20, 0x7f))) + " +%2B é€😀 "
USERS = {
    "servers": {"alpha": {"imap": "127.0.0.1:143", "smtp": "[::1]:25"}, "beta": {"imap": "127.0.0.2:143"}},
    "users": {
        "ada": {"password": AWKWARD, "server": "alpha"},
        "bo+b %41é": {"password": "pw", "server": "beta", "login": "bob", "backend_password": "other"},
        "cert": {"password": "pw", "server": "alpha", "certificate": "CN=cert"},
    },
}

SALT = "<1.2@mail.example.org>"
CRAM = hmac.new(AWKWARD.encode(), SALT.encode(), hashlib.md5).hexdigest()
APOP = hashlib.md5((SALT + AWKWARD).encode()).hexdigest()


def escape(value):
    """As the proxy does: controls, blank and percent sign, nothing else."""
    raw = value if isinstance(value, bytes) else value.encode()
    return b"".join(b"%%%02X" % c if c <= 0x20 or c == 0x25 else bytes([c]) for c in raw)


def read_answer(s):
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(4096)
        assert more, f"closed in the middle of an answer: {data!r}"
        data += more
    status, *lines = data.split(b"\r\n\r\n")[0].split(b"\r\n")
    return status, dict(line.split(b": ", 1) for line in lines)


def ask(port, path=b"/auth", **headers):
    """One question over HTTP/1.0; the headers of the answer."""
    request = b"GET " + path + b" HTTP/1.0\r\nHost: localhost\r\n"
    for name, value in headers.items():
        raw = value if isinstance(value, bytes) else value.encode()
        request += name.replace("_", "-").encode() + b": " + raw + b"\r\n"
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.sendall(request + b"\r\n")
        return read_answer(s)


class Asker:
    """Asks one auth server with the headers that every login has."""

    def __init__(self, server):
        self.server = server

    def __call__(self, user, password, method="plain", protocol="imap", attempt=1, **more):
        status, headers = ask(self.server.port, Auth_Method=method, Auth_User=escape(user),
                              Auth_Pass=escape(password), Auth_Protocol=protocol, Auth_Login_Attempt=str(attempt),
                              Client_IP="192.0.2.1", **more)
        assert b" 200 " in status
        return headers


@pytest.fixture(scope="module")
def server():
    with Site() as site:
        yield AuthServer(site, USERS).start()


@pytest.fixture
def login(server):
    return Asker(server)


def test_password_of_every_byte(login):
    answer = login("ada", AWKWARD)
    assert answer[b"Auth-Status"] == b"OK"
    assert (answer[b"Auth-Server"], answer[b"Auth-Port"]) == (b"127.0.0.1", b"143")
    assert b"Auth-Pass" not in answer and b"Auth-User" not in answer


@pytest.mark.parametrize("byte", range(256))
def test_other_bytes_are_refused_and_harmless(login, byte):
    answer = login(b"a" + bytes([byte]), b"x" + bytes([byte]))
    assert answer[b"Auth-Status"] == b"Invalid login or password"


def test_name_is_decoded_and_replaced(login):
    answer = login("bo+b %41é", "pw")
    assert answer[b"Auth-Status"] == b"OK"
    assert (answer[b"Auth-User"], answer[b"Auth-Pass"]) == (b"bob", b"other")
    assert answer[b"Auth-Server"] == b"127.0.0.2"


@pytest.mark.parametrize("user, password", [("ada", "x"), ("ada", ""), ("nobody", AWKWARD), ("", "")])
def test_refusals_look_alike(login, user, password):
    answer = login(user, password)
    assert answer[b"Auth-Status"] == b"Invalid login or password"
    assert b"Auth-Server" not in answer
    assert answer[b"Auth-Wait"] == b"2"


def test_hashed_password():
    digest = hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 1).hex()
    hashed = {"hash": f"pbkdf2:sha256:1$salt${digest}", "server": "alpha"}
    with Site() as site:
        login = Asker(AuthServer(site, {**USERS, "users": {"hash": hashed}}).start())
        assert login("hash", "secret")[b"Auth-Status"] == b"OK"
        assert login("hash", "x")[b"Auth-Status"] == b"Invalid login or password"
        assert login("nobody", "secret")[b"Auth-Status"] == b"Invalid login or password"
        cram = hmac.new(b"", SALT.encode(), hashlib.md5).hexdigest()
        assert login("hash", cram, method="cram-md5", Auth_Salt=SALT)[b"Auth-Status"] != b"OK"


def test_last_attempt_is_sent_away(login):
    assert b"Auth-Wait" in login("ada", "x", attempt=4)
    assert b"Auth-Wait" not in login("ada", "x", attempt=5)


def test_smtp_route_and_code(login):
    good = login("ada", AWKWARD, protocol="smtp")
    assert (good[b"Auth-Server"], good[b"Auth-Port"]) == (b"::1", b"25")
    assert login("ada", "x", protocol="smtp")[b"Auth-Error-Code"] == b"535 5.7.8"


def test_protocol_that_the_server_lacks(login):
    assert login("ada", AWKWARD, protocol="pop3")[b"Auth-Status"] == b"Not available for this account"


@pytest.mark.parametrize("method, digest", [("cram-md5", CRAM), ("apop", APOP)])
def test_digest(login, method, digest):
    answer = login("ada", digest, method=method, Auth_Salt=SALT)
    assert answer[b"Auth-Status"] == b"OK"
    # A header value loses the blank at its end, as the README of the protocol says; all else arrives.
    assert answer[b"Auth-Pass"].strip() == AWKWARD.encode().strip()


@pytest.mark.parametrize("method, digest", [("cram-md5", CRAM), ("apop", APOP)])
@pytest.mark.parametrize("user, salt", [("ada", "<1.3@mail.example.org>"), ("bob", SALT)])
def test_wrong_digest(login, method, digest, user, salt):
    assert login(user, digest, method=method, Auth_Salt=salt)[b"Auth-Status"] == b"Invalid login or password"


@pytest.mark.parametrize("user, verify, subject, good", [
    ("cert", "SUCCESS", "CN=cert", True),
    ("cert", "FAILED:certificate has expired", "CN=cert", False),
    ("cert", "NONE", "", False),
    ("cert", "SUCCESS", "CN=other", False),
    ("ada", "SUCCESS", "", False),
    ("ada", "SUCCESS", "CN=cert", False),
])
def test_external(login, user, verify, subject, good):
    answer = login(user, "", method="external", Auth_SSL_Verify=verify, Auth_SSL_Subject=subject)
    assert (answer[b"Auth-Status"] == b"OK") == good
    assert (b"Auth-Pass" in answer) == good


def test_other_methods_are_refused(login):
    assert b"not supported" in login("ada", AWKWARD, method="none", protocol="smtp")[b"Auth-Status"]


def test_log_names_no_password(login, server):
    login("ada", "very-secret\r\nforged: line")
    log = server.process.wait_log("ada (plain): refused")
    assert "very-secret" not in log and AWKWARD not in log


def test_key():
    with Site() as site:
        server = AuthServer(site, USERS, options=("--key", "k3y")).start()
        status, _ = ask(server.port, Auth_Method="plain", Auth_User="ada", Auth_Protocol="imap")
        assert b" 403 " in status
        assert Asker(server)("ada", AWKWARD, X_Auth_Key="k3y")[b"Auth-Status"] == b"OK"


def test_users_file_is_read_again():
    with Site() as site:
        server = AuthServer(site, USERS).start()
        login = Asker(server)
        assert login("new", "pw")[b"Auth-Status"] != b"OK"
        replace(server.users_file, {**USERS, "users": {"new": {"password": "pw", "server": "alpha"}}})
        assert login("new", "pw")[b"Auth-Status"] == b"OK"
        replace(server.users_file, {"users": {"new": {"password": "pw", "server": "nowhere"}}, "servers": {}})
        assert login("new", "pw")[b"Auth-Status"] == b"OK", "a broken file must leave the last good one in force"
        assert "was not taken up" in server.process.log_text()


def replace(path, data):
    new = path.with_suffix(".new")
    new.write_text(json.dumps(data))
    os.replace(new, path)


# The relay's


@pytest.fixture(scope="module")
def relay():
    with Site() as site:
        port = site.port()
        process = site.own(Process("relay", [
            sys.executable, EXAMPLES / "auth-relay" / "auth_relay.py", "--listen", f"127.0.0.1:{port}",
            "eng.abc.com=127.0.0.1:2525", "hr.abc.com=[::1]:2526"], site.root / "log"))
        process.start().wait_accepts(("127.0.0.1", port))
        yield port


@pytest.mark.parametrize("command, server", [
    ("RCPT TO:<a@eng.abc.com>", b"127.0.0.1"),
    ("rcpt to: <a@HR.abc.com.> NOTIFY=NEVER", b"::1"),
    ("RCPT TO:a@eng.abc.com", b"127.0.0.1"),
    ("RCPT TO:<@x.example,@y.example:a@eng.abc.com>", b"127.0.0.1"),
    ('RCPT TO:<"a>b@hr.abc.com"@eng.abc.com> ORCPT=rfc822;a@hr.abc.com', b"127.0.0.1"),
])
def test_relay_routes(relay, command, server):
    _, answer = ask(relay, b"/", Auth_Method="none", Auth_User="", Auth_SMTP_To=command)
    assert answer[b"Auth-Status"] == b"OK"
    assert answer[b"Auth-Server"] == server


@pytest.mark.parametrize("command", ["RCPT TO:<a@abc.com>", "RCPT TO:<a@eng.abc.com.evil.example>", "RCPT TO:<>",
                                     "RCPT TO:<eng.abc.com>", "", "DATA"])
def test_relay_refuses(relay, command):
    _, answer = ask(relay, b"/", Auth_Method="none", Auth_SMTP_To=command)
    assert answer[b"Auth-Error-Code"] == b"554 5.7.1"
    assert b"Auth-Server" not in answer


def test_relay_logs_nobody_in(relay):
    _, answer = ask(relay, b"/", Auth_Method="plain", Auth_User="a", Auth_SMTP_To="RCPT TO:<a@eng.abc.com>")
    assert b"Auth-Server" not in answer


def test_relay_keeps_the_connection(relay):
    with socket.create_connection(("127.0.0.1", relay), 10) as s:
        for _ in range(3):
            s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nAuth-Method: none\r\nAuth-SMTP-To: RCPT TO:<a@hr.abc.com>\r\n\r\n")
            assert read_answer(s)[1][b"Auth-Port"] == b"2526"
