# SPDX-License-Identifier: BSD-2-Clause
"""IMAP before the login: commands, tags, literals, quoting, errors."""

from ..voices import IMAP, Book

book = Book("imap")


def add(name, script, **more):
    book.add(name, IMAP, script, **more)


TALKS = book.talks

# --- commands ------------------------------------------------------------------------------------------

add("noop", """
    > a NOOP
    < a OK completed
""")
add("noop ignores arguments", """
    > a NOOP one two
    < a OK completed
""")
add("verbs in any case", """
    > a nOoP
    < a OK completed
    > a logout
    < * BYE
    < a OK completed
    <.
""")
add("capability", """
    > a CAPABILITY
    < * CAPABILITY IMAP4 IMAP4rev1 UIDPLUS AUTH=PLAIN
    < a OK completed
""")
add("logout", """
    > a LOGOUT
    < * BYE
    < a OK completed
    <.
""")
add("logout ends what is pipelined behind", r"""
    >> a LOGOUT\r\nb NOOP\r\n
    < * BYE
    < a OK completed
    <.
""")
for verb in ("ID NIL", "ENABLE UTF8=ACCEPT", "NAMESPACE", "SELECT INBOX", "LIST \"\" *", "IDLE",
             "UNAUTHENTICATE",
             "XCLIENT ADDR=1.2.3.4", "APPEND INBOX", "LOGI x y", "LOGINX x y", "NOOPS", "NO",
             "COMPRESS DEFLATE",
             "CAPABILITYX", "STARTTLSX", "AUTHENTICAT PLAIN", "LOGOU", "EXAMINE x", "DONE"):
    add(f"unknown verb {verb.split()[0]}", f"""
        > a {verb}
        < a BAD invalid command
        > b NOOP
        < b OK completed
    """)

# --- tags ----------------------------------------------------------------------------------------------

for tag in ("1", "A1", "a.b", "a-b", "a_b", "x" * 31, "x" * 32, "0000", "..."):
    add(f"tag {tag}", f"""
        > {tag} NOOP
        < {tag} OK completed
    """)
for tag in ("a#1", "a/b", "a:b", "a=b", "a@b", "a!b", "a$b", "a&b", "a'b", "a,b", "a;b", "a<b", "a>b", "a?b",
            "a[b", "a]b", "a^b", "a`b", "a|b", "a~b"):
    add(f"tag {tag}", f"""
        > {tag} NOOP
        nginx < * BAD invalid command
        postern < {tag} OK completed
    """, because="imap-tags")
for tag in ("+", "a+b", "a*b", "a%b", "(", "a)b", "a{{b", "\"a\"", "a\\\\b", "a\\x7fb", "a\\xe4b", "a\\x01b",
            "\\x00"):
    add(f"no tag {tag}", f"""
        > {tag} NOOP
        < * BAD invalid command
    """)
add("tag of 33", f"""
    > {"x" * 33} NOOP
    < * BAD invalid command
""")
add("no tag", """
    > NOOP
    < * BAD invalid command
""")
add("blank before the tag", r"""
    >> \x20a NOOP\r\n
    nginx << \x20BAD invalid command\r\n
    postern < * BAD invalid command
""", because="imap-empty-tag")
add("blanks between", """
    > a    NOOP
    < a OK completed
""")
add("tab between", r"""
    > a\tNOOP
    < * BAD invalid command
""")
add("blanks behind", r"""
    >> a NOOP   \r\n
    < a OK completed
""")
add("tag alone", """
    > a
    < * BAD invalid command
""")
add("tag and blank", r"""
    >> a \r\n
    < a BAD invalid command
""")
add("empty line", r"""
    >> \r\n
    < * BAD invalid command
    > a NOOP
    < a OK completed
""")
add("an error does not keep its tag", r"""
    > a FOO
    < a BAD invalid command
    >> \r\n
    < * BAD invalid command
""")

# --- line ends -----------------------------------------------------------------------------------------

add("bare LF", r"""
    >> a NOOP\nb NOOP\n
    < a OK completed
    < b OK completed
""")
add("bare CR in a verb", r"""
    >> a NO\rOP\r\n
    < a BAD invalid command
""")
add("bare CR behind a verb", r"""
    >> a NOOP\rb NOOP\r\n
    < a BAD invalid command
""")
add("two CR", r"""
    >> a NOOP\r\r\n
    < a BAD invalid command
""")
add("NUL in a verb", r"""
    > a NO\0OP
    < a BAD invalid command
""")
add("byte by byte", r"""
    >. a NOOP
    < a OK completed
    >. b LOGIN "joe" {6+}\r\nsecret
    ?*
    ! Auth-Status: no
    < b NO no
    <.
""")
add("HTTP request", r"""
    >> GET / HTTP/1.1\r\nHost: x\r\n\r\n
    < GET BAD invalid command
    nginx < * BAD invalid command
    nginx < * BAD invalid command
    postern <.
""", because="http-verbs")

