# SPDX-License-Identifier: BSD-2-Clause
"""The authentication server: every form of the question, every kind of answer."""

from ..voices import IMAP, POP3, SMTP, VOICES, Book, b64

book = Book("ask")
TALKS = book.talks

OK = r"Auth-Status: OK\r\nAuth-Server: {back}\r\nAuth-Port: {bport}\r\n"
HEAD = r"HTTP/1.0 200 OK\r\n"


def everywhere(name, script, **more):
    for voice in VOICES:
        book.add(f"{voice.name} {name}", voice, script(voice), **more)


def refused(voice, text="no"):
    return f"< {voice.refusal}{text}\n<.\n"


def broken(voice):
    return f"< {voice.internal}\n<.\n"


# --- the question --------------------------------------------------------------------------------------

for url, line, host in (
        ("{auth}", "GET / HTTP/1.0", "127.25.0.2"), ("{auth}/", "GET / HTTP/1.0", "127.25.0.2"),
        ("http://{auth}", "GET / HTTP/1.0", "127.25.0.2"),
        ("http://{auth}/a/b?c=d&e=f", "GET /a/b?c=d&e=f HTTP/1.0",
                                                            "127.25.0.2"),
        ("{auth}/%20x%2Fy", "GET /%20x%2Fy HTTP/1.0", "127.25.0.2"),
        ("{auth}/a+b~c;d", "GET /a+b~c;d HTTP/1.0", "127.25.0.2"),
        ("{local}/cgi-bin/auth.cgi", "GET /cgi-bin/auth.cgi HTTP/1.0", "localhost"),
        ("http://LocalHost:{lport}/x", "GET /x HTTP/1.0", "LocalHost"),
        ("unix:{dir}/auth.sock", "GET / HTTP/1.0", "localhost"),
        ("unix:{dir}/auth.sock:/x?y", "GET /x?y HTTP/1.0", "localhost"),
        ("http://unix:{dir}/auth.sock:/x", "GET /x HTTP/1.0", "localhost"),
        ("{auth6}/six", "GET /six HTTP/1.0", "[::1]")):
    book.add(f"url {url}", IMAP, f"""
        > a LOGIN joe secret
        ? {line}
        ? Host: {host}
        {IMAP.ask()}
        ! Auth-Status: no
        < a NO no
        <.
    """, server=f'auth_http "{url}";')

for name, mail, server, fields in (
        ("in mail", "auth_http_header X-Key secret;", "", ["X-Key: secret"]),
        ("two in mail", 'auth_http_header X-Key secret; auth_http_header X-Two "a b";', "",
         ["X-Key: secret", "X-Two: a b"]),
        ("in server", "", "auth_http_header X-Key server;", ["X-Key: server"]),
        ("in server instead", "auth_http_header X-Key secret; auth_http_header X-Two 2;",
         "auth_http_header X-Other $host;", ["X-Other: $host"]),
        ("the same name twice", "", "auth_http_header X-A 1; auth_http_header X-A 2;", ["X-A: 1", "X-A: 2"]),
        ("of a known name", "", "auth_http_header Auth-User root;", ["Auth-User: root"]),
        ("host", "", "auth_http_header Host example.org;", ["Host: example.org"]),
        ("8 bit", "", 'auth_http_header X-Umlaut "\xc3\xb6";', ["X-Umlaut: \\xc3\\xb6"])):
    book.add(f"header {name}", IMAP, f"""
        > a LOGIN joe secret
        {IMAP.ask(more=fields)}
        ! Auth-Status: no
        < a NO no
        <.
    """, mail=mail, server=server)

everywhere("refused", lambda v: f"""
    {v.login}
    {v.ask()}
    ! Auth-Status: no
    {refused(v)}
    log info client login failed: "no" while in http auth state
""")
everywhere("another text", lambda v: f"""
    {v.login}
    ?*
    ! Auth-Status: Invalid login or password, \\xc3\\xa4h: "5" < 6
    {refused(v, 'Invalid login or password, ' + chr(92) + 'xc3' + chr(92) + 'xa4h: "5" < 6')}
""")

# --- the answer ----------------------------------------------------------------------------------------


def answer(name, raw, then, voices=(IMAP,), **more):
    """A raw answer, and what follows: "in", "refused" with a text, or "broken" with the log's words."""
    for voice in voices:
        if then == "in":
            outcome = voice.enter()
        elif then == "broken":
            outcome = broken(voice)
        else:
            outcome = refused(voice, then)
        book.add(f"{voice.name} answer {name}", voice, f"""
            {voice.login}
            ?*
            !! {raw}
            !.
            {outcome}
        """, **more)


