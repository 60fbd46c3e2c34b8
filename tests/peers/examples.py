# SPDX-License-Identifier: BSD-2-Clause
"""The files of examples/, with their well-known ports and paths exchanged for those of a test.

So what the tests run is what operators read, and no second copy can grow old.
"""

import re
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name, site, *, auth, certificate=None, allow=None, behind=None, words=None):
    """The configuration examples/NAME for a test, and its ports.

    auth         where the authentication server is: "127.0.0.1:9000/auth"
    certificate  an issued Certificate, for examples with TLS
    allow        a network to stand in place of the one that may connect
    behind       {well-known port of a server: the port of the mail servers behind it}
    words        {text of the file: what stands there for the test}

    Returns (text, {well-known port: port of the test}). error_log is left to the proxy's fixture.
    """
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    ports = {}

    def listen(match):
        known = int(match[2])
        port = ports.setdefault(known, site.port())
        way = f" proxy_port {behind[known]};" if behind else ""
        return f"{match[1]}127.0.0.1:{port}{match[3]};{way}"

    if behind:
        text = re.sub(r"proxy_port\s+\d+;", "", text)
    text = re.sub(r"^((?:\s*server\s*\{)?\s*listen\s+)(\d+)([^;]*);", listen, text, flags=re.MULTILINE)
    text = re.sub(r"^(\s*auth_http\s+)(http://)?[^/;]+(/[^;]*)?;", rf"\g<1>\g<2>{auth};", text, flags=re.MULTILINE)
    text = re.sub(r"^error_log\s.*$", "", text, flags=re.MULTILINE)
    if certificate is not None:
        text = re.sub(r"(ssl_certificate\s+)[^;]+;", rf"\g<1>{certificate.chain};", text)
        text = re.sub(r"(ssl_certificate_key\s+)[^;]+;", rf"\g<1>{certificate.key};", text)
    if allow is not None:
        text = re.sub(r"(allow\s+)[^;]+;", rf"\g<1>{allow};", text)
    for old, new in (words or {}).items():
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, str(new))
    return text, ports
