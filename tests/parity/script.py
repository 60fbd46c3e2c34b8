# SPDX-License-Identifier: BSD-2-Clause
"""What a conversation is, and the small language in which its course is written (README.md explains it).

A Talk is a server block and a script. The script is one sequence for all parties: the client, the
authentication server and the backend take turns, so every step waits for an event that the step before it
caused. Text in steps is Latin-1 with \\xNN, \\r, \\n, \\t, \\0 and \\\\; {name} stands for what only the
run knows (addresses, ports, challenges).
"""

import re
import textwrap
from dataclasses import dataclass, field

PROGRAMS = ("nginx", "postern")
WORD = re.compile(r"\S+")
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[rnt0\\])")
PLAIN = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")

# Steps that belong together when they follow each other: the lines of one request, of one answer.
GROUPED = {"?", "!"}


@dataclass
class Step:
    """`only` names the program that takes this step, None for both."""

    verb: str
    text: str
    only: str = None
    line: int = 0
    more: list = field(default_factory=list)

    def __str__(self):
        head = f"{self.only} {self.verb}" if self.only else self.verb
        return "\n".join([f"{head} {self.text}".rstrip(), *(f"{head} {text}".rstrip() for text in self.more)])


@dataclass
class Talk:
    """One conversation.

    server    directives of the server block (the `listen` is made by the runner)
    script    the course
    listen    parameters of the `listen` directive
    mail      directives of the mail block, main: of the file; talks that share both share a process
    via       how the client comes: "inet", "inet6" or "unix"
    second    directives of another server block, for `connect second`
    because   the differences (keys of differences.py) that the lines for one program only show
    alone     a process of its own
    logs      whether the log lines are compared, too
    """

    name: str
    server: str
    script: str
    listen: str = ""
    mail: str = ""
    main: str = ""
    via: str = "inet"
    second: str = ""
    because: tuple = ()
    alone: bool = False
    logs: bool = True

    def __post_init__(self):
        if isinstance(self.because, str):
            self.because = (self.because,)
        self.steps = parse(self.script)
        parted = any(step.only for step in self.steps)
        if parted != bool(self.because):
            raise ValueError(f"{self.name}: lines for one program and `because` go together")

    @property
    def doors(self):
        """What makes the server blocks that this talk needs."""
        texts = [self.server, self.second] if self.second else [self.server]
        return [(text, self.listen, self.via) for text in texts]

    @property
    def protocol(self):
        return re.search(r"\bprotocol (\w+);", self.server)[1]

    def course(self, program):
        """The steps that `program` takes."""
        return group([step for step in self.steps if step.only in (None, program)])


def parse(script):
    """The steps of a script, ungrouped.  Blank lines and lines that begin with # count for nothing."""
    steps = []
    for number, line in enumerate(textwrap.dedent(script).split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("# "):
            continue
        only = next((name for name in PROGRAMS if line.startswith(name + " ")), None)
        if only:
            line = line[len(only):].lstrip()
        verb = WORD.match(line)[0]
        steps.append(Step(verb, line[len(verb) + 1:], only, number))
    return steps


def group(steps):
    """Puts the lines of one request or answer into one step, which belongs to one program if a line does."""
    out = []
    for step in steps:
        last = out[-1] if out else None
        if last and step.verb in GROUPED and last.verb == step.verb:
            last.more.append(step.text)
            last.only = last.only or step.only
        else:
            out.append(Step(step.verb, step.text, step.only, step.line))
    return out


def unescape(text):
    """The bytes that a step's text stands for."""
    def plain(found):
        word = found[1]
        return chr(int(word[1:], 16)) if word[0] == "x" else PLAIN[word]
    return ESCAPE.sub(plain, text).encode("latin-1")


def escape(data):
    """The other way, for generated scripts and for reports: every byte survives a line of a script."""
    out = []
    for byte in data:
        letter = chr(byte)
        if letter == "\\":
            out.append("\\\\")
        elif 0x20 <= byte < 0x7F:
            out.append(letter)
        else:
            out.append(f"\\x{byte:02x}")
    if out and out[-1] == " ":
        out[-1] = "\\x20"
    return "".join(out)


def fill(text, names):
    """Replaces {name} by what the run knows; unknown names (IMAP's {3} is none) stay."""
    return NAME.sub(lambda found: str(names.get(found[1], found[0])), text)
