# SPDX-License-Identifier: BSD-2-Clause
"""Every allowed difference between nginx and postern, with its reason.

`shown_by` says who proves it: "talks" are conversations that name the key in `because` and tell what each
program does; "everywhere" are forms that all conversations read alike (player.py, world.py); "faults" are
configurations for `-t`; "commands" the tests of the command line, "life" those of signals. A difference that
nothing shows any more fails the suite.

docs/compatibility.md is made from this: `cd tests && python3 -m parity.differences >
../docs/compatibility.md`.
"""

from dataclasses import dataclass

SECURITY, BETTER, NEWER = "security", "better", "newer nginx"


@dataclass
class Difference:
    topic: str
    nginx: str      # what nginx 1.22.1 does
    postern: str    # what postern does
    why: str
    kind: str = BETTER
    shown_by: str = "talks"


# Log lines that only postern writes, in any conversation.
POSTERN_EXTRA_LOGS = []

DIFFERENCES = {
    # --- everywhere
    "auth-http-1.1": Difference(
        "auth_http", "Asks by HTTP/1.0, a new connection for each question.",
        "Asks by HTTP/1.1 and keeps the connection where the server does.",
        "A third of a login's cost. Servers that speak HTTP/1.0 or close are understood as before.",
        shown_by="everywhere"),
    "imap-login-one-line": Difference(
        "IMAP backend", "Sends LOGIN with two synchronising literals.",
        "Sends it in one line, quoted, or with the literals that the backend offers.",
        "Two round trips less for each login.", shown_by="everywhere"),

    "other-sources": Difference(
        "a server without `auth_http`", "A fault that asks for it.",
        "A fault only without any source of users and without `proxy_pass`; its text names these too.",
        "They are the cure, too.", shown_by="faults"),
    "auth-https": Difference(
        "auth_http", "`https://` is no URL.", "The question goes over TLS, and the server is verified.",
        "Passwords cross networks.", shown_by="faults"),
    "server-names-in-answers": Difference(
        "`Auth-Server`", "Must be an IP address, and `Auth-Port` must be there.",
        "May be an upstream, a host, `host:port` or `unix:`, and then needs no port. What cannot be found or reached "
        "is a temporary error, after which the client may try again.",
        "The oldest wish of those who write authentication servers."),

    # --- input from clients
    "credential-controls": Difference(
        "names and passwords",
        "CR, LF and NUL pass to the authentication server (encoded) and to POP3 backends (raw).",
        "Refused as an invalid command.", "They are commands to the backend.", SECURITY),
    "envelope-controls": Difference(
        "SMTP envelope", "Control characters in HELO, MAIL and RCPT pass.",
        "`501 5.5.4 Invalid argument`.", "They go raw into headers of the question.", SECURITY),
    "answer-controls": Difference(
        "auth_http", "NUL in `Auth-User` moves the fields of AUTH PLAIN towards the backend.",
        "Treated as a broken answer.", "Login as somebody else.", SECURITY),
    "empty-name": Difference(
        "SASL", "Asks about an empty name in PLAIN.", "Refused as an invalid command.",
        "RFC 4616 wants a name.", SECURITY),
    "base64-strict": Difference(
        "SASL", "Ignores what stands behind the padding of a response, or behind a blank.", "Refused.",
        "RFC 4648, section 3.3.", SECURITY),
    "authzid": Difference(
        "SASL PLAIN", "Ignores an authorization identity.", "Refused, unless it is the name itself.",
        "The client wants to be somebody else, and would not be.", SECURITY),
    "sasl-errors-count": Difference(
        "`max_errors`", "Broken SASL exchanges do not count.", "They do.", "Guessing without end.", SECURITY),
    "sasl-cancel": Difference(
        "log", "A client that cancels SASL by `*` is said to have sent invalid base64.", "Nothing is logged.",
        "It has done nothing wrong."),
    "salt-noise": Difference(
        "auth_http", "`Auth-Salt` goes with every method but `plain` once a challenge was made.",
        "With `apop` and `cram-md5`.", "It means nothing to the others."),
    "smtp-no-password": Difference(
        "`proxy_smtp_auth`", "Without a password, greets the backend and gives up.", "Does not go there.",
        "Nothing can come of it."),
    "auth-needs-ehlo": Difference(
        "`proxy_smtp_auth`", "Says HELO before AUTH if the client said HELO, and nothing after XCLIENT.",
        "EHLO.",
        "RFC 4954, section 3; XCLIENT begins a new session."),
    "auth-login": Difference(
        "`proxy_smtp_auth`", "Says AUTH PLAIN, whatever the server announces.",
        "Says AUTH LOGIN where the server announces LOGIN and not PLAIN.",
        "Such servers would not let anybody in."),
    "behind-starttls": Difference(
        "STARTTLS", "Throws away what was sent in plain text behind the command.",
        "Ends the connection.", "Whoever does that is attacking, or loses commands without a word.",
        SECURITY),
    "http-verbs": Difference(
        "first line", "Answers an HTTP request line by line, up to `max_errors`.",
        "Ends the connection at an HTTP verb.", "Browsers made to speak to mail ports (ALPACA).", SECURITY),
    "starttls-only-mail": Difference(
        "`starttls only`", "Accepts MAIL and RCPT in plain text with `smtp_auth none`.",
        "`530 5.7.0 Must issue a STARTTLS command first`.", "The directive says so.", SECURITY),
    "external-gate": Difference(
        "SASL EXTERNAL", "Accepted with an initial response though not enabled.", "Refused.",
        "The directive says so.",
        SECURITY),
    "external-stale-password": Difference(
        "SASL EXTERNAL", "After a failed login, sends that login's password along.", "Sends none.",
        "It belongs to another attempt.", SECURITY),
    "imap-tags": Difference(
        "IMAP", "Tags may hold only letters, digits, `-`, `.` and `_`.", "All that RFC 9051 allows.",
        "Clients use them."),
    "imap-empty-tag": Difference(
        "IMAP", "Some errors are answered with an empty tag, or without any.",
        "`*`, or the tag of the command.",
        "RFC 9051, section 7.1."),
    "imap-stale-tag": Difference(
        "IMAP", "After a failed login, a line without a tag is answered with whatever now stands where the tag was.",
        "`*`.", "Memory of a former command."),
    "imap-empty-literal": Difference(
        "IMAP", "`{0}` takes the next byte as its content, `{}` is the same.",
        "`{0}` is empty, `{}` is an error.", "RFC 9051; password and following command get mixed."),
    "imap-literal-size": Difference(
        "IMAP", "Says `+ OK` to a literal of any size, modulo 2^64, and gives up when the buffer is full.",
        "Refuses the size when it is announced.", "Nothing to wait for.", SECURITY),
    "imap-literal-end": Difference(
        "IMAP", "One more byte behind a literal is swallowed.", "An error.", "RFC 9051.", NEWER),
    "imap-open-quote": Difference(
        "IMAP", "A string without its closing quote counts up to the line's end; and the next line begins inside it.",
        "An error, and forgotten.", "RFC 9051."),
    "buffer-straddle": Difference(
        "pipelining", "A pipelined command that reaches beyond the end of the buffer is too long.",
        "The buffer is moved up.", "It is not too long."),
    "pop3-buffer": Difference(
        "POP3", "Commands of more than 128 bytes are too long.", "4 KB and more (`pop3_client_buffer`).",
        "Long passwords, tokens."),
    "pop3-blanks": Difference(
        "POP3", "Several blanks in front of a password are one.", "They belong to the password.",
        "RFC 1939, section 7."),
    "rejected-mail": Difference(
        "SMTP", "A rejected MAIL destroys the commands that are pipelined behind it (when the log level is info).",
        "They are answered.", "The log must not change what it logs."),
    "esmtp-flag": Difference(
        "SMTP", "EHLO is remembered across HELO and STARTTLS, for the backend.", "The last greeting counts.",
        "RFC 3207, RFC 5321."),
    "challenge-reuse": Difference(
        "CRAM-MD5", "One challenge for each connection.", "One for each attempt.",
        "An answer must not be good twice.",
        SECURITY, shown_by="everywhere"),

    # --- authentication server
    "no-status": Difference(
        "auth_http", "An answer without `Auth-Status` that names server and port lets the user in.",
        "Treated as a broken answer.", "Whoever is in doubt keeps the door shut.", SECURITY),
    "empty-status": Difference(
        "auth_http", "An empty `Auth-Status` lets SMTP users in, and refuses others with an empty text.",
        "A broken answer.", "Whoever is in doubt keeps the door shut.", SECURITY),
    "auth-response-size": Difference(
        "auth_http", "Answers of more than 1024 bytes of header fail without a word.", "16 KB.",
        "Cookies, tracing headers."),
    "wait-loop": Difference(
        "auth_http", "`WAIT` without `Auth-Wait` asks again at once, and goes on asking after an OK.",
        "Waits at least a second, and the next answer counts.", "Thousands of questions a second."),
    "wait-digest": Difference(
        "auth_http", "From the second question of a WAIT on, the digest of CRAM-MD5 and APOP is empty.",
        "The same question again.", "There is no other way to answer it."),
    "client-left": Difference(
        "login", "A client that leaves during the question is logged in to the backend all the same.",
        "The question is dropped.", "Logging in for nobody."),

    "error-code": Difference(
        "auth_http", "Passes on whatever stands in `Auth-Error-Code`.",
        "`535 5.7.0` instead of what is no reply code.",
        "The client would not understand."),
    "stale-credentials": Difference(
        "auth_http", "1.22 sends name and password of a failed AUTH with the question about a recipient.",
        "Sends none.",
        "CVE-2025-53859; fixed in 1.29.1.", NEWER),

    # --- backends
    "imap-untagged": Difference(
        "IMAP backend", "1.22 fails at untagged lines before the tagged OK, since 1.27.3 it takes one.",
        "Any number.", "Courier, Gmail, SmarterMail.", NEWER),
    "imap-login-one-line-only": Difference(
        "IMAP backend", "A continuation of three bytes (`+` CR LF) never arrives.",
        "No continuation is needed.",
        "Two round trips less for each login."),
    "backend-lf": Difference(
        "backends", "A reply that ends in LF alone never arrives.", "It does.", "Broken servers exist."),
    "one-refusal": Difference(
        "`proxy_pass_error_message`", "Passes on whatever came along with the refusal.", "Exactly one reply.",
        "A forged OK behind it.", SECURITY),
    "nonsense-passed": Difference(
        "`proxy_pass_error_message`", "Passes on anything that it did not expect, even an OK.",
        "Passes on refusals; anything else is an error of the backend.",
        "The client would take it for an answer.",
        SECURITY),
    "imap-case": Difference(
        "IMAP backend", "`* ok` is not `* OK`.", "It is.", "RFC 9051, section 9."),
    "early-answers": Difference(
        "backends", "Throws away what comes behind an answer, and waits for the next one.", "Ends the login.",
        "Whoever answers before the question did not hear the question.", SECURITY),
    "xtext": Difference(
        "XCLIENT", "1.22 sends the name raw.", "xtext, as nginx since 1.29.2.", "A blank ends the attribute.",
        NEWER),
    "xclient-attributes": Difference(
        "XCLIENT", "ADDR, LOGIN and NAME, whatever the server announces.",
        "Every attribute that it announces (PORT, PROTO, HELO, DESTADDR, DESTPORT).",
        "The backend may as well know."),

    "xclient-unix": Difference(
        "XCLIENT", "`ADDR=unix:` for a client that came by a socket.", "`ADDR=[UNAVAILABLE]`.",
        "XCLIENT has that word for it."),

    # --- TLS
    "tls-sessions": Difference(
        "`ssl_session_cache shared:…`",
        "A session of one server can be resumed at another with the same certificate.",
        "Only at its own.", "Servers may ask different things of their clients (CVE-2025-23419).", SECURITY),

    # --- where clients come from
    "proxy-pieces": Difference(
        "PROXY protocol", "A header that does not come in one piece ends the connection.",
        "The rest is awaited.",
        "TCP promises no pieces."),
    "proxy-behind": Difference(
        "PROXY protocol",
        "IMAP and POP3 commands that come together with the header are answered when more comes.",
        "Answered at once.", "The client waits."),
    "proxy-strict": Difference(
        "PROXY protocol", "Takes things for addresses that are none, and unknown commands and families.",
        "Ends the connection.", "Addresses go into headers, logs and commands.", SECURITY),
    "proxy-v2-size": Difference(
        "PROXY protocol", "1.22 reads headers of up to 107 bytes, newer ones 4096.",
        "All that the length can say.",
        "TLVs.", NEWER),

    "proxy-families": Difference(
        "PROXY protocol", "Names an IPv4 address of its own in a TCP6 header.", "As `::ffff:…`.",
        "The specification."),

    # --- the relay
    "half-close": Difference(
        "relay", "A client that closes its direction loses the answers to its last commands.",
        "The end is carried through, each direction by itself.", "`nc -N`, scripts."),

    "proxy-timeout": Difference(
        "`proxy_timeout`", "What only the backend sends does not count: long downloads end.",
        "Both directions count.",
        "The manual says so."),

    # --- processes
    "shutdown-before-login": Difference(
        "`worker_shutdown_timeout`",
        "Ends relayed sessions; those before the login stay until their own time is up.",
        "Ends all.", "The manual says so.", shown_by="life"),
    "load-module": Difference(
        "`load_module`, `http`, `stream`", "Does what they say.", "Skips them, with a notice each.",
        "A file for nginx works as it is.", shown_by="commands"),

    # --- logs
    "log-login": Difference(
        "log", "Names the login in `client sent invalid …` lines if it could be decoded.", "Does not.",
        "It was no login.", shown_by="everywhere"),
    "log-escape": Difference(
        "log", "Names, commands and replies are logged raw.",
        "All that is not printable, quotes and backslashes as `\\xNN`.",
        "Forged lines, terminal escapes.", SECURITY),

    "log-connect": Difference(
        "log", "`recv() failed (111: Connection refused)`.",
        "`connect() failed …`, with the auth server's address.",
        "It says who refused."),
    "log-handshake": Difference(
        "log", "A TLS handshake that takes too long is not logged.",
        "`client timed out … while SSL handshaking`.",
        "Like all others."),
    "log-hasty": Difference(
        "log", "Shows all that a client said before the greeting.", "Shows its first word.",
        "What a client says before its login may be credentials; none of it is for the log.", SECURITY),
    "log-bad-name": Difference(
        "log", "Shows the invalid name that an address resolves to.", "Says only that it is invalid.",
        "Whoever owns an address writes its name: it goes nowhere unchecked.", SECURITY),
    "log-brackets": Difference(
        "log", "IPv6 backends as `::1:143`.", "`[::1]:143`.", "One can tell where the port begins."),
    "log-no-name": Difference(
        "log", "A client without a name in DNS is an `error`.", "`info`.", "Most are; it is noise."),
    "log-secrets": Difference(
        "log", "`client sent too long command` shows the command.", "It does not.", "Passwords are in it.",
        SECURITY),

    "log-upstream": Difference(
        "log", "Names the backend only where it knows a login.", "Always.", "`smtp_auth none` has no login.",
        shown_by="everywhere"),
    "log-session": Difference(
        "log", "`client logged in` ends with the backend.", "With `, session: ` and 16 letters and digits behind it.",
        "The mail server, or the authentication server, may have been told the same.", shown_by="everywhere"),

    # --- configuration
    "newer-texts": Difference(
        "`-t`", "1.22's words for some errors, and the directive `ssl`.", "Those of 1.31.",
        "The newer one is what postern follows.", NEWER, shown_by="faults"),
    "server-names": Difference(
        "`server_name`", "One.", "Several, also in several directives.", "They choose the server by SNI.",
        shown_by="faults"),
    "stricter": Difference(
        "`-t`", "Takes buffers of no size, and `ssl_session_cache none` twice.",
        "Bounds are checked, and duplicates.",
        "Nothing could work with them.", shown_by="faults"),
    "file-errors": Difference(
        "`-t`", "Tells of missing files in OpenSSL's words, without a place or with that of the block.",
        "In the system's, at the directive; and reads no file that is not used.",
        "Files are read by the master, before OpenSSL sees them.", shown_by="faults"),
    "suggestions": Difference(
        "`-t`", "Unknown directives are errors.", "And the nearest known name is told.", "Typing errors.",
        shown_by="faults"),
    "allow-deny": Difference(
        "`allow`, `deny`", "Not in mail blocks.", "First match wins.", "Often asked for.", shown_by="faults"),
    "new-directives": Difference(
        "directives", "Unknown.", "`pop3_client_buffer` and the like; see docs/directives.md.", "See there.",
        shown_by="faults"),
}


