# SPDX-License-Identifier: BSD-2-Clause
"""Limits of time: silence, slowness, talk without end."""

from ..voices import IMAP, VOICES, Book

book = Book("time")
TALKS = book.talks

SHORT = "timeout 1500ms;"
LOG = "log info client timed out (110: Connection timed out) while"

for voice in VOICES:
    book.add(f"{voice.name} silence after the greeting", voice, f"""
        <.
        {LOG} in auth state
    """, server=SHORT)
    book.add(f"{voice.name} half a command", voice, f"""
        >> {voice.noop[0]}
        <.
        {LOG} in auth state
    """, server=SHORT)
    book.add(f"{voice.name} silence in SASL", voice, f"""
        > {voice.auth} LOGIN
        < {voice.more}VXNlcm5hbWU6
        <.
    """, server=SHORT)
    book.add(f"{voice.name} talk without end", voice, f"chat {voice.noop[0]}\n<.", server=SHORT)
    book.add(f"{voice.name} silence instead of a handshake", voice, f"""
        <.
        postern {LOG} SSL handshaking
    """, opening=None, listen="ssl", server=SHORT, because="log-handshake")
    book.add(f"{voice.name} silence after starttls", voice, f"""
        > {voice.starttls[0]}
        < {voice.starttls[1]}
        <.
        postern {LOG} in starttls state
    """, server=SHORT + " starttls on;", because="log-handshake")
    book.add(f"{voice.name} silence after the handshake", voice, "<.", opening="starttls", server=SHORT)
    book.add(f"{voice.name} silence after a failed login", voice, f"""
        {voice.login}
        ?*
        ! Auth-Status: no
        ! Auth-Wait: 1
        < {voice.refusal}no
        <.
    """, server=SHORT)
book.add("half a handshake", IMAP, r"""
    >> \x16\x03\x01\x02\x00\x01
    <.
""", opening=None, listen="ssl", server=SHORT, logs=False)
book.add("half a PROXY header", IMAP, r"""
    >> PROXY TC
    <.
""", opening=None, listen="proxy_protocol", server=SHORT, logs=False)
book.add("the time of asking does not count", IMAP, f"""
    {IMAP.login}
    ?*
    ! Auth-Status: no
    ! Auth-Wait: 1
    < a NO no
    {IMAP.login}
    ?*
    !ok
    {IMAP.enter()}
    > x
    b< x
""", server=SHORT)
