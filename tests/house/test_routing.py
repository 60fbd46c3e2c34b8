# SPDX-License-Identifier: BSD-2-Clause
"""Where a login goes and as whom, without an authentication source or with one that names the place.

The town has two Dovecots, north and south, who know the same people by different passwords: whoever is let in with
the password for a server has been there.
"""

import os
import re
import signal

import pytest

from line import Line, log_in, still_works
from peers import Dovecot, Postern, Site, smtp_server
from peers.maildir import messages
from peers.process import session_of, wait_until
from peers.site import unprivileged_user
from stubs.auth import AuthServer
from stubs.mailserver import MailServer, imap_login, smtp_login
from town import HOST, IMPATIENT, User, alarms, configuration

PROTOCOLS = ("imap", "pop3", "smtp")
IN = {"imap": "a OK", "pop3": "+OK", "smtp": "235"}
WRONG = {"imap": "a NO [AUTHENTICATIONFAILED]", "pop3": "-ERR [AUTH]", "smtp": "535 5.7.8"}
REFUSED = {"imap": "a NO Auth", "pop3": "-ERR Auth", "smtp": "535 5.7.0"}  # by a source, in its words
UNAVAILABLE = {"imap": "a NO [UNAVAILABLE]", "pop3": "-ERR [SYS/TEMP]", "smtp": "454 4.7.0"}
PEOPLE = ("ada@example.org", "bob@example.com", "eve@mail.example.net", "ada", "xy-7", "Ada@Example.org",
          *(f"user{n}@example.org" for n in range(12)))
MASTER = User("gatekeeper", "pw-of-the-gatekeeper", "north")


def password(name, server):
    return f"pw-{name.partition('@')[0].lower()}-{server}"


def person(name, server):
    return User(name, password(name, server), server)


ADA = {server: person("ada@example.org", server) for server in ("north", "south")}

MASTERS = """
auth_master_user_separator = *
passdb {{
  driver = passwd-file
  master = yes
  args = scheme=PLAIN username_format=%u {file}
}}
"""


class Town:
    def __init__(self, site):
        self.site = site
        masters = site.root / "masters"
        masters.write_text(f"{MASTER.name}:{MASTER.password}\n")
        for server in ("north", "south"):
            users = {name: password(name, server) for name in PEOPLE}
            extra = IMPATIENT + (MASTERS.format(file=masters) if server == "north" else "")
            setattr(self, server, Dovecot(site, server, users, extra=extra).start())
            boxes = {"ada@example.org": self.of(server).maildir("ada@example.org"),
                     "bob@example.com": self.of(server).maildir("bob@example.com")}
            setattr(self, server + "_post", smtp_server(site, f"{server}-post", boxes, self.of(server)).start())
            for box in boxes.values():
                box.parent.mkdir(exist_ok=True)
                site.give(box.parent, unprivileged_user())

    def of(self, server):
        return getattr(self, server)

    def place(self, protocol, server):
        """HOST:PORT of a server."""
        if protocol == "smtp":
            return f"{HOST}:{getattr(self, server + '_post').port}"
        return f"{HOST}:{getattr(self.of(server), protocol)}"


@pytest.fixture(scope="module")
def town():
    with Site() as site:
        yield Town(site)


@pytest.fixture
def open_gate(site, town):
    """Starts a postern with one door; NORTH and SOUTH in its lines stand for the servers of the protocol."""
    gates = []

    def start(lines, protocol="imap", mail="", main=""):
        door = HOST, site.port()
        def fill(text):
            for server in ("north", "south"):
                text = text.replace(server.upper(), town.place(protocol, server))
            return text
        server = f"listen {door[0]}:{door[1]}; protocol {protocol}; {fill(lines)}"
        gate = Postern(site, configuration(fill(mail), server, main=main), name=f"gate{len(gates)}").start()
        gate.door, gate.protocol = door, protocol
        gates.append(gate)
        return gate
    yield start
    for gate in gates:
        log = gate.log_text()
        assert alarms(log) == []
        assert not re.search(r"pw-\w+-(north|south)|pw-of-the", log), "passwords in the log"


