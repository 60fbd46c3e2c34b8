# SPDX-License-Identifier: BSD-2-Clause
"""Configurations thrown together from words and punctuation: both programs must take the same ones, and
refuse the others with the same first complaint about the same line. (postern goes on to tell the other
faults; nginx stops.)"""

import random
import re

import pytest

from . import commands
from .program import wanted

TEXTS_PER_SEED = 8
PARTS = ["daemon", "on", "off", "events", "mail", "{", "}", ";", '"', "'", "\\", "$", "${", "#", " ", "\t",
         "\n", "\r", ")", "a",
         "x y", "env", "timer_resolution", "1h", "30m", "5ms", "1M", "worker_rlimit_core", "5k", "2g",
         "worker_connections", "10",
         "error_log", "stderr", "debug", "debug_mail", "info", "use", "epoll", "multi_accept", "imap_auth",
         "plain", "login",
         "imap_capabilities", "timeout", "starttls", "only", "include", "n*x"]
WORDS = [part for part in PARTS if part not in "{};\"'\\#$\n\r\t "]
LENGTHS = (4090, 4093, 4094, 4095, 4096, 4097, 8200)


def soup(dice):
    """Any parts in any order."""
    return "".join(dice.choice(PARTS) + dice.choice(("", " ")) for _ in range(dice.randint(1, 14)))


def lines(dice):
    """Something more like directives, inside a block or not."""
    inside = "".join(" ".join(dice.choice(WORDS) for _ in range(dice.randint(1, 4))) + dice.choice((";",
                                                                                                    ";\n",
                                                                                                    "{}", "",
                                                                                                    "\n;"))
                     for _ in range(dice.randint(1, 3)))
    return dice.choice(("{}", "events {{ {} }}", "mail {{\n{}}}", "events{{}}\n{}")).format(inside)


def long_parameter(dice):
    """Around the size of the buffer that nginx reads with."""
    opening, closing = dice.choice((("", ";"), ("", " ;"), ('"', '";'), ("'", "' ;"), ("#", "\nenv b;"),
                                    ('"', ""), ("", "")))
    before = dice.choice(("", " " * 7, "\n" * 3 + " " * 4000))
    word = "" if opening == "#" else "env "
    return f"events {{}}\n{before}{word}{opening}{'a' * dice.choice(LENGTHS)}{closing}"


def complaint(printed):
    """The first one, without what follows it and without the name that postern suggests."""
    found = re.search(r"^PROGRAM: \[emerg\] (.*)$", printed.err, re.MULTILINE)
    return re.sub(r', did you mean "\w+"\?', "", found[1]) if found else None


@pytest.mark.skipif(len(wanted()) < 2, reason="both programs are compared")
@pytest.mark.parametrize("seed", range(24))
def test_soup(seed, tmp_path):
    dice = random.Random(seed)
    for number in range(TEXTS_PER_SEED):
        text = dice.choice((soup, lines, long_parameter))(dice)
        if dice.random() < 0.5:
            text += "\nevents {}"
        conf = tmp_path / f"{number}.conf"
        conf.write_bytes(("load_module modules/ngx_mail_module.so;" + text).encode())
        theirs, ours = (commands.run(name, "-t", "-q", "-c", conf, "-p", tmp_path, "-e",
                                     tmp_path / "error.log", "-g",
                                     f"pid {tmp_path}/run.pid;", place=tmp_path) for name in ("nginx",
                                                                                              "postern"))
        assert (complaint(ours), ours.status) == (complaint(theirs), theirs.status), text
