# SPDX-License-Identifier: BSD-2-Clause
"""Where clients come from: PROXY headers of both versions, trusted or not, IPv6, unix sockets; and what
backends and the authentication server are told about it."""

from dataclasses import replace

from stubs import proxyhdr

from ..voices import IMAP, POP3, SMTP, VOICES, Book, escape

book = Book("came")
TALKS = book.talks

SECURED = ["Auth-SSL: on", "Auth-SSL-Protocol: TLSv1.3", "Auth-SSL-Cipher: {cipher}"]
TRUST = "set_real_ip_from 127.25.0.0/16;"
V1 = r">> PROXY TCP4 {far} 192.0.2.9 4711 143\r\n"
V1_6 = r">> PROXY TCP6 {far6} 2001:db8::9 4711 143\r\n"


def told(source, target="192.0.2.9", port="4711", target_port="143"):
    return [f"Proxy-Protocol-Addr: {source}", f"Proxy-Protocol-Port: {port}",
            f"Proxy-Protocol-Server-Addr: {target}",
            f"Proxy-Protocol-Server-Port: {target_port}"]


def asked(voice, more, address="{client}"):
    """The question, with the PROXY headers behind Client-IP (and Client-Host)."""
    return voice.ask(more=more).replace("Client-IP: {client}", f"Client-IP: {address}")


def add(name, voice, begin, rest, *, listen="proxy_protocol", **more):
    book.add(name, voice, begin + "\n< " + voice.hello + "\n" + rest, opening=None, listen=listen, **more)


def refused(voice):
    return f"! Auth-Status: no\n< {voice.refusal}no\n<.\n"


# --- version 1 -------------------------------------------------------------------------------------------

for voice in VOICES:
    add(f"{voice.name} v1", voice, V1, f"""
        {voice.login}
        {asked(voice, told("{far}"))}
        !ok
        {voice.enter()}
    """)
    add(f"{voice.name} v1, trusted", voice, V1, f"""
        {voice.login}
        {asked(voice, told("{far}"), "{far}")}
        !ok
        {voice.enter()}
        log info client logged in, client: {{far}}, server: {{server}}:{{port}}
    """, server=TRUST)
    add(f"{voice.name} v1, others trusted", voice, V1, f"""
        {voice.login}
        {asked(voice, told("{far}"))}
        {refused(voice)}
    """, server="set_real_ip_from 10.0.0.0/8; set_real_ip_from unix:;")
    add(f"{voice.name} v1 of IPv6, trusted", voice, V1_6, f"""
        {voice.login}
        {asked(voice, told("{far6}", "2001:db8::9"), "{far6}")}
        {refused(voice)}
    """, server=TRUST)
    add(f"{voice.name} v1 unknown", voice, r">> PROXY UNKNOWN\r\n", f"""
        {voice.login}
        {asked(voice, [])}
        {refused(voice)}
    """, server=TRUST)
for name, head in {"unknown with addresses": r"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n",
                   "unknown with rubbish": r"PROXY UNKNOWN what ever\r\n"}.items():
    add(f"v1 {name}", IMAP, ">> " + head, f"""
        {IMAP.login}
        {asked(IMAP, [])}
        {refused(IMAP)}
    """)
for name, head in {"trusted twice": TRUST + " set_real_ip_from 10.1.0.0/16;",
                   "trusted host": "set_real_ip_from 0.0.0.0/0;"}.items():
    add(f"v1, {name}", IMAP, V1, f"""
        {IMAP.login}
        {asked(IMAP, told("{far}"), "{far}")}
        {refused(IMAP)}
    """, server=head)
add("v1, the trusted one is inherited", IMAP, V1, f"""
    {IMAP.login}
    {asked(IMAP, told("{far}"), "{far}")}
    {refused(IMAP)}
""", mail=TRUST)
add("v1, the trusted ones are replaced", IMAP, V1, f"""
    {IMAP.login}
    {asked(IMAP, told("{far}"))}
    {refused(IMAP)}
""", mail=TRUST, server="set_real_ip_from 192.0.2.1;")