for name, head in {"1.0": HEAD, "1.1": r"HTTP/1.1 200 OK\r\n", "without reason": r"HTTP/1.0 200\r\n",
                   "500": r"HTTP/1.0 500 Internal Server Error\r\n", "404": r"HTTP/1.1 404 Not Found\r\n",
                   "302": r"HTTP/1.1 302 Found\r\n", "403": r"HTTP/1.0 403 Forbidden\r\n",
                   "HTTP/2": r"HTTP/2 200\r\n"}.items():
    answer(f"status {name}", head + OK + r"\r\n", "in")
    answer(f"status {name} refused", head + r"Auth-Status: no\r\n\r\n", "no")
answer("all protocols", HEAD + OK + r"\r\n", "in", VOICES)
answer("LF alone", (HEAD + OK + r"\r\n").replace(r"\r", ""), "in")
answer("no status line", OK + r"\r\n", "in")
answer("no status line refused", r"Auth-Status: no\r\n\r\n", "no")
answer("lower case names", (HEAD + OK).lower().replace("status: ok", "status: OK").replace(r"\R\N", r"\r\n")
       .replace("http/1.0 200 ok", "HTTP/1.0 200 OK") + r"\r\n", "in")
answer("upper case names", HEAD + r"AUTH-STATUS: OK\r\nAUTH-SERVER: {back}\r\nAUTH-PORT: {bport}\r\n\r\n",
       "in")
answer("other order", HEAD + r"Auth-Port: {bport}\r\nAuth-Server: {back}\r\nAuth-Status: OK\r\n\r\n", "in")
answer("other headers", HEAD + r"Server: x/1.0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" + OK +
       r"Auth-Other: 1\r\nX: \r\nContent-Type: text/html\r\n\r\n", "in")
answer("no blank behind the colon",
       HEAD + r"Auth-Status:OK\r\nAuth-Server:{back}\r\nAuth-Port:{bport}\r\n\r\n", "in")
answer("blanks around",
       HEAD + r"Auth-Status:   OK  \r\nAuth-Server:  {back} \r\nAuth-Port:  {bport}  \r\n\r\n", "in")
answer("repeated status, last refuses", HEAD + r"Auth-Status: OK\r\n" + OK + r"Auth-Status: no\r\n\r\n", "no")
answer("repeated port, last wins", HEAD + r"Auth-Port: 1\r\n" + OK + r"\r\n", "in")
answer("with a body", r"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n" + OK + r"\r\nhello", "in")
answer("with a body without length", HEAD + OK + r"\r\nAuth-Status: no\r\n\r\n", "in")
answer("chunked", r"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + OK + r"\r\n5\r\nhello\r\n0\r\n\r\n",
       "in")
for text in ("ok", "Ok", "OKAY", "OK.", "O", "WAITING", "wait", "OK OK", "x" * 300, "\\x01\\x1b[1m", "NO"):
    answer(f"text {text[:20]}", HEAD + rf"Auth-Status: {text}\r\n\r\n", text, logs=len(text) < 200)
answer("error code for IMAP", HEAD + r"Auth-Status: no\r\nAuth-Error-Code: 550\r\n\r\n", "no", (IMAP, POP3))
for code in ("550 5.1.1", "450", "421 4.3.2"):
    book.add(f"smtp error code {code}", SMTP, f"""
        {SMTP.login}
        ?*
        ! Auth-Status: text of mine
        ! Auth-Error-Code: {code}
        < {code} text of mine
        <.
    """)
for code in ("5", "not a code"):
    book.add(f"smtp error code {code}", SMTP, f"""
        {SMTP.login}
        ?*
        ! Auth-Status: text of mine
        ! Auth-Error-Code: {code}
        nginx < {code} text of mine
        postern < 535 5.7.0 text of mine
        <.
    """, because="error-code")
book.add("smtp error code empty", SMTP, f"""
    {SMTP.login}
    ?*
    ! Auth-Status: text
    ! Auth-Error-Code:
    <*
    <.
""", logs=False)
book.add("smtp error code with OK", SMTP, f"""
    {SMTP.login}
    ?*
    !ok Auth-Error-Code: 550
    {SMTP.enter()}
""")

# --- user and password replaced --------------------------------------------------------------------------

