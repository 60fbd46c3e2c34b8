# SPDX-License-Identifier: BSD-2-Clause
"""Users in databases, directories and PAM: the real ones, asked by helper processes.

Each source holds the same two users. What every source has to do is one test for all of them: right and wrong
passwords, users that do not exist, names and passwords that would be something else in the source's language, a
source that is away, frozen, or mended, and helpers that die.
"""

import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from line import Line
from peers import Authority, Postern, Site
from peers.mariadb import MariaDb
from peers.openldap import OpenLdap
from peers.postgres import Postgres
from peers.process import wait_until
from stubs import mailserver
from town import HOST, configuration

SECRET = "correct horse"
DATABASE_SECRET = "db secret"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="servers need users of their own")


def crypt_hash(password):
    return subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password, capture_output=True, text=True,
                          check=True).stdout.strip()


@pytest.fixture(scope="module")
def backend(stubs):
    """A mail server that lets everybody in and says who it was."""
    async def serve(connection):
        await connection.send(b"* OK ready\r\n")
        heard = await mailserver.imap_login(connection)
        await connection.send(heard.tag + b" OK [CAPABILITY IMAP4rev1] as " + heard.user + b"\r\n")
        await mailserver.echo(connection)

    return stubs.run(mailserver.MailServer(serve).start())


class Source:
    """A source, and how postern is told about it."""

    helper_timeout = "2s"

    def __init__(self, site, backend):
        self.site, self.backend = site, backend
        self.set_up()

    def server(self):
        """The process behind it that can be frozen and stopped."""
        return self.peer.process

    def restart(self):
        self.peer.stop()
        self.peer.start()

    def stop(self):
        self.peer.stop()


class Sql(Source):
    bad_table = "no_such_table"

    def rows(self):
        yield "anna@example.org", "{CRYPT}" + crypt_hash(SECRET), "anna.box", 1
        yield "otto@example.org", "{PLAIN}" + SECRET, None, 0

    def fill(self):
        for login, password, name, enabled in self.rows():
            box = "NULL" if name is None else f"'{name}'"
            self.peer.sql(f"INSERT INTO users VALUES ('{login}', '{password}', '{HOST}', {self.backend.port}, {box}, {enabled})",
                          self.peer.database)

    query = "SELECT password, host, port, box AS login, enabled FROM users WHERE login = $login"

    def block(self, **other):
        secret = self.site.root / f"{self.kind}.secret"
        secret.write_text(other.get("password", DATABASE_SECRET) + "\n")
        return f"""{self.kind} {{
            {other.get("first", "")} server {self.peer.address}; user {self.peer.user}; password_file {secret}; database {self.peer.database};
            query "{other.get("query", self.query)}"; connect_timeout 1s;
        }}"""


class Mysql(Sql):
    kind = "auth_mysql"

    def set_up(self):
        self.peer = MariaDb(self.site, DATABASE_SECRET).start()
        self.peer.sql("CREATE TABLE users (login VARCHAR(200) COLLATE utf8mb4_bin PRIMARY KEY, password VARCHAR(200), host VARCHAR(99), port INT,"
                      "box VARCHAR(99), enabled TINYINT)", "mail")
        self.fill()


class Pgsql(Sql):
    kind = "auth_pgsql"

    def set_up(self):
        self.peer = Postgres(self.site, DATABASE_SECRET).start()
        self.peer.sql("CREATE TABLE users (login TEXT PRIMARY KEY, password TEXT, host TEXT, port INT, box TEXT,"
                      "enabled INT)")
        self.peer.sql(f"GRANT SELECT ON users TO {self.peer.user}")
        self.fill()