for name, head in {
        "nothing": r"a NOOP\r\n", "HTTP": r"GET / HTTP/1.0\r\n\r\n",
        "lower case": r"proxy TCP4 {far} 192.0.2.9 4711 143\r\n",
        "no family": r"PROXY\r\n", "no addresses": r"PROXY TCP4\r\n", "one address": r"PROXY TCP4 {far}\r\n",
        "no ports": r"PROXY TCP4 {far} 192.0.2.9\r\n", "one port": r"PROXY TCP4 {far} 192.0.2.9 4711\r\n",
        "port too big": r"PROXY TCP4 {far} 192.0.2.9 65536 143\r\n",
        "port a word": r"PROXY TCP4 {far} 192.0.2.9 x 143\r\n",
        "second port a word": r"PROXY TCP4 {far} 192.0.2.9 4711 x\r\n",
        "other family": r"PROXY UDP4 {far} 192.0.2.9 4711 143\r\n",
        "two blanks": r"PROXY  TCP4 {far} 192.0.2.9 4711 143\r\n",
        "LF alone": r"PROXY TCP4 {far} 192.0.2.9 4711 143\n",
        "letters in the address": r"PROXY TCP4 1.2.3.x 192.0.2.9 4711 143\r\n",
}.items():
    book.add(f"v1 broken: {name}", IMAP, f"""
        >> {head}
        <.
    """, opening=None, listen="proxy_protocol", logs=False)
for name, head in {"v6 address in TCP4": r"PROXY TCP4 {far6} 2001:db8::9 4711 143\r\n",
                   "v4 address in TCP6": r"PROXY TCP6 {far} 192.0.2.9 4711 143\r\n",
                   "no address in it": r"PROXY TCP4 1.2.3 192.0.2.9 4711 143\r\n",
                   "empty address": r"PROXY TCP4  192.0.2.9 4711 143\r\n",
                   "leading zeros": r"PROXY TCP4 {far} 192.0.2.9 04711 0143\r\n"}.items():
    book.add(f"v1 doubtful: {name}", IMAP, f"""
        >> {head}
        nginx < * OK IMAP4 ready
        postern <.
    """, opening=None, listen="proxy_protocol", server=TRUST, because="proxy-strict", logs=False)
book.add("v1 accepted: port 0", IMAP, r"""
    >> PROXY TCP4 {far} 192.0.2.9 0 0\r\n
    < * OK IMAP4 ready
""", opening=None, listen="proxy_protocol", server=TRUST)
book.add("v1 broken: text behind", IMAP, """
    >> PROXY TCP4 {far} 192.0.2.9 4711 143 more\\r\\n
    <.
""", opening=None, listen="proxy_protocol", server=TRUST, logs=False)
book.add("v1 too long", IMAP, f"""
    >> PROXY UNKNOWN {"x" * 120}\\r\\n
    <.
""", opening=None, listen="proxy_protocol", logs=False)
for place in (3, 20, 40):
    text = "PROXY TCP4 192.0.2.1 192.0.2.9 4711 143\r\n"
    book.add(f"v1 in two pieces, {place} bytes first", IMAP, f"""
        >> {escape(text[:place].encode())}
        postern >> {escape(text[place:].encode())}
        postern < * OK IMAP4 ready
        nginx <.
    """, opening=None, listen="proxy_protocol", because="proxy-pieces", logs=False)
for voice in (POP3, IMAP):
    book.add(f"{voice.name} v1 with a command behind", voice, f"""
        {V1}{voice.noop[0]}\\r\\n
        < {voice.hello}
        nginx > {voice.noop[0]}
        nginx < {voice.noop[1]}
        < {voice.noop[1]}
    """, opening=None, listen="proxy_protocol", because="proxy-behind")