for voice in VOICES:
    book.add(f"{voice.name} other user", voice, f"""
        {voice.login}
        ?*
        !ok Auth-User: jim@host
        {voice.enter("jim@host")}
        log info client logged in, client: {{client}}, server: {{server}}:{{port}}, login: "jim@host"
    """)
    book.add(f"{voice.name} other password", voice, f"""
        {voice.login}
        ?*
        !ok Auth-Pass: master secret%20
        {voice.enter("joe", "master secret%20")}
    """)
    book.add(f"{voice.name} other user and password", voice, f"""
        {voice.login}
        ?*
        !ok Auth-User: jim | Auth-Pass: s\\xc3\\xa4cret
        {voice.enter("jim", chr(115) + chr(92) + "xc3" + chr(92) + "xa4cret")}
    """)
    book.add(f"{voice.name} empty password", voice, f"""
        {voice.login}
        ?*
        ! Auth-Status: OK
        ! Auth-Server: {{back}}
        ! Auth-Port: {{bport}}
        ! Auth-Pass:
        {voice.enter("joe", "")}
    """)

# --- answers that are none --------------------------------------------------------------------------------

for name, raw, text in (
        ("no server", HEAD + r"Auth-Status: OK\r\nAuth-Port: {bport}\r\n\r\n", "did not send server or port"),
        ("no port", HEAD + r"Auth-Status: OK\r\nAuth-Server: {back}\r\n\r\n", "did not send server or port"),
        ("status alone", HEAD + r"Auth-Status: OK\r\n\r\n", "did not send server or port"),
        ("server out of range",
         HEAD + r"Auth-Status: OK\r\nAuth-Server: 127.0.0.256\r\nAuth-Port: 143\r\n\r\n",
         'sent invalid server address:"127.0.0.256"'),
        ("port 0", HEAD + r"Auth-Status: OK\r\nAuth-Server: {back}\r\nAuth-Port: 0\r\n\r\n",
         'sent invalid server port:"0"'),
        ("port 65536", HEAD + r"Auth-Status: OK\r\nAuth-Server: {back}\r\nAuth-Port: 65536\r\n\r\n",
         'sent invalid server port:"65536"'),
        ("port is a word", HEAD + r"Auth-Status: OK\r\nAuth-Server: {back}\r\nAuth-Port: imap\r\n\r\n",
         'sent invalid server port:"imap"'),
        ("negative port", HEAD + r"Auth-Status: OK\r\nAuth-Server: {back}\r\nAuth-Port: -1\r\n\r\n",
         'sent invalid server port:"-1"'),
        ("huge port",
         HEAD + r"Auth-Status: OK\r\nAuth-Server: {back}\r\nAuth-Port: 99999999999999999999\r\n\r\n",
         'sent invalid server port:"99999999999999999999"'),
        ("underscore in a name", HEAD + r"X_Y: 1\r\n" + OK + r"\r\n", "sent invalid header in response"),
        ("folded header", HEAD + r"X: 1\r\n 2\r\n" + OK + r"\r\n", "sent invalid header in response"),
        ("header with a blank in its name", HEAD + r"X Y: 1\r\n" + OK + r"\r\n",
         "sent invalid header in response"),
        ("name that begins with a hyphen", HEAD + r"-X: 1\r\n" + OK + r"\r\n",
         "sent invalid header in response"),
        ("NUL in a name", HEAD + r"X\0: 1\r\n" + OK + r"\r\n", "sent invalid header in response"),
        ("8 bit in a name", HEAD + r"X\xe4: 1\r\n" + OK + r"\r\n", "sent invalid header in response"),
        ("CR in the status line", r"HTTP/1.0 200 O\rK\r\n" + OK + r"\r\n", "sent invalid response"),
):
    book.add(f"answer wrong: {name}", IMAP, f"""
        {IMAP.login}
        ?*
        !! {raw}
        !.
        {broken(IMAP)}
        log error auth http server {{auth}} {text} while in http auth state
    """)
# What is no address: nobody listens there, or it cannot be found.
for name, server, port in (("a name", "nowhere.invalid", True), ("a name without a port", "nowhere.invalid", False),
                           ("a socket", "unix:/nowhere", True), ("an address with a port", "127.26.0.0:1", False)):
    for voice, busy in ((IMAP, "a NO [UNAVAILABLE] Temporary failure, try again later"),
                        (POP3, "-ERR [SYS/TEMP] Temporary failure, try again later")):
        book.add(f"{voice.name} server is {name}", voice, f"""
            {voice.login}
            ?*
            !! {HEAD}Auth-Status: OK\\r\\nAuth-Server: {server}\\r\\n{"Auth-Port: 1" + chr(92) + "r" + chr(92) + "n" if port else ""}\\r\\n
            !.
            nginx < {voice.internal}
            nginx <.
            postern < {busy}
        """, because="server-names-in-answers", logs=False)
