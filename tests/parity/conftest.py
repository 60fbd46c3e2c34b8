# SPDX-License-Identifier: BSD-2-Clause
"""The chosen conversations are all held at once, when the first test asks for the outcome."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from parity import suite  # noqa: E402
from stubs import certs  # noqa: E402


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Server and client certificates for all worlds."""
    place = tmp_path_factory.mktemp("certs")
    for folder in (place, *place.parents[:2]):
        folder.chmod(0o755)
    return make_certificates(place)


def make_certificates(place):
    """The server's, and client certificates of every kind that talks/certs.py knows."""
    ca = certs.Authority(place)
    ca.issue("mail.example", alt=["DNS:mail.example"])
    ca.issue("rsa.example", alt=["DNS:mail.example"], kind="rsa")
    ca.issue("client-good", subject="/CN=joe")
    ca.issue("client-odd-names",
             subject="/C=DE/O=A, B + C \"D\"/OU=x\\=y;z<>#/CN= J\u00f6rg /emailAddress=joe@example.org")
    ca.issue("client-expired", days=-1)
    ca.revoke(ca.issue("client-revoked")[0])
    ca.crl()
    own = certs.Authority(place / "self", "client-self")
    (place / "client-self.crt").write_bytes(own.crt.read_bytes())
    (place / "client-self.key").write_bytes(own.key.read_bytes())
    certs.Authority(place / "other").issue("client-other", into=place)
    below = certs.Authority(place / "below", "Below CA", above=ca)
    leaf, key = below.issue("client-below", into=place)
    (place / "client-below-with-chain.crt").write_bytes(leaf.read_bytes() + below.crt.read_bytes())
    (place / "client-below-with-chain.key").write_bytes(key.read_bytes())
    return ca


@pytest.fixture(scope="session")
def outcomes(request, authority):
    """{program: {talk name: Outcome}} of the talks that this run has selected."""
    chosen = {}
    for item in request.session.items:
        call = getattr(item, "callspec", None)
        if call and "numbered" in call.params:
            chosen[call.params["numbered"][0]] = call.params["numbered"]
    return suite.play_all(list(chosen.values()), authority)
