# SPDX-License-Identifier: BSD-2-Clause
"""Backends: what they are told, in which pieces they answer, how they refuse, how they fail; and the
relay."""

from dataclasses import replace

from ..voices import IMAP, POP3, SMTP, VOICES, Book, b64

book = Book("back")
TALKS = book.talks


def everywhere(name, script, **more):
    for voice in VOICES:
        book.add(f"{voice.name} {name}", voice, script(voice), **more)


GREETING = {"imap": "* OK backend ready", "pop3": "+OK backend ready", "smtp": "220 backend ready"}
# What the backend hears first.
FIRST = {"imap": "b-login a joe secret", "pop3": "b< USER joe", "smtp": "b< HELO mail.example"}


def arrive(voice):
    """The client's side up to the connection to the backend."""
    return f"{voice.login}\n?*\n!ok\n"


def broken(voice):
    return f"< {voice.internal}\n<.\n"


# --- in pieces -----------------------------------------------------------------------------------------

def quoted(text):
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n").replace(" ", "\\x20")


def pieces(text, place):
    return f"b>> {quoted(text[:place])}\nb>> {quoted(text[place:])}\n"


def steps(voice):
    """What the backend says and hears in a login, as (says, hears) pairs; the last `says` lets the client
    in."""
    if voice is POP3:
        return [("+OK backend ready", "USER joe"), ("+OK name", "PASS secret"), ("+OK in", None)]
    if voice is SMTP:
        return [("220 backend ready", "HELO mail.example"), ("250 backend", None)]
    return []


def login_in_pieces(voice, which, place):
    """A login in which the backend's answer number `which` comes in two pieces."""
    lines = []
    for number, (says, hears) in enumerate(steps(voice)):
        lines.append(pieces(says + "\r\n", place) if number == which else f"b> {says}")
        if hears:
            lines.append(f"b< {hears}")
    lines.append("< 235 2.0.0 OK" if voice is SMTP else f"< {steps(voice)[-1][0]}")
    return "\n".join(lines)


for voice in (POP3, SMTP):
    for which, (says, _) in enumerate(steps(voice)):
        for place in range(1, len(says) + 2):
            book.add(f"{voice.name} reply {which} in two pieces, {place} bytes first", voice,
                     arrive(voice) + login_in_pieces(voice, which, place))
for place in range(1, len(GREETING["imap"]) + 2):
    book.add(f"imap greeting in two pieces, {place} bytes first", IMAP, arrive(IMAP) + f"""
        {pieces(GREETING["imap"] + chr(13) + chr(10), place)}
        b-login a joe secret
        b> a OK in
        < a OK in
    """)
SUCCESS = "a OK logged in\r\n"
for place in range(1, len(SUCCESS)):
    book.add(f"imap success in two pieces, {place} bytes first", IMAP, arrive(IMAP) + f"""
        b> * OK backend
        b-login a joe secret
        {pieces(SUCCESS, place)}
        < a OK logged in
    """)

# nginx takes one untagged line since 1.27.3, and none in 1.22.1.
UNTAGGED = "* CAPABILITY IMAP4rev1\r\na OK [CAPABILITY X] in\r\n"
for place in range(1, len(UNTAGGED)):
    book.add(f"imap success after an untagged line in two pieces, {place} bytes first", IMAP,
             arrive(IMAP) + f"""
        b> * OK backend
        b-login a joe secret
        {pieces(UNTAGGED, place)}
        nginx < * BAD internal server error
        nginx <.
        postern < * CAPABILITY IMAP4rev1
        postern < a OK [CAPABILITY X] in
    """, because="imap-untagged", logs=False)

# --- odd but good ----------------------------------------------------------------------------------------

