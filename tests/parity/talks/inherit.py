# SPDX-License-Identifier: BSD-2-Clause
"""What a server has from the mail block: single values unless it has its own, lists and sets as a whole."""

from ..voices import IMAP, POP3, SMTP, Book, b64

book = Book("inherit")
TALKS = book.talks

MAIL = """
    server_name other.example;
    imap_capabilities MAIL1 MAIL2;
    imap_capabilities MAIL3;
    imap_auth plain cram-md5;
    pop3_capabilities TOP MAILX;
    pop3_auth plain external;
    smtp_capabilities "SIZE 1" MAILX;
    smtp_auth login;
    max_errors 2;
    xclient off;
    starttls on;
    proxy_pass_error_message on;
    auth_http_header X-Mail mail;
    auth_http {auth}/mail;
    imap_client_buffer 64;
    smtp_client_buffer 64;
    ssl_protocols TLSv1.2;
"""


def add(name, voice, script, server=""):
    book.add(name, voice, script, mail=MAIL, server=server, opening=None)


OTHER = SMTP.hello.replace("mail.example", "other.example")
CAPA = "> a CAPABILITY\n<*\n"

# --- inherited -------------------------------------------------------------------------------------------

add("imap", IMAP, """
    < * OK IMAP4 ready
    > a CAPABILITY
    < * CAPABILITY MAIL1 MAIL2 MAIL3 AUTH=PLAIN AUTH=CRAM-MD5 STARTTLS
    < a OK completed
""")
add("pop3", POP3, """
    < +OK POP3 ready
    > CAPA
    < +OK Capability list follows
    < TOP
    < MAILX
    < SASL PLAIN LOGIN EXTERNAL
    < STLS
    < .
""")
add("smtp", SMTP, f"""
    < {OTHER}
    > EHLO x
    < 250-other.example
    < 250-SIZE 1
    < 250-MAILX
    < 250-AUTH LOGIN
    < 250 STARTTLS
""")
add("max_errors", IMAP, """
    < * OK IMAP4 ready
    > a FOO
    < a BAD invalid command
    > a FOO
    < a BAD invalid command
    <.
""")
add("auth_http", IMAP, f"""
    < * OK IMAP4 ready
    > a LOGIN joe secret
    ? GET /mail HTTP/1.0
    ? Host: 127.25.0.2
    {IMAP.ask(more=["X-Mail: mail"])}
    ! Auth-Status: no
    < a NO no
    <.
""")
add("buffer", IMAP, f"""
    < * OK IMAP4 ready
    > a NOOP {"x" * 55}
    < a OK completed
""")
add("protocols", IMAP, """
    < * OK IMAP4 ready
    > a STARTTLS
    < a OK completed
    tls notes=TLSv1.2,
""")
add("messages passed on", POP3, f"""
    < +OK POP3 ready
    {POP3.login}
    ?*
    !ok
    b> -ERR not now
    < -ERR not now
    <.
""")

# --- replaced --------------------------------------------------------------------------------------------

add("imap capabilities of its own", IMAP, """
    < * OK IMAP4 ready
    > a CAPABILITY
    < * CAPABILITY OWN AUTH=PLAIN AUTH=CRAM-MD5 STARTTLS
    < a OK completed
""", server="imap_capabilities OWN;")
add("imap mechanisms of its own", IMAP, """
    < * OK IMAP4 ready
    > a CAPABILITY
    < * CAPABILITY MAIL1 MAIL2 MAIL3 AUTH=EXTERNAL STARTTLS
    < a OK completed
    > a AUTHENTICATE CRAM-MD5
    < a BAD invalid command
""", server="imap_auth external;")
add("two lists of its own", IMAP, """
    < * OK IMAP4 ready
    > a CAPABILITY
    < * CAPABILITY A B C AUTH=LOGIN AUTH=EXTERNAL STARTTLS
    < a OK completed
""", server="imap_capabilities A; imap_auth login; imap_capabilities B C; imap_auth external;")
add("pop3 lists of its own", POP3, """
    < +OK POP3 ready {challenge}
    > CAPA
    <*
    > AUTH
    <*
""".replace("{challenge}", "{challenge}"),
    server="pop3_capabilities USER OWN; pop3_auth apop; server_name mail.example;")
add("smtp lists of its own", SMTP, f"""
    < {OTHER}
    > EHLO x
    < 250-other.example
    < 250-OWN
    < 250 STARTTLS
""", server="smtp_capabilities OWN; smtp_auth none;")
add("name of its own", SMTP, """
    < 220 own.example ESMTP ready
    > HELO x
    < 250 own.example
""", server="server_name own.example;")
add("starttls of its own", IMAP, f"""
    < * OK IMAP4 ready
    {CAPA}
    > a STARTTLS
    < a BAD invalid command
""", server="starttls off;")
add("max_errors of its own", IMAP, """
    < * OK IMAP4 ready
    > a FOO
    < a BAD invalid command
    <.
""", server="max_errors 1;")
add("auth_http of its own, headers inherited", IMAP, f"""
    < * OK IMAP4 ready
    > a LOGIN joe secret
    ? GET /own HTTP/1.0
    ? Host: 127.25.0.2
    {IMAP.ask(more=["X-Mail: mail"])}
    ! Auth-Status: no
    < a NO no
    <.
""", server="auth_http {auth}/own;")
add("auth_http twice, the last counts", IMAP, """
    < * OK IMAP4 ready
    > a LOGIN joe secret
    ?*
    ! Auth-Status: no
    < a NO no
    <.
""", server="auth_http {auth}/first; auth_http {auth}/last;")
add("header of its own, auth_http inherited", IMAP, f"""
    < * OK IMAP4 ready
    > a LOGIN joe secret
    ? GET /mail HTTP/1.0
    ? Host: 127.25.0.2
    {IMAP.ask(more=["X-Own: own"])}
    ! Auth-Status: no
    < a NO no
    <.
""", server="auth_http_header X-Own own;")
add("buffer of its own", IMAP, f"""
    < * OK IMAP4 ready
    > a NOOP {"x" * 200}
    < a OK completed
""", server="imap_client_buffer 4k;")
add("protocols of its own", IMAP, """
    < * OK IMAP4 ready
    > a STARTTLS
    < a OK completed
    tls notes=TLSv1.3,
""", server="ssl_protocols TLSv1.3;")
add("no messages passed on", POP3, f"""
    < +OK POP3 ready
    {POP3.login}
    ?*
    !ok
    b> -ERR not now
    < -ERR internal server error
    <.
""", server="proxy_pass_error_message off;")
add("xclient of its own", SMTP.__class__(**{**SMTP.__dict__, "base": "protocol smtp;"}), f"""
    < {OTHER}
    > AUTH PLAIN {b64("", "joe", "secret")}
    ?*
    !ok
    b> 220 x
    b< EHLO other.example
    b> 250 x
    b< XCLIENT ADDR={{client}} LOGIN=joe NAME=[UNAVAILABLE]
    b> 220 x
    < 235 2.0.0 OK
""", server="xclient on;")