# --- LOGIN ---------------------------------------------------------------------------------------------


def login(name, command, user, password, **more):
    """A login of any form: what the auth server is asked, and what the backend gets."""
    add(f"login {name}", f"""
        {command}
        {IMAP.ask(user, password)}
        !ok
        {IMAP.enter(more.pop("at_back", user.replace("%20", " ")),
                    more.pop("secret", password.replace("%20", " ")))}
    """, **more)


login("atoms", "> a LOGIN joe secret", "joe", "secret")
login("lower case", "> a login joe secret", "joe", "secret")
login("blanks between", "> a LOGIN   joe    secret", "joe", "secret")
login("blanks behind", r">> a LOGIN joe secret  \r\n", "joe", "secret")
login("bare LF", r">> a LOGIN joe secret\n", "joe", "secret")
login("quoted", '> a LOGIN "joe" "secret"', "joe", "secret")
login("one quoted", '> a LOGIN joe "secret"', "joe", "secret")
login("quoted blanks", '> a LOGIN "joe doe" " se cret "', "joe%20doe", "%20se%20cret%20", at_back="joe doe",
      secret=" se cret ")
login("quoted escapes", r'> a LOGIN "j\\"oe" "se\\\\cret"', 'j"oe',
      "se\\\\\\\\cret".replace("\\\\\\\\", r"\\"),
      at_back='j"oe', secret=r"se\\cret")
login("quoted needless escape", r'> a LOGIN "j\\oe" secret', "joe", "secret")
login("backslash in an atom", r'> a LOGIN j\\oe se\\\\cret', r"j\\oe", r"se\\\\cret", at_back=r"j\\oe",
      secret=r"se\\\\cret")
login("quote in an atom", '> a LOGIN j"oe secret"x', 'j"oe', 'secret"x')
login("specials", r'> a LOGIN j(o)e*% x{}[]"<>', "j(o)e*%25", 'x{}[]"<>', at_back="j(o)e*%",
      secret='x{}[]"<>')
login("domain", "> a LOGIN joe@example.org p+w=d", "joe@example.org", "p+w=d")
login("UTF-8", r"> a LOGIN j\xc3\xb6e s\xe2\x82\xac", r"j\xc3\xb6e", r"s\xe2\x82\xac")
login("Latin-1", r'> a LOGIN "j\xf6e" "\xff\xfe"', r"j\xf6e", r"\xff\xfe")
login("empty password", '> a LOGIN joe ""', "joe", "")
login("literals", r"""> a LOGIN {3}
                      < + OK
                      > joe {6}
                      < + OK
                      > secret""", "joe", "secret")
login("literals at once", r""">> a LOGIN {3}\r\njoe {6}\r\nsecret\r\n
                              < + OK
                              < + OK""", "joe", "secret")
login("literals without answer", r">> a LOGIN {3+}\r\njoe {6+}\r\nsecret\r\n", "joe", "secret")
login("mixed literals", r""">> a LOGIN {3+}\r\njoe {6}\r\nsecret\r\n
                            < + OK""", "joe", "secret")
login("literal and quoted", r""">> a LOGIN {3}\r\njoe "secret"\r\n
                                < + OK""", "joe", "secret")
login("atom and literal", r"""> a LOGIN joe {6}
                              < + OK
                              > secret""", "joe", "secret")
login("literal with line end", r""">> a LOGIN joe {8+}\r\nse"c\\ret\r\n""", "joe", r'se"c\\ret')
login("literal with LF", r""">> a LOGIN {3+}\njoe {6+}\nsecret\n""", "joe", "secret")
login("literal with 8 bit", r""">> a LOGIN {4+}\r\nj\xc3\xb6e {2+}\r\n\xff\x80\r\n""", r"j\xc3\xb6e",
      r"\xff\x80")
login("literal of blanks", r""">> a LOGIN joe {2+}\r\n  \r\n""", "joe", "%20%20", secret="  ")
login("literal with leading zero", r""">> a LOGIN {03+}\r\njoe {006+}\r\nsecret\r\n""", "joe", "secret")
login("literal byte by byte", r""">. a LOGIN {3+}\r\njoe {6+}\r\nsecret""", "joe", "secret")
login("NIL", "> a LOGIN NIL NIL", "NIL", "NIL")

login("two quoted without blank", '> a LOGIN "joe""secret"', "joe", "secret")

