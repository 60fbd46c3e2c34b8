# SPDX-License-Identifier: BSD-2-Clause
"""What is offered and accepted in each state of encryption: modes of STARTTLS, sets of mechanisms,
capabilities."""

from ..voices import IMAP, POP3, SMTP, VOICES, Book, b64

book = Book("tls")
TALKS = book.talks

MODES = ("off", "on", "only")
AUTHS = {
    "imap": ("", "plain", "login", "cram-md5", "external", "plain cram-md5", "plain login cram-md5 external",
             "external plain"),
    "pop3": ("", "plain", "apop", "cram-md5", "external", "plain apop", "plain apop cram-md5 external",
             "external plain"),
    "smtp": ("", "plain", "login", "cram-md5", "external", "none", "plain none",
             "plain login cram-md5 external none"),
}
CAPABILITIES = {
    "imap": (None, "IMAP4rev1", '"IMAP4rev1" IDLE LITERAL+ SASL-IR "QUOTA X"'),
    "pop3": (None, "USER", "TOP user UIDL PIPELINING EXPIRE"),
    "smtp": (None, "PIPELINING", '"SIZE 10485760" ENHANCEDSTATUSCODES 8BITMIME DSN'),
}
LISTS = {"imap": "> a CAPABILITY\n<*\n", "pop3": "> CAPA\n<*\n> AUTH\n<*\n", "smtp": "> EHLO x\n<*\n"}

# --- the cross product ---------------------------------------------------------------------------------


def settings(voice, auth, capabilities, more=""):
    parts = [f"{voice.name}_auth {auth};" if auth else "",
             f"{voice.name}_capabilities {capabilities};" if capabilities else "", more]
    return " ".join(part for part in parts if part)


for voice in VOICES:
    for auth in AUTHS[voice.name]:
        challenge = voice is POP3 and ("apop" in auth or "cram" in auth)
        for number, capabilities in enumerate(CAPABILITIES[voice.name]):
            base = f"{voice.name} announces {auth or 'default'} with list {number}"
            script = LISTS[voice.name]
            if voice is POP3:
                script += "> USER joe\n<*\n> CAPA\n<*\n"
            for mode in MODES:
                server = settings(voice, auth, capabilities, f"starttls {mode};")
                book.add(f"{base}, starttls {mode}", voice, script, server=server, challenge=challenge)
                if mode != "off":
                    book.add(f"{base}, starttls {mode}, secured", voice, script, server=server,
                             opening="starttls",
                             challenge=challenge)
            book.add(f"{base}, implicit", voice, script, server=settings(voice, auth, capabilities),
                     opening="implicit",
                     challenge=challenge)

# --- what each mode lets in ------------------------------------------------------------------------------

WAYS = {
    "imap": ("LOGIN joe secret", "AUTHENTICATE PLAIN", "AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=",
             "AUTHENTICATE LOGIN",
             "AUTHENTICATE LOGIN am9l", "AUTHENTICATE CRAM-MD5", "AUTHENTICATE EXTERNAL",
             "AUTHENTICATE EXTERNAL am9l"),
    "pop3": ("USER joe", "AUTH", "AUTH PLAIN", "AUTH PLAIN AGpvZQBzZWNyZXQ=", "AUTH LOGIN", "AUTH LOGIN am9l",
             "AUTH CRAM-MD5", "AUTH EXTERNAL", "AUTH EXTERNAL am9l",
             "APOP joe 0123456789abcdef0123456789abcdef"),
    "smtp": ("AUTH", "AUTH PLAIN", "AUTH PLAIN AGpvZQBzZWNyZXQ=", "AUTH LOGIN", "AUTH LOGIN am9l",
             "AUTH CRAM-MD5",
             "AUTH EXTERNAL", "AUTH EXTERNAL am9l"),
}
EVERY = {"imap": "imap_auth plain login cram-md5 external;",
         "pop3": "pop3_auth plain apop cram-md5 external;",
         "smtp": "smtp_auth plain login cram-md5 external none;"}