for voice in (POP3, SMTP):
    book.add(f"{voice.name} answer wrong: status alone", voice, f"""
        {voice.login}
        ?*
        ! Auth-Status: OK
        {broken(voice)}
        log error auth http server {{auth}} did not send server or port while in http auth state
    """)

# nginx overlooks the end of an answer that comes together with its last bytes, and then waits out its time.
BRIEF = "auth_http_timeout 1500ms;"
for name, raw in {"nothing": "", "cut in the status line": "HTTP/1.0 2", "cut behind the status line": HEAD,
                  "cut in a header": HEAD + "Auth-Sta", "cut before the end": HEAD + r"Auth-Status: no\r\n",
                  "cut in the empty line": HEAD + r"Auth-Status: no\r\n\r"}.items():
    book.add(f"answer {name}", IMAP, f"""
        {IMAP.login}
        ?*
        {"!! " + raw if raw else ""}
        !.
        {broken(IMAP)}
    """, server=BRIEF, logs=False)
for name, raw in {"binary": r"\x16\x03\x01\x02\x00\x01\x00\x01", "SSH": r"SSH-2.0-x\r\n",
                  "HTML": r"<html>\r\n</html>\r\n\r\n",
                  "HTTP only": r"HTTP\r\n\r\n", "empty": r"\r\n", "two empty lines": r"\r\n\r\n"}.items():
    book.add(f"answer {name}", IMAP, f"""
        {IMAP.login}
        ?*
        !! {raw}
        !.
        {broken(IMAP)}
    """, server=BRIEF, logs=False)

# --- the quirks of success --------------------------------------------------------------------------------

book.add("answer without a status", IMAP, f"""
    {IMAP.login}
    ?*
    !! {HEAD}Auth-Server: {{back}}\\r\\nAuth-Port: {{bport}}\\r\\n\\r\\n
    !.
    nginx b> * OK backend
    nginx b-login a joe secret
    nginx b> a OK in
    nginx < a OK in
    postern < * BAD internal server error
    postern <.
""", because="no-status", logs=False)
for voice, theirs in ((IMAP, ["< a NO\\x20"]), (POP3, ["< -ERR\\x20"]),
                      (SMTP, ["b> 220 backend", "b< HELO mail.example", "b> 250 backend", "< 235 2.0.0 OK"])):
    book.add(f"{voice.name} answer with an empty status", voice, f"""
        {voice.login}
        ?*
        !! {HEAD}Auth-Status:\\r\\nAuth-Server: {{back}}\\r\\nAuth-Port: {{bport}}\\r\\n\\r\\n
        !.
        {chr(10).join("nginx " + line for line in theirs)}
        postern < {voice.internal}
        <.
    """.replace("<.", "<." if voice is not SMTP else "postern <."), because="empty-status")
book.add("answer with a status, server and port on failure", IMAP, f"""
    {IMAP.login}
    ?*
    !! {HEAD}Auth-Server: {{back}}\\r\\nAuth-Port: {{bport}}\\r\\nAuth-Status: no\\r\\n\\r\\n
    !.
    {refused(IMAP)}
""")
answer("with a wait and OK", HEAD + OK + r"Auth-Wait: 3\r\n\r\n", "in")
answer("refused with a wait of 0", HEAD + r"Auth-Status: no\r\nAuth-Wait: 0\r\n\r\n", "no")
answer("refused with a wait that is no number", HEAD + r"Auth-Status: no\r\nAuth-Wait: soon\r\n\r\n", "no")
answer("refused with a negative wait", HEAD + r"Auth-Status: no\r\nAuth-Wait: -1\r\n\r\n", "no")

# --- size --------------------------------------------------------------------------------------------------

for size in (900, 1023, 1024):
    body = r"HTTP/1.0 200 OK\r\nAuth-Status: no\r\nX: "
    pad = size - len(body.replace(r"\r\n", "..")) - 4
    answer(f"of {size} bytes", body + "x" * pad + r"\r\n\r\n", "no")