class Ldap(Source):
    """Search and bind, by StartTLS; the service's own bind is wanted, since nobody else may search."""

    kind, rdn = "auth_ldap", "uid={0}"

    def set_up(self):
        authority = Authority(self.site.directory("ca"))
        self.peer = OpenLdap(self.site, DATABASE_SECRET, authority, authority.issue("ldap.example.org"))
        self.ca = authority.ca
        people = "ou=people," + self.peer.base
        entries = [f"dn: {self.peer.base}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: x\n",
                   f"dn: {people}\nobjectClass: organizationalUnit\nou: people\n",
                   f"dn: cn=postern,{self.peer.base}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
                   f"cn: postern\nuserPassword: {DATABASE_SECRET}\n"]
        for name, route, enabled in (("anna", f"{self.backend.port}", "yes"), ("otto", f"{self.backend.port}", "no")):
            entries.append(f"dn: {self.rdn.format(name)},{people}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
                           f"mail: {name}@example.org\nuserPassword: {self.peer.hash(SECRET)}\nroomNumber: {HOST}\n"
                           f"employeeNumber: {route}\ninitials: {name}.box\nemployeeType: {enabled}\n")
        self.peer.add("\n".join(entries))
        self.peer.start()

    how = 'base "ou=people,dc=example,dc=org"; filter "(&(objectClass=inetOrgPerson)(mail=$login))";'

    def block(self, first="", ca=None):
        secret = self.site.root / "ldap.secret"
        secret.write_text(DATABASE_SECRET + "\n")
        return f"""auth_ldap {{
            {first} url {self.peer.urls[0]}; starttls on; ssl_trusted_certificate {ca or self.ca}; connect_timeout 1s;
            bind_dn "cn=postern,dc=example,dc=org"; bind_password_file {secret}; {self.how}
            attribute roomNumber host; attribute employeeNumber port; attribute initials login; attribute employeeType enabled;
        }}"""


class LdapDirect(Ldap):
    """Bind as the user at once, by ldaps."""

    rdn = "mail={0}@example.org"

    def block(self, first="", ca=None):
        return f"""auth_ldap {{
            {first} url {self.peer.urls[1]}; ssl_trusted_certificate {ca or self.ca}; connect_timeout 1s;
            bind_direct "mail=$login,ou=people,dc=example,dc=org";
            attribute roomNumber host; attribute employeeNumber port; attribute initials login; attribute employeeType enabled;
        }}"""


KINDS = {"mysql": Mysql, "pgsql": Pgsql, "ldap": Ldap, "ldap-direct": LdapDirect}


@pytest.fixture(scope="module", params=KINDS)
def source(request, backend):
    with Site() as site:
        yield KINDS[request.param](site, backend)


def gate_config(source, port, block=None, main="worker_processes 1;"):
    return configuration(f"""
        {block or source.block()}
        auth_helper_timeout {source.helper_timeout}; auth_failure_delay 1ms; auth_helpers 2;
        imap_auth plain login; imap_client_buffer 16k;""", f"listen {HOST}:{port}; protocol imap; starttls off;", main=main)


def start_gate(source, name="gate", **more):
    port = source.site.port()
    gate = Postern(source.site, gate_config(source, port, **more), name=name)
    gate.address = (HOST, port)
    gate.port = port
    gate.start()
    wait_until(lambda: len(gate.helpers()) == 2, 20, "the helpers", gate)
    return gate


@pytest.fixture(scope="module")
def gate(source):
    gate = start_gate(source)
    yield gate
    helpers = gate.helpers()
    assert gate.stop() == 0
    assert not [pid for pid in helpers if os.path.exists(f"/proc/{pid}")]
    assert SECRET not in gate.log_text() and DATABASE_SECRET not in gate.log_text()


