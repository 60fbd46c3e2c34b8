# SPDX-License-Identifier: BSD-2-Clause
"""Real servers for tests and for the mailroom: Dovecot, Postfix, nginx, postern, on loopback.

Everything lives in a Site: a temporary directory, the ports it took and the processes it started.
Leaving the Site ends the processes and removes the directory:

    from peers import Site, Dovecot, Postern

    with Site() as site:
        mail = Dovecot(site, "alpha", users={"ada": "secret"}).start()
        gate = Postern(site, config_text).start()
        ...

Nothing here reads or writes the system's own configuration, accounts or spool. Standard library only.
"""

from .aiosmtp import AioSmtp, smtp_server
from .auth import AuthServer
from .certs import Authority
from .dovecot import Dovecot
from .nginx import Nginx
from .ports import take_port
from .postern import Postern
from .postfix import Postfix
from .process import Missing, NotReady, Process, find_program
from .site import Site

__all__ = [
    "AioSmtp", "AuthServer", "Authority", "Dovecot", "Missing", "Nginx", "NotReady", "Postern", "Postfix",
    "Process", "Site", "find_program", "smtp_server", "take_port",
]
