# SPDX-License-Identifier: BSD-2-Clause
"""Every conversation, once with each program: as told, and the same."""

import os
import shutil

import pytest

from . import differences
from .differences import DIFFERENCES
from .program import ROOT, binary, wanted
from .script import escape
from .talks import TALKS

NUMBERED = list(enumerate(TALKS))


@pytest.mark.parametrize("name", wanted())
def test_program_is_there(name):
    path = binary(name)
    assert shutil.which(path), (
        f"{name} is not at {path}; build it, or set {name.upper()}=/path, "
        f"or PARITY_ONLY to the other one to check the conversations alone")


@pytest.mark.parametrize("numbered", NUMBERED, ids=[talk.name for talk in TALKS])
def test_talk(numbered, outcomes):
    talk = numbered[1]
    played = [outcomes[name][talk.name] for name in wanted()]
    for outcome in played:
        if isinstance(outcome, Exception):
            pytest.fail(f"{type(outcome).__name__}: {outcome}", pytrace=False)
        if outcome.fault:
            pytest.fail(outcome.fault + "\n  seen before:\n    " + "\n    ".join(outcome.seen) +
                        "\n  logged:\n    " + "\n    ".join(outcome.logs), pytrace=False)
    if len(played) == 2:
        same(talk, *played)


def same(talk, nginx, postern):
    """Fails at the first note, or the first log line, in which they differ."""
    for line in sorted(set(nginx.notes) & set(postern.notes) - nginx.private - postern.private):
        theirs, ours = nginx.notes[line], postern.notes[line]
        if theirs != ours:
            pytest.fail(f"{talk.name}, line {line} of its script\n  nginx:   {escape(theirs)}\n"
                        f"  postern: {escape(ours)}", pytrace=False)
    if talk.logs and not talk.because and nginx.logs != postern.logs:
        pytest.fail(f"{talk.name}: log lines\n  nginx:\n    " + "\n    ".join(nginx.logs) +
                    "\n  postern:\n    " + "\n    ".join(postern.logs), pytrace=False)


def test_names_are_unique():
    names = [talk.name for talk in TALKS]
    assert len(names) == len(set(names))


def test_every_difference_is_listed():
    """A talk that shows a difference must name one that has a reason, and every reason must be shown."""
    shown = {key for talk in TALKS for key in talk.because}
    assert shown <= set(DIFFERENCES)
    assert {key for key, difference in DIFFERENCES.items() if difference.shown_by == "talks"} == shown


def test_common_differences_occur(request, outcomes):
    """What is normalised in all conversations must really be there; when all of them ran."""
    if len(request.session.items) < len(TALKS) or len(outcomes) < 2:
        pytest.skip("needs all conversations with postern")
    used = set().union(*(outcome.used for played in outcomes.values() for outcome in played.values()))
    assert used == {key for key, difference in DIFFERENCES.items() if difference.shown_by == "everywhere"}


def test_page_is_up_to_date():
    """docs/compatibility.md is written by `python3 -m parity.differences`, in tests/."""
    page = ROOT / "docs" / "compatibility.md"
    assert page.read_text() == differences.page()


assert os.environ.get("PARITY_ONLY") in (None, "nginx", "postern")
