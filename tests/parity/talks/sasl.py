# SPDX-License-Identifier: BSD-2-Clause
"""SASL in all three protocols: every mechanism, with and without an initial response, and every mistake."""

from ..voices import IMAP, POP3, SMTP, VOICES, Book, b64

book = Book("sasl")
TALKS = book.talks

NUL = "\\0"
ALL = {"imap": "imap_auth plain login cram-md5 external;", "pop3": "pop3_auth plain apop cram-md5 external;",
       "smtp": "smtp_auth plain login cram-md5 external none;"}
SOME = {"imap": "imap_auth plain;", "pop3": "pop3_auth plain;", "smtp": "smtp_auth plain;"}


def everywhere(name, script, **more):
    """One talk for each protocol; `script` is called with the voice."""
    for voice in VOICES:
        options = {key: value(voice) if callable(value) else value for key, value in more.items()}
        book.add(f"{voice.name} {name}", voice, script(voice), **options)


def refuse(voice):
    return f"! Auth-Status: no\n< {voice.refusal}no\n<.\n"


def nginx(lines):
    """The same lines, for nginx only."""
    return "\n".join("nginx " + line.strip() for line in lines.strip().split("\n"))


def postern(lines):
    return nginx(lines).replace("nginx ", "postern ")


# --- PLAIN ---------------------------------------------------------------------------------------------

everywhere("plain with initial response", lambda v: f"""
    > {v.auth} PLAIN {b64("", "joe", "secret")}
    {v.ask()}
    !ok
    {v.enter()}
""")
everywhere("plain", lambda v: f"""
    > {v.auth} PLAIN
    << {v.more}\\r\\n
    > {b64("", "joe", "secret")}
    {v.ask()}
    !ok
    {v.enter()}
""")
everywhere("plain in lower case", lambda v: f"""
    > {v.auth.lower()} plain {b64("", "joe", "secret")}
    {v.ask()}
    {refuse(v)}
""")
everywhere("plain byte by byte", lambda v: f"""
    >. {v.auth} PLAIN
    << {v.more}\\r\\n
    >. {b64("", "joe", "secret")}
    {v.ask()}
    {refuse(v)}
""")
everywhere("plain with everything in one write", lambda v: f"""
    >> {v.auth} PLAIN\\r\\n{b64("", "joe", "secret")}\\r\\n
    << {v.more}\\r\\n
    {v.ask()}
    {refuse(v)}
""")
everywhere("plain with authzid", lambda v: f"""
    > {v.auth} PLAIN {b64("boss", "joe", "secret")}
    {nginx(v.ask())}
    {nginx(refuse(v))}
    postern < {v.bad}
    postern > {v.noop[0]}
    postern < {v.noop[1]}
""", because="authzid")
everywhere("plain, authzid is the name", lambda v: f"""
    > {v.auth} PLAIN {b64("joe", "joe", "secret")}
    {v.ask()}
    !ok
    {v.enter()}
""")
everywhere("plain with empty password", lambda v: f"""
    > {v.auth} PLAIN {b64("", "joe", "")}
    {v.ask("joe", "")}
    {refuse(v)}
""")
everywhere("plain without padding", lambda v: f"""
    > {v.auth} PLAIN {b64("", "joe", "secret").rstrip("=")}
    {v.ask()}
    {refuse(v)}
""")
everywhere("plain with odd bytes", lambda v: f"""
    > {v.auth} PLAIN {b64("", b"j%o e+", bytes([0x7f, 0xff, 0x22, 0x5c, 0x1f]))}
    {v.ask("j%25o%20e+", chr(92) + "x7f" + chr(92) + 'xff"' + chr(92) * 2 + "%1F")}
    {refuse(v)}
""")
everywhere("plain, response cut by LF alone", lambda v: f"""
    >> {v.auth} PLAIN\\n{b64("", "joe", "secret")}\\n
    << {v.more}\\r\\n
    {v.ask()}
    {refuse(v)}
""")
for name, response, texts in (
        ("no NUL", b64("joe"), "client sent invalid login in AUTH PLAIN command"),
        ("one NUL", b64("", "joe"), "client sent invalid password in AUTH PLAIN command"),
        ("foreign letter", "AGpv!XQB4", "client sent invalid base64 encoding in AUTH PLAIN command"),
        ("lone letter", "AGpvZQB4A", "client sent invalid base64 encoding in AUTH PLAIN command"),
        ("equals sign only", "=", "client sent invalid login in AUTH PLAIN command")):
    everywhere(f"plain, {name}", lambda v: f"""
        > {v.auth} PLAIN
        << {v.more}\\r\\n
        > {response}
        < {v.bad}
        > {v.noop[0]}
        < {v.noop[1]}
        log info {texts} while in auth state
    """)
    everywhere(f"plain, {name} at once", lambda v: f"""
        > {v.auth} PLAIN {response}
        < {v.bad}
        > {v.noop[0]}
        < {v.noop[1]}
    """)
