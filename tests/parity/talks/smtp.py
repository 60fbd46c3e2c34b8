# SPDX-License-Identifier: BSD-2-Clause
"""SMTP before the login or the first recipient: commands, states, errors, relaying without AUTH."""

from ..voices import SMTP, Book, b64

book = Book("smtp")
TALKS = book.talks


def add(name, script, **more):
    book.add(name, SMTP, script, **more)


LOGIN = "> AUTH PLAIN " + b64("", "joe", "secret") + "\n"
BAD = "500 5.5.1 Invalid command"

# --- commands ------------------------------------------------------------------------------------------

add("noop", """
    > NOOP
    < 250 2.0.0 OK
    > noop with arguments
    < 250 2.0.0 OK
""")
add("quit", """
    > QUIT
    < 221 2.0.0 Bye
    <.
""")
add("rset", """
    > RSET
    < 250 2.0.0 OK
""")
add("helo", """
    > HELO client.example
    < 250 mail.example
""")
add("ehlo", """
    > EHLO client.example
    < 250-mail.example
    < 250 AUTH PLAIN LOGIN
""")
add("helo in any case", """
    > eHlO x
    < 250-mail.example
    < 250 AUTH PLAIN LOGIN
    > helo x
    < 250 mail.example
""")
for command in ("HELO", "EHLO", "HELO a b", "EHLO a b c", "AUTH"):
    add(f"{command}: wrong arguments", f"""
        > {command}
        < 501 5.5.4 Invalid argument
        > NOOP
        < 250 2.0.0 OK
    """)
for command in ("VRFY joe", "EXPN list", "HELP", "HELP NOOP", "DATA", "BDAT 1", "ETRN x", "LHLO x",
                "XCLIENT ADDR=1.2.3.4",
                "XFORWARD ADDR=1.2.3.4", "TURN", "SEND FROM:<a@b>", "STARTTLS", "FOO", "NOOPS", "NO", "MAILX",
                "RCPTX",
                "AUTHX PLAIN", "BURL", "", "HELO\\tx", "N\\0OP", "\\xc3\\x84B", "1", "*", "."):
    add(f"invalid command {command!r}", f"""
        >> {command}\\r\\n
        < {BAD}
        > NOOP
        < 250 2.0.0 OK
    """)
add("MAIL without authentication", """
    > MAIL FROM:<a@b>
    < 530 5.7.1 Authentication required
    > NOOP
    < 250 2.0.0 OK
    log info client was rejected: "MAIL FROM:<a@b>
""", logs=False)
add("MAIL without arguments, without authentication", """
    > MAIL
    < 530 5.7.1 Authentication required
""", logs=False)
add("RCPT without authentication", """
    > RCPT TO:<a@b>
    < 503 5.5.1 Bad sequence of commands
    > NOOP
    < 250 2.0.0 OK
""", logs=False)
add("rejected MAIL and more in one write", r"""
    >> MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nQUIT\r\n
    < 530 5.7.1 Authentication required
    postern < 503 5.5.1 Bad sequence of commands
    postern < 221 2.0.0 Bye
    postern <.
    nginx >> \r\n
    nginx < 503 5.5.1 Bad sequence of commands
""", because="rejected-mail", logs=False)
add("blank before the verb", r"""
    >> \x20NOOP\r\n
    < 500 5.5.1 Invalid command
""")
add("blanks behind", r"""
    >> NOOP  \r\n
    < 250 2.0.0 OK
""")
add("bare LF", r"""
    >> NOOP\nHELO x\n
    < 250 2.0.0 OK
    < 250 mail.example
""")
add("bare CR in the verb", r"""
    >> NO\rOP\r\n
    < 500 5.5.1 Invalid command
""")
add("bare CR in an argument", r"""
    >> HELO a\rb\r\n
    < 500 5.5.1 Invalid command
""")
add("eleven arguments", """
    > NOOP 1 2 3 4 5 6 7 8 9 10
    < 250 2.0.0 OK
    > NOOP 1 2 3 4 5 6 7 8 9 10 11
    < 250 2.0.0 OK
    > NOOP 1 2 3 4 5 6 7 8 9 10 11 12
    < 500 5.5.1 Invalid command
""", logs=False)
add("NUL in HELO", r"""
    > HELO a\0b
    nginx < 250 mail.example
    postern < 501 5.5.4 Invalid argument
""", because="envelope-controls", logs=False)
add("HTTP request", r"""
    >> POST / HTTP/1.1\r\nHost: x\r\n\r\n
    < 500 5.5.1 Invalid command
    nginx < 500 5.5.1 Invalid command
    nginx < 500 5.5.1 Invalid command
    postern <.
""", because="http-verbs", logs=False)
add("pipelined before the login", r"""
    >> EHLO client.example\r\nNOOP\r\nRSET\r\nNOOP\r\n
    < 250-mail.example
    < 250 AUTH PLAIN LOGIN
    < 250 2.0.0 OK
    < 250 2.0.0 OK
    < 250 2.0.0 OK
""")
add("pipelined behind the login", r"""
    >> EHLO client.example\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n
    < 250-mail.example
    < 250 AUTH PLAIN LOGIN
    ?*
    !ok
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    < 235 2.0.0 OK
    b< MAIL FROM:<a@b>
    b< RCPT TO:<c@d>
    b< DATA
""")

