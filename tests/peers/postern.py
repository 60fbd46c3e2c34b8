# SPDX-License-Identifier: BSD-2-Clause
"""postern itself: the program that $POSTERN names, else build/postern of this checkout."""

import os
import re
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

    def workers(self):
        return [pid for pid in self.process.children() if not _is_helper(pid)]

    def helpers(self):
        """Pids of the processes that ask databases and the like."""
        return [pid for pid in self.process.children() if _is_helper(pid)]

    def reloaded(self, log):
        # Every process that serves has said what it makes of it; or it was refused.
        log = log.partition(" reconfiguring\n")[2]
        told = re.findall(r"(\d+)#\d+: (?:took over configuration|gracefully shutting down)|start worker process (\d+)", log)
        heard = {int(old or new) for old, new in told}
        return heard >= set(self.workers()) != set() or "the running one stays" in log


def _is_helper(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("postern-auth")
    except OSError:
        return False
