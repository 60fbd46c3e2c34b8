# SPDX-License-Identifier: BSD-2-Clause
"""An OpenLDAP server of its own: one tree, on a port of loopback, with and without TLS."""

import subprocess

from .process import Process, find_program

OWNER = "openldap"

CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb.la
pidfile {dir}/pid
TLSCertificateFile {chain}
TLSCertificateKeyFile {key}
TLSCACertificateFile {ca}
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw "{password}"
directory {dir}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=postern,dc=example,dc=org" read by self read by anonymous auth by * none
"""


class OpenLdap:
    """`certificate` is for TLS; its files are read by the server's own user."""

    base = "dc=example,dc=org"

    def __init__(self, site, password, authority, certificate, name="slapd"):
        self.site, self.password, self.name = site, password, name
        self.dir = site.directory(name, OWNER)
        site.directory(f"{name}/data", OWNER)
        self.port, self.tls_port = site.port(), site.port()
        key = self.dir / "key.pem"
        key.write_bytes(certificate.key.read_bytes())
        key.chmod(0o400)
        site.give(key, OWNER)
        self.config = self.dir / "slapd.conf"
        self.config.write_text(CONFIG.format(dir=self.dir, password=password, ca=authority.ca, chain=certificate.chain, key=key))
        self.process = None

    @property
    def urls(self):
        return f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"

    def start(self):
        self.process = Process(self.name, [find_program("slapd"), "-f", self.config, "-h", " ".join(u + "/" for u in self.urls),
                                           "-d", "0"], self.dir / "log", user=OWNER)
        self.site.own(self.process)
        self.process.start()
        return self.process.wait_accepts(("127.0.0.1", self.port), 60) and self

    def stop(self):
        return self.process.stop()

    def add(self, ldif):
        """Adds entries before the server starts."""
        done = Process(f"{self.name}-add", [find_program("slapadd", "slapd"), "-f", self.config, "-l", self._file(ldif)],
                       self.dir / "add.log", user=OWNER)
        self.site.own(done)
        done.start()
        assert done.wait(60) == 0, done.log_tail()

    def _file(self, ldif):
        path = self.dir / "entries.ldif"
        path.write_text(ldif)
        self.site.give(path, OWNER)
        return path

    @staticmethod
    def hash(password):
        return subprocess.run([find_program("slappasswd", "slapd"), "-s", password], capture_output=True, text=True,
                              check=True).stdout.strip()