for size in (1025, 1100, 4000):
    body = r"HTTP/1.0 200 OK\r\nAuth-Status: no\r\nX: "
    pad = size - len(body.replace(r"\r\n", "..")) - 4
    book.add(f"answer of {size} bytes", IMAP, f"""
        {IMAP.login}
        ?*
        !! {body}{"x" * pad}\\r\\n\\r\\n
        !.
        nginx < * BAD internal server error
        postern < a NO no
        <.
    """, server=BRIEF, because="auth-response-size", logs=False)

# --- in pieces ---------------------------------------------------------------------------------------------

WHOLE = "HTTP/1.0 200 OK\r\nServer: x\r\nAuth-Status: not you\r\nAuth-Wait: 0\r\n\r\n"
for place in range(1, len(WHOLE)):
    parts = [part.replace("\r", r"\r").replace("\n", r"\n").replace(" ", r"\x20") for part in (WHOLE[:place],
                                                                                               WHOLE[place:])]
    book.add(f"answer in two pieces, {place} bytes first", IMAP, f"""
        {IMAP.login}
        ?*
        !! {parts[0]}
        !! {parts[1]}
        !.
        < a NO not you
        <.
    """)
book.add("answer byte by byte", IMAP, "\n".join(
    [IMAP.login, "?*"] + ["!! " + {"\r": r"\r", "\n": r"\n", " ": r"\x20"}.get(letter,
                                                                               letter) for letter in WHOLE]
    + ["!.", "< a NO not you", "<."]))

# --- no answer ---------------------------------------------------------------------------------------------

everywhere("nobody listens", lambda v: f"""
    {v.login}
    {broken(v)}
    nginx log error recv() failed (111: Connection refused) while in http auth state
    postern log error connect() to {{dead}} failed (111: Connection refused) while in http auth state
""", server="auth_http {dead};", because="log-connect")
everywhere("nobody listens at the socket", lambda v: f"""
    {v.login}
    {broken(v)}
""", server="auth_http unix:{dir}/nobody.sock;", logs=False)
everywhere("silence", lambda v: f"""
    {v.login}
    ?*
    {broken(v)}
    log error auth http server {{auth}} timed out (110: Connection timed out) while in http auth state
""", server="auth_http_timeout 1500ms;")
book.add("silence after a part", IMAP, f"""
    {IMAP.login}
    ?*
    !! HTTP/1.0 200 OK\\r\\nAuth-St
    {broken(IMAP)}
    log error auth http server {{auth}} timed out (110: Connection timed out) while in http auth state
""", server="auth_http_timeout 1500ms;")
book.add("answer with a header without a colon", IMAP, f"""
    {IMAP.login}
    ?*
    !! {HEAD}Whatever\\r\\nAuth-Status: no\\r\\n\\r\\n
    !.
    <*
    <.
""", server=BRIEF, logs=False)
book.add("the next login works", IMAP, f"""
    {IMAP.login}
    ?*
    !.
    {broken(IMAP)}
    connect
    < * OK IMAP4 ready
    {IMAP.login}
    {IMAP.ask()}
    !ok
    {IMAP.enter()}
""", server=BRIEF, logs=False)

# --- WAIT and Auth-Wait ------------------------------------------------------------------------------------

everywhere("refused, then again", lambda v: f"""
    {v.login}
    {v.ask()}
    ! Auth-Status: no
    ! Auth-Wait: 1
    < {v.refusal}no
    > {v.noop[0]}
    < {v.noop[1]}
    {v.login}
    {v.ask(attempt=2)}
    !ok
    {v.enter()}
""")
everywhere("refused thrice", lambda v: f"""
    {v.login}
    {v.ask()}
    ! Auth-Wait: 1
    ! Auth-Status: first
    < {v.refusal}first
    {v.login}
    {v.ask(attempt=2)}
    ! Auth-Wait: 1
    ! Auth-Status: second
    < {v.refusal}second
    {v.login}
    {v.ask(attempt=3)}
    ! Auth-Status: third
    < {v.refusal}third
    <.
""")
book.add("refused, pipelined commands wait", IMAP, r"""
    >> a LOGIN joe secret\r\nb NOOP\r\nc LOGIN joe x\r\n
    ?*
    ! Auth-Status: no
    ! Auth-Wait: 1
    < a NO no
    < b OK completed
    """ + IMAP.ask("joe", "x", attempt=2) + """
    ! Auth-Status: no
    < c NO no
    <.
""")
everywhere("wait", lambda v: f"""
    {v.login}
    {v.ask()}
    ! Auth-Status: WAIT
    ! Auth-Wait: 1
    {v.ask()}
    ! Auth-Status: WAIT
    ! Auth-Wait: 1
    {v.ask()}
    ! Auth-Status: no
    {refused(v)}
""")

