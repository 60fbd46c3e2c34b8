# SPDX-License-Identifier: BSD-2-Clause
"""Certificates made on the spot with the openssl command: authorities, servers, clients, revocation lists."""

import subprocess
from pathlib import Path


def _openssl(*words, given=None):
    subprocess.run(["openssl", *map(str, words)], input=given, check=True, capture_output=True)


class Authority:
    """A certificate authority in a directory of its own.  Every certificate is `NAME.crt` with `NAME.key`."""

    def __init__(self, directory, name="Test CA", above=None):
        self.place = Path(directory)
        self.place.mkdir(parents=True, exist_ok=True)
        self.crt, self.key = self.place / "ca.crt", self.place / "ca.key"
        self.serial = 0x1000
        (self.place / "index.txt").write_text("")
        (self.place / "crlnumber").write_text("01\n")
        if above:
            made = above.issue(name, into=self.place, ca=True)
            made[0].rename(self.crt)
            made[1].rename(self.key)
        else:
            self._key(self.key, "rsa")
            _openssl("req", "-x509", "-new", "-key", self.key, "-sha256", "-days", 3650, "-subj",
                     f"/CN={name}",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-out", self.crt)

    @staticmethod
    def _key(path, kind):
        options = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["RSA"]
        _openssl("genpkey", "-algorithm", *options, "-out", path)

    def issue(self, name, *, subject=None, alt=(), kind="ec", into=None, ca=False, days=365):
        """Makes NAME.crt and NAME.key and returns both paths.  Negative `days`: already expired."""
        place = Path(into or self.place)
        stem = name.replace(" ", "-").lower()
        crt, key, request = place / f"{stem}.crt", place / f"{stem}.key", place / f"{stem}.csr"
        self._key(key, kind)
        _openssl("req", "-new", "-key", key, "-subj", subject or f"/CN={name}", "-utf8", "-out", request)
        lines = ["[e]", "basicConstraints=critical,CA:" + ("TRUE" if ca else "FALSE")]
        if alt:
            lines.append("subjectAltName=" + ",".join(alt))
        config = place / f"{stem}.ext"
        config.write_text("\n".join(lines) + "\n")
        self.serial += 1
        period = ["-not_before", "20200101000000Z", "-not_after",
                  "20200201000000Z"] if days < 0 else ["-days", days]
        if days < 0:
            self._issue_by_ca(request, crt, config, period)
        else:
            _openssl("x509", "-req", "-in", request, "-CA", self.crt, "-CAkey", self.key, "-set_serial",
                     hex(self.serial), "-sha256", "-extfile", config, "-extensions", "e", *period, "-out",
                     crt)
        request.unlink()
        config.unlink()
        return crt, key

    def _config(self):
        path = self.place / "ca.cnf"
        path.write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.place}/index.txt\ncrlnumber={self.place}/crlnumber\n"
            f"new_certs_dir={self.place}\ncertificate={self.crt}\nprivate_key={self.key}\ndefault_md=sha256\n"
            "default_crl_days=3650\npolicy=p\nrand_serial=yes\nunique_subject=no\n"
            "[p]\ncommonName=supplied\n")
        return path

    def _issue_by_ca(self, request, crt, config, period):
        """`openssl x509` cannot date back, `openssl ca` can."""
        dates = ["-startdate", period[1], "-enddate", period[3]]
        _openssl("ca", "-batch", "-notext", "-config", self._config(), "-in", request, "-out", crt,
                 "-extfile", config, "-extensions", "e", *dates)

    def revoke(self, crt):
        _openssl("ca", "-config", self._config(), "-revoke", crt)

    def crl(self):
        """Writes the revocation list and returns its path."""
        path = self.place / "crl.pem"
        _openssl("ca", "-config", self._config(), "-gencrl", "-out", path)
        return path