book.add("smtp v1 with a command behind", SMTP, f"""
    {V1}NOOP\\r\\n
    < 220 mail.example ESMTP ready
    < 250 2.0.0 OK
""", opening=None, listen="proxy_protocol", logs=False)
book.add("v1 broken: CR alone", IMAP, r"""
    >> PROXY TCP4 {far} 192.0.2.9 4711 143\rx
    <.
""", opening=None, listen="proxy_protocol", server="timeout 1500ms;", logs=False)
book.add("v1 never comes", IMAP, """
    <.
    log info client timed out (110: Connection timed out) while reading PROXY protocol
""", opening=None, listen="proxy_protocol", server="timeout 1500ms;", logs=False)
book.add("v1 where none is expected", IMAP, r"""
    >> PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n
    < * OK IMAP4 ready
    < PROXY BAD invalid command
""", opening=None)
for voice in VOICES:
    book.add(f"{voice.name} v1, then TLS", voice, f"""
        {V1}
        tls
        < {voice.hello}
        {voice.login}
        {asked(voice, told("{far}") + SECURED, "{far}")}
        {refused(voice)}
    """, opening=None, listen="proxy_protocol ssl", server=TRUST)
    book.add(f"{voice.name} v1, then STARTTLS", voice, f"""
        {V1}
        < {voice.hello}
        > {voice.starttls[0]}
        < {voice.starttls[1]}
        tls
        {voice.login}
        {asked(voice, told("{far}") + SECURED, "{far}")}
        {refused(voice)}
    """, opening=None, listen="proxy_protocol", server=TRUST + " starttls on;")
book.add("v1 inside TLS", IMAP, r"""
    >> \x16\x03\x01\x00\x05hello
    <.
""", opening=None, listen="proxy_protocol ssl", logs=False)

# --- version 2 -------------------------------------------------------------------------------------------


def v2(source="192.0.2.77", target="192.0.2.9", **more):
    return ">> " + escape(proxyhdr.v2(source, target, 4711, 143, **more))


FAR2 = "192.0.2.77"  # binary headers cannot hold the talk's own address; so these are not trusted
for voice in VOICES:
    add(f"{voice.name} v2", voice, v2(), f"""
        {voice.login}
        {asked(voice, told(FAR2))}
        {refused(voice)}
    """)
add("v2 of IPv6", IMAP, v2("2001:db8::77", "2001:db8::9"), f"""
    {IMAP.login}
    {asked(IMAP, told("2001:db8::77", "2001:db8::9"))}
    {refused(IMAP)}
""")
add("v2 of mapped IPv4", IMAP, v2("::ffff:192.0.2.1", "::ffff:192.0.2.9"), f"""
    {IMAP.login}
    ?*
    {refused(IMAP)}
""")
add("v2 with TLVs", IMAP, v2(tlvs=[(2, b"mail.example"), (0x20, b"\x01\0\0\0\0"), (4, b"")]), f"""
    {IMAP.login}
    {asked(IMAP, told(FAR2))}
    {refused(IMAP)}
""")
book.add("v2 with long TLVs", IMAP, f"""
    {v2(tlvs=[(2, b"mail.example"), (0xE0, b"x" * 200)])}
    postern < * OK IMAP4 ready
    nginx <.
""", opening=None, listen="proxy_protocol", because="proxy-v2-size", logs=False)
for name, head in {"local": proxyhdr.v2(command=proxyhdr.LOCAL), "local with addresses": proxyhdr.v2(
        "192.0.2.1", "192.0.2.9", 1, 2, command=proxyhdr.LOCAL), "unspec": proxyhdr.v2(),
        "datagram": proxyhdr.v2("192.0.2.1", "192.0.2.9", 1, 2, transport=2)}.items():
    add(f"v2 {name}", IMAP, ">> " + escape(head), f"""
        {IMAP.login}
        {asked(IMAP, [])}
        {refused(IMAP)}
    """, server=TRUST)
