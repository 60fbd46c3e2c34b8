# SPDX-License-Identifier: BSD-2-Clause
"""An independent Dovecot: IMAP and POP3 for users of its own, as root or without."""

import base64
import os
import signal
import subprocess

from .process import Process, find_program
from .site import unprivileged_user

HOST = "127.0.0.1"

_CONFIG = """
base_dir = {run}
state_dir = {state}
log_path = {log}
log_timestamp = "%Y-%m-%d %H:%M:%S "
instance_name = {name}
protocols = imap pop3
listen = {host}
login_greeting = {name} ready.
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
default_process_limit = 300
default_client_limit = 2000
default_vsz_limit = 0
mail_fsync = never
mail_max_userip_connections = 0
first_valid_uid = 1
first_valid_gid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5
auth_username_format = %u
auth_verbose = yes
mail_location = {location}

passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {users}
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner_group} home={mail}/%u allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}

service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {imap}
{proxy}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
{proxy}
  }}
}}
service pop3-login {{
  chroot =
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
{proxy}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
{proxy}
  }}
}}
service auth {{
  unix_listener auth-sasl {{
    mode = 0666
  }}
}}
ssl = {ssl}
{tls}
{extra}
"""


class Dovecot:
    """One instance. `users` maps names to passwords.

    tls      an issued Certificate: STARTTLS is offered, and imaps/pop3s listen too
    proxied  the listeners expect a PROXY header, and believe it from loopback
    storage  "maildir" or "mdbox"
    extra    more configuration, as text
    ports    of IMAP and POP3, for servers that share them on addresses (`host`) of their own
    """

    def __init__(self, site, name, users, *, tls=None, proxied=False, storage="maildir", extra="", host=HOST,
                 ports=None):
        self.site = site
        self.name = name
        self.users = dict(users)
        self.host = host
        self.imap, self.pop3 = ports or (site.port(), site.port())
        self.imaps, self.pop3s = (site.port(), site.port()) if tls else (0, 0)
        self.dir = site.directory(name)
        self.mail = site.directory(f"{name}/mail", unprivileged_user())
        self.log = self.dir / "log"
        self.storage = storage
        self.proxied = proxied
        self.config = self.dir / "dovecot.conf"
        self.config.write_text(self._config(tls, extra))
        self.write_users()
        self.process = Process(name, [find_program("dovecot", "dovecot-core"), "-F", "-c", self.config], self.log)

    def _config(self, tls, extra):
        me = unprivileged_user()
        rooted = os.geteuid() == 0
        group = "nogroup" if rooted else _own_group()
        proxy = "    haproxy = yes" if self.proxied else ""
        certificate = f"ssl_cert = <{tls.chain}\nssl_key = <{tls.key}\nssl_min_protocol = TLSv1.2" if tls else ""
        if self.proxied:
            extra = f"haproxy_trusted_networks = {self.host}\n" + extra
        return _CONFIG.format(
            run=self.dir / "run", state=self.dir / "state", log=self.log, name=self.name, host=self.host,
            internal="dovecot" if rooted else me, group="dovecot" if rooted else group,
            login="dovenull" if rooted else me, owner=me, owner_group=group,
            location={"maildir": "maildir:~/Maildir", "mdbox": "mdbox:~/mdbox"}[self.storage],
            users=self.dir / "users", mail=self.mail, imap=self.imap, imaps=self.imaps, pop3=self.pop3,
            pop3s=self.pop3s, proxy=proxy, ssl="yes" if tls else "no", tls=certificate, extra=extra)

    def write_users(self):
        """Writes self.users for Dovecot, which notices changes by itself. Base64 lets passwords hold any byte."""
        lines = []
        for user, password in self.users.items():
            raw = password if isinstance(password, bytes) else password.encode()
            lines.append(f"{user}:{{PLAIN.b64}}{base64.b64encode(raw).decode()}\n")
        (self.dir / "users").write_text("".join(lines))

    def start(self):
        self.site.own(self)
        self.process.start()
        for port, prefix in ((self.imap, b"* OK"), (self.pop3, b"+OK")):
            if self.proxied:  # no greeting without a PROXY header
                self.process.wait_accepts((self.host, port))
            else:
                self.process.wait_greeting((self.host, port), prefix)
        return self

    def stop(self):
        # A polite end takes more than a second, and there is nothing here worth being polite for.
        return self.process.stop(signal.SIGKILL)

    @property
    def sasl_socket(self):
        """Where Postfix may ask for these users."""
        return self.dir / "run" / "auth-sasl"

    def maildir(self, user):
        """The folder of a user's inbox (storage "maildir")."""
        return self.mail / user / "Maildir"

    def save(self, user, message, mailbox="INBOX"):
        """Puts a message (bytes) into a user's mailbox, as it is but for line ends."""
        doveadm = [find_program("doveadm", "dovecot-core"), "-c", self.config]
        subprocess.run(doveadm + ["save", "-u", user, "-m", mailbox], input=message, check=True,
                       capture_output=True)


def _own_group():
    import grp

    return grp.getgrgid(os.getegid()).gr_name
