# SPDX-License-Identifier: BSD-2-Clause
"""Several servers on one address, told apart by the name that the client asks for (SNI)."""

import socket
import ssl

import pytest

from peers import Authority, Postern, Site

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl; protocol imap; server_name {names};
        ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};
        imap_capabilities IMAP4rev1 {mark};
    }}
"""


@pytest.fixture(scope="module")
def gate():
    with Site() as site:
        ca, port = Authority(site.directory("ca")), site.port()
        servers = "".join(
            SERVER.format(port=port, names=names, mark=mark, certificate=ca.issue(name, alt=[f"DNS:{name}"]))
            for names, name, mark in (("one.test", "one.test", "ONE"), ("two.test *.two.test", "two.test", "TWO")))
        yield port, Postern(site, f"events {{ }} mail {{ auth_http 127.0.0.1:9; {servers} }}").start()


@pytest.mark.parametrize("asked, served, mark", [
    ("one.test", "one.test", "ONE"), ("two.test", "two.test", "TWO"), ("a.two.test", "two.test", "TWO"),
    ("TWO.test", "two.test", "TWO"), ("other.test", "one.test", "ONE"), (None, "one.test", "ONE"),
])
def test_the_name_chooses_certificate_and_settings(gate, asked, served, mark):
    port, _ = gate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        with context.wrap_socket(plain, server_hostname=asked) as client:
            assert served.encode() in client.getpeercert(binary_form=True)
            client.sendall(b"a CAPABILITY\r\nb LOGOUT\r\n")
            assert f"IMAP4rev1 {mark} ".encode() in client.makefile("rb").read()