def literal(text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"{%d+}\r\n%s" % (len(data), data)


def log_in(gate, user, password):
    """What the gate, or the mail server behind it, says to a LOGIN; the rest of the line behind the tag."""
    with Line(gate.address) as line:
        assert line.line().startswith("* OK")
        line.raw(b"a LOGIN " + literal(user) + b" " + literal(password) + b"\r\n")
        return line.line().removeprefix("a ")


TEMPORARY = ("NO [UNAVAILABLE]", "* BAD internal server error")


def is_temporary(said):
    return said.startswith(TEMPORARY)


def becomes(gate, condition, user="anna@example.org", password=SECRET):
    """Until a login ends so."""
    wait_until(lambda: condition(log_in(gate, user, password)), 30, "another outcome of the login", gate)


def test_right_password(gate):
    assert log_in(gate, "anna@example.org", SECRET) == "OK [CAPABILITY IMAP4rev1] as anna.box"


@pytest.mark.parametrize("password", ["", "wrong", SECRET + " ", SECRET.upper(), "x" * 4096, "p\xe4ss", "' OR '1'='1"])
def test_wrong_password(gate, password):
    assert log_in(gate, "anna@example.org", password).startswith("NO ")
    assert not is_temporary(log_in(gate, "anna@example.org", password))


def test_disabled(gate):
    assert log_in(gate, "otto@example.org", SECRET).startswith("NO ")


NOBODY = ["nobody@example.org", "' OR 1=1", "' OR '1'='1' -- ", '" OR ""="', "anna@example.org' -- ", "anna@example.org\\",
          "*", "*)(uid=*", "anna*", "anna@example.org)(|(uid=*", "%", "anna_example.org", "$login", "${login}", "?",
          b"\xff\xfe", "\u00e4nna@example.org".encode(), b"anna@example.org\xe4", "x" * 4096, "a\tb", "\\2a", "{PLAIN}"]


@pytest.mark.parametrize("user", NOBODY)
def test_nobody_of_that_name(gate, user):
    said = log_in(gate, user, SECRET)
    assert said.startswith("NO ") and not is_temporary(said)


@pytest.mark.parametrize("name", ["anna@example.org\0", "\0"])
def test_nul_in_a_name(gate, name):
    with Line(gate.address) as line:
        line.line()
        line.raw(b"a LOGIN " + literal(name) + b" " + literal(SECRET) + b"\r\n")
        assert "OK" not in line.line()
    assert log_in(gate, "anna@example.org", SECRET).startswith("OK")


def test_helpers_are_killed_and_replaced(gate):
    for pid in gate.helpers():
        os.kill(pid, signal.SIGKILL)
    assert log_in(gate, "anna@example.org", SECRET).startswith("OK")
    wait_until(lambda: len(gate.helpers()) == 2, 20, "new helpers", gate)


def test_stopped_helpers_are_replaced(gate):
    old = gate.helpers()
    for pid in old:
        os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: len(gate.helpers()) == 2 and not set(old) & set(gate.helpers()), 20, "new helpers", gate)
    assert log_in(gate, "anna@example.org", SECRET).startswith("OK")


@contextmanager
def frozen(process):
    from peers.process import session_of
    pids = session_of(process.pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_frozen_source(gate, source):
    with frozen(source.server()):
        assert is_temporary(log_in(gate, "anna@example.org", SECRET))
    becomes(gate, lambda said: said.startswith("OK"))


def test_killed_while_asked(gate, source):
    """A helper that waits for a frozen source is killed: the question goes to another one, and is answered."""
    with Line(gate.address) as line:
        line.line()
        with frozen(source.server()):
            line.raw(b"a LOGIN anna@example.org " + literal(SECRET) + b"\r\n")
            busy = wait_until(lambda: asked(gate), 10, "a question to be with a helper", gate)
            for pid in busy:
                os.kill(pid, signal.SIGKILL)
        assert line.line().removeprefix("a ").startswith("OK")


def asked(gate):
    """The helpers that hold a pipe: an answer is expected of them."""
    def holds(pid):
        try:
            return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("pipe:") for fd in os.listdir(f"/proc/{pid}/fd")
                       if int(fd) > 2)
        except OSError:
            return False
    return [pid for pid in gate.helpers() if holds(pid)]


def test_source_away_and_back(gate, source):
    source.stop()
    assert is_temporary(log_in(gate, "anna@example.org", SECRET))
    source.restart()
    becomes(gate, lambda said: said.startswith("OK"))


MENDED = {
    "table": ({"query": "SELECT password FROM no_such_table WHERE login = $login"}, "mend the query"),
    "column": ({"query": "SELECT password, nonsense FROM users WHERE login = $login"}, "mend the query"),
    "meaning": ({"query": "SELECT password, box FROM users WHERE login = $login"}, "a column 'box', which means nothing here"),
    "no password": ({"query": "SELECT host, port FROM users WHERE login = $login"}, "no column 'password'"),
    "all rows": ({"query": "SELECT password FROM users WHERE $login <> ''"}, "more than one row"),
    "password": ({"password": "wrong"}, "check user and password_file"),
    "syntax": ({"query": "SELEKT 1 WHERE login = $login"}, "mend the query"),
}