# --- the end of patience -------------------------------------------------------------------------------

add("five errors", f"""
    > FOO
    < {BAD}
    > FOO
    < {BAD}
    > FOO
    < {BAD}
    > FOO
    < {BAD}
    > FOO
    < {BAD}
    <.
    log info client sent too many invalid commands while in auth state
""")
add("errors that do not count", "".join(f"""
    > {command}
    <*
""" for command in ("HELO", "VRFY x", "EXPN x", "HELP", "AUTH", "AUTH FOO", "MAIL FROM:<x@y>",
                    "RCPT TO:<x@y>",
                    "STARTTLS")) + """
    > NOOP
    < 250 2.0.0 OK
""", server="max_errors 2;", logs=False)
add("one error allowed", f"""
    > FOO
    < {BAD}
    <.
""", server="max_errors 1;")

# --- the buffer ----------------------------------------------------------------------------------------

SMALL = "smtp_client_buffer 64;"
add("buffer just holds a command", f"""
    > NOOP {"x" * 57}
    < 250 2.0.0 OK
""", server=SMALL)
add("command too long", f"""
    >> NOOP {"x" * 59}
    < {BAD}
    <.
    nginx log info client sent too long command "NOOP {"x" * 59}" while in auth state
    postern log info client sent too long command while in auth state
""", server=SMALL, because="log-secrets")
add("batch across the end of the buffer", r"""
    >> NOOP 123456789012\r\nNOOP 123456789012\r\nNOOP 123456789012\r\nNOOP 12
    < 250 2.0.0 OK
    < 250 2.0.0 OK
    < 250 2.0.0 OK
    nginx < 500 5.5.1 Invalid command
    nginx <.
    postern >> 45\r\n
    postern < 250 2.0.0 OK
""", server=SMALL, because="buffer-straddle", logs=False)

# --- what the backend is told --------------------------------------------------------------------------

for greet, tells in (("", "HELO mail.example"), ("> HELO client.example\n<*", "HELO mail.example"),
                     ("> EHLO client.example\n<*", "EHLO mail.example"),
                     ("> EHLO a\n<*\n> HELO b\n<*", None)):
    script = f"""
        {greet}
        {LOGIN}
        ?*
        !ok
        b> 220 backend
        {"b< " + tells if tells else "nginx b< EHLO mail.example" + chr(10) + "postern b< HELO mail.example"}
        b> 250 backend
        < 235 2.0.0 OK
    """
    add(f"login after {greet.replace('> ', '').replace('<*', '').split() or 'nothing'}", script,
        because=() if tells else "esmtp-flag")

# --- smtp_auth none --------------------------------------------------------------------------------------

NONE = "smtp_auth none;"


