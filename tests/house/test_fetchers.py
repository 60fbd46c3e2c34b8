# SPDX-License-Identifier: BSD-2-Clause
"""Other people's mail programs, as their users configure them: mbsync, fetchmail, getmail, OfflineIMAP, mutt, msmtp.

Each with every mechanism that it and the gate have in common, over plain connections, STARTTLS and TLS as far as it can.
"""

import os
import pty
import select
import signal
import subprocess
import threading

import pytest

from peers.process import find_program
from town import HOST

SECURITY = ("plain", "starttls", "tls")


class Home:
    """A home directory for one program, so that nobody's real one is read or written."""

    def __init__(self, path):
        self.path = path
        self.env = {"HOME": str(path), "PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8",
                    "XDG_CONFIG_HOME": str(path), "XDG_DATA_HOME": str(path), "XDG_CACHE_HOME": str(path)}

    def write(self, name, text):
        path = self.path / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def run(self, program, *argv, given=None):
        """The program's output; it must succeed."""
        done = subprocess.run([find_program(program), *map(str, argv)], cwd=self.path, env=self.env, input=given,
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{program} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def fetched(self):
        """Everything that lies in a Maildir or mbox below."""
        files = [f for f in self.path.rglob("*") if f.is_file() and f.parent.name in ("new", "cur", "mail")]
        return "".join(f.read_text() for f in files)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


# mbsync

MBSYNC = """
IMAPStore far
Host localhost
Port {port}
User {user.name}
Pass {user.password}
AuthMechs {mechanism}
SSLType {ssl}
CertificateFile {ca}
SystemCertificates no

MaildirStore near
Path {home}/
Inbox {home}/inbox

Channel all
Far :far:
Near :near:
Create Near
SyncState *
"""


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN", "CRAM-MD5"])
def test_mbsync(gate, town, home, mechanism, security):
    user = town.user()
    kind = {"plain": "None", "starttls": "STARTTLS", "tls": "IMAPS"}[security]
    home.write("mbsyncrc", MBSYNC.format(port=gate.doors.address("imap", security)[1], user=user, mechanism=mechanism,
                                         ssl=kind, ca=town.authority.ca, home=home.path))
    home.run("mbsync", "-c", "mbsyncrc", "all")
    assert user.proof in home.fetched()


# fetchmail

FETCHMAIL = """
poll localhost protocol {protocol} port {port} auth {auth} timeout 30
  username "{user.name}" password "{user.password}" {ssl} sslcertck sslcertfile "{ca}" fetchall keep
  mda "tee -a {home}/mail/box"
"""


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("protocol, auth", [("imap", "password"), ("imap", "cram-md5"), ("pop3", "password"), ("apop", "any")])
def test_fetchmail(gate, town, home, protocol, auth, security):
    user = town.user("beta")
    ssl = {"plain": "sslproto ''", "starttls": "sslproto 'tls1+'", "tls": "ssl"}[security]
    (home.path / "mail").mkdir()
    door = gate.doors.address("imap" if protocol == "imap" else "pop3", security)
    home.write("fetchmailrc", FETCHMAIL.format(protocol=protocol, port=door[1], auth=auth, user=user, ssl=ssl,
                                               ca=town.authority.ca, home=home.path))
    home.run("fetchmail", "--nosyslog", "--nodetach", "-i", "ids", "--pidfile", "pid", "-f", "fetchmailrc")
    assert user.proof in home.fetched()


# getmail

GETMAIL = """
[retriever]
type = Simple{kind}Retriever
server = localhost
port = {port}
username = {user.name}
password = {user.password}
timeout = 30
{more}
[destination]
type = MDA_external
path = /usr/bin/tee
arguments = ("-a", "{home}/mail/box")
allow_root_commands = true
[options]
read_all = true
"""


@pytest.mark.parametrize("security", ["plain", "tls"])
@pytest.mark.parametrize("protocol, more", [("imap", ""), ("imap", "use_cram_md5 = true"), ("pop3", ""),
                                            ("pop3", "use_apop = true")])
def test_getmail(gate, town, home, protocol, more, security):
    user = town.user()
    if security == "tls":
        more += f"\nca_certs = {town.authority.ca}"
    (home.path / "mail").mkdir()
    kind = protocol.upper() + ("SSL" if security == "tls" else "")
    home.write("getmailrc", GETMAIL.format(kind=kind, port=gate.doors.address(protocol, security)[1], user=user,
                                           more=more, home=home.path))
    home.run("getmail", f"--getmaildir={home.path}", "--rcfile=getmailrc")
    assert user.proof in home.fetched()


# OfflineIMAP

OFFLINEIMAP = """
[general]
accounts = one
metadata = {home}/meta
socktimeout = 10
[Account one]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {home}/box
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {user.name}
remotepass = {user.password}
auth_mechanisms = {mechanism}
ssl = {ssl}
starttls = {starttls}
sslcacertfile = {ca}
"""


def offlineimap(home):
    """One run. Now and then imaplib2 misses the answer to what it asks first after STARTTLS, of Dovecot without a proxy
    as often as of us, and gives up; then, and only then, it is asked again."""
    for attempts_left in (2, 1, 0):
        try:
            home.run("offlineimap", "-o", "-u", "basic", "-c", "config")
            return
        except AssertionError as failure:
            if not attempts_left or "Failed to start TLS connection: command: CAPABILITY" not in str(failure):
                raise


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["LOGIN", "PLAIN", "CRAM-MD5"])
def test_offlineimap(gate, town, home, mechanism, security):
    user = town.user("beta")
    home.write("config", OFFLINEIMAP.format(
        port=gate.doors.address("imap", security)[1], user=user, mechanism=mechanism, ca=town.authority.ca,
        home=home.path, ssl="yes" if security == "tls" else "no", starttls="yes" if security == "starttls" else "no"))
    offlineimap(home)
    assert user.proof in home.fetched()