book.add("pop3 long words", POP3, arrive(POP3) + f"""
    b> +OKAY whatever <1.2@x>
    b< USER joe
    b> +OK{"x" * 400}
    b< PASS secret
    b> +OK {"y" * 2000}
    < +OK {"y" * 2000}
""")
book.add("imap untagged before the success", IMAP, arrive(IMAP) + """
    b> * OK [CAPABILITY IMAP4rev1] ready
    b-login a joe secret
    b>> * CAPABILITY IMAP4rev1 IDLE\\r\\na OK in\\r\\n
    nginx < * BAD internal server error
    nginx <.
    postern < * CAPABILITY IMAP4rev1 IDLE
    postern < a OK in
""", because="imap-untagged", logs=False)
book.add("imap two untagged before the success", IMAP, arrive(IMAP) + """
    b> * OK ready
    b-login a joe secret
    b>> * CAPABILITY IMAP4rev1 IDLE\\r\\n* ID NIL\\r\\na OK in\\r\\n
    nginx < * BAD internal server error
    nginx <.
    postern < * CAPABILITY IMAP4rev1 IDLE
    postern < * ID NIL
    postern < a OK in
""", because="imap-untagged", logs=False)
book.add("imap something pipelined behind the success", IMAP, arrive(IMAP) + """
    b> * OK ready
    b-login a joe secret
    b>> a OK in\\r\\n* 1 EXISTS\\r\\n
    < a OK in
    < * 1 EXISTS
""", logs=False)
book.add("imap OK in lower case", IMAP, arrive(IMAP) + """
    b> * ok ready
    postern b-login a joe secret
    postern b.
    < * BAD internal server error
    <.
""", because="imap-case", logs=False)
book.add("smtp greeting of several lines", SMTP, arrive(SMTP) + """
    b>> 220-backend\\r\\n220-says\\r\\n220 hello\\r\\n
    b< HELO mail.example
    b>> 250-backend\\r\\n250 SIZE\\r\\n
    < 235 2.0.0 OK
""")
book.add("smtp several lines, byte by byte", SMTP, arrive(SMTP) + """
    b>. 220-backend\\r\\n220-says\\r\\n220 hello
    b< HELO mail.example
    b>. 250-backend\\r\\n250 SIZE
    < 235 2.0.0 OK
""")
for reply in ("220", "220 ", "220 x" + "y" * 500, "220-a\\r\\n220", "220-220 a\\r\\n220 b"):
    book.add(f"smtp greeting {reply[:20]}", SMTP, arrive(SMTP) + f"""
        b>> {reply[:-1] + chr(92) + "x20" if reply.endswith(" ") else reply}\\r\\n
        b< HELO mail.example
        b> 250 ok
        < 235 2.0.0 OK
    """)

# --- line ends -------------------------------------------------------------------------------------------

for voice, text, then in (
        (IMAP, "* OK x", "postern b-login a joe secret"), (POP3, "+OK", "postern b< USER joe"),
        (SMTP, "220 x", "postern b< HELO mail.example")):
    book.add(f"{voice.name} greeting that ends in LF alone", voice, f"""
        {arrive(voice)}
        b>> {text}\\n
        {then}
        postern b.
        < {voice.internal}
        <.
    """, server="timeout 1500ms;", because="backend-lf", logs=False)
book.add("imap continuation of three bytes", IMAP, arrive(IMAP) + """
    b> * OK x
    nginx b< a LOGIN {3}
    nginx b>> +\\r\\n
    nginx < * BAD internal server error
    nginx <.
    postern b-login a joe secret
    postern b> a OK in
    postern < a OK in
""", server="timeout 1500ms;", because="imap-login-one-line-only", logs=False)

# --- refusals --------------------------------------------------------------------------------------------


READING = "while reading response from upstream"


def refusal(name, voice, course, last, *, server="", nonsense=False):
    """`course` leads to the line `last`, which the backend says and nobody wants to hear. The log leaves
    out the tag of an IMAP refusal. What is no refusal at all, postern does not pass on."""
    said = f'upstream sent invalid response: "{last.removeprefix("a ")}" {READING}'
    book.add(f"{voice.name} {name}", voice, f"""
        {course}
        b> {last}
        {broken(voice)}
        b<.
        log error {said}
    """, server=server)
    passing = f"{server} proxy_pass_error_message on;".strip()
    if nonsense:
        book.add(f"{voice.name} {name}, not passed on", voice, f"""
            {course}
            b> {last}
            nginx < {last}
            postern < {voice.internal}
            <.
            b<.
            nginx log info {said}
            postern log error {said}
        """, server=passing, because="nonsense-passed")
    else:
        book.add(f"{voice.name} {name}, passed on", voice, f"""
            {course}
            b> {last}
            < {last}
            <.
            b<.
            log info {said}
        """, server=passing)


def refusals(name, voice, course, refused, odd, server=""):
    for last in refused + odd:
        refusal(f"{name} {last}", voice, arrive(voice) + course, last, server=server, nonsense=last in odd)


