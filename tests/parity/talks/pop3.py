# SPDX-License-Identifier: BSD-2-Clause
"""POP3 before the login: commands, arguments, states, errors."""

from ..voices import POP3, Book

book = Book("pop3")
TALKS = book.talks


def add(name, script, **more):
    book.add(name, POP3, script, **more)


BAD = "< -ERR invalid command"
DIGEST = "0123456789abcdef0123456789abcdef"

# --- commands ------------------------------------------------------------------------------------------

add("noop", """
    > NOOP
    < +OK
    > nOoP with arguments
    < +OK
""")
add("quit", """
    > QUIT
    < +OK
    <.
""")
add("quit with arguments", """
    > quit now please
    < +OK
    <.
""")
add("quit ends what is pipelined behind", r"""
    >> QUIT\r\nNOOP\r\n
    < +OK
    <.
""")
add("capa", """
    > CAPA
    < +OK Capability list follows
    < TOP
    < USER
    < UIDL
    < SASL PLAIN LOGIN
    < .
""")
add("capa with arguments", """
    > CAPA x
    < +OK Capability list follows
    < TOP
    < USER
    < UIDL
    < SASL PLAIN LOGIN
    < .
""")
add("auth lists", """
    > AUTH
    < +OK methods supported:
    < PLAIN
    < LOGIN
    < .
""")
add("auth lists all", """
    > AUTH
    < +OK methods supported:
    < PLAIN
    < LOGIN
    < CRAM-MD5
    < EXTERNAL
    < .
""", server="pop3_auth plain apop cram-md5 external;", challenge=True)
add("auth lists none", """
    > AUTH
    < +OK methods supported:
    < .
""", server="pop3_auth apop;", challenge=True)
for verb in ("STAT", "LIST", "RETR 1", "DELE 1", "RSET", "TOP 1 0", "UIDL", "LANG", "UTF8", "XOIP 1.2.3.4",
             "HELO x",
             "PASS secret", "US joe", "USERS joe", "USE", "NOOPS", "1234", "NO-P", "STLS", "APOP joe x",
             "XCLIENT",
             "AUTHX PLAIN", "", "  ", "N\\0OP", "\\xdcSER joe", "PASS"):
    add(f"invalid command {verb!r}", f"""
        >> {verb}\\r\\n
        {BAD}
        > NOOP
        < +OK
    """)
add("blank before the verb", r"""
    >> \x20NOOP\r\n
    < -ERR invalid command
""")
add("blanks behind", r"""
    >> NOOP  \r\n
    < +OK
""")
add("tab behind", r"""
    > NOOP\tx
    < -ERR invalid command
""")
add("bare LF", r"""
    >> NOOP\nNOOP\n
    < +OK
    < +OK
""")
add("bare CR in the verb", r"""
    >> NO\rOP\r\n
    < -ERR invalid command
""")
add("bare CR behind the verb", r"""
    >> NOOP\rNOOP\r\n
    < -ERR invalid command
""")
add("bare CR in an argument", r"""
    >> USER jo\re\r\n
    < -ERR invalid command
""")
add("bare CR in another argument", r"""
    >> AUTH PL\rAIN\r\n
    < -ERR invalid command
""")
add("four arguments", """
    > NOOP a b c d
    < -ERR invalid command
""")
add("byte by byte", """
    >. USER joe
    < +OK
    >. PASS secret
    ?*
    ! Auth-Status: no
    < -ERR no
    <.
""")
add("HTTP request", r"""
    >> GET / HTTP/1.1\r\nHost: x\r\n\r\n
    < -ERR invalid command
    nginx < -ERR invalid command
    nginx < -ERR invalid command
    postern <.
""", because="http-verbs")

# --- USER and PASS -------------------------------------------------------------------------------------


def login(name, user_line, pass_line, user, password, at_back=None, secret=None, **more):
    add(f"login {name}", f"""
        > {user_line}
        < +OK
        > {pass_line}
        {POP3.ask(user, password)}
        !ok
        {POP3.enter(at_back or user, secret or password)}
    """, **more)


login("", "USER joe", "PASS secret", "joe", "secret")
login("in lower case", "user joe", "pass secret", "joe", "secret")
login("with blanks in the password", "USER joe", "PASS open sesame now", "joe", "open%20sesame%20now",
      secret="open sesame now")
login("with blanks behind the password", "USER joe", r"PASS secret \x20", "joe", "secret%20%20",
      secret=r"secret \x20")
login("with blanks in the name", "USER joe doe", "PASS secret", "joe%20doe", "secret", at_back="joe doe")
login("with blanks behind the name", r"USER joe\x20", "PASS secret", "joe%20", "secret", at_back=r"joe\x20")
login("with two blanks before the name", "USER  joe", "PASS secret", "joe", "secret")
add("login with two blanks before the password", f"""
    > USER joe
    < +OK
    > PASS  secret
    nginx {POP3.ask().strip().replace(chr(10), chr(10) + "nginx ")}
    postern {POP3.ask("joe", "%20secret").strip().replace(chr(10), chr(10) + "postern ")}
    ! Auth-Status: no
    < -ERR no
    <.
""", because="pop3-blanks")
login("UTF-8", r"USER j\xc3\xb6e", r"PASS s\xe2\x82\xac", r"j\xc3\xb6e", r"s\xe2\x82\xac")
login("with odd bytes", r"USER j\x01o\x7f%e", r"PASS \xff\x80\x1b+=&", r"j%01o\x7f%25e", r"\xff\x80%1B+=&",
      at_back=r"j\x01o\x7f%e", secret=r"\xff\x80\x1b+=&")