# mutt

MUTT = """
set folder="{home}" from="{user.name}" realname="" hostname="client.example" confirmcreate=no move=no mark_old=no
set certificate_file="{ca}" ssl_starttls={starttls} ssl_force_tls={force}
set imap_authenticators="{mechanism}" pop_authenticators="{mechanism}" smtp_authenticators="{mechanism}"
set imap_user="{user.name}" imap_pass="{user.password}" pop_user="{user.name}" pop_pass="{user.password}"
set smtp_pass="{user.password}" message_cachedir="" pop_delete=no wait_key=no record="" abort_unmodified=no
"""


def mutt_settings(town, home, user, mechanism, security):
    return MUTT.format(home=home.path, user=user, mechanism=mechanism, ca=town.authority.ca, force="yes" if security == "starttls" else "no",
                       starttls="no" if security == "plain" else "yes")


def in_terminal(home, *argv):
    """Runs a program that insists on a terminal, and reads what it paints so that it does not wait for us."""
    ours, its = pty.openpty()
    child = subprocess.Popen(argv, cwd=home.path, env=home.env, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    painted = []
    killer = threading.Timer(60, os.killpg, (child.pid, signal.SIGKILL))
    killer.start()
    try:
        while select.select([ours], [], [])[0]:
            try:
                painted.append(os.read(ours, 4096))
            except OSError:  # how a pseudo-terminal says that nobody is left
                break
        return child.wait(), b"".join(painted)
    finally:
        killer.cancel()
        os.close(ours)


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("protocol, mechanism", [("imap", "login"), ("imap", "plain"), ("imap", "cram-md5"),
                                                 ("pop", "user"), ("pop", "plain"), ("pop", "cram-md5"), ("pop", "apop")])
def test_mutt_reads(gate, town, home, protocol, mechanism, security):
    user = town.user()
    home.write("muttrc", mutt_settings(town, home, user, mechanism, security))
    (home.path / "mail").mkdir()
    door = gate.doors.address("imap" if protocol == "imap" else "pop3", security)
    scheme = protocol + ("s" if security == "tls" else "")
    status, painted = in_terminal(
        home, find_program("mutt"), "-F", "muttrc", "-f", f"{scheme}://localhost:{door[1]}/",
        "-e", f'push "<pipe-message>cat >{home.path}/mail/box<enter><exit>"')
    assert status == 0, painted
    assert user.proof in home.fetched(), painted


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram-md5"])
def test_mutt_sends(gate, town, home, mechanism, security):
    user, recipient = town.user("alpha", mail=False), town.user("beta", mail=False)
    scheme = "smtps" if security == "tls" else "smtp"
    name = user.name.replace("@", "%40")
    home.write("muttrc", mutt_settings(town, home, user, mechanism, security)
               + f'set smtp_url="{scheme}://{name}@localhost:{gate.doors.address("smtp", security)[1]}/"\n')
    home.run("mutt", "-F", "muttrc", "-s", "test", "--", recipient.name, given=f"from {user.name}, by mutt\n")
    town.arrived(recipient, f"from {user.name}, by mutt")


# msmtp


@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram-md5"])
def test_msmtp(gate, town, home, mechanism, security):
    user, recipient = town.user("beta", mail=False), town.user("alpha", mail=False)
    protect = {"plain": ("--tls=off",), "starttls": ("--tls=on", "--tls-starttls=on"),
               "tls": ("--tls=on", "--tls-starttls=off")}[security]
    home.write("msmtprc", f"account default\nhost localhost\nport {gate.doors.address('smtp', security)[1]}\n"
               f"user {user.name}\npassword {user.password}\nfrom {user.name}\ntls_trust_file {town.authority.ca}\n")
    home.run("msmtp", "-C", "msmtprc", f"--auth={mechanism}", *protect, recipient.name,
             given=f"Subject: test\n\nfrom {user.name} by msmtp\n")
    town.arrived(recipient, f"from {user.name} by msmtp")


def test_wrong_password_is_told_as_such(gate, town, home):
    """A client that hears of a wrong password asks its user; one that hears of trouble tries again later."""
    user = town.user(mail=False)
    home.write("msmtprc", f"account default\nhost {HOST}\nport {gate.doors.address('smtp')[1]}\nauth plain\ntls off\n"
               f"user {user.name}\npassword wrong\nfrom {user.name}\n")
    done = subprocess.run([find_program("msmtp"), "-C", home.path / "msmtprc", "x@example.org"], env=home.env,
                          input="x", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 77  # EX_NOPERM
    assert "535 5.7.8 Invalid login or password" in done.stderr