for voice in VOICES:
    tag = "a " if voice is IMAP else ""
    for way in WAYS[voice.name]:
        refused = "501 5.5.4 Invalid argument" if way == "AUTH" and voice is SMTP else voice.bad
        book.add(f"{voice.name} starttls only refuses {way}", voice, f"""
            > {tag}{way}
            <*
            > {voice.noop[0]}
            < {voice.noop[1]}
        """.replace("<*", "< " + refused if refused == voice.bad else "<*"),
                 server=f"starttls only; {EVERY[voice.name]}", challenge=voice is POP3)

for voice in VOICES:
    for mode in ("on", "only"):
        book.add(f"{voice.name} login after starttls {mode}", voice, f"""
            {voice.login}
            {voice.ask(more=["Auth-SSL: on", "Auth-SSL-Protocol: TLSv1.3", "Auth-SSL-Cipher: {cipher}"])}
            !ok
            {voice.enter()}
            > x
            b< x
            b> y
            < y
        """, server=f"starttls {mode};", opening="starttls")
    book.add(f"{voice.name} login by implicit TLS", voice, f"""
        {voice.login}
        {voice.ask(more=["Auth-SSL: on", "Auth-SSL-Protocol: TLSv1.3", "Auth-SSL-Cipher: {cipher}"])}
        !ok
        {voice.enter()}
        > x
        b< x
        b> y
        < y
        shut
        b<.
        b.
        <.
    """, opening="implicit")
    book.add(f"{voice.name} login by TLS 1.2", voice, f"""
        {voice.login}
        {voice.ask(more=["Auth-SSL: on", "Auth-SSL-Protocol: TLSv1.2", "Auth-SSL-Cipher: {cipher}"])}
        !ok
        {voice.enter()}
    """, opening="implicit", tls="max=1.2")
    book.add(f"{voice.name} TLS 1.1 is refused", voice, "tls max=1.1 fails=*", listen="ssl", opening=None,
             logs=False)
    book.add(f"{voice.name} login refused by implicit TLS", voice, f"""
        {voice.login}
        ?*
        ! Auth-Status: no
        < {voice.refusal}no
        <.
    """, opening="implicit")
    book.add(f"{voice.name} quit by implicit TLS", voice, f"""
        > {voice.logout[0]}
        {chr(10).join("< " + line for line in voice.logout[1:])}
        <.
    """, opening="implicit")
    book.add(f"{voice.name} plain text on the TLS port", voice, f"""
        >> {voice.noop[0]}\\r\\n{voice.noop[0]}\\r\\n
        <all
    """, listen="ssl", opening=None, logs=False)
    book.add(f"{voice.name} starttls twice", voice, f"""
        > {voice.starttls[0]}
        < {voice.bad}
        > {voice.noop[0]}
        < {voice.noop[1]}
    """, opening="starttls")
    book.add(f"{voice.name} starttls on the TLS port", voice, f"""
        > {voice.starttls[0]}
        < {voice.bad}
    """, opening="implicit", server="starttls on;")
    book.add(f"{voice.name} starttls off", voice, f"""
        > {voice.starttls[0]}
        < {voice.bad}
    """, server="starttls off;")
    book.add(f"{voice.name} starttls with arguments", voice, f"""
        > {voice.starttls[0]} now
        <*
    """, server="starttls on;", logs=False)
    book.add(f"{voice.name} starttls in lower case", voice, f"""
        > {voice.starttls[0].lower()}
        < {voice.starttls[1]}
        tls
        > {voice.noop[0]}
        < {voice.noop[1]}
    """, server="starttls on;")
    book.add(f"{voice.name} plain text after starttls", voice, f"""
        > {voice.starttls[0]}
        < {voice.starttls[1]}
        >> {voice.noop[0]}\\r\\n
        <all
    """, server="starttls on;", logs=False)
    book.add(f"{voice.name} command behind starttls", voice, f"""
        >> {voice.starttls[0]}\\r\\n{voice.noop[0]}\\r\\n
        < {voice.starttls[1]}
        nginx tls
        nginx > {voice.logout[0]}
        {chr(10).join("nginx < " + line for line in voice.logout[1:])}
        <.
    """, server="starttls on;", because="behind-starttls", logs=False)

# --- what STARTTLS forgets -------------------------------------------------------------------------------

