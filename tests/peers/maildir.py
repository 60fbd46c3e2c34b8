# SPDX-License-Identifier: BSD-2-Clause
"""Maildirs as files: putting a message in, and reading what is there."""

import os
import socket
import time
from pathlib import Path

_count = 0


def deliver(maildir, message):
    """Writes a message (bytes) into a Maildir, making it if need be, and returns the file's path."""
    global _count
    maildir = Path(maildir)
    for folder in ("tmp", "new", "cur"):
        (maildir / folder).mkdir(parents=True, exist_ok=True)
    _count += 1
    name = f"{time.time():.6f}.P{os.getpid()}Q{_count}.{socket.gethostname()}"
    (maildir / "tmp" / name).write_bytes(message)
    (maildir / "tmp" / name).rename(maildir / "new" / name)
    return maildir / "new" / name


def messages(maildir):
    """All messages of a Maildir's inbox, as bytes, oldest first."""
    files = [f for folder in ("new", "cur") for f in Path(maildir, folder).glob("*") if f.is_file()]
    return [f.read_bytes() for f in sorted(files, key=lambda f: f.name)]