def envelope(helo="", mail="MAIL FROM:<a@b>", rcpt="RCPT TO:<c@d>"):
    return "\n".join("? " + line for line in (
        "Auth-Method: none", "Auth-User:\\x20", "Auth-Pass:\\x20", "Auth-Protocol: smtp",
        "Auth-Login-Attempt: 1",
        "Client-IP: {client}", "Client-Host: [UNAVAILABLE]",
        f"Auth-SMTP-Helo: {helo}".rstrip() + ("" if helo else "\\x20"),
        f"Auth-SMTP-From: {mail}", f"Auth-SMTP-To: {rcpt}")) + "\n"


def relay(name, helo, mail, rcpt, esmtp=False):
    word = "EHLO" if esmtp else "HELO"
    greet = f"> {word} {helo}\n<*" if helo else ""
    add(f"relay {name}", f"""
        {greet}
        > {mail}
        < 250 2.0.0 OK
        > {rcpt}
        {envelope(helo, mail, rcpt)}
        !ok
        b> 220 backend
        b< {word} mail.example
        b> 250 backend
        b< {mail}
        b> 250 2.1.0 sender fine
        b< {rcpt}
        b> 250 2.1.5 recipient fine
        < 250 2.1.5 recipient fine
        > DATA
        b< DATA
        b> 354 go
        < 354 go
    """, server=NONE)


