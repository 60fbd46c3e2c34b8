# SPDX-License-Identifier: BSD-2-Clause
"""auth_sqlite and auth_file: users in a store that posternctl writes, and in a file that a real Dovecot reads, too."""

import base64
import fcntl
import hashlib
import hmac
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from line import BROKEN, Line, OK, b64, log_in, sasl_plain, still_works
from peers import Dovecot, Postern, find_program
from peers.process import wait_until
from town import HOST, IMPATIENT, User, alarms, configuration

SECRET = "a secret p\xe4ss: word"
DENIED = {"imap": "a NO", "pop3": "-ERR", "smtp": "535"}

MAIL = """
    server_name mail.example.org;
    imap_capabilities IMAP4rev1 LITERAL+ SASL-IR;
    imap_auth plain login cram-md5;
    pop3_auth plain apop cram-md5;
    auth_failure_delay 0;
    auth_helper_timeout 20s;
"""


class House:
    """A Dovecot that takes every user with their password, and a postern with the given source in front."""

    def __init__(self, site):
        self.site = site
        self.users = {"jane@example.org": SECRET, "joe": SECRET}
        self.dovecot = Dovecot(site, "alpha", self.users, extra=IMPATIENT).start()
        self.doors = {"imap": site.port(), "pop3": site.port()}
        self.store = site.root / "users.db"
        self.file = site.root / "users"

    def start(self, source, more=""):
        # One helper, so that what it says once is said once.
        servers = [f"listen {HOST}:{port}; protocol {protocol};" for protocol, port in self.doors.items()]
        self.gate = Postern(self.site, configuration(f"{source} auth_helpers 1; {MAIL} {more}", *servers)).start()
        return self

    def ctl(self, *words, text=None):
        program = Path(Postern.program()).parent / "posternctl"
        env = dict(os.environ, POSTERN_STORE=str(self.store))
        done = subprocess.run([program, *words], input=text, capture_output=True, text=True, env=env, timeout=60,
                              check=False)
        if self.store.is_file():
            self.readable(self.store)
        return done

    def user(self, *words, text=None):
        done = self.ctl("user", *words, text=text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add(self, name, *words, port="imap"):
        self.user("add", name, "--stdin", f"--route={HOST}:{getattr(self.dovecot, port)}", *words, text=SECRET + "\n")

    @staticmethod
    def readable(path):
        """The helpers run as the workers' user."""
        path.chmod(0o644)

    def write(self, *lines):
        """The users file, put into place whole."""
        new = self.file.with_suffix(".new")
        new.write_text("".join(line + "\n" for line in lines))
        self.readable(new)
        new.rename(self.file)

    def way(self, port="imap"):
        return f"proxy=y host={HOST} port={getattr(self.dovecot, port)}"

    def try_plain(self, name, password=SECRET, protocol="imap"):
        """The answer to a login, and whether the server behind answers then."""
        with Line((HOST, self.doors[protocol])) as line:
            line.line()
            if protocol == "imap":
                answer = line.ask(f"a AUTHENTICATE PLAIN {sasl_plain(name, password)}")
            else:
                answer = line.ask(f"AUTH PLAIN {sasl_plain(name, password)}")
            if answer.startswith(OK[protocol]):
                assert still_works(line, protocol)
            return answer

    def good(self, name, *more, **also):
        answer = self.try_plain(name, *more, **also)
        assert answer.startswith(("a OK", "+OK")), (name, answer, self.gate.log_tail())

    def bad(self, name, *more, **also):
        answer = self.try_plain(name, *more, **also)
        assert answer.startswith(("a NO", "-ERR")) and "internal" not in answer, (name, answer)

    def broken(self, name, *words):
        answer = self.try_plain(name)
        assert answer.startswith(("* BAD internal", "a NO [UNAVAILABLE]", "* BYE")) or "nternal" in answer, answer
        log = self.gate.wait_log(words[0])
        for word in words:
            assert word in log


@pytest.fixture
def house(site):
    house = House(site)
    yield house
    assert alarms(house.gate.log_text() + house.gate.process.log_text()) == []
    assert SECRET not in house.gate.log_text()
    assert house.gate.stop() == 0


def doveadm(scheme, password=SECRET):
    return subprocess.run([find_program("doveadm", "dovecot-core"), "pw", "-s", scheme, "-p", password], check=True,
                          capture_output=True, text=True).stdout.strip()


SCHEMES = """CRYPT BLF-CRYPT MD5-CRYPT SHA256-CRYPT SHA512-CRYPT ARGON2I ARGON2ID PBKDF2 SCRAM-SHA-256 SSHA SSHA256
    SSHA512 SMD5 SHA SHA256 SHA512 LDAP-MD5 PLAIN-MD5 PLAIN.b64 SHA256.HEX SSHA512.HEX""".split()


def test_what_doveadm_makes_lets_in(house):
    house.write(*[f"{scheme}@example.org:{doveadm(scheme)}::::::{house.way()} destuser=joe" for scheme in SCHEMES])
    house.start(f"auth_file {house.file};")
    for scheme in SCHEMES:
        house.good(f"{scheme}@example.org")
        house.bad(f"{scheme}@example.org", SECRET + "x")


def test_what_posternctl_makes_doveadm_takes(house):
    house.start(f"auth_sqlite {house.store};")
    names = re.search(r"schemes are (.*)", house.ctl("user", "hash", "--stdin", "--scheme", "?", text="x\n").stderr)[1]
    for scheme in names.split(", "):
        stored = house.user("hash", "--stdin", f"--scheme={scheme}", text=SECRET + "\n").strip()
        done = subprocess.run([find_program("doveadm", "dovecot-core"), "pw", "-t", stored, "-p", SECRET],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "verified" in done.stdout, (scheme, done)
        house.add(f"{scheme}@example.org", f"--scheme={scheme}", "--login=joe")
        house.good(f"{scheme}@example.org")
        house.bad(f"{scheme}@example.org", SECRET + "x")


def test_the_life_of_a_user(house):
    house.start(f"auth_sqlite {house.store};")
    house.broken("joe", "is not there", "posternctl user add")
    house.add("joe")
    house.good("joe")
    house.bad("jane@example.org")
    house.user("set", "joe", "--disabled")
    house.bad("joe")
    house.user("set", "joe", "--enabled", "--protocols=pop3")
    house.bad("joe")
    house.user("set", "joe", "--protocols=", "--networks=192.0.2.0/24,2001:db8::/32")
    house.bad("joe")
    house.user("set", "joe", "--networks=127.0.0.0/8")
    house.good("joe")
    house.user("passwd", "joe", "--stdin", text="another\n")
    house.bad("joe")
    house.user("passwd", "joe", "--hash", doveadm("SSHA256"))
    house.good("joe")
    house.user("set", "joe", f"--route={HOST}:{house.dovecot.pop3}")
    house.good("joe", protocol="pop3")
    assert house.user("list").startswith("joe\tenabled\t")
    assert "SSHA256" in house.user("show", "Joe")
    exported = house.user("export")
    house.user("del", "joe")
    house.bad("joe", protocol="pop3")
    house.user("import", text=exported)
    house.good("joe", protocol="pop3")


def test_names_in_any_case(house):
    house.start(f"auth_sqlite {house.store};")
    house.add("Jane@Example.org", "--login=jane@example.org")
    house.good("jane@example.org")
    house.good("JANE@EXAMPLE.ORG")
    assert house.ctl("user", "add", "JANE@example.org", "--hash={PLAIN}x").returncode == 1


def cram(line, name, password):
    challenge = base64.b64decode(line.ask("a AUTHENTICATE CRAM-MD5").removeprefix("+ "))
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    return line.ask(b64(f"{name} {digest}"))


@pytest.mark.parametrize("source", ["auth_sqlite", "auth_file"])
def test_logins_that_show_no_password(house, source):
    way = {"joe": house.way(), "jane@example.org": house.way("pop3")}
    lines = [f"{name}:{doveadm('PLAIN.b64')}::::::{way[name]}" for name in way] + [f"hash:{doveadm('SSHA')}"]
    house.write(*lines)
    house.user("import", str(house.file))
    house.start(f"{source} {house.store if source == 'auth_sqlite' else house.file};")
    for name, password, good in (("joe", SECRET, True), ("joe", "x", False), ("hash", SECRET, False), ("no", "", False)):
        with Line((HOST, house.doors["imap"])) as line:
            line.line()
            answer = cram(line, name, password)
            assert answer.startswith("a OK" if good else "a NO"), (name, answer)
            assert not good or still_works(line, "imap")
    for password, good in ((SECRET, True), ("x", False)):
        with Line((HOST, house.doors["pop3"])) as line:
            salt = re.search(r"<.*>", line.line())[0]
            digest = hashlib.md5((salt + password).encode()).hexdigest()
            answer = line.ask(f"APOP jane@example.org {digest}")
            assert answer.startswith("+OK" if good else "-ERR"), answer


def test_one_file_for_dovecot_and_postern(house):
    """The very file of the Dovecot behind, with fields that each side makes its own of."""
    shared = house.dovecot.dir / "users"
    shared.write_text("# users of both\n"
                      f"joe:{doveadm('SHA512-CRYPT')}:1000:1000:Joe:/home/joe:/bin/sh:userdb_quota=5 host={HOST} "
                      f"port={house.dovecot.imap}\n")
    house.readable(shared)
    house.dovecot.dir.chmod(0o755)
    house.start(f"auth_file {shared};")
    house.good("joe")
    house.bad("joe", "x")


def test_a_file_that_changes(house):
    house.start(f"auth_file {house.file};")
    house.broken("joe", str(house.file), "No such file")
    joe = f"joe:{doveadm('SSHA')}::::::{house.way()}"
    house.write("nonsense", joe, "x:{NOSUCH}y", "joe:{PLAIN}again")
    house.good("joe")
    house.broken("x", f"{house.file}:3: ")
    log = house.gate.wait_log(f"{house.file}:1: ")
    assert "3 lines are left out, 1 users serve" in log
    house.good("joe")
    assert house.gate.log_text().count(f"{house.file}:1: ") == 1
    house.write(joe.replace("joe", "jane@example.org"))
    house.bad("joe")
    house.good("jane@example.org")
    house.file.unlink()
    house.broken("jane@example.org", "No such file")
    house.write(joe)
    house.good("joe")


def test_a_store_in_trouble(house):
    house.start(f"auth_sqlite {house.store};")
    house.add("joe")
    house.good("joe")
    kept = house.store.read_bytes()
    house.store.unlink()
    house.broken("joe", "is not there")
    house.store.write_bytes(b"no database at all, but long enough to be looked at" * 20)
    house.readable(house.store)
    house.broken("joe", "is no SQLite database")
    house.store.write_bytes(b"")
    house.broken("joe", "has no table of users yet")
    house.store.write_bytes(kept)
    house.good("joe")
    with open(house.store, "r+b") as locked:
        # SQLite's PENDING byte: a writer that waits for the readers to go lets no new one in.
        fcntl.lockf(locked, fcntl.LOCK_EX, 1, 0x40000000)
        fcntl.lockf(locked, fcntl.LOCK_EX, 510, 0x40000002)
        house.broken("joe", "another process keeps it locked")
    house.good("joe")


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone may write what others cannot read")
def test_a_store_that_workers_cannot_read(house):
    house.start(f"auth_sqlite {house.store};")
    house.add("joe")
    house.store.chmod(0o600)
    house.broken("joe", "Permission denied", "readable by the user or group of the workers")
    house.readable(house.store)
    house.good("joe")


HOSTILE = ["' OR 1=1 --", "' OR '1'='1", "joe' --", 'joe" --', "joe'; DROP TABLE users; --", "%", "j%", "_oe", "*",
           "joe:", "joe:x", "#", "joe\x01", "j\xf6e", "joe ", " joe", "?1", "$login", "${login}", "{PLAIN}", "x" * 255]


@pytest.mark.parametrize("source", ["auth_sqlite", "auth_file"])
def test_hostile_names_and_passwords(house, source):
    house.add("joe")
    house.write(f"joe:{doveadm('SSHA')}::::::{house.way()}", "nobody::::::", "locked:!::::::")
    house.start(f"{source} {house.store if source == 'auth_sqlite' else house.file};")
    for name in HOSTILE:
        house.bad(name)
        house.bad("joe", name)
    house.bad("joe", "x" * 1000)
    house.bad("joe", "")
    house.bad("nobody", "")
    house.bad("locked", "!")
    with Line((HOST, house.doors["imap"])) as line:
        line.line()
        line.send("a LOGIN joe {4096+}")
        line.raw(b"x" * 4096 + b"\r\n")
        assert not line.until("a ", "* BYE", "")[-1].startswith("a OK")
    with Line((HOST, house.doors["imap"])) as line:
        line.line()
        line.send("a AUTHENTICATE PLAIN " + base64.b64encode(b"\0joe\0" + SECRET.encode() + b"\0x").decode())
        assert not line.line().startswith("a OK")
    house.good("joe")
    assert "joe" in house.user("list")


def test_a_hash_that_costs_too_much_is_told(house):
    house.write("joe:$6$rounds=999999999$saltsalt$x::::::", "jane@example.org:{ARGON2ID}$argon2id$v=19$m=99999999,t=9,p=1$x$y")
    house.start(f"auth_file {house.file};")
    house.bad("joe")
    house.gate.wait_log("costs too much")


def type_at_terminal(house, words, *answers):
    """posternctl with a terminal of its own; what stands on the screen, and the exit status."""
    program = Path(Postern.program()).parent / "posternctl"
    pid, screen = pty.fork()
    if pid == 0:
        os.execve(program, ["posternctl", *words], dict(os.environ, POSTERN_STORE=str(house.store)))
    seen = b""
    for prompt, answer in zip((b"Password: ", b"again: "), answers):
        while not seen.endswith(prompt):
            seen += os.read(screen, 1024)
        os.write(screen, answer)
    try:
        while more := os.read(screen, 1024):
            seen += more
    except OSError:  # the other end is closed
        pass
    os.close(screen)
    return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_passwords_typed_unseen(house):
    house.start(f"auth_sqlite {house.store};")
    add = ["user", "add", "joe", f"--route={HOST}:{house.dovecot.imap}"]
    secret = SECRET.encode()
    seen, status = type_at_terminal(house, add, secret + b"\r", b"another\r")
    assert status == 1 and "two different" in seen and SECRET not in seen
    seen, status = type_at_terminal(house, add, b"\x03")
    assert status == 1 and "no password was given" in seen
    seen, status = type_at_terminal(house, add, b"wrong\x15" + secret + b"\r", secret + b"x\x7f\r")
    assert status == 0 and SECRET not in seen and "wrong" not in seen
    house.readable(house.store)
    house.good("joe")


def test_command_lines_that_are_wrong(house):
    house.start(f"auth_sqlite {house.store};")
    for words in (["user"], ["user", "add"], ["user", "frob"], ["user", "add", "x", "--password=y"], ["user", "list", "x"],
                  ["user", "add", "x", "y"], ["frob"], []):
        assert house.ctl(*words).returncode == 2
    for words in (["-h"], ["user", "--help"], ["user", "add", "-h"], ["cache", "-h"]):
        done = house.ctl(*words)
        assert done.returncode == 0 and done.stdout.startswith("Usage:") and not done.stderr
    for words, text, says in ((["add", "joe", "--stdin"], "", "no password"),
                              (["add", "joe", "--stdin"], "\r\n", "no password"),
                              (["add", "joe", "--hash={NOSUCH}x"], "", "scheme is unknown"),
                              (["add", "joe", "--hash={PLAIN}x"], "", "use --stdin"),
                              (["add", "joe", "--stdin", "--networks=here"], "x\n", "networks"),
                              (["add", "j:e", "--stdin"], "x\n", "colon"),
                              (["import"], "joe\n\njane:{NOSUCH}x\n", ":3: password scheme is unknown"),
                              (["import", "/nonexistent"], "", "No such file")):
        done = house.ctl("user", *words, text=text)
        assert done.returncode == 1 and says in done.stderr, done
    assert house.user("list") == ""
