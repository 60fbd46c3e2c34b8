# SPDX-License-Identifier: BSD-2-Clause
"""Every allowed difference between nginx and postern, with its reason.

`shown_by` says who proves it: "talks" are conversations that name the key in `because` and tell what each program
does; "everywhere" are forms that all conversations read alike (player.py, world.py); "commands" are tests of the
command line and of signals.  A difference that nothing shows any more fails the suite.
"""

from dataclasses import dataclass


@dataclass
class Difference:
    nginx: str
    postern: str
    why: str
    shown_by: str = "talks"


POSTERN_EXTRA_LOGS = []

DIFFERENCES = {
    "auth-http-1.1": Difference(
        "asks the authentication server by HTTP/1.0, a connection for each question",
        "asks by HTTP/1.1 and keeps the connection",
        "a third of a login's cost; HTTP/1.0 servers, which close, are understood as before",
        "everywhere"),
    "imap-login-one-line": Difference(
        "logs in to IMAP backends with two synchronising literals",
        "sends LOGIN in one line, quoted or with the literals that the backend offers",
        "saves two round trips for each login",
        "everywhere"),
}