for name, command in {
    "no argument": "LOGIN", "one argument": "LOGIN joe", "three arguments": "LOGIN joe secret more",
    "four arguments": "LOGIN joe secret more yet", "empty user": 'LOGIN "" secret',
    "empty user and password": 'LOGIN "" ""', "no number and text": "LOGIN {}x y",
    "text behind a quoted": 'LOGIN "joe"x secret', "text behind the password": 'LOGIN joe "secret"x',
    "CR in quoted": r'LOGIN "j\roe" secret', "braces": "LOGIN joe {}[]",
    "letters as number": "LOGIN {abc}", "minus": "LOGIN {-1}", "plus before": "LOGIN {+3}",
    "open brace": "LOGIN {3", "text behind the brace": "LOGIN {3}x", "blank in braces": "LOGIN {3 }",
    "binary literal": "LOGIN ~{3}", "backslash before the line end": r'LOGIN joe "sec\\',
    "literal in a quoted": 'LOGIN "{3}',
}.items():
    add(f"login refused: {name}", f"""
        > a {command}
        < a BAD invalid command
        > b NOOP
        < b OK completed
    """)

# --- literals at their edges ---------------------------------------------------------------------------

add("empty literal as password", r"""
    >> a LOGIN joe {0}\r\n
    < + OK
    >> \r\n
    nginx ? Auth-Method: plain
    nginx ? Auth-User: joe
    nginx ? Auth-Pass: %0D
    nginx ? Auth-Protocol: imap
    nginx ? Auth-Login-Attempt: 1
    nginx ? Client-IP: {client}
    nginx ! Auth-Status: no
    postern ? Auth-Method: plain
    postern ? Auth-User: joe
    postern ? Auth-Pass: \x20
    postern ? Auth-Protocol: imap
    postern ? Auth-Login-Attempt: 1
    postern ? Client-IP: {client}
    postern ! Auth-Status: no
    < a NO no
    <.
""".replace(r"Pass: \x20", r"Pass:\x20"), because="imap-empty-literal")
add("empty literal as user", r"""
    >> a LOGIN {0+}\r\n secret\r\n
    nginx ? Auth-Method: plain
    nginx ? Auth-User: %20
    nginx ? Auth-Pass: ecret
    nginx ? Auth-Protocol: imap
    nginx ? Auth-Login-Attempt: 1
    nginx ? Client-IP: {client}
    nginx ! Auth-Status: no
    nginx < a NO no
    postern < a BAD invalid command
""", because="imap-empty-literal")
add("literal without a number", r"""
    >> a LOGIN {}\r\n
    nginx < + OK
    nginx >> x secret\r\n
    nginx ?*
    nginx ! Auth-Status: no
    nginx < a NO no
    postern < a BAD invalid command
""", because="imap-empty-literal")
add("literal and something else", r"""
    >> a LOGIN {3}\r\njoexx secret\r\nb NOOP\r\n
    < + OK
    < a BAD invalid command
    < b OK completed
""")
add("literal and one letter", r"""
    >> a LOGIN {3}\r\njoex secret\r\n
    < + OK
    nginx ?*
    nginx ! Auth-Status: no
    nginx < a NO no
    nginx <.
    postern < a BAD invalid command
    postern > b NOOP
    postern < b OK completed
""", because="imap-literal-end")
add("literal and blank before the line end", r"""
    >> a LOGIN joe {3}\r\nabc \r\n
    < + OK
    ?*
    ! Auth-Status: no
    < a NO no
    <.
""")
for number in ("4294967299", "18446744073709551619", "99999999999999999999", "99999"):
    add(f"literal of {number}", f"""
        > a LOGIN {{{number}}}
        nginx < + OK
        postern < a BAD invalid command
        postern > b NOOP
        postern < b OK completed
    """, because="imap-literal-size")
    if number.startswith("9"):  # the others wrap to 3
        add(f"literal of {number}+", f"""
            > a LOGIN joe {{{number}+}}
            postern < a BAD invalid command
            postern <.
            nginx leave
        """, because="imap-literal-size")
for command in ("FOO {3+}", "NOOP a b c {3+}", "LOGIN {3++}", "LOGIN a b c {10+}", "FOO {99999999999+}",
                "FOO {+}",
                "FOO x+}"):
    add(f"no further after {command}", rf"""
        >> a {command}\r\nb NOOP\r\n
        < a BAD invalid command
        <.
    """)
for command in ("FOO {3}", "FOO {3-}", "FOO {3+} "):
    add(f"further after {command}", rf"""
        >> a {command}\r\nb NOOP\r\n
        < a BAD invalid command
        < b OK completed
    """)