refusals("greeting", POP3, "", ["-ERR busy", "-ERR"], ["* OK imap", "220 smtp", "hello", "+OH"])
refusals("name refused by", POP3, "b> +OK\nb< USER joe", ["-ERR who"], [])
refusals("password refused by", POP3, "b> +OK\nb< USER joe\nb> +OK\nb< PASS secret", ["-ERR [AUTH] no"], [])
refusals("greeting", IMAP, "", ["* BYE busy"],
         ["* PREAUTH hi", "* NO x", "+OK pop", "220 smtp", "OK hi", "* OH"])
refusals("login refused by", IMAP, "b> * OK\nb-login a joe secret",
         ["a NO [AUTHENTICATIONFAILED] no", "a BAD syntax", "* BYE bye"], ["b OK other tag", "hello"])
refusals("greeting", SMTP, "", ["421 busy", "554 no"], ["250 wrong", "+OK pop", "* OK imap", "22 x", "hello"])
refusals("HELO refused by", SMTP, "b> 220\nb< HELO mail.example", ["502 what", "421 bye"],
         ["220 again", "354 go"])
book.add("smtp refusal of several lines, passed on", SMTP, arrive(SMTP) + """
    b>> 554-no\\r\\n554-and\\r\\n554 no\\r\\n
    < 554-no
    < 554-and
    < 554 no
    <.
""", server="proxy_pass_error_message on;", logs=False)
book.add("pop3 refusal with more behind, passed on", POP3, arrive(POP3) + """
    b>> -ERR no\\r\\n+OK forged\\r\\n
    < -ERR no
    nginx < +OK forged
    <.
""", server="proxy_pass_error_message on;", because="one-refusal", logs=False)

# --- failures --------------------------------------------------------------------------------------------

everywhere("nobody listens", lambda v: f"""
    {v.login}
    ?*
    ! Auth-Status: OK
    ! Auth-Server: 127.25.0.2
    ! Auth-Port: {{deadport}}
    {broken(v)}
    nginx log error recv() failed (111: Connection refused) while reading response from upstream
    postern log error connect() failed (111: Connection refused) while connecting to upstream
""", because="log-connect")
everywhere("nobody listens, messages passed on", lambda v: f"""
    {v.login}
    ?*
    ! Auth-Status: OK
    ! Auth-Server: 127.25.0.2
    ! Auth-Port: {{deadport}}
    {broken(v)}
""", server="proxy_pass_error_message on;", logs=False)
everywhere("silence", lambda v: f"""
    {arrive(v)}
    b+
    {broken(v)}
    b<.
    log info upstream timed out (110: Connection timed out) while connecting to upstream
""", server="timeout 1500ms;")
everywhere("closes at once", lambda v: f"""
    {arrive(v)}
    b.
    {broken(v)}
""", logs=False)
everywhere("resets at once", lambda v: f"""
    {arrive(v)}
    b-reset
    {broken(v)}
""", logs=False)
everywhere("closes after the greeting", lambda v: f"""
    {arrive(v)}
    b> {GREETING[v.name]}
    b<*
    b.
    {broken(v)}
""".replace("b<*", "nginx b<*\npostern b<*") if False else f"""
    {arrive(v)}
    b> {GREETING[v.name]}
    {FIRST[v.name]}
    b.
    {broken(v)}
""", logs=False)
everywhere("half a reply, then the end", lambda v: f"""
    {arrive(v)}
    b>> {GREETING[v.name][:4].strip()}
    b.
    {broken(v)}
""", server="timeout 1500ms;", logs=False)

for size in (100, 4094):
    for voice, begin in ((POP3, "+OK "), (IMAP, "* OK "), (SMTP, "220 ")):
        book.add(f"{voice.name} greeting of {size}", voice, arrive(voice) + f"""
            b> {begin}{"x" * (size - len(begin) - 2)}
            {FIRST[voice.name]}
            b.
            {broken(voice)}
        """, logs=False)
for voice, begin in ((POP3, "+OK "), (IMAP, "* OK "), (SMTP, "220 ")):
    book.add(f"{voice.name} greeting as long as the buffer", voice, arrive(voice) + f"""
        b>> {begin}{"x" * (64 - len(begin))}
        {broken(voice)}
        log error upstream sent too long response line: "{begin}{"x" * (63 - len(begin))}
    """, server="proxy_buffer 64;", logs=False)
    book.add(f"{voice.name} greeting that just fits the buffer", voice, arrive(voice) + f"""
        b> {begin}{"x" * (62 - len(begin))}
        {FIRST[voice.name]}
        b.
        {broken(voice)}
    """, server="proxy_buffer 64;", logs=False)

