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
        # Every worker took it over; or there are new workers in place of the old ones; or it was refused.
        taken, started = log.count("took over configuration"), log.count("start worker process ")
        replaced = started > 0 and log.count("gracefully shutting down") >= started
        return replaced or taken >= len(self.workers()) > 0 or "the running one stays" in log