for name, head in {"version 1": proxyhdr.v2("192.0.2.1", "192.0.2.9", 1, 2, version=1),
                   "version 3": proxyhdr.v2("192.0.2.1", "192.0.2.9", 1, 2, version=3),
                   "addresses cut off": proxyhdr.SIGNATURE + b"\x21\x11\0\x04\x01\x02\x03\x04",
                   }.items():
    book.add(f"v2 broken: {name}", IMAP, f"""
        >> {escape(head)}
        <.
    """, opening=None, listen="proxy_protocol", logs=False)
for name, head in {"unknown command": proxyhdr.v2("192.0.2.1", "192.0.2.9", 1, 2, command=5),
                   "unknown family": proxyhdr.SIGNATURE + b"\x21\x51\0\x00"}.items():
    book.add(f"v2 doubtful: {name}", IMAP, f"""
        >> {escape(head)}
        nginx < * OK IMAP4 ready
        postern <.
    """, opening=None, listen="proxy_protocol", because="proxy-strict", logs=False)
book.add("v2 unix family", IMAP, f"""
    >> {escape(proxyhdr.SIGNATURE + bytes([0x21, 0x31, 0, 0xd8]) + b"x" * 216)}
    nginx <.
    postern < * OK IMAP4 ready
""", opening=None, listen="proxy_protocol", because="proxy-v2-size", logs=False)
HEAD2 = proxyhdr.v2("192.0.2.77", "192.0.2.9", 4711, 143)
for place in (1, 11, 12, 15, 16, 20, 27):
    book.add(f"v2 in two pieces, {place} bytes first", IMAP, f"""
        >> {escape(HEAD2[:place])}
        postern >> {escape(HEAD2[place:])}
        postern < * OK IMAP4 ready
        nginx <.
    """, opening=None, listen="proxy_protocol", because="proxy-pieces", logs=False)
book.add("v2, then TLS", IMAP, f"""
    {v2()}
    tls
    < * OK IMAP4 ready
    {IMAP.login}
    {asked(IMAP, told(FAR2) + SECURED)}
    {refused(IMAP)}
""", opening=None, listen="proxy_protocol ssl")

# --- to the backend --------------------------------------------------------------------------------------

for voice in VOICES:
    book.add(f"{voice.name} header to the backend", voice, f"""
        {voice.login}
        ?*
        !ok
        b< PROXY TCP4 {{client}} {{server}} {{cport}} {{port}}
        {voice.enter()}
    """, server="proxy_protocol on;")
    add(f"{voice.name} header to the backend, client from a header", voice, V1, f"""
        {voice.login}
        ?*
        !ok
        b< PROXY TCP4 {{far}} {{server}} 4711 {{port}}
        {voice.enter()}
    """, server=TRUST + " proxy_protocol on;")
    add(f"{voice.name} header to the backend, client from a header that is not believed", voice, V1, f"""
        {voice.login}
        ?*
        !ok
        b< PROXY TCP4 {{client}} {{server}} {{cport}} {{port}}
        {voice.enter()}
    """, server="proxy_protocol on;")
book.add("header to the backend, client by IPv6 from a header", IMAP, f"""
    {V1_6}
    < * OK IMAP4 ready
    {IMAP.login}
    ?*
    !ok
    nginx b< PROXY TCP6 {{far6}} {{server}} 4711 {{port}}
    postern b< PROXY TCP6 {{far6}} ::ffff:{{server}} 4711 {{port}}
    {IMAP.enter()}
""", opening=None, listen="proxy_protocol", server=TRUST + " proxy_protocol on;", because="proxy-families")
book.add("header to the backend under TLS", IMAP, f"""
    {IMAP.login}
    ?*
    !ok
    b< PROXY TCP4 {{client}} {{server}} {{cport}} {{port}}
    {IMAP.enter()}
""", opening="implicit", server="proxy_protocol on;")

# --- IPv6 and unix sockets -------------------------------------------------------------------------------

for voice in VOICES:
    book.add(f"{voice.name} by IPv6", voice, f"""
        {voice.login}
        {voice.ask()}
        !ok
        {voice.enter()}
    """, via="inet6")
    book.add(f"{voice.name} by a socket", voice, f"""
        {voice.login}
        {voice.ask()}
        !ok
        {voice.enter()}
    """, via="unix")
