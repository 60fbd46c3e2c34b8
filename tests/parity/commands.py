# SPDX-License-Identifier: BSD-2-Clause
"""Runs a program once, for what it prints and how it ends: `-t`, `-T`, `-v`, wrong options."""

import re
import subprocess
from dataclasses import dataclass

from .program import MODULES, binary

LIMIT = 30

# The text into which a case puts its lines: {main}, {events}, {mail} and {server} are empty or the case's.
FRAME = """load_module modules/ngx_mail_module.so;
pid {dir}/run.pid;
{main}
events {{ {events} }}
mail {{
    auth_http 127.25.0.2:9;
    {mail}
    server {{
        listen 127.25.0.1:10143;
        protocol imap;
        {server}
    }}
}}
"""
PLACES = {"main": 3, "events": 4, "mail": 7, "server": 11}  # the lines where they begin
SKIPPED = re.compile(r'PROGRAM: \[notice\] "load_module" directive has no use here, skipped in \S+:1\n')
NAMES = re.compile(r"\b(nginx|postern)(?=: )", re.MULTILINE)


@dataclass
class Printed:
    status: int
    out: str
    err: str


def run(name, *options, place, whole=False):
    """What the program printed, its own name replaced by PROGRAM; without the notice that postern skips
    load_module, which every configuration here has for nginx's sake, unless it is wanted whole."""
    if not (place / "modules").exists():
        (place / "modules").symlink_to(MODULES)
    done = subprocess.run([binary(name), *map(str, options)], capture_output=True, timeout=LIMIT, cwd=place,
                          stdin=subprocess.DEVNULL, start_new_session=True)
    out, err = (NAMES.sub("PROGRAM", data.decode("latin-1")) for data in (done.stdout, done.stderr))
    return Printed(done.returncode, out, err if whole else SKIPPED.sub("", err))


def framed(place, where, lines, extra=""):
    """The frame with the case's lines, and names for the numbers of lines: {l1}, {l2}... for the case's
    own, {end} and {mail_end} for those that close the blocks."""
    parts = dict.fromkeys(PLACES, "")
    if where in parts:
        parts[where] = lines
        text = FRAME.format(dir=place, **parts)
        first = PLACES[where]
        more = lines.count("\n")
        names = {"end": 12 + more, "mail_end": 13 + more}
    else:
        text, first, names = lines, 1, {}
    names.update({f"l{number}": first + number - 1 for number in range(1, lines.count("\n") + 3)})
    return text + extra, names