def enter(gate, user, source=None):
    """The answer to a login on a new connection, which then has to work if it was a yes."""
    with Line(gate.door, source=source) as line:
        line.line()
        answer = log_in(line, gate.protocol, user)
        if answer.startswith(IN[gate.protocol]):
            assert still_works(line, gate.protocol)
        return answer


def goes_to(gate, name, server, source=None):
    answer = enter(gate, person(name, server), source)
    assert answer.startswith(IN[gate.protocol]), (answer, gate.log_tail())
    other = {"north": "south", "south": "north"}[server]
    assert enter(gate, person(name, other), source).startswith(WRONG[gate.protocol])


# The server is the judge


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_credentials_pass_through(open_gate, protocol):
    gate = open_gate("proxy_pass NORTH;", protocol)
    goes_to(gate, "ada@example.org", "north")
    assert enter(gate, User("nobody@example.org", "pw", "north")).startswith(WRONG[protocol])
    assert enter(gate, User("ada@example.org", "x", "north")).startswith(WRONG[protocol])
    with Line(gate.door) as line:  # refused once, and let in by the same connection
        line.line()
        assert log_in(line, protocol, ADA["south"]).startswith(WRONG[protocol])
        assert log_in(line, protocol, ADA["north"]).startswith(IN[protocol])


@pytest.mark.parametrize("lines", ["", "proxy_smtp_auth on;", "proxy_smtp_auth off;", "xclient off;"])
def test_smtp_asks_the_server_whatever_is_configured(open_gate, stubs, lines):
    """A login that nobody has looked at is never vouched for by XCLIENT."""
    heard = []

    async def handler(connection):
        await connection.send(b"220 m ESMTP\r\n")
        login = await smtp_login(connection)
        heard.append(login)
        await connection.send(b"535 5.7.8 no\r\n" if login.password != b"right" else b"235 2.7.0 yes\r\n")
        await connection.rest()

    server = stubs.run(MailServer(handler).start())
    gate = open_gate(f"proxy_pass {HOST}:{server.port}; {lines}", "smtp")
    assert enter_smtp(gate, "wrong").startswith("535 5.7.8")
    assert enter_smtp(gate, "right").startswith("235")
    assert [(h.user, h.password) for h in heard] == [(b"ada", b"wrong"), (b"ada", b"right")]
    said = b"\n".join(line for h in heard for line in h.lines)
    assert b"LOGIN=" not in said
    assert (b"XCLIENT ADDR=127.0.0.1" in said) == ("xclient off" not in lines)


def enter_smtp(gate, secret):
    with Line(gate.door) as line:
        line.line()
        return log_in(line, "smtp", User("ada", secret, ""))


# Where to


def test_by_domain(open_gate):
    gate = open_gate("proxy_pass $site;", mail=r"""
        map $login_domain $site {
            hostnames;
            default       127.0.0.1:1;
            example.org   NORTH;
            *.example.net SOUTH;
            "~^example\.(com|info)$" SOUTH;
        }""")
    goes_to(gate, "ada@example.org", "north")
    goes_to(gate, "Ada@Example.org", "north")
    goes_to(gate, "eve@mail.example.net", "south")
    goes_to(gate, "bob@example.com", "south")
    assert enter(gate, person("ada", "north")).startswith(UNAVAILABLE["imap"])


def test_by_login_pattern_and_its_groups(open_gate, town):
    gate = open_gate("proxy_pass $site; proxy_login $as;", mail=r"""
        map $login $site { "~^xy-\d+$" SOUTH; default NORTH; }
        map $login $as { "~^(?<who>\w+)@short$" $who@example.org; default $login; }""")
    goes_to(gate, "xy-7", "south")
    goes_to(gate, "ada", "north")
    assert enter(gate, User("ada@short", password("ada", "north"), "north")).startswith("a OK")


def test_by_client_network(open_gate):
    gate = open_gate("proxy_pass $site;", mail="geo $site { default NORTH; 127.0.0.77 SOUTH; }")
    goes_to(gate, "ada@example.org", "north")
    goes_to(gate, "ada@example.org", "south", source="127.0.0.77")