book.add("header to the backend by IPv6", IMAP, f"""
    {IMAP.login}
    ?*
    !ok
    b< PROXY TCP6 ::1 ::1 {{cport}} {{port}}
    {IMAP.enter()}
""", via="inet6", server="proxy_protocol on;")
book.add("header to the backend by a socket", IMAP, f"""
    {IMAP.login}
    ?*
    !ok
    b< PROXY UNKNOWN
    {IMAP.enter()}
""", via="unix", server="proxy_protocol on;")
add("v1 by a socket, trusted", IMAP, r">> PROXY TCP4 {far} 192.0.2.9 4711 143\r\n", f"""
    {IMAP.login}
    {asked(IMAP, told("{far}"), "{far}")}
    {refused(IMAP)}
""", via="unix", server="set_real_ip_from unix:;")
add("v1 by a socket, not trusted", IMAP, r">> PROXY TCP4 {far} 192.0.2.9 4711 143\r\n", f"""
    {IMAP.login}
    {asked(IMAP, told("{far}"))}
    {refused(IMAP)}
""", via="unix", server=TRUST)
book.add("tls by a socket", IMAP, f"""
    {IMAP.login}
    ?*
    {refused(IMAP)}
""", via="unix", opening="implicit")

# --- the resolver ----------------------------------------------------------------------------------------

RESOLVER = "resolver {dns};"
XCLIENT = """
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< XCLIENT ADDR={client} LOGIN=joe NAME=%s
    b> 220 again
    < 235 2.0.0 OK
"""
SMTP_X = replace(SMTP, base="protocol smtp;")


def missing(what, step):
    """nginx takes a client without a name for an error, postern does not; the words are the same."""
    line = f"{what} could not be resolved (3: Host not found) while in resolving client {step}"
    return f"nginx log error {line}\npostern log info {line}"


def resolved(name, zone, host, server=RESOLVER, log="", **more):
    zone = "".join(f"dns {line}\n" for line in zone)
    question = SMTP.ask().replace("Client-Host: [UNAVAILABLE]", f"Client-Host: {host}")
    book.add(f"resolver {name}", SMTP_X, f"""
        {zone}
        < 220 mail.example ESMTP ready
        {SMTP.login}
        {question}
        !ok
        {XCLIENT % host}
        {log}
    """, opening=None, server=server, **more)


resolved("verified", ["{reverse} PTR host{n}.test", "host{n}.test A {client}"], "host{n}.test")
resolved("verified, one of several", ["{reverse} PTR host{n}.test",
                                      "host{n}.test A 192.0.2.1 {client} 192.0.2.2"], "host{n}.test")
resolved("verified, upper case", ["{reverse} PTR Host{n}.TEST", "host{n}.test A {client}"], "host{n}.test")
resolved("another address", ["{reverse} PTR host{n}.test", "host{n}.test A 192.0.2.1"], "[UNAVAILABLE]")
resolved("name without address", ["{reverse} PTR host{n}.test", "host{n}.test A NXDOMAIN"], "[UNAVAILABLE]",
         log=missing('"host{n}.test"', "hostname"), because="log-no-name")
resolved("no name", ["{reverse} PTR NXDOMAIN"], "[UNAVAILABLE]", log=missing("{client}", "address"),
         because="log-no-name")
resolved("server failure at the name", ["{reverse} PTR SERVFAIL"], "[TEMPUNAVAIL]")
resolved("refused at the name", ["{reverse} PTR REFUSED"], "[TEMPUNAVAIL]")
resolved("format error at the name", ["{reverse} PTR FORMERR"], "[TEMPUNAVAIL]", logs=False,
         server=RESOLVER + " resolver_timeout 1500ms;")