for how, course in {"": "> {} PLAIN\n<< {}\\r\\n\n> *", " at once": "> {} PLAIN *"}.items():
    everywhere(f"plain, cancel{how}", lambda v: f"""
        {course.format(v.auth, v.more)}
        < {v.bad}
        > {v.noop[0]}
        < {v.noop[1]}
        nginx log info client sent invalid base64 encoding in AUTH PLAIN command while in auth state
    """, because="sasl-cancel")
everywhere("plain, empty response", lambda v: f"""
    > {v.auth} PLAIN
    << {v.more}\\r\\n
    >> \\r\\n
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
""")
everywhere("plain, two words", lambda v: f"""
    > {v.auth} PLAIN
    << {v.more}\\r\\n
    > {b64("", "joe", "secret")} more
    {nginx(v.ask())}
    {nginx(refuse(v))}
    postern < {v.bad}
    postern > {v.noop[0]}
    postern < {v.noop[1]}
""", because="base64-strict")
everywhere("plain, two initial responses", lambda v: f"""
    > {v.auth} PLAIN {b64("", "joe", "secret")} more
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
""")

# --- LOGIN ---------------------------------------------------------------------------------------------

everywhere("login", lambda v: f"""
    > {v.auth} LOGIN
    < {v.more}VXNlcm5hbWU6
    > {b64("joe")}
    < {v.more}UGFzc3dvcmQ6
    > {b64("secret")}
    {v.ask()}
    !ok
    {v.enter()}
""")
everywhere("login with the name at once", lambda v: f"""
    > {v.auth} LOGIN {b64("joe")}
    < {v.more}UGFzc3dvcmQ6
    > {b64("secret")}
    {v.ask()}
    !ok
    {v.enter()}
""")
everywhere("login in one write", lambda v: f"""
    >> {v.auth} LOGIN\\r\\n{b64("joe")}\\r\\n{b64("secret")}\\r\\n
    < {v.more}VXNlcm5hbWU6
    < {v.more}UGFzc3dvcmQ6
    {v.ask()}
    {refuse(v)}
""")
everywhere("login, empty password", lambda v: f"""
    > {v.auth} LOGIN {b64("joe")}
    < {v.more}UGFzc3dvcmQ6
    > =
    {v.ask("joe", "")}
    {refuse(v)}
""")
for voice in (POP3, SMTP):
    book.add(f"{voice.name} login cancelled at the name", voice, f"""
        > AUTH LOGIN
        < {voice.more}VXNlcm5hbWU6
        > *
        < {voice.bad}
        > {voice.noop[0]}
        < {voice.noop[1]}
        nginx log info client sent invalid base64 encoding in AUTH LOGIN command while in auth state
    """, because="sasl-cancel")
book.add("imap login cancelled at the name", IMAP, """
    > a AUTHENTICATE LOGIN
    < + VXNlcm5hbWU6
    > *
    nginx < BAD invalid command
    postern < a BAD invalid command
    > b NOOP
    < b OK completed
    nginx log info client sent invalid base64 encoding in AUTH LOGIN command while in auth state
""", because=("imap-empty-tag", "sasl-cancel"))
everywhere("login cancelled at the password", lambda v: f"""
    > {v.auth} LOGIN
    < {v.more}VXNlcm5hbWU6
    > {b64("joe")}
    < {v.more}UGFzc3dvcmQ6
    > *
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
    nginx log info client sent invalid base64 encoding in AUTH LOGIN command while in auth state
""", because="sasl-cancel")
everywhere("login, bad name at once", lambda v: f"""
    > {v.auth} LOGIN !
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
""")
everywhere("login though not announced", lambda v: f"""
    > {v.auth} LOGIN {b64("joe")}
    < {v.more}UGFzc3dvcmQ6
    > {b64("secret")}
    {v.ask()}
    {refuse(v)}
""", server=lambda v: SOME[v.name])
everywhere("plain though not announced", lambda v: f"""
    > {v.auth} PLAIN {b64("", "joe", "secret")}
    {v.ask()}
    {refuse(v)}
""", server=lambda v: {"imap": "imap_auth cram-md5;", "pop3": "pop3_auth external;",
                       "smtp": "smtp_auth none;"}[v.name])