# --- more than was asked for -----------------------------------------------------------------------------

EARLY = {"imap": r"* OK x\r\na OK early\r\n", "pop3": r"+OK x\r\n+OK early\r\n",
         "smtp": r"220 x\r\n250 early\r\n"}
everywhere("answers before it is asked", lambda v: f"""
    {arrive(v)}
    b>> {EARLY[v.name]}
    nginx {"b< a LOGIN {3}" if v is IMAP else FIRST[v.name]}
    nginx b.
    < {v.internal}
    <.
    postern b<.
""", because="early-answers", logs=False)
book.add("imap untagged behind the greeting", IMAP, arrive(IMAP) + """
    b>> * OK x\\r\\n* CAPABILITY IMAP4rev1\\r\\n
    b-login a joe secret
    b> a OK in
    postern < * CAPABILITY IMAP4rev1
    < a OK in
""", because="imap-untagged", logs=False)
for voice, last in ((IMAP, "a OK logged in"), (POP3, "+OK logged in")):
    book.add(f"{voice.name} more behind the last answer", voice, arrive(voice) + voice.enter().replace(
        f"b> {last}", f"b>> {last}\\r\\nlate\\r\\n") + """
        < late
        > x
        b< x
    """)

# --- IPv6 ------------------------------------------------------------------------------------------------

SESSION = 'client: {client}, server: {server}:{port}, login: "joe"'
everywhere("by IPv6", lambda v: f"""
    {v.login}
    ?*
    ! Auth-Status: OK
    ! Auth-Server: ::1
    ! Auth-Port: {{back6port}}
    {v.enter()}
    nginx log info client logged in, {SESSION}, upstream: ::1:{{back6port}}
    postern log info client logged in, {SESSION}, upstream: [::1]:{{back6port}}
""", because="log-brackets")

# --- proxy_smtp_auth -------------------------------------------------------------------------------------

AUTH = "proxy_smtp_auth on;"
GREET = "> EHLO client.example\n<*\n"
book.add("smtp auth without EHLO", SMTP, arrive(SMTP) + f"""
    b> 220 backend
    nginx b< HELO mail.example
    postern b< EHLO mail.example
    b> 250 backend
    b< AUTH PLAIN {b64("", "joe", "secret")}
    b> 235 2.7.0 in
    < 235 2.0.0 OK
""", server=AUTH, because="auth-needs-ehlo")
book.add("smtp auth", SMTP, GREET + arrive(SMTP) + f"""
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< AUTH PLAIN {b64("", "joe", "secret")}
    b> 235 2.7.0 in
    < 235 2.0.0 OK
    > MAIL FROM:<a@b>
    b< MAIL FROM:<a@b>
""", server=AUTH)
for offered in ("AUTH PLAIN LOGIN", "AUTH CRAM-MD5", "SIZE"):
    book.add(f"smtp auth, announced: {offered}", SMTP, GREET + arrive(SMTP) + f"""
        b> 220 backend
        b< EHLO mail.example
        b>> 250-backend\\r\\n250 {offered}\\r\\n
        b< AUTH PLAIN {b64("", "joe", "secret")}
        b> 235 2.7.0 in
        < 235 2.0.0 OK
    """, server=AUTH)
book.add("smtp auth where LOGIN is all there is", SMTP, GREET + arrive(SMTP) + f"""
    b> 220 backend
    b< EHLO mail.example
    b>> 250-backend\\r\\n250 AUTH LOGIN\\r\\n
    nginx b< AUTH PLAIN {b64("", "joe", "secret")}
    postern b< AUTH LOGIN
    postern b> 334 VXNlcm5hbWU6
    postern b< am9l
    postern b> 334 UGFzc3dvcmQ6
    postern b< c2VjcmV0
    b> 235 2.7.0 in
    < 235 2.0.0 OK
""", server=AUTH, because="auth-login")
book.add("smtp auth with other user and password", SMTP, f"""
    {GREET}{SMTP.login}
    ?*
    !ok Auth-User: jim | Auth-Pass: p\\xc3\\xa4ss word
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< AUTH PLAIN {b64("", "jim", b"p" + bytes([0xc3, 0xa4]) + b"ss word")}
    b> 235 in
    < 235 2.0.0 OK
""", server=AUTH)
for last in ("535 5.7.8 no", "454 later", "502 what", "334 more", "250 odd"):
    refusal(f"auth refused by {last}", SMTP, f"""
        {GREET}{arrive(SMTP)}
        b> 220 backend
        b< EHLO mail.example
        b> 250 backend
        b< AUTH PLAIN {b64('', 'joe', 'secret')}
    """, last, server=AUTH, nonsense=last[0] in "23")