book.add("smtp starttls forgets HELO and MAIL", SMTP, """
    > EHLO client.example
    <*
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > STARTTLS
    < 220 2.0.0 Start TLS
    tls
    > RCPT TO:<c@d>
    < 503 5.5.1 Bad sequence of commands
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    ? Auth-Method: none
    ? Auth-User:\\x20
    ? Auth-Pass:\\x20
    ? Auth-Protocol: smtp
    ? Auth-Login-Attempt: 1
    ? Client-IP: {client}
    ? Client-Host: [UNAVAILABLE]
    ? Auth-SMTP-Helo:\\x20
    ? Auth-SMTP-From: MAIL FROM:<a@b>
    ? Auth-SMTP-To: RCPT TO:<c@d>
    ? Auth-SSL: on
    ? Auth-SSL-Protocol: TLSv1.3
    ? Auth-SSL-Cipher: {cipher}
    ! Auth-Status: no
    < 535 5.7.0 no
    <.
""", server="starttls on; smtp_auth none;")
book.add("smtp starttls forgets EHLO towards the backend", SMTP, f"""
    > EHLO client.example
    <*
    > STARTTLS
    < 220 2.0.0 Start TLS
    tls
    {SMTP.login}
    ?*
    !ok
    b> 220 backend
    nginx b< EHLO mail.example
    postern b< HELO mail.example
    b> 250 backend
    < 235 2.0.0 OK
""", server="starttls on;", because="esmtp-flag")
book.add("pop3 starttls after user", POP3, """
    > USER joe
    < +OK
    > STLS
    < -ERR invalid command
    > STLS
    < +OK
    tls
    > PASS secret
    < -ERR invalid command
""", server="starttls on;")
book.add("errors are counted across starttls", IMAP, """
    > a FOO
    < a BAD invalid command
    > a STARTTLS
    < a OK completed
    tls
    > a FOO
    < a BAD invalid command
    <.
""", server="starttls on; max_errors 2;")
book.add("imap no tag is kept across starttls", IMAP, r"""
    >> \r\n
    < * BAD invalid command
""", server="starttls on;", opening="starttls")

# --- ALPN ------------------------------------------------------------------------------------------------

for voice in VOICES:
    others = [name for name in ("imap", "pop3", "smtp") if name != voice.name]
    for offer in (voice.name, f"foo,{voice.name}", f"{voice.name},http/1.1"):
        book.add(f"{voice.name} alpn {offer}", voice, f"""
            > {voice.noop[0]}
            < {voice.noop[1]}
        """, opening="implicit", tls=f"alpn={offer} notes=,{voice.name},")
    for offer in ("http/1.1", "h2,http/1.1", others[0], ",".join(others), voice.name.upper(),
                  voice.name + "s"):
        book.add(f"{voice.name} alpn {offer} is refused", voice, f"""
            tls alpn={offer} fails=tlsv1_alert_no_application_protocol
            <.
        """, opening=None, listen="ssl")
    book.add(f"{voice.name} alpn after starttls", voice, f"""
        > {voice.noop[0]}
        < {voice.noop[1]}
    """, opening="starttls", tls=f"alpn={voice.name} notes=,{voice.name},")
    book.add(f"{voice.name} foreign alpn after starttls", voice, f"""
        > {voice.starttls[0]}
        < {voice.starttls[1]}
        tls alpn=http/1.1 fails=tlsv1_alert_no_application_protocol
        <.
    """, server="starttls on;")

# --- resumption ------------------------------------------------------------------------------------------

for what, server in {"by ticket": "", "without tickets": "ssl_session_tickets off;",
                     "by a builtin cache": "ssl_session_tickets off; ssl_session_cache builtin;",
                     "by a shared cache": "ssl_session_tickets off; ssl_session_cache shared:tls:1m;",
                     "cache off": "ssl_session_tickets off; ssl_session_cache off;"}.items():
    for version in ("1.2", "1.3"):
        book.add(f"resumption {what}, TLS {version}", IMAP, f"""
            tls max={version}
            < * OK IMAP4 ready
            > a NOOP
            < a OK completed
            tls-keep
            connect
            tls max={version} resume=yes
            < * OK IMAP4 ready
        """, opening=None, listen="ssl", server=server)