# --- CRAM-MD5 ------------------------------------------------------------------------------------------

DIGEST = "0123456789abcdef0123456789abcdef"


def cram(name, script, server=ALL, **more):
    everywhere(f"cram-md5{name}", script, server=lambda v: server[v.name],
               challenge=lambda v: v.name == "pop3" and server is ALL, **more)


cram("", lambda v: f"""
    > {v.auth} CRAM-MD5
    < {v.more}{{challenge64}}
    > {b64("joe " + DIGEST)}
    {v.ask("joe", DIGEST, "cram-md5", salt="{challenge}")}
    !ok Auth-Pass: secret
    {v.enter()}
""")
cram(", other name and password at the backend", lambda v: f"""
    > {v.auth} CRAM-MD5
    < {v.more}{{challenge64}}
    > {b64("joe " + DIGEST)}
    {v.ask("joe", DIGEST, "cram-md5", salt="{challenge}")}
    !ok Auth-Pass: opensesame | Auth-User: jim
    {v.enter("jim", "opensesame")}
""")
cram(", refused", lambda v: f"""
    > {v.auth} cram-md5
    < {v.more}{{challenge64}}
    > {b64("joe " + DIGEST.upper())}
    {v.ask("joe", DIGEST.upper(), "cram-md5", salt="{challenge}")}
    {refuse(v)}
""")
cram(", name with a blank", lambda v: f"""
    > {v.auth} CRAM-MD5
    < {v.more}{{challenge64}}
    > {b64("joe doe " + DIGEST)}
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
    log info client sent invalid CRAM-MD5 hash in AUTH CRAM-MD5 command while in auth state
""")
for name, response in {"short digest": b64("joe " + DIGEST[:31]), "long digest": b64("joe " + DIGEST + "0"),
                       "no digest": b64("joe"), "only a blank": b64("joe "),
                       "foreign letter": "am!l", "empty": "="}.items():
    cram(f", {name}", lambda v: f"""
        > {v.auth} CRAM-MD5
        < {v.more}{{challenge64}}
        > {response}
        < {v.bad}
        > {v.noop[0]}
        < {v.noop[1]}
    """)
cram(", cancel", lambda v: f"""
    > {v.auth} CRAM-MD5
    < {v.more}{{challenge64}}
    > *
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
    nginx log info client sent invalid base64 encoding in AUTH CRAM-MD5 command while in auth state
""", because="sasl-cancel")
cram(", digest that is no hex", lambda v: f"""
    > {v.auth} CRAM-MD5
    < {v.more}{{challenge64}}
    > {b64("joe " + "x" * 32)}
    {v.ask("joe", "x" * 32, "cram-md5", salt="{challenge}")}
    {refuse(v)}
""")
cram(" with initial response", lambda v: f"""
    > {v.auth} CRAM-MD5 {b64("joe " + DIGEST)}
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
""")
cram(" not enabled", lambda v: f"""
    > {v.auth} CRAM-MD5
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
""", server=SOME)
for voice in (IMAP, POP3):
    book.add(f"{voice.name} cram-md5, no password from the auth server", voice, f"""
        > {voice.auth} CRAM-MD5
        < {voice.more}{{challenge64}}
        > {b64("joe " + DIGEST)}
        ?*
        !ok
        < {voice.internal}
        <.
        log error auth http server {{auth}} did not send password while in http auth state
    """, server=ALL[voice.name], challenge=voice is POP3)
book.add("smtp cram-md5, no password for the backend", SMTP, f"""
    > AUTH CRAM-MD5
    < 334 {{challenge64}}
    > {b64("joe " + DIGEST)}
    ?*
    !ok
    nginx b> 220 backend
    nginx b< HELO mail.example
    nginx b> 250 backend
    < 451 4.3.2 Internal server error
    <.
    nginx b<.
    nginx log error no password available while sending AUTH to upstream
    postern log error auth http server {{auth}} did not send password while in http auth state
""", server="proxy_smtp_auth on; " + ALL["smtp"], because="smtp-no-password")

