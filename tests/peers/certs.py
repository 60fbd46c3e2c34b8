# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority of one's own, by means of the openssl command."""

import datetime
import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEYS = {
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ecdsa": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
}

_CONFIG = """
[ca]
default_ca = own

[own]
dir = {dir}
database = $dir/index.txt
serial = $dir/serial
crlnumber = $dir/crlnumber
new_certs_dir = $dir
certificate = $dir/ca.crt
private_key = $dir/ca.key
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copy

[any]
commonName = supplied
organizationName = optional
emailAddress = optional

[req]
distinguished_name = dn
prompt = no

[dn]
CN = unused
"""


@dataclass(frozen=True)
class Certificate:
    """Paths of a certificate and its key; `chain` is the certificate followed by its issuer's."""

    cert: Path
    key: Path
    chain: Path


class Authority:
    """Issues and revokes certificates below one directory. `ca` is the path of its own certificate."""

    def __init__(self, directory, name="postern test CA"):
        self.dir = Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.config = self.dir / "ca.cnf"
        self.config.write_text(_CONFIG.format(dir=self.dir))
        (self.dir / "index.txt").touch()
        (self.dir / "serial").write_text("1000\n")
        (self.dir / "crlnumber").write_text("01\n")
        self.ca = self.dir / "ca.crt"
        self._new_key(self.dir / "ca.key", "ecdsa")
        self._openssl("req", "-config", self.config, "-x509", "-new", "-key", self.dir / "ca.key", "-days", "30",
                      "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", self.ca)

    @staticmethod
    def _openssl(*args):
        done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {args[0]} failed:\n{done.stderr}")
        return done.stdout

    def _new_key(self, path, kind):
        self._openssl("genpkey", *_KEYS[kind], "-out", path)

    def issue(self, name, *, kind="ecdsa", sans=("DNS:localhost", "IP:127.0.0.1", "IP:::1"), subject=None,
              days=30, usage="serverAuth,clientAuth"):
        """A certificate for `name`. Negative `days`: it expired that long ago."""
        base = f"{name}.{kind}"
        key, csr, cert, chain = (self.dir / f"{base}.{end}" for end in ("key", "csr", "crt", "chain.crt"))
        now = datetime.datetime.now(datetime.timezone.utc)
        start = now - datetime.timedelta(days=1 + max(0, -days) * 2)
        self._new_key(key, kind)
        request = ["req", "-config", self.config, "-new", "-key", key, "-subj", subject or f"/CN={name}",
                   "-addext", f"extendedKeyUsage={usage}", "-out", csr]
        if sans:
            request += ["-addext", "subjectAltName=" + ",".join(sans)]
        self._openssl(*request)
        self._openssl("ca", "-config", self.config, "-batch", "-notext", "-in", csr, "-out", cert,
                      "-startdate", start.strftime("%Y%m%d%H%M%SZ"),
                      "-enddate", (now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ"))
        chain.write_bytes(cert.read_bytes() + self.ca.read_bytes())
        return Certificate(cert, key, chain)

    def revoke(self, certificate):
        self._openssl("ca", "-config", self.config, "-batch", "-revoke", certificate.cert)

    def crl(self):
        """A fresh list of what was revoked; its path."""
        path = self.dir / "crl.pem"
        self._openssl("ca", "-config", self.config, "-gencrl", "-out", path)
        return path
