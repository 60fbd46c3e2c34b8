# SPDX-License-Identifier: BSD-2-Clause
"""The files of examples/, with their well-known ports and paths exchanged for those of a test.

So what the tests run is what operators read, and no second copy can grow old.
"""

import re
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name, site, *, auth, certificate=None, allow=None):
    """The configuration examples/NAME for a test, and its ports.

    auth         where the authentication server is: "127.0.0.1:9000/auth"
    certificate  an issued Certificate, for examples with TLS
    allow        a network to stand in place of the one that may connect

    Returns (text, {well-known port: port of the test}). error_log is left to the proxy's fixture.
    """
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    ports = {}

    def listen(match):
        port = ports.setdefault(int(match[2]), site.port())
        return f"{match[1]}127.0.0.1:{port}"

    text = re.sub(r"^(\s*listen\s+)(\d+)", listen, text, flags=re.MULTILINE)
    text = re.sub(r"^(\s*auth_http\s+)(http://)?[^/;]+(/[^;]*)?;", rf"\g<1>\g<2>{auth};", text, flags=re.MULTILINE)
    text = re.sub(r"^error_log\s.*$", "", text, flags=re.MULTILINE)
    if certificate is not None:
        text = re.sub(r"(ssl_certificate\s+)[^;]+;", rf"\g<1>{certificate.chain};", text)
        text = re.sub(r"(ssl_certificate_key\s+)[^;]+;", rf"\g<1>{certificate.key};", text)
    if allow is not None:
        text = re.sub(r"(allow\s+)[^;]+;", rf"\g<1>{allow};", text)
    return text, ports