login("with a tab", r"USER j\toe", r"PASS s\tecret", "j%09oe", "s%09ecret", at_back=r"j\toe",
      secret=r"s\tecret")
add("login by LF alone", r"""
    >> USER joe\nPASS secret\n
    < +OK
    ?*
    ! Auth-Status: no
    < -ERR no
    <.
""")
add("login in one write", r"""
    >> USER joe\r\nPASS secret\r\n
    < +OK
    """ + POP3.ask() + r"""
    !ok
""" + POP3.enter())
for what, command in {"USER without name": "USER", "USER with a blank": r"USER\x20",
                      "APOP alone": "APOP"}.items():
    add(what, f"""
        > {command}
        {BAD}
        > NOOP
        < +OK
    """)
add("PASS without password", """
    > USER joe
    < +OK
    > PASS
    < -ERR invalid command
""", logs=False)
add("PASS with a blank", r"""
    > USER joe
    < +OK
    > PASS\x20
    < -ERR invalid command
""", logs=False)
add("NUL in the name", r"""
    > USER j\0oe
    nginx < +OK
    nginx > PASS x
    nginx ?*
    nginx ! Auth-Status: no
    nginx < -ERR no
    postern < -ERR invalid command
""", because="credential-controls")
add("NUL in the password", r"""
    > USER joe
    < +OK
    > PASS \0x
    nginx ?*
    nginx ! Auth-Status: no
    nginx < -ERR no
    postern < -ERR invalid command
""", because="credential-controls", logs=False)

# --- between USER and PASS -----------------------------------------------------------------------------

add("capa, noop after user", """
    > USER joe
    < +OK
    > CAPA
    <*
    > NOOP
    < +OK
    > PASS secret
    ?*
    ! Auth-Status: no
    < -ERR no
    <.
""")
add("quit after user", """
    > USER joe
    < +OK
    > QUIT
    < +OK
    <.
""")
for verb in ("USER jim", "AUTH PLAIN", "AUTH", "APOP joe x", "STLS", "STAT", "FOO", "PASSX secret"):
    add(f"{verb} after user", f"""
        > USER joe
        < +OK
        > {verb}
        {BAD}
        > PASS secret
        {BAD}
        > USER joe
        < +OK
    """, server="starttls on;", logs=False)
add("capa after user under starttls only", """
    > CAPA
    < +OK Capability list follows
    < TOP
    < UIDL
    < STLS
    < .
    > USER joe
    < -ERR invalid command
    > PASS secret
    < -ERR invalid command
    > AUTH PLAIN AGpvZQBzZWNyZXQ=
    < -ERR invalid command
    > AUTH
    < -ERR invalid command
""", server="starttls only;")

# --- the end of patience -------------------------------------------------------------------------------

add("five errors", """
    > STAT
    < -ERR invalid command
    > STAT
    < -ERR invalid command
    > NOOP
    < +OK
    > STAT
    < -ERR invalid command
    > STAT
    < -ERR invalid command
    > STAT
    < -ERR invalid command
    <.
    log info client sent too many invalid commands while in auth state
""")
add("errors that do not count", """
    > PASS x
    < -ERR invalid command
    > APOP joe x
    < -ERR invalid command
    > STLS
    < -ERR invalid command
    > AUTH FOO
    < -ERR invalid command
    > USER
    < -ERR invalid command
    > NOOP
    < +OK
""", server="max_errors 2;")

# --- the buffer ----------------------------------------------------------------------------------------

add("name of 120", f"""
    > USER {"x" * 120}
    < +OK
    > PASS {"y" * 120}
    ?*
    ! Auth-Status: no
    < -ERR no
    <.
""")
add("command of 128", f"""
    >> USER {"x" * 121}\\r\\n
    < +OK
""")
add("command of more than 128", f"""
    >> USER {"x" * 123}
    nginx < -ERR invalid command
    nginx <.
    postern >> \\r\\n
    postern < +OK
""", because="pop3-buffer", logs=False)
add("token of 4000", f"""
    > AUTH PLAIN
    << + \\r\\n
    nginx >> {"A" * 128}
    nginx < -ERR invalid command
    nginx <.
    postern > AGpvZQB4{"eHh4" * 1000}
    postern ?*
    postern ! Auth-Status: no
    postern < -ERR no
    postern <.
""", because="pop3-buffer", logs=False)
add("batch across 128", r"""
    >> NOOP 1234567890123456789012345\r\nNOOP 1234567890123456789012345\r\nNOOP 1234567890123456789012345\r\nNOOP 1234567890123456789012345""" +
    r"""\r\n
    < +OK
    < +OK
    < +OK
    < +OK
""")
add("batch that fills 128 with half a command", r"""
    >> NOOP 123456789012345678901234567890\r\nNOOP 123456789012345678901234567890\r\nNOOP 123456789012345678901234567890\r\nNOOP 1234567890
    < +OK
    < +OK
    < +OK
    nginx >> 1234567
    nginx < -ERR invalid command
    nginx <.
    postern >> 1234567\r\n
    postern < +OK
""", because="buffer-straddle", logs=False)