def test_by_recipient(open_gate, town):
    """Mail that is taken without a login."""
    gate = open_gate("smtp_auth none; proxy_pass $site;", "smtp", mail="""
        map $smtp_rcpt_domain $site { example.org NORTH; example.com SOUTH; }""")
    for recipient, server in (("ada@Example.ORG", "north"), ("bob@example.com", "south")):
        with Line(gate.door) as line:
            line.line()
            line.send("EHLO client.example")
            line.until("250 ")
            assert line.ask("MAIL FROM:<eve@mail.example.net>").startswith("250")
            assert line.ask(f"RCPT TO:<{recipient}>").startswith("250"), gate.log_tail()
            assert line.ask("DATA").startswith("354")
            assert line.ask(f"Subject: for {recipient}", "", "Hello.", ".").startswith("250")
        box = town.of(server).maildir(recipient.lower())
        wait_until(lambda: any(f"for {recipient}".encode() in m for m in messages(box)), 20, f"mail on {server}")
    with Line(gate.door) as line:
        line.line()
        line.send("EHLO client.example")
        line.until("250 ")
        line.ask("MAIL FROM:<eve@mail.example.net>")
        assert line.ask("RCPT TO:<who@elsewhere.example>").startswith("451")
    gate.wait_log('proxy_pass "$site" is empty for this login')


def test_by_protocol(site, town):
    doors = {protocol: (HOST, site.port()) for protocol in ("imap", "pop3")}
    servers = (f"listen {door[0]}:{door[1]}; protocol {protocol};" for protocol, door in doors.items())
    gate = Postern(site, configuration(
        f"map $protocol $site {{ imap {town.place('imap', 'north')}; pop3 {town.place('pop3', 'south')}; }}"
        "proxy_pass $site;", *servers)).start()
    for gate.protocol, gate.door in doors.items():
        goes_to(gate, "ada@example.org", {"imap": "north", "pop3": "south"}[gate.protocol])


# As whom


@pytest.mark.parametrize("lines, client", [
    ("proxy_login $login_local;", "ada@any.example"),
    ("proxy_login $login_local@example.org;", "ada"),
    ("proxy_login_lowercase on;", "ADA@EXAMPLE.ORG"),
    ("proxy_login $login_local; proxy_login_lowercase on;", "Ada@example.org"),
])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_name_at_the_server(open_gate, lines, client, protocol):
    gate = open_gate(f"proxy_pass NORTH; {lines}", protocol)
    assert enter(gate, User(client, password("ada", "north"), "north")).startswith(IN[protocol]), gate.log_tail()


def test_a_route_by_the_name_before_it_is_rewritten(open_gate):
    gate = open_gate("proxy_pass $site; proxy_login $login_local;",
                     mail="map $login_domain $site { a.example NORTH; b.example SOUTH; }")
    for domain, server in (("a.example", "north"), ("b.example", "south")):
        assert enter(gate, User(f"ada@{domain}", password("ada", server), server)).startswith("a OK")


# A master user


@pytest.fixture
def users(site):
    """An auth_file; made by {name: (password, fields)}."""
    def write(people):
        path = site.root / "users"
        path.write_text("".join(f"{n}:{{PLAIN}}{p}::::::{fields}\n" for n, (p, fields) in people.items()))
        return f"auth_file {path};"
    return write


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_master_user(site, open_gate, users, town, protocol):
    secret = site.root / "secret"
    secret.write_text(MASTER.password + "\n")
    source = users({"ada@example.org": ("known-to-us", "")})
    gate = open_gate(f"{source} proxy_pass NORTH; proxy_user {MASTER.name}; proxy_password_file {secret}; "
                     "auth_failure_delay 0; proxy_smtp_auth on;", protocol)
    assert enter(gate, User("ada@example.org", "known-to-us", "")).startswith(IN[protocol]), gate.log_tail()
    for stranger in (ADA["north"], User(MASTER.name, MASTER.password, ""), User("bob@example.com", "known-to-us", "")):
        assert enter(gate, stranger).startswith(REFUSED[protocol])


