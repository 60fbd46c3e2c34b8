# SPDX-License-Identifier: BSD-2-Clause
"""postern itself: the program that $POSTERN names, else build/postern of this checkout."""

import os
from pathlib import Path

from .process import Missing
from .proxy import Proxy

REPOSITORY = Path(__file__).resolve().parents[2]


class Postern(Proxy):
    default_name = "postern"

    @classmethod
    def program(cls):
        path = Path(os.environ.get("POSTERN") or REPOSITORY / "build" / "postern")
        if not os.access(path, os.X_OK):
            raise Missing(f"{path} is not there: run `make` first")
        return str(path)

    def reloaded(self, log):
        return "reconfigured" in log or "[emerg]" in log