relay("with HELO", "client.example", "MAIL FROM:<a@b>", "RCPT TO:<c@d>")
relay("with EHLO", "client.example", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", esmtp=True)
relay("without HELO", "", "MAIL FROM:<a@b>", "RCPT TO:<c@d>")
relay("null sender", "x", "MAIL FROM:<>", "RCPT TO:<c@d>", esmtp=True)
relay("with parameters", "[192.0.2.1]", "MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=q+2Bq",
      "RCPT TO:<c@d> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;c@d", esmtp=True)
relay("in lower case", "x", "mail from: <a@b>", "rcpt to: <c@d>")
relay("blanks inside", "x", "MAIL  FROM:  <a@b>", "RCPT   TO:<c@d>")
relay("odd bytes", "x", r'MAIL FROM:<"a b"@\xc3\xb6>', r"RCPT TO:<\xe4%+=@d>")
relay("nonsense", "x", "MAIL whatever you like", "RCPT to nobody")
add("relay, 8-bit HELO", r"""
    > HELO cl\xefent
    <*
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    """ + envelope(r"cl\xefent") + """
    ! Auth-Status: no
    < 535 5.7.0 no
    <.
""", server=NONE)
add("relay, blanks behind", r"""
    >> MAIL FROM:<a@b>  \r\n
    < 250 2.0.0 OK
    >> RCPT TO:<c@d> \r\n
    ?*
    ! Auth-Status: no
    < 535 5.7.0 no
    <.
""", server=NONE)
add("relay, bare LF", r"""
    >> MAIL FROM:<a@b>\nRCPT TO:<c@d>\n
    < 250 2.0.0 OK
    """ + envelope() + """
    ! Auth-Status: no
    < 535 5.7.0 no
    <.
""", server=NONE)
add("relay, everything in one write", r"""
    >> EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n
    <*
    < 250 2.0.0 OK
    """ + envelope("x") + """
    !ok
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< MAIL FROM:<a@b>
    b> 250 ok
    b< RCPT TO:<c@d>
    b> 250 ok
    < 250 ok
    b< RCPT TO:<e@f>
    b< DATA
""", server=NONE)
add("relay, second MAIL", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > MAIL FROM:<c@d>
    < 503 5.5.1 Bad sequence of commands
""", server=NONE)
add("relay, MAIL again after RSET", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RSET
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    < 503 5.5.1 Bad sequence of commands
    > MAIL FROM:<x@y>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
""" + envelope("", "MAIL FROM:<x@y>") + """
    ! Auth-Status: no
    < 535 5.7.0 no
    <.
""", server=NONE)
add("relay, MAIL again after HELO", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > HELO x
    < 250 mail.example
    > RCPT TO:<c@d>
    < 503 5.5.1 Bad sequence of commands
""", server=NONE)
for command, reply in {"MAIL": "501 5.5.4 Invalid argument", "RCPT": "503 5.5.1 Bad sequence of commands",
                       "RCPT TO:<c@d>": "503 5.5.1 Bad sequence of commands", "DATA": BAD}.items():
    add(f"relay, {command} first", f"""
        > {command}
        < {reply}
    """, server=NONE)
add("relay, RCPT without arguments", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT
    < 501 5.5.4 Invalid argument
""", server=NONE)
add("relay, AUTH all the same", f"""
    {LOGIN}
    {SMTP.ask()}
    !ok
    {SMTP.enter()}
""", server=NONE)
add("relay, EHLO announces nothing", """
    > EHLO x
    < 250 mail.example
""", server=NONE)
add("relay, refused", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    ?*
    ! Auth-Status: no such user
    ! Auth-Error-Code: 550 5.1.1
    < 550 5.1.1 no such user
    <.
    log info client login failed: "no such user" while in http auth state
""", server=NONE)
add("relay, refused, another recipient after a wait", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    ?*
    ! Auth-Status: no such user
    ! Auth-Error-Code: 550 5.1.1
    ! Auth-Wait: 1
    < 550 5.1.1 no such user
    > RCPT TO:<e@f>
    ?*
    ! Auth-Status: neither
    < 535 5.7.0 neither
    <.
""", server=NONE)
for answer in ("550 5.1.1 unknown", "451 4.7.1 later", "250-one\\r\\n250 two", "554-a\\r\\n554-b\\r\\n554 c"):
    add(f"relay, backend answers RCPT with {answer}", f"""
        > MAIL FROM:<a@b>
        < 250 2.0.0 OK
        > RCPT TO:<c@d>
        ?*
        !ok
        b> 220 backend
        b< HELO mail.example
        b> 250 backend
        b< MAIL FROM:<a@b>
        b> 250 ok
        b< RCPT TO:<c@d>
        b> {answer}
        << {answer}\\r\\n
        > QUIT
        b< QUIT
    """, server=NONE)
for answer in ("550 5.1.8 bad sender", "421 go away"):
    add(f"relay, backend answers MAIL with {answer}", f"""
        > MAIL FROM:<a@b>
        < 250 2.0.0 OK
        > RCPT TO:<c@d>
        ?*
        !ok
        b> 220 backend
        b< HELO mail.example
        b> 250 backend
        b< MAIL FROM:<a@b>
        b> {answer}
        < 451 4.3.2 Internal server error
        <.
        log error upstream sent invalid response: "{answer}" while reading response from upstream
    """, server=NONE)
for what, line in {"NUL in MAIL": r"MAIL FROM:<a\0@b>", "escape in MAIL": r"MAIL FROM:<a\x1b@b>"}.items():
    add(f"relay, {what}", f"""
        > {line}
        nginx < 250 2.0.0 OK
        postern < 501 5.5.4 Invalid argument
    """, server=NONE, because="envelope-controls", logs=False)
add("relay, NUL in RCPT", r"""
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c\0@d>
    nginx ?*
    nginx ! Auth-Status: no
    nginx < 535 5.7.0 no
    postern < 501 5.5.4 Invalid argument
""", server=NONE, because="envelope-controls", logs=False)
add("relay under starttls only", """
    > MAIL FROM:<a@b>
    nginx < 250 2.0.0 OK
    postern < 530 5.7.0 Must issue a STARTTLS command first
""", server=NONE + " starttls only;", because="starttls-only-mail", logs=False)

# --- greeting ------------------------------------------------------------------------------------------

add("greeting delayed", """
    < 220 mail.example ESMTP ready
    > NOOP
    < 250 2.0.0 OK
""", server="smtp_greeting_delay 100ms;", opening=None)
add("greeting delayed, client too early", r"""
    >> EHLO x\r\nNOOP\r\n
    < 503 5.5.0 Improper use of SMTP command pipelining
    <.
    nginx log info client was rejected before greeting: "EHLO x__NOOP__" while in delay pipelining state
    postern log info client was rejected before greeting: "EHLO" while in delay pipelining state
""", server="smtp_greeting_delay 5s;", opening=None, logs=False, because="log-hasty")
add("greeting with another name", """
    < 220 mx.other.example ESMTP ready
    > HELO x
    < 250 mx.other.example
""", server="server_name mx.other.example;", opening=None)
