# SPDX-License-Identifier: BSD-2-Clause
"""Client certificates: four modes, every kind of certificate, before and after STARTTLS, and what is told
of them."""

from ..voices import IMAP, VOICES, Book

book = Book("certs")
TALKS = book.talks

CA = "ssl_client_certificate {certs}/ca.crt;"
MODES = {
    "off": "ssl_verify_client off;",
    "on": f"ssl_verify_client on; {CA}",
    "optional": f"ssl_verify_client optional; {CA}",
    "optional_no_ca": f"ssl_verify_client optional_no_ca; {CA}",
    "trusted": "ssl_verify_client on; ssl_client_certificate {certs}/other/ca.crt; "
               "ssl_trusted_certificate {certs}/ca.crt;",
    "on, two deep": f"ssl_verify_client on; ssl_verify_depth 2; {CA}",
    "on, with revocations": f"ssl_verify_client on; {CA} ssl_crl {{certs}}/crl.pem;",
    "optional, with revocations": f"ssl_verify_client optional; {CA} ssl_crl {{certs}}/crl.pem;",
}
# name: (verified by the authority alone, by the authority and one below it, unless revoked)
KINDS = ("none", "good", "odd-names", "expired", "self", "other", "revoked", "below", "below-with-chain")

# The texts before the end of the connection, for a bad and for a missing certificate.
BAD = {"imap": "* BYE SSL certificate error", "pop3": "-ERR SSL certificate error",
       "smtp": "421 4.7.1 SSL certificate error"}
NONE = {"imap": "* BYE No required SSL certificate", "pop3": "-ERR No required SSL certificate",
        "smtp": "421 4.7.1 No required SSL certificate"}


def verdict(mode, kind):
    """"in", or which of the two texts ends the session."""
    if mode == "off":
        return "in"
    if kind == "none":
        return NONE if mode.startswith("on") or mode == "trusted" else "in"
    if kind in ("good", "odd-names"):
        return "in"
    if kind == "revoked" and "revocations" not in mode:
        return "in"
    if kind == "below-with-chain":  # depth 1 allows one authority between, as OpenSSL counts
        return "in" if "revocations" not in mode else BAD
    if mode == "trusted" and kind == "other":
        return "in"
    if mode == "optional_no_ca" and kind in ("self", "other", "below"):
        return "in"
    return BAD


for voice in VOICES:
    for mode, server in MODES.items():
        for kind in KINDS:
            ends = verdict(mode, kind)
            tls = "" if kind == "none" else f"cert=client-{kind}"
            for opening in ("implicit", "starttls"):
                if voice is not IMAP and (opening == "starttls") != (kind in ("good", "none", "expired")):
                    continue  # all of the matrix in IMAP, a part in the others
                hello = f"tls {tls}\n< {{}}" if opening == "implicit" else \
                    f"< {voice.hello}\n> {voice.starttls[0]}\n< {voice.starttls[1]}\ntls {tls}\n{{}}"
                if ends == "in":
                    begin = hello.format(voice.hello if opening == "implicit" else "")
                    script = f"""
                        {begin}
                        {voice.login}
                        ?*
                        ! Auth-Status: no
                        < {voice.refusal}no
                        <.
                    """
                elif opening == "implicit":
                    script = f"{hello.format(ends[voice.name])}\n<."
                else:
                    script = f"{hello.format('< ' + ends[voice.name])}\n<."
                more = "" if opening == "implicit" else " starttls on;"
                # nginx leaves an error of the revocation check on OpenSSL's queue and complains of it later.
                stale = kind == "other" and "revocations" in mode
                book.add(f"{voice.name} {mode}, {kind}, {opening}", voice, script, opening=None,
                         server=server + more,
                         listen="ssl" if opening == "implicit" else "", logs=not stale)
for kind in ("good", "odd-names", "self"):
    book.add(f"certificate passed on, {kind}", IMAP, f"""
        tls cert=client-{kind}
        < * OK IMAP4 ready
        {IMAP.login}
        ?*
        ! Auth-Status: no
        < a NO no
        <.
    """, opening=None, listen="ssl", server=MODES["optional_no_ca"] + " auth_http_pass_client_cert on;")
book.add("certificate to be passed on, but there is none", IMAP, f"""
    tls
    < * OK IMAP4 ready
    {IMAP.login}
    ?*
    ! Auth-Status: no
    < a NO no
    <.
""", opening=None, listen="ssl", server=MODES["optional"] + " auth_http_pass_client_cert on;")
book.add("certificate to be passed on, but there is no TLS", IMAP, f"""
    < * OK IMAP4 ready
    {IMAP.login}
    {IMAP.ask()}
    ! Auth-Status: no
    < a NO no
    <.
""", opening=None, server=MODES["optional"] + " starttls on; auth_http_pass_client_cert on;")