book.add("smtp auth, NUL in the name", SMTP, f"""
    {GREET}> AUTH PLAIN {b64("", "joe", "x")}
    ?*
    !ok Auth-User: vic\\0tim
    nginx b> 220 backend
    nginx b< EHLO mail.example
    nginx b> 250 backend
    nginx b< AUTH PLAIN {b64("", "vic", "tim", "x")}
    nginx b.
    < 451 4.3.2 Internal server error
    <.
""", server=AUTH, because="answer-controls", logs=False)
book.add("pop3, a control in the auth server's name", POP3, f"""
    {POP3.login}
    ?*
    !ok Auth-User: jo\\x01e
    b> +OK
    b< USER jo\\x01e
    b.
    {broken(POP3)}
""", logs=False)
book.add("smtp auth not with none", SMTP, """
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
    b> 250 ok
    < 250 ok
""", server=AUTH + " smtp_auth none;")

# --- XCLIENT ---------------------------------------------------------------------------------------------


# The voice that other talks use says `xclient off`; here it is on, the default.
SMTP_X = replace(SMTP, base="protocol smtp;")


def xclient(name, script, server="", **more):
    book.add(f"xclient {name}", SMTP_X, script, server=server, **more)


LINE = "XCLIENT ADDR={client} LOGIN=joe NAME=[UNAVAILABLE]"
xclient("without HELO", arrive(SMTP) + f"""
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< {LINE}
    b> 220 again
    < 235 2.0.0 OK
""")
for verb in ("HELO", "EHLO"):
    xclient(f"with {verb}", f"> {verb} client.example\n<*\n" + arrive(SMTP) + f"""
        b> 220 backend
        b< EHLO mail.example
        b>> 250-backend\\r\\n250 XCLIENT ADDR LOGIN NAME\\r\\n
        b< {LINE}
        b> 220 again
        b< {verb} client.example
        b>> 250-backend\\r\\n250 X\\r\\n
        < 235 2.0.0 OK
    """)
xclient("with auth", "> EHLO client.example\n<*\n" + arrive(SMTP) + f"""
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< XCLIENT ADDR={{client}} NAME=[UNAVAILABLE]
    b> 220 again
    b< EHLO client.example
    b> 250 backend
    b< AUTH PLAIN {b64("", "joe", "secret")}
    b> 235 in
    < 235 2.0.0 OK
""", server=AUTH)
xclient("with auth, without HELO", arrive(SMTP) + f"""
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< XCLIENT ADDR={{client}} NAME=[UNAVAILABLE]
    b> 220 again
    postern b< EHLO mail.example
    postern b> 250 backend
    b< AUTH PLAIN {b64("", "joe", "secret")}
    b> 235 in
    < 235 2.0.0 OK
""", server=AUTH, because="auth-needs-ehlo")
xclient("for relay", """
    > EHLO client.example
    <*
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    ?*
    !ok
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< XCLIENT ADDR={client} NAME=[UNAVAILABLE]
    b> 220 again
    b< EHLO client.example
    b> 250 backend
    b< MAIL FROM:<a@b>
    b> 250 ok
    b< RCPT TO:<c@d>
    b> 250 ok
    < 250 ok
""", server="smtp_auth none;")
xclient("for relay with a name from the auth server", """
    > MAIL FROM:<a@b>
    < 250 2.0.0 OK
    > RCPT TO:<c@d>
    ?*
    !ok Auth-User: relay
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< XCLIENT ADDR={client} LOGIN=relay NAME=[UNAVAILABLE]
    b> 250 again
    b< MAIL FROM:<a@b>
    b> 250 ok
    b< RCPT TO:<c@d>
    b> 250 ok
    < 250 ok
""", server="smtp_auth none;")
xclient("answered 250", arrive(SMTP) + f"""
    b> 220 backend
    b< EHLO mail.example
    b> 250 backend
    b< {LINE}
    b> 250 ok
    < 235 2.0.0 OK
""")
for last in ("550 insufficient authorization", "502 unknown", "421 bye", "501 bad"):
    xclient(f"refused by {last}", arrive(SMTP) + f"""
        b> 220 backend
        b< EHLO mail.example
        b> 250 backend
        b< {LINE}
        b> {last}
        {broken(SMTP)}
        log error upstream sent invalid response: "{last}" {READING}
    """)