@pytest.mark.parametrize("what", MENDED)
def test_faults_name_their_cure(source, what):
    if not isinstance(source, Sql):
        pytest.skip("about queries")
    other, words = MENDED[what]
    gate = start_gate(source, name=f"gate-{what.replace(' ', '-')}", block=source.block(**other))
    assert is_temporary(log_in(gate, "anna@example.org", SECRET))
    assert words in gate.log_text()
    for _ in range(4):
        log_in(gate, "anna@example.org", SECRET)
    told = [line for line in gate.log_text().splitlines() if "[error]" in line and words in line]
    assert 1 <= len(told) <= 2, "once for each helper"
    gate.reload(gate_config(source, gate.port))
    becomes(gate, lambda said: said.startswith("OK"))
    gate.stop()


def test_the_next_server_is_asked(source):
    """Nobody listens at the first."""
    port = source.site.port()
    first = f"server {HOST}:{port};" if isinstance(source, Sql) else f"url ldap://{HOST}:{port};"
    gate = start_gate(source, name="second-server", block=source.block(first=first))
    for _ in range(3):
        assert log_in(gate, "anna@example.org", SECRET).startswith("OK")
    gate.stop()


def test_a_directory_proves_who_it_is(source):
    if not isinstance(source, Ldap):
        pytest.skip("about TLS to directories")
    stranger = Authority(source.site.directory("stranger"))
    gate = start_gate(source, name="strange", block=source.block(ca=stranger.ca))
    assert is_temporary(log_in(gate, "anna@example.org", SECRET))
    assert "[error]" in gate.log_text() and "auth ldap: ldap" in gate.log_text()
    gate.reload(gate_config(source, gate.port))
    becomes(gate, lambda said: said.startswith("OK"))
    gate.stop()


# PAM


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="the sanitizer's crypt() finds no library in modules loaded later")
def test_pam(site):
    """A service of our own, with a file of passwords of its own: no account of this machine is touched."""
    folder, users = site.directory("pam"), site.root / "users"
    users.write_text(f"anna:{crypt_hash(SECRET)}\nlate:{crypt_hash(SECRET)}\n")
    (folder / "mail").write_text(f"auth required pam_pwdfile.so pwdfile={users}\n"
                                 "account required pam_succeed_if.so quiet user != late\n")
    port = site.port()
    gate = Postern(site, configuration(f"""
        auth_pam mail user=$login_local folder={folder}; auth_failure_delay 1ms; imap_auth plain login; imap_client_buffer 16k;""",
        f"listen {HOST}:{port}; protocol imap; starttls off;", main="worker_processes 1;")).start()
    gate.address = (HOST, port)
    for user, password in (("anna@x", "wrong"), ("anna@x", ""), ("otto@x", SECRET), ("late@x", SECRET), ("anna@x", "x" * 4096),
                           ("' OR 1=1@x", SECRET), (b"\xff@x", b"\xff")):
        assert log_in(gate, user, password).startswith("NO "), (user, password)
    # There is no route to a mail server: who is let in hears of trouble, never of a wrong password.
    assert not log_in(gate, "anna@x", SECRET).startswith("NO Auth")
    (folder / "mail").unlink()
    assert is_temporary(log_in(gate, "anna@x", SECRET))
    assert "auth pam: service mail" in gate.log_text()
    assert SECRET not in gate.log_text()


def test_helpers_outlive_a_reload(source):
    gate = start_gate(source, name="reloaded")
    before = gate.helpers()
    gate.reload()
    assert gate.helpers() == before
    gate.reload(gate_config(source, gate.port).replace("auth_helper_timeout 2s", "auth_helper_timeout 3s"))
    wait_until(lambda: len(gate.helpers()) == 2 and not set(before) & set(gate.helpers()), 20, "other helpers", gate)
    assert log_in(gate, "anna@example.org", SECRET).startswith("OK")
    gate.stop()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL])
@pytest.mark.parametrize("master", ["on", "off"])
def test_no_helper_stays_behind(source, master, end):
    gate = Postern(source.site, gate_config(source, source.site.port(), main=f"master_process {master};"),
                   name=f"ends-{master}-{end.name}").start()

    def helpers():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getsid(int(pid)) == gate.pid and "postern-auth" in open(f"/proc/{pid}/comm", encoding="utf-8").read():
                    found.append(pid)
            except OSError:
                pass
        return found

    wait_until(lambda: len(helpers()) == 2, 20, "the helpers", gate)
    gate.process.signal(end)
    gate.process.wait(20)
    wait_until(lambda: not helpers(), 20, "the end of the helpers")
