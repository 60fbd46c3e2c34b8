# SPDX-License-Identifier: BSD-2-Clause
"""An independent Postfix: one SMTP port on loopback, mail delivered into Maildirs, nothing sent elsewhere.

Postfix runs as root only, so start() raises Missing for anybody else; aiosmtp.py is the stand-in then.
"""

import grp
import os
import pwd
import time

from .process import Missing, Process, find_program
from .site import unprivileged_user

HOST = "127.0.0.1"

_MAIN = """
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
maillog_file = {log}
maillog_file_prefixes = {dir}
myhostname = {hostname}
mydomain = {hostname}
inet_interfaces = loopback-only
inet_protocols = all
mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8 [::1]/128
virtual_mailbox_domains = {domains}
virtual_mailbox_base = /
virtual_mailbox_maps = texthash:{mailboxes}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = 209715200
default_transport = error:this server delivers only to its own users
relay_transport = error:this server delivers only to its own users
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8 [::1]
smtpd_sasl_auth_enable = {sasl_on}
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_sasl_authenticated_header = yes
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_tls_security_level = {tls}
smtputf8_enable = yes
in_flow_delay = 0
biff = no
{extra}
"""

# TLS from the first byte, on a port of its own.
_SMTPS = """
{host}:{smtps}  inet  n - n - 300 smtpd
  -o smtpd_tls_wrappermode=yes
"""

_MASTER = """
{host}:{port}   inet  n - n - 300 smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
error     unix  - - n - - error
retry     unix  - - n - - error
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""

# What Postfix expects below its queue directory: name, owner, group, mode.
_QUEUE = [
    *((name, "postfix", None, 0o700) for name in (
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
        "trace")),
    ("maildrop", "postfix", "postdrop", 0o730),
    ("public", "postfix", "postdrop", 0o710),
    ("pid", "root", None, 0o755),
]


class Postfix:
    """One instance.

    mailboxes  maps addresses to Maildir folders; their domains become this server's domains
    sasl       the socket of a Dovecot that knows the users (Dovecot.sasl_socket); without it, no AUTH
    tls        an issued Certificate: STARTTLS is offered, and the port `smtps` has TLS from the first byte
    extra      more main.cf lines, as text
    port       where it listens on `host`, if that is not to be any
    """

    def __init__(self, site, name, mailboxes, *, sasl=None, tls=None, extra="", host=HOST, port=None):
        self.site = site
        self.name = name
        self.mailboxes = dict(mailboxes)
        self.sasl = sasl
        self.tls = tls
        self.extra = extra
        self.host = host
        self.port = port or site.port()
        self.smtps = site.port() if tls else 0
        self.dir = site.directory(name)
        self.log = self.dir / "log"
        self.process = None

    @staticmethod
    def why_not():
        """Why Postfix cannot run here, or None."""
        if os.geteuid() != 0:
            return "Postfix needs root"
        try:
            find_program("postfix")
        except Missing as missing:
            return str(missing)
        return None

    def _write_config(self):
        config = self.site.directory(f"{self.name}/etc")
        owner = pwd.getpwnam(unprivileged_user())
        mailboxes = self.dir / "mailboxes"
        mailboxes.write_text("".join(f"{a} {str(path).rstrip('/')}/\n" for a, path in self.mailboxes.items()))
        extra = self.extra
        if self.tls:
            extra += f"\nsmtpd_tls_chain_files = {self.tls.key}, {self.tls.chain}\n"
        (config / "main.cf").write_text(_MAIN.format(
            queue=self.dir / "queue", data=self.dir / "data", dir=self.dir, log=self.log,
            hostname=f"{self.name}.example", mailboxes=mailboxes, uid=owner.pw_uid, gid=owner.pw_gid,
            domains=" ".join(sorted({a.rpartition("@")[2] for a in self.mailboxes})),
            sasl_on="yes" if self.sasl else "no", sasl=self.sasl or "none", tls="may" if self.tls else "none",
            extra=extra))
        (config / "master.cf").write_text(_MASTER.format(host=self.host, port=self.port) + (
            _SMTPS.format(host=self.host, smtps=self.smtps) if self.tls else ""))
        # Postfix reads a file again and again until it is more than a second old.
        a_while_ago = time.time() - 60
        for path in (mailboxes, config / "main.cf", config / "master.cf"):
            os.utime(path, (a_while_ago, a_while_ago))
        return config

    def _make_folders(self):
        self.site.directory(f"{self.name}/queue")
        self.site.directory(f"{self.name}/data", "postfix", 0o700)
        for name, owner, group, mode in _QUEUE:
            path = self.site.directory(f"{self.name}/queue/{name}", owner)
            if group is not None:
                os.chown(path, -1, grp.getgrnam(group).gr_gid)
            path.chmod(mode)

    def start(self):
        reason = self.why_not()
        if reason is not None:
            raise Missing(reason)
        config = self._write_config()
        self._make_folders()
        master = "/usr/lib/postfix/sbin/master"
        self.process = Process(self.name, [master, "-c", config, "-s"], self.log,
                               env={**os.environ, "MAIL_CONFIG": str(config)})
        self.site.own(self)
        self.process.start()
        if "smtpd_upstream_proxy_protocol" in self.extra:
            self.process.wait_accepts((self.host, self.port))
        else:
            self.process.wait_greeting((self.host, self.port), b"220")
        return self

    def stop(self):
        return self.process.stop() if self.process else None