KEPT = [
    ("1", "`timeout` is the whole time before the login, not the time of silence."),
    ("3", "`max_errors` counts what cannot be parsed; commands in the wrong place and refused logins do not count. "
          "`max_commands` is there for those."),
    ("20", "A SASL exchange that is cancelled or broken gets `500 5.5.1` in SMTP."),
    ("21", "With `smtp_auth none`, the first recipient that is refused without `Auth-Wait` ends the connection."),
    ("22", "`imap_auth`, `pop3_auth` and `smtp_auth` choose what is announced; LOGIN, USER and PLAIN are always taken."),
    ("30", "HELO, MAIL and RCPT go into the question as they were typed."),
]

INTRODUCTION = """# Differences from nginx

postern takes the `mail` part of an nginx.conf as it is and does what nginx's mail proxy does, as of version 1.31. What it
does in another way is listed here, with the reason; the list is complete as far as the test suite sees, for the suite
holds the same conversations with Debian's nginx 1.22 and with postern, and fails at a difference that is not in this table,
and at a row that no longer holds.

This page is made from `tests/parity/differences.py`; change that.
"""

CHAPTERS = {
    SECURITY: "## For the sake of security\n\nThese cannot be turned off.",
    BETTER: "## Where nginx is in the way\n\nNothing that a client, an authentication server or a backend may rely on.",
    NEWER: "## Where newer versions of nginx differ from 1.22\n\npostern follows the newer one.",
}


def page():
    """docs/compatibility.md."""
    parts = [INTRODUCTION]
    for kind, heading in CHAPTERS.items():
        rows = ["| | nginx | postern | why |", "| --- | --- | --- | --- |"]
        rows += [f"| {one.topic} | {one.nginx} | {one.postern} | {one.why} |"
                 for one in sorted(DIFFERENCES.values(),
                                   key=lambda one: one.topic.strip("`").lower()) if one.kind == kind]
        parts.append(heading + "\n\n" + "\n".join(rows) + "\n")
    parts.append("## Peculiarities that are kept\n\nSomebody may depend on them.\n\n" +
                 "\n".join(f"- {text}" for _, text in KEPT) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