SHARED = "ssl_session_tickets off; ssl_session_cache shared:tls:1m;"
OTHER = "ssl_certificate {certs}/rsa.example.crt; ssl_certificate_key {certs}/rsa.example.key;"
ASKING = "ssl_verify_client on; ssl_client_certificate {certs}/ca.crt;"
for what, first, second in (
        ("ticket", "", "timeout 59s;"), ("ticket, other certificate", "", OTHER),
        ("shared cache, other certificate", SHARED, SHARED + OTHER),
        ("ticket, certificates wanted", "", ASKING),
        ("shared cache, certificates wanted", SHARED, SHARED + ASKING),
        ("shared cache", SHARED, SHARED + " timeout 59s;")):
    for version in ("1.2", "1.3"):
        again = f"tls max={version} resume=yes"
        once_more = f"{again}\n<*"
        if what == "shared cache":
            once_more = f"nginx {again} notes=reused=True\npostern {again} notes=reused=False\n< * OK IMAP4 ready"
        book.add(f"resumption in another server by {what}, TLS {version}", IMAP, f"""
            tls max={version}
            < * OK IMAP4 ready
            > a NOOP
            < a OK completed
            tls-keep
            connect second
            {once_more}
        """, opening=None, listen="ssl", server=first, second=f"protocol imap; {second}", logs=False,
                 because="tls-sessions" if what == "shared cache" else ())

# --- what TLS is spoken ----------------------------------------------------------------------------------

RSA = "ssl_certificate {certs}/rsa.example.crt; ssl_certificate_key {certs}/rsa.example.key;"
BOTH = RSA + " ssl_certificate {certs}/mail.example.crt; ssl_certificate_key {certs}/mail.example.key;"
for name, server, tls in (
        ("two certificates", BOTH, "max=1.2"),
        ("two certificates, RSA only", BOTH, "max=1.2 ciphers=ECDHE-RSA-AES256-GCM-SHA384"),
        ("two certificates, ECDSA only", BOTH, "max=1.2 ciphers=ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("two certificates, TLS 1.3", BOTH, ""), ("another certificate", RSA, ""),
        ("the order of ciphers is the client's", "",
         "max=1.2 ciphers=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("the order of ciphers is the server's", "ssl_prefer_server_ciphers on; ssl_ciphers "
         "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256;",
         "max=1.2 ciphers=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("one cipher", "ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;", "max=1.2"),
        ("protocols", "ssl_protocols TLSv1.2;", ""), ("only the newest", "ssl_protocols TLSv1.3;", ""),
        ("command: fewer protocols", "ssl_conf_command Protocol -TLSv1.3;", ""),
        ("command: cipher suites", "ssl_conf_command Ciphersuites TLS_CHACHA20_POLY1305_SHA256;", ""),
        ("curve", "ssl_ecdh_curve secp384r1;", "curve=secp384r1"),
        ("certificate in the configuration's folder",
         "ssl_certificate here.crt; ssl_certificate_key here.key;", "")):
    book.add(f"speaks: {name}", IMAP, f"""
        tls {tls}
        < * OK IMAP4 ready
    """, opening=None, listen="ssl", server=server)
for name, server, tls in (
        ("no common cipher", "ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;",
         "max=1.2 ciphers=ECDHE-ECDSA-AES256-GCM-SHA384"),
        ("no common protocol", "ssl_protocols TLSv1.3;", "max=1.2"),
        ("no common curve", "ssl_ecdh_curve secp384r1;", "curve=prime256v1"),
        ("only RSA, but no such certificate", "", "max=1.2 ciphers=ECDHE-RSA-AES256-GCM-SHA384")):
    book.add(f"does not speak: {name}", IMAP, f"tls {tls} fails=*", opening=None, listen="ssl", server=server)

# --- login with all kinds of SASL under TLS --------------------------------------------------------------

for voice in VOICES:
    book.add(f"{voice.name} external under TLS", voice, f"""
        > {voice.auth} EXTERNAL {b64("joe")}
        ?*
        !ok Auth-Pass: secret
        {voice.enter()}
    """, opening="implicit", server=EVERY[voice.name].replace("apop cram-md5 ", ""))