resolved("not implemented at the name", ["{reverse} PTR NOTIMP"], "[TEMPUNAVAIL]")
resolved("server failure at the address", ["{reverse} PTR host{n}.test", "host{n}.test A SERVFAIL",
                                           "host{n}.test AAAA SERVFAIL"],
         "[TEMPUNAVAIL]")
resolved("silence", ["{reverse} PTR SILENCE"], "[TEMPUNAVAIL]", server=RESOLVER + " resolver_timeout 1500ms;")
resolved("off", ["{reverse} PTR host{n}.test", "host{n}.test A {client}"], "[UNAVAILABLE]",
         server="resolver off;")
resolved("without IPv6", ["{reverse} PTR host{n}.test", "host{n}.test A {client}"], "host{n}.test",
         server="resolver {dns} ipv6=off;")
resolved("with a time of validity", ["{reverse} PTR host{n}.test", "host{n}.test A {client}"], "host{n}.test",
         server="resolver {dns} valid=30s;")
book.add("resolver, delayed greeting and a hasty client", SMTP, r"""
    dns {reverse} PTR SILENCE
    >> EHLO x\r\n
    < 220 mail.example ESMTP ready
    < 250-mail.example
    < 250 AUTH PLAIN LOGIN
""", opening=None, server=RESOLVER + " resolver_timeout 1500ms;")
resolved("hostile name", [r"{reverse} PTR x\r\nXCLIENT.test"], "[TEMPUNAVAIL]", logs=False)
for what, name, shown in (("a blank", r"x\x20y.test", "x y.test"), ("an underscore", "x_y.test", "x_y.test")):
    resolved(f"name with {what}", [rf"{{reverse}} PTR {name}"], "[TEMPUNAVAIL]", log=f"""
        nginx log error {{client}} resolved to invalid host name "{shown}" while in resolving client address
        postern log error {{client}} resolved to invalid host name while in resolving client address""",
             because="log-bad-name", logs=False)
for via, theirs, ours in (("inet6", "IPV6:::1", "IPV6:::1"), ("unix", "unix:", "[UNAVAILABLE]")):
    parted = theirs != ours
    book.add(f"xclient by {via}", SMTP_X, f"""
        {SMTP.login}
        ?*
        !ok
        b> 220 backend
        b< EHLO mail.example
        b> 250 backend
        {"nginx " if parted else ""}b< XCLIENT ADDR={theirs} LOGIN=joe NAME=[UNAVAILABLE]
        {f"postern b< XCLIENT ADDR={ours} LOGIN=joe NAME=[UNAVAILABLE]" if parted else ""}
        b> 220 again
        < 235 2.0.0 OK
    """, via=via, because="xclient-unix" if parted else ())
for name, head, address in (("v1", V1, "{far}"), ("v1 of IPv6", V1_6, "IPV6:{far6}")):
    add(f"xclient, client from a header, {name}", SMTP_X, head, f"""
        {SMTP.login}
        ?*
        !ok
        b> 220 backend
        b< EHLO mail.example
        b> 250 backend
        b< XCLIENT ADDR={address} LOGIN=joe NAME=[UNAVAILABLE]
        b> 220 again
        < 235 2.0.0 OK
    """, server=TRUST)
add("resolver, client from a header", SMTP,
    "dns {farreverse} PTR far{n}.test\ndns far{n}.test A {far}\n" + V1, f"""
    {SMTP.login}
    {asked(SMTP, told("{far}"), "{far}").replace("[UNAVAILABLE]", "far{n}.test")}
    {refused(SMTP)}
""", server=RESOLVER + " " + TRUST)
book.add("resolver, by a socket", SMTP, f"""
    {SMTP.login}
    {SMTP.ask().replace("[UNAVAILABLE]", "[TEMPUNAVAIL]")}
    {refused(SMTP)}
""", via="unix", server=RESOLVER)
for voice in (IMAP, POP3):
    book.add(f"{voice.name} never resolves", voice, f"""
        {voice.login}
        {voice.ask()}
        {refused(voice)}
    """, server=RESOLVER)