def test_a_master_password_that_is_wrong(site, open_gate, users):
    """Nothing that the client could mend by another password."""
    secret = site.root / "secret"
    secret.write_text("not the right one\n")
    source = users({"ada@example.org": ("known-to-us", "")})
    gate = open_gate(f"{source} proxy_pass NORTH; proxy_user {MASTER.name}; proxy_password_file {secret};")
    assert enter(gate, User("ada@example.org", "known-to-us", "")).startswith(UNAVAILABLE["imap"])
    gate.wait_log("[error]")
    assert "not the right one" not in gate.log_text()


def test_an_outdated_password_of_the_source(open_gate, users):
    source = users({"ada@example.org": ("known-to-us", "pass=outdated"),
                    "bob@example.com": (password("bob", "south"), f"pass={password('bob', 'south')}")})
    gate = open_gate(f"{source} proxy_pass NORTH;")
    assert enter(gate, User("ada@example.org", "known-to-us", "")).startswith(UNAVAILABLE["imap"])
    assert enter(gate, person("bob@example.com", "south")).startswith(WRONG["imap"])  # what the client said itself


def test_a_master_user_needs_a_source(site, town):
    secret = site.root / "secret"
    secret.write_text(MASTER.password)
    done = Postern(site, configuration(
        f"proxy_user {MASTER.name}; proxy_password_file {secret};",
        f"listen {HOST}:{site.port()}; protocol imap; proxy_pass {HOST};")).run("-t")
    assert done.returncode != 0
    assert "proxy_password_file" in done.stderr and "authentication source" in done.stderr


# What an authentication server answers


@pytest.fixture
def answering(open_gate, stubs):
    """A postern that asks a stub; what the stub answers is set as `answer`, a list of fields."""
    def start(protocol="imap", **more):
        async def on_question(question):
            await question.reply(("Auth-Status", "OK"), *gate.answer)

        auth = stubs.run(AuthServer(on_question).start())
        gate = open_gate(f"auth_http http://{HOST}:{auth.port}/; proxy_smtp_auth on;", protocol, **more)
        return gate
    return start


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_answer_names_the_place(answering, town, protocol):
    gate = answering(protocol, mail="upstream store { server NORTH; }")
    host, port = town.place(protocol, "north").split(":")
    for answer in ([("Auth-Server", "store")], [("Auth-Server", f"{host}:{port}")],
                   [("Auth-Server", host), ("Auth-Port", port)]):
        gate.answer = answer
        assert enter(gate, ADA["north"]).startswith(IN[protocol]), (answer, gate.log_tail())


def test_an_answer_names_a_socket(site, answering, stubs):
    path = site.root / "imap.sock"

    async def handler(connection):
        await connection.send(b"* OK [CAPABILITY IMAP4rev1] ready\r\n")
        login = await imap_login(connection)
        await connection.send(login.tag + b" OK [CAPABILITY IMAP4rev1] in\r\n")
        await connection.rest()

    stubs.run(MailServer(handler).start(str(path)))
    path.chmod(0o777)
    gate = answering()
    gate.answer = [("Auth-Server", f"unix:{path}")]
    with Line(gate.door) as line:
        line.line()
        assert log_in(line, "imap", ADA["north"]).startswith("a OK"), gate.log_tail()


@pytest.mark.parametrize("place, complaint", [
    ("no-such-upstream", r'host "no-such-upstream" could not be resolved'),
    ("no_name!", r'in upstream "no_name!"'),
    (f"{HOST}:99999", r'invalid port in upstream'),
    ("unix:/nowhere/at/all", r'connect\(\) failed \(2: No such file or directory\)'),
])
def test_an_answer_that_leads_nowhere(answering, town, place, complaint):
    """The client hears of temporary trouble, the log of the place; the next answer works."""
    gate = answering(mail="upstream store { server NORTH; }")
    gate.answer = [("Auth-Server", place)]
    with Line(gate.door) as line:
        line.line()
        assert log_in(line, "imap", ADA["north"]).startswith(UNAVAILABLE["imap"])
        wait_until(lambda: re.search(r"\[error\].*" + complaint, gate.log_text()), 10, complaint, gate)
        gate.answer = [("Auth-Server", "store")]
        assert log_in(line, "imap", ADA["north"]).startswith("a OK")


