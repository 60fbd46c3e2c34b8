# SPDX-License-Identifier: BSD-2-Clause
"""Every byte from 0 to 255 in a name and in a password: to the authentication server, then to the backend."""

from ..voices import IMAP, POP3, SMTP, VOICES, Book, b64, escape

book = Book("letters")
TALKS = book.talks

BREAKS = (0, 10, 13)  # no line protocol can carry them; see sasl.py


def percent(data):
    """As the question shows it: controls, blank and % are escaped, the rest is as it is."""
    return escape(b"".join(b"%%%02X" % byte if byte <= 0x20 or byte == 0x25 else bytes([byte])
                           for byte in data))


def entry(voice, user, password):
    """The backend's side of the login, with whatever bytes."""
    if voice is SMTP:
        return f"""
            b> 220 backend
            b< EHLO mail.example
            b> 250 backend
            b< AUTH PLAIN {b64(b"", user, password)}
            b> 235 in
            < 235 2.0.0 OK
        """
    return voice.enter(escape(user), escape(password))


for voice in VOICES:
    for byte in range(256):
        letter = bytes([byte])
        user, password = b"a" + letter + b"z", b"b" + letter + letter + b"y"
        if byte in BREAKS:
            continue
        book.add(f"{voice.name} {byte}", voice, f"""
            {"> EHLO x" + chr(10) + "<*" if voice is SMTP else ""}
            > {voice.auth} PLAIN {b64(b"", user, password)}
            {voice.ask(percent(user), percent(password))}
            !ok
            {entry(voice, user, password)}
        """, server="proxy_smtp_auth on;" if voice is SMTP else "",
                 logs=letter.isalnum())  # logs are another matter, below

for byte in range(256):
    letter = bytes([byte])
    user, password = letter + b"z", b"y" + letter
    if byte not in BREAKS:
        book.add(f"imap literal {byte}", IMAP, f"""
            >> a LOGIN {{2+}}\\r\\n{escape(user)} {{2+}}\\r\\n{escape(password)}\\r\\n
            {IMAP.ask(percent(user), percent(password))}
            ! Auth-Status: no
            < a NO no
            <.
        """, logs=False)
    if byte not in (*BREAKS, 32):
        book.add(f"imap atom {byte}", IMAP, f"""
            > a LOGIN x{escape(user)} {escape(password)}
            {IMAP.ask(percent(b"x" + user), percent(password))}
            ! Auth-Status: no
            < a NO no
            <.
        """, logs=False)
    if byte not in BREAKS:
        book.add(f"pop3 line {byte}", POP3, f"""
            > USER x{escape(user)}
            < +OK
            > PASS {escape(password)}
            {POP3.ask(percent(b"x" + user), percent(password))}
            ! Auth-Status: no
            < -ERR no
            <.
        """, logs=False)

# --- in the log ------------------------------------------------------------------------------------------

FAILED = 'client login failed: "no" while in http auth state, client: {client}, server: {server}:{port}'
for name, user, ours in (("quote", b'j"oe', r"j\x22oe"), ("backslash", b"j\\oe", r"j\x5Coe"),
                         ("escape", b"j\x1boe", r"j\x1Boe"),
                         ("DEL", b"j\x7foe", r"j\x7Foe"), ("8 bit", "j\u00f6e".encode(), r"j\xC3\xB6e")):
    book.add(f"log of a name with {name}", IMAP, f"""
        > a AUTHENTICATE PLAIN {b64(b"", user, b"x")}
        ?*
        ! Auth-Status: no
        < a NO no
        <.
        nginx log info {FAILED}, login: "{escape(user)}"
        postern log info {FAILED}, login: "{ours.replace(chr(92), chr(92) * 2)}"
    """, because="log-escape")
