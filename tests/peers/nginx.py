# SPDX-License-Identifier: BSD-2-Clause
"""Debian's nginx with its mail module: the peer that postern is compared with."""

import os

from .process import Missing, find_program
from .proxy import Proxy

_MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so"


class Nginx(Proxy):
    default_name = "nginx"
    globals = f"load_module {_MODULE};"

    @classmethod
    def program(cls):
        if not os.path.exists(_MODULE):
            raise Missing("nginx's mail module is not installed (Debian package: libnginx-mod-mail)")
        return find_program("nginx")

    def reloaded(self, log):
        # New workers run and the old ones were told to go, or the configuration was refused.
        return "gracefully shutting down" in log or "[emerg]" in log
