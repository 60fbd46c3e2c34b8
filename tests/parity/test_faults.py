# SPDX-License-Identifier: BSD-2-Clause
"""`-t` on configurations with one fault each: the same words, the same place, the same exit status."""

import re

import pytest

from . import commands
from .differences import DIFFERENCES
from .faults import FAULTS
from .program import wanted

OK = ("PROGRAM: the configuration file {conf} syntax is ok\n"
      "PROGRAM: configuration file {conf} test is successful\n")
FAILED = "PROGRAM: configuration file {conf} test failed\n"


@pytest.mark.parametrize("name", wanted())
@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_fault(fault, name, tmp_path, authority):
    lines = fault.lines.replace("{dir}", str(tmp_path)).replace("{certs}", str(authority.place))
    text, lines_named = commands.framed(tmp_path, fault.where, lines)
    conf = tmp_path / "mail.conf"
    conf.write_text(text, encoding="latin-1")
    for path, content in fault.files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    printed = commands.run(name, "-t", "-c", conf, "-p", tmp_path, "-e", tmp_path / "error.log",
                           place=tmp_path)
    says = fault.postern if name == "postern" and fault.postern is not None else fault.says
    names = {"conf": conf, "dir": tmp_path, "certs": authority.place, **lines_named}
    level = fault.postern_level if name == "postern" and fault.postern_level else fault.level
    check(printed, says, level, fault.late, names)


def check(printed, says, level, late, names):
    """`says` with a star in front is only the beginning: the rest is the TLS library's."""
    if not says:
        assert (printed.err, printed.status) == (OK.format(**names), 0)
        return
    begins = says.startswith("*")
    line = f"PROGRAM: [{level}] " + says.lstrip("*").format(**names)
    syntax, test = OK.format(**names).splitlines(keepends=True)
    rest = syntax + test if level == "warn" else FAILED.format(**names)
    if late:
        line, rest = syntax + line, test if level == "warn" else rest
    status = 0 if level == "warn" else 1
    if begins:
        assert printed.err.startswith(line)
        assert printed.err.endswith("\n" + rest)
        assert re.fullmatch(r"[^\n]*\n", printed.err[:-len(rest)])
        assert printed.status == status
    else:
        assert (printed.err, printed.status) == (f"{line}\n{rest}", status)


def test_every_reason_is_listed():
    shown = {fault.because for fault in FAULTS if fault.because}
    assert shown == {key for key, difference in DIFFERENCES.items() if difference.shown_by == "faults"}
    assert all((fault.postern is None) == (fault.because is None) for fault in FAULTS)