# nginx asks again at once, and goes on asking when the answer has become OK; so it is cut off here.
book.add("wait without a time", IMAP, f"""
    {IMAP.login}
    {IMAP.ask()}
    ! Auth-Status: WAIT
    {IMAP.ask()}
    !ok
    nginx {IMAP.ask().strip().replace(chr(10), chr(10) + "nginx ")}
    nginx ! Auth-Status: no
    nginx < a NO no
    nginx <.
    postern b> * OK backend
    postern b-login a joe secret
    postern b> a OK in
    postern < a OK in
""", because="wait-loop", logs=False)
for voice in VOICES:
    digest = "0123456789abcdef0123456789abcdef"
    way = f"> {voice.auth} CRAM-MD5\n< {voice.more}{{challenge64}}\n> {b64('joe ' + digest)}"
    question = voice.ask("joe", digest, "cram-md5", salt="{challenge}")
    again = voice.ask("joe", "", "cram-md5", salt="{challenge}")
    book.add(f"{voice.name} wait with cram-md5", voice, f"""
        {way}
        {question}
        ! Auth-Status: WAIT
        ! Auth-Wait: 1
        {"".join(chr(10) + "nginx " + line for line in again.strip().split(chr(10)))}
        {"".join(chr(10) + "postern " + line for line in question.strip().split(chr(10)))}
        ! Auth-Status: no
        {refused(voice)}
    """, server=f"{voice.name}_auth plain cram-md5;", challenge=voice is POP3, because="wait-digest")
book.add("cram-md5 twice", IMAP, f"""
    > a AUTHENTICATE CRAM-MD5
    < + {{challenge64}}
    > {b64("joe 0123456789abcdef0123456789abcdef")}
    ?*
    ! Auth-Status: no
    ! Auth-Wait: 1
    < a NO no
    > a AUTHENTICATE CRAM-MD5
    < + {{challenge64}}
    > !
    < a BAD invalid command
""", server="imap_auth plain cram-md5;")
book.add("external after plain keeps no password", IMAP, f"""
    {IMAP.login}
    ?*
    ! Auth-Status: no
    ! Auth-Wait: 1
    < a NO no
    > a AUTHENTICATE EXTERNAL am9l
    nginx {IMAP.ask("joe", "secret", "external", attempt=2).strip().replace(chr(10), chr(10) + "nginx ")}
    postern {IMAP.ask("joe", "", "external", attempt=2).strip().replace(chr(10), chr(10) + "postern ")}
    ! Auth-Status: no
    < a NO no
    <.
""", server="imap_auth plain external;", because="external-stale-password")
book.add("the tag of a failed login is forgotten", IMAP, r"""
    > a LOGIN joe secret
    ?*
    ! Auth-Status: no
    ! Auth-Wait: 1
    < a NO no
    >> \r\n
    nginx << \r\nBAD invalid command\r\n
    postern < * BAD invalid command
""", because="imap-stale-tag")
book.add("smtp credentials of a failed login are forgotten", SMTP, f"""
    {SMTP.login}
    ?*
    ! Auth-Status: no
    ! Auth-Wait: 1
    < 535 5.7.0 no
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    nginx ? Auth-Method: none
    nginx ? Auth-User: joe
    nginx ? Auth-Pass: secret
    postern ? Auth-Method: none
    postern ? Auth-User:\\x20
    postern ? Auth-Pass:\\x20
    ? Auth-Protocol: smtp
    ? Auth-Login-Attempt: 2
    ? Client-IP: {{client}}
    ? Client-Host: [UNAVAILABLE]
    ? Auth-SMTP-Helo:\\x20
    ? Auth-SMTP-From: MAIL FROM:<a@b>
    ? Auth-SMTP-To: RCPT TO:<c@d>
    ! Auth-Status: no
    < 535 5.7.0 no
    <.
""", server="smtp_auth plain none;", because="stale-credentials")
book.add("client leaves while the question is asked", IMAP, f"""
    {IMAP.login}
    ?*
    leave
    !ok
    nginx b> * OK backend
    nginx b-login a joe secret
    nginx b.
""", because="client-left", logs=False)