def test_an_answer_with_a_master_user(answering):
    gate = answering(mail="upstream store { server NORTH; }")
    gate.answer = [("Auth-Server", "store"), ("Auth-Master-User", MASTER.name), ("Auth-Pass", MASTER.password)]
    assert enter(gate, User("ada@example.org", "whatever", "")).startswith("a OK"), gate.log_tail()
    gate.answer = [("Auth-Server", "store"), ("Auth-Master-User", MASTER.name), ("Auth-Pass", "wrong")]
    assert enter(gate, User("ada@example.org", "whatever", "")).startswith("a NO [UNAVAILABLE]")


def test_an_answer_asks_for_tls_that_is_not_there(answering):
    """Never in the clear then."""
    gate = answering(mail="upstream store { server NORTH; } proxy_ssl_verify off;")
    gate.answer = [("Auth-Server", "store"), ("Auth-TLS", "starttls")]
    assert enter(gate, ADA["north"]).startswith(UNAVAILABLE["imap"])
    gate.wait_log("does not offer STARTTLS")
    gate.answer = [("Auth-Server", "store"), ("Auth-TLS", "perhaps")]
    with Line(gate.door) as line:
        line.line()
        line.send("a LOGIN ada@example.org any")
        assert line.rest() == "* BAD internal server error\r\n"  # as nginx says when the answer is nonsense
    gate.wait_log('sent invalid Auth-TLS:"perhaps"')


# Groups


def test_a_hash_keeps_a_user_on_one_server(open_gate):
    gate = open_gate("proxy_pass store;", mail="upstream store { hash $login consistent; server NORTH; server SOUTH; }",
                     main="worker_processes 2;")
    homes = set()
    for n in range(12):
        name = f"user{n}@example.org"
        answer = enter(gate, person(name, "north"))
        home = "north" if answer.startswith("a OK") else "south"
        homes.add(home)
        for _ in range(4):
            assert enter(gate, person(name, home)).startswith("a OK"), gate.log_tail()
    assert homes == {"north", "south"}


def test_a_group_without_a_live_server(site, town):
    """Temporary trouble, and served again when one is there."""
    ports = [site.port(), site.port()]
    door = HOST, site.port()
    servers = "".join(f"server {HOST}:{port}; " for port in ports)
    gate = Postern(site, configuration(f"upstream store {{ {servers} }} proxy_pass store;",
                                       f"listen {door[0]}:{door[1]}; protocol imap;")).start()
    gate.door, gate.protocol = door, "imap"
    assert enter(gate, ADA["north"]).startswith(UNAVAILABLE["imap"])
    for port in ports:
        gate.wait_log(f'upstream "store" server {HOST}:{port} is down: ')
    late = Dovecot(site, "late", {ADA["north"].name: ADA["north"].password})
    config = late.config.read_text().replace(f"port = {late.imap}\n", f"port = {ports[0]}\n")
    late.config.write_text(config)
    late.imap = ports[0]
    late.start()
    assert enter(gate, ADA["north"]).startswith("a OK"), gate.log_tail()
    gate.wait_log(f'upstream "store" server {HOST}:{ports[0]} is up again')


CHECKS = {
    "greeting": "",
    "capability": "",
    "login": f"user=ada@example.org password_file=SECRET",
}