# --- APOP ----------------------------------------------------------------------------------------------

book.add("apop", POP3, f"""
    > APOP joe {DIGEST}
    {POP3.ask("joe", DIGEST, "apop", salt="{challenge}")}
    !ok Auth-Pass: secret
    {POP3.enter()}
""", server="pop3_auth apop;", challenge=True)
book.add("apop in lower case", POP3, f"""
    > apop joe {DIGEST}
    {POP3.ask("joe", DIGEST, "apop", salt="{challenge}")}
    {refuse(POP3)}
""", server="pop3_auth apop;", challenge=True)
book.add("apop, any digest", POP3, f"""
    > APOP joe short
    {POP3.ask("joe", "short", "apop", salt="{challenge}")}
    {refuse(POP3)}
""", server="pop3_auth apop;", challenge=True)
book.add("apop, odd bytes", POP3, r"""
    > APOP j\xf6e%\x01 x\x7f
    """ + POP3.ask(r"j\xf6e%25%01", r"x\x7f", "apop", salt="{challenge}") + refuse(POP3),
         server="pop3_auth apop;", challenge=True)
book.add("apop, no password from the auth server", POP3, f"""
    > APOP joe {DIGEST}
    ?*
    !ok
    < -ERR internal server error
    <.
    log error auth http server {{auth}} did not send password while in http auth state
""", server="pop3_auth apop;", challenge=True)
for arguments in ("", " joe", f" joe {DIGEST} more"):
    book.add(f"apop with {arguments.count(' ')} arguments", POP3, f"""
        > APOP{arguments}
        < -ERR invalid command
        > NOOP
        < +OK
    """, server="pop3_auth apop;", challenge=True)
book.add("apop not enabled", POP3, f"""
    > APOP joe {DIGEST}
    < -ERR invalid command
    > NOOP
    < +OK
""", server="pop3_auth plain cram-md5;", challenge=True)

# --- EXTERNAL ------------------------------------------------------------------------------------------


# Without CRAM-MD5 and APOP: nginx sends POP3's challenge along with any method but PLAIN.
EXTERNAL = {name: words.replace("apop ", "").replace("cram-md5 ", "") for name, words in ALL.items()}


def external(name, script, server=EXTERNAL, **more):
    everywhere(f"external{name}", script, server=lambda v: server[v.name], **more)


external("", lambda v: f"""
    > {v.auth} EXTERNAL
    < {v.more}VXNlcm5hbWU6
    > {b64("joe")}
    {v.ask("joe", "", "external")}
    !ok Auth-Pass: secret
    {v.enter()}
""")
external(" with initial response", lambda v: f"""
    > {v.auth} EXTERNAL {b64("joe")}
    {v.ask("joe", "", "external")}
    !ok Auth-Pass: secret
    {v.enter()}
""")
external(", empty name", lambda v: f"""
    > {v.auth} EXTERNAL =
    {v.ask("", "", "external")}
    !ok Auth-User: jim | Auth-Pass: secret
    {v.enter("jim")}
""")
external(" cancelled", lambda v: f"""
    > {v.auth} EXTERNAL
    < {v.more}VXNlcm5hbWU6
    > *
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
    nginx log info client sent invalid base64 encoding in AUTH EXTERNAL command while in auth state
""", because="sasl-cancel")
external(", bad base64", lambda v: f"""
    > {v.auth} EXTERNAL
    < {v.more}VXNlcm5hbWU6
    > am!l
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
    log info client sent invalid base64 encoding in AUTH EXTERNAL command while in auth state
""")
book.add("pop3 external with a challenge in the greeting", POP3, f"""
    > AUTH EXTERNAL am9l
    {nginx(POP3.ask("joe", "", "external", salt="{challenge}"))}
    {postern(POP3.ask("joe", "", "external"))}
    {refuse(POP3)}
""", server=ALL["pop3"], challenge=True, because="salt-noise")
external(" not enabled", lambda v: f"""
    > {v.auth} EXTERNAL
    < {v.bad}
    > {v.noop[0]}
    < {v.noop[1]}
""", server=SOME)
external(" not enabled, with initial response", lambda v: f"""
    > {v.auth} EXTERNAL {b64("joe")}
    nginx ?*
    nginx ! Auth-Status: no
    nginx < {v.refusal}no
    nginx <.
    postern < {v.bad}
    postern > {v.noop[0]}
    postern < {v.noop[1]}
""", server=SOME, because="external-gate", logs=False)
for voice in (IMAP, POP3):
    book.add(f"{voice.name} external, no password from the auth server", voice, f"""
        > {voice.auth} EXTERNAL {b64("joe")}
        ?*
        !ok
        < {voice.internal}
        <.
    """, server=EXTERNAL[voice.name])