for what, user, theirs, ours in (("blank", "joe doe", "joe doe", "joe+20doe"),
                                 ("plus", "a+b", "a+b", "a+2Bb"),
                                 ("equals sign", "a=b", "a=b", "a+3Db"),
                                 ("8 bit", "j\xf6e", "j\\xf6e", "j+F6e"),
                                 ("DEL", "j\x7fe", "j\\x7fe", "j+7Fe")):
    xclient(f"xtext: {what}", f"""
        > AUTH PLAIN {b64("", user, "x")}
        ?*
        !ok
        b> 220 backend
        b< EHLO mail.example
        b> 250 backend
        nginx b< XCLIENT ADDR={{client}} LOGIN={theirs} NAME=[UNAVAILABLE]
        postern b< XCLIENT ADDR={{client}} LOGIN={ours} NAME=[UNAVAILABLE]
        b> 220 again
        < 235 2.0.0 OK
    """, because="xtext", logs=False)
xclient("attributes that were announced", "> EHLO client.example\n<*\n" + arrive(SMTP) + """
    b> 220 backend
    b< EHLO mail.example
    b>> 250-backend\\r\\n250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\\r\\n
    nginx b< XCLIENT ADDR={client} LOGIN=joe NAME=[UNAVAILABLE]
    postern b< XCLIENT ADDR={client} LOGIN=joe NAME=[UNAVAILABLE] PORT={cport} PROTO=ESMTP HELO=client.example DESTADDR={server} DESTPORT={port}
    b.
    < 451 4.3.2 Internal server error
    <.
""", because="xclient-attributes", logs=False)

# --- the relay -------------------------------------------------------------------------------------------

WHO = SESSION + ", upstream: {back}:{bport}"
everywhere("relay both ways", lambda v: f"""
    {arrive(v)}
    {v.enter()}
    > one
    b< one
    b> two
    < two
    >> three\\r\\nfour
    b<< three\\r\\nfour
    b>> \\x00\\xff\\r\\r\\n\\n.\\r\\n
    << \\x00\\xff\\r\\r\\n\\n.\\r\\n
    >> {"z" * 20000}
    b<< {"z" * 20000}
    b>> {"y" * 20000}
    << {"y" * 20000}
    log info client logged in, {WHO}
    log info proxied session done, {WHO}
""")
everywhere("relay, the backend ends", lambda v: f"""
    {arrive(v)}
    {v.enter()}
    b>> last words
    b.
    << last words
    <.
    log info proxied session done
""")
everywhere("relay, the client leaves", lambda v: f"""
    {arrive(v)}
    {v.enter()}
    leave
    b<.
    log info proxied session done
""")
PIPED = {"imap": "a LOGIN joe secret", "pop3": r"USER joe\r\nPASS secret",
         "smtp": SMTP.login.strip().removeprefix("> ")}
everywhere("relay, commands pipelined behind the login", lambda v: f"""
    >> {PIPED[v.name]}\\r\\nx one\\r\\ny two\\r\\n
    {"< +OK" if v is POP3 else ""}
    ?*
    !ok
    {v.enter()}
    b< x one
    b< y two
""")
everywhere("relay, half-close", lambda v: f"""
    {arrive(v)}
    {v.enter()}
    > last question
    shut
    b< last question
    nginx b<.
    nginx <.
    postern b<.
    postern b> last answer
    postern b.
    postern < last answer
    postern <.
""", because="half-close", logs=False)
everywhere("relay, only the backend speaks", lambda v: f"""
    {arrive(v)}
    {v.enter()}
    nginx b-chat until the end
    nginx <end
    postern b-chat 20 times
    postern <lines 20
    postern b.
    postern <.
""", server="proxy_timeout 1s;", because="proxy-timeout", logs=False)
everywhere("relay, nobody speaks for proxy_timeout", lambda v: f"""
    {arrive(v)}
    {v.enter()}
    <.
    b<.
    log info client timed out (110: Connection timed out) while proxying
""", server="proxy_timeout 1500ms;")
