# SPDX-License-Identifier: BSD-2-Clause
"""Certificates as servers want them: a chain file beside certificate and key. stubs.certs makes them."""

from pathlib import Path
from typing import NamedTuple

from stubs import certs

LOCAL = ("DNS:localhost", "IP:127.0.0.1", "IP:::1")


class Certificate(NamedTuple):
    """Paths of a certificate and its key; `chain` is the certificate followed by its issuer's."""

    cert: Path
    key: Path
    chain: Path


class Authority(certs.Authority):
    """`ca` is the path of its own certificate. Server certificates are good for connections to this machine."""

    @property
    def ca(self):
        return self.crt

    def issue(self, name, *, kind="ec", alt=LOCAL, **more):
        """`kind` is "ec" or "rsa"; one name may have a certificate of each."""
        place = self.place / kind
        place.mkdir(exist_ok=True)
        cert, key = super().issue(name, kind=kind, alt=alt, into=place, **more)
        chain = cert.with_suffix(".chain.crt")
        chain.write_bytes(cert.read_bytes() + self.crt.read_bytes())
        return Certificate(cert, key, chain)

    def revoke(self, certificate):
        super().revoke(certificate.cert)

    def issue_faulty(self, name):
        """Certificates of a server called `name`, by what is wrong with each; "good" is for comparison. One of
        them is not ours, but of an authority that nobody knows."""
        stranger = Authority(self.place / "stranger", "Stranger CA")
        alt = (f"DNS:{name}", "IP:127.0.0.1")
        return {
            "good": self.issue(f"good.{name}", alt=alt),
            "expired": self.issue(f"expired.{name}", alt=alt, days=-1),
            "wrong name": self.issue(f"elsewhere.{name}", alt=("DNS:other.example.net", "DNS:third.example.net")),
            "unknown issuer": stranger.issue(f"unknown.{name}", alt=alt),
        }