# --- no such mechanism ---------------------------------------------------------------------------------

for mechanism in ("XOAUTH2", "OAUTHBEARER", "SCRAM-SHA-256", "GSSAPI", "NTLM", "PLAINX", "PLAI", "x"):
    everywhere(f"unknown mechanism {mechanism}", lambda v: f"""
        > {v.auth} {mechanism}
        < {v.bad}
        > {v.auth} {mechanism} AAAA
        < {v.bad}
        > {v.noop[0]}
        < {v.noop[1]}
    """, server=lambda v: ALL[v.name], challenge=lambda v: v is POP3)

# --- again after a failure -----------------------------------------------------------------------------

everywhere("another mechanism after a mistake", lambda v: f"""
    > {v.auth} LOGIN {b64("jim")}
    < {v.more}UGFzc3dvcmQ6
    > !
    < {v.bad}
    > {v.auth} PLAIN {b64("", "joe", "secret")}
    {v.ask()}
    !ok
    {v.enter()}
""")
everywhere("login, commands in the middle are answers", lambda v: f"""
    > {v.auth} LOGIN
    < {v.more}VXNlcm5hbWU6
    > {v.noop[0].split()[-1]}
    < {v.more}UGFzc3dvcmQ6
    > !
    < {v.bad}
""")
everywhere("mistakes in SASL", lambda v: f"""
    > {v.auth} PLAIN !
    < {v.bad}
    > {v.auth} PLAIN !
    < {v.bad}
    postern <.
    postern log info client sent too many invalid commands while in auth state
    nginx > {v.noop[0]}
    nginx < {v.noop[1]}
""", server="max_errors 2;", because="sasl-errors-count")

# --- credentials that no line protocol can carry -------------------------------------------------------

for what, user, password in (("CR LF in the name", b"joe\r\nDELE 1", b"x"),
                             ("LF in the name", b"j\noe", b"x"),
                             ("CR in the name", b"j\roe", b"x"),
                             ("CR LF in the password", b"joe", b"x\r\nDELE 1"),
                             ("NUL in the password", b"joe", b"se\0cret")):
    everywhere(f"plain, {what}", lambda v: f"""
        > {v.auth} PLAIN {b64(b"", user, password)}
        nginx ?*
        nginx ! Auth-Status: no
        nginx < {v.refusal}no
        nginx <.
        postern < {v.bad}
        postern > {v.noop[0]}
        postern < {v.noop[1]}
    """, because="credential-controls", logs=False)
    everywhere(f"login, {what}", lambda v: f"""
        > {v.auth} LOGIN {b64(user)}
        < {v.more}UGFzc3dvcmQ6
        > {b64(password)}
        nginx ?*
        nginx ! Auth-Status: no
        nginx < {v.refusal}no
        nginx <.
        postern < {v.bad}
        postern > {v.noop[0]}
        postern < {v.noop[1]}
    """, because="credential-controls", logs=False)
everywhere("plain, empty name", lambda v: f"""
    > {v.auth} PLAIN {b64("", "", "secret")}
    nginx {v.ask("", "secret").strip().replace(chr(10), chr(10) + "nginx ")}
    nginx ! Auth-Status: no
    nginx < {v.refusal}no
    nginx <.
    postern < {v.bad}
    postern > {v.noop[0]}
    postern < {v.noop[1]}
""", because="empty-name", logs=False)
everywhere("plain, something behind the padding", lambda v: f"""
    > {v.auth} PLAIN {b64("", "joe", "secret")}AGpv
    nginx {v.ask().strip().replace(chr(10), chr(10) + "nginx ")}
    nginx ! Auth-Status: no
    nginx < {v.refusal}no
    nginx <.
    postern < {v.bad}
    postern > {v.noop[0]}
    postern < {v.noop[1]}
""", because="base64-strict", logs=False)