@pytest.mark.parametrize("kind", CHECKS)
def test_a_check_takes_a_frozen_server_out(site, open_gate, kind):
    secret = site.root / "secret"
    secret.write_text(ADA["north"].password + "\n")
    frozen = Dovecot(site, "frozen", {ADA["north"].name: ADA["north"].password}, extra=IMPATIENT).start()
    more = CHECKS[kind].replace("SECRET", str(secret))
    gate = open_gate("proxy_pass store;", mail=f"""upstream store {{
        server NORTH; server {HOST}:{frozen.imap} max_fails=0; proxy_ssl off;
        check type={kind} protocol=imap interval=100ms timeout=500ms fails=2 rises=2 {more}; }}""")
    name = f'upstream "store" server {HOST}:{frozen.imap}'
    everybody = session_of(frozen.process.pid)
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    try:
        gate.wait_log(f"{name} is down: ", 20)
        for _ in range(4):
            assert enter(gate, ADA["north"]).startswith("a OK")
        assert "upstream timed out" not in gate.log_text()
    finally:
        for pid in everybody:
            os.kill(pid, signal.SIGCONT)
    gate.wait_log(f"{name} is up again", 20)
    wait_until(lambda: enter(gate, ADA["north"]).startswith("a OK") and
               f'login: "ada@example.org", upstream: {HOST}:{frozen.imap}' in gate.log_text(), 20, "a login there",
               gate)


def test_a_check_that_logs_in_sees_a_refusal(site, open_gate):
    secret = site.root / "secret"
    secret.write_text("wrong\n")
    gate = open_gate("proxy_pass store;", mail=f"""upstream store {{ server NORTH; proxy_ssl off;
        check type=login protocol=imap interval=100ms user=ada@example.org password_file={secret}; }}""")
    gate.wait_log('upstream "store" server ')
    assert "is down: " in gate.log_text()
    assert enter(gate, ADA["north"]).startswith("a OK")  # when nobody is in service, all are tried


def test_a_check_of_tls(site, open_gate, town):
    """A server without TLS is no use to a check that speaks it."""
    gate = open_gate("proxy_pass store;", mail="""upstream store { server NORTH;
        check type=tls interval=100ms timeout=500ms; proxy_ssl_verify off; proxy_ssl off; }""")
    gate.wait_log("is down: ")


# What is empty or undefined


def test_an_empty_variable(open_gate):
    """The log names the directive; a login that has a place works by the same connection."""
    gate = open_gate("proxy_pass $site;", mail="map $login_domain $site { example.org NORTH; }")
    with Line(gate.door) as line:
        line.line()
        assert log_in(line, "imap", person("bob@example.com", "north")).startswith(UNAVAILABLE["imap"])
        gate.wait_log('[error]')
        gate.wait_log('proxy_pass "$site" is empty for this login')
        assert log_in(line, "imap", ADA["north"]).startswith("a OK")


def test_a_turn_that_comes_too_late_is_nobodys(open_gate):
    """Who has waited in vain for a server is not logged in when its turn comes after all."""
    gate = open_gate("proxy_pass slow; timeout 1s;", mail="upstream slow { server NORTH login_rate=30r/m; }",
                     main="worker_processes 1;")
    assert enter(gate, ADA["north"]).startswith(IN["imap"])
    with Line(gate.door) as line:
        line.line()
        assert log_in(line, "imap", person("bob@example.com", "north")).startswith(UNAVAILABLE["imap"])
        wait_until(lambda: enter(gate, ADA["north"]).startswith(IN["imap"]), 20, "the next turn", gate)
        assert line.ask("b NOOP") == "b OK completed"
    assert not re.search(r'client logged in, .*bob@example', gate.log_text())


def test_no_name_is_no_login(site, open_gate, users):
    """An empty name would make the master himself of a master's login."""
    secret = site.root / "master-for-nobody"
    secret.write_text(MASTER.password)
    source = users({"ada@example.org": ("known-to-us", "")})
    gate = open_gate(f"{source} proxy_pass NORTH; proxy_login $who; "
                     f"proxy_user {MASTER.name}; proxy_password_file {secret};",
                     mail="map $login $who { bob@example.com bob@example.com; }")
    assert enter(gate, User("ada@example.org", "known-to-us", "")).startswith(UNAVAILABLE["imap"])
    assert "no name to log in with at the mail server: proxy_login is empty" in gate.log_text()


def test_an_upstream_that_is_not_defined(site):
    done = Postern(site, configuration("", f"listen {HOST}:{site.port()}; protocol imap; proxy_pass stroe;")).run("-t")
    assert done.returncode != 0
    assert re.search(r'stroe.*proxy\.conf:\d+', done.stderr), done.stderr