add("literals of a command without arguments", r"""
    >> a NOOP {3+}\r\nabc\r\nb NOOP {2}\r\n
    < a OK completed
    < + OK
    >> xy\r\n
    < b OK completed
""")
add("open quote", r"""
    >> a LOGIN joe "sec\r\n
    nginx ?*
    nginx ! Auth-Status: no
    nginx < a NO no
    nginx <.
    postern < a BAD invalid command
    postern > b NOOP
    postern < b OK completed
""", because="imap-open-quote")
add("open quote is forgotten", r"""
    >> a LOGIN "joe\r\nb LOGIN joe secret\r\n
    < a BAD invalid command
    nginx < b BAD invalid command
    postern ?*
    postern ! Auth-Status: no
    postern < b NO no
    postern <.
""", because="imap-open-quote")
add("line end escaped in quotes", r"""
    >> a LOGIN joe "sec\\\r\nret"\r\n
    < a BAD invalid command
    < * BAD invalid command
""")
for what, command in {"NUL in an atom": r"LOGIN joe sec\0ret", "NUL in a quoted": r'LOGIN "j\0oe" secret',
                      "NUL in a literal": r"LOGIN joe {3+}\r\na\0b",
                      "CR in a literal": r"LOGIN joe {3+}\r\na\rb",
                      "LF in a literal": r"LOGIN joe {3+}\r\na\nb",
                      "CR LF in a literal": r"LOGIN {4+}\r\na\r\nb x"}.items():
    add(what, rf"""
        >> a {command}\r\n
        nginx ?*
        nginx ! Auth-Status: no
        nginx < a NO no
        nginx <.
        postern < a BAD invalid command
        postern > b NOOP
        postern < b OK completed
    """, because="credential-controls")

# --- the end of patience -------------------------------------------------------------------------------

add("five errors", """
    > a FOO
    < a BAD invalid command
    > b BAR
    < b BAD invalid command
    > c NOOP
    < c OK completed
    > d FOO
    < d BAD invalid command
    > e FOO
    < e BAD invalid command
    > f FOO
    < f BAD invalid command
    <.
    log info client sent too many invalid commands while in auth state
""")
add("one error allowed", """
    > a FOO
    < a BAD invalid command
    <.
""", server="max_errors 1;")
add("ten errors allowed, pipelined", r"""
    >> 1 X\r\n2 X\r\n3 X\r\n4 X\r\n5 X\r\n6 X\r\n7 X\r\n8 X\r\n9 X\r\n10 X\r\n11 X\r\n
    < 1 BAD invalid command
    < 2 BAD invalid command
    < 3 BAD invalid command
    < 4 BAD invalid command
    < 5 BAD invalid command
    < 6 BAD invalid command
    < 7 BAD invalid command
    < 8 BAD invalid command
    < 9 BAD invalid command
    < 10 BAD invalid command
    <.
""", server="max_errors 10;")
add("errors that do not count", "".join(f"""
    > {tag} LOGIN joe
    < {tag} BAD invalid command
    > {tag} AUTHENTICATE SCRAM
    < {tag} BAD invalid command
    > {tag} STARTTLS
    < {tag} BAD invalid command
""" for tag in "abcdef") + """
    > g NOOP
    < g OK completed
""")

# --- the buffer ----------------------------------------------------------------------------------------

SMALL = "imap_client_buffer 64;"
add("buffer just holds a command", f"""
    > a NOOP {"x" * 55}
    < a OK completed
""", server=SMALL)
add("command too long", f"""
    >> a NOOP {"x" * 57}
    < a BAD invalid command
    <.
    nginx log info client sent too long command "a NOOP {"x" * 57}" while in auth state
    postern log info client sent too long command while in auth state
""", server=SMALL, because="log-secrets")
add("command too long without a tag", f"""
    >> {"#" * 64}
    < * BAD invalid command
    <.
""", server=SMALL, logs=False)
add("login too long", f"""
    >> a LOGIN joe {"x" * 52}
    < a BAD invalid command
    <.
""", server=SMALL, logs=False)
add("literal too long", f"""
    > a LOGIN joe {{100}}
    nginx < + OK
    nginx >> {"x" * 48}
    < a BAD invalid command
    nginx <.
    postern > b NOOP
    postern < b OK completed
""", server=SMALL, because="imap-literal-size")
add("batch as long as the buffer", r"""
    >> 1234 NOOP xxxxx\r\n1234 NOOP xxxxx\r\n1234 NOOP xxxxx\r\n1234 NOOP xxxxx\r\n
    < 1234 OK completed
    < 1234 OK completed
    < 1234 OK completed
    < 1234 OK completed
""".replace("xxxxx", "xxxx"), server=SMALL)
# All that is sent fits the buffer exactly: unread bytes would turn nginx's close into a reset.
add("batch across the end of the buffer", r"""
    >> 1234 NOOP 12345\r\n1234 NOOP 12345\r\n1234 NOOP 12345\r\n1234 NOOP 123
    < 1234 OK completed
    < 1234 OK completed
    < 1234 OK completed
    nginx < 1234 BAD invalid command
    nginx <.
    postern >> 45\r\n
    postern < 1234 OK completed
""", server=SMALL, because="buffer-straddle", logs=False)
