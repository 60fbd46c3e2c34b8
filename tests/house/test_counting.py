# SPDX-License-Identifier: BSD-2-Clause
"""tests/run-all counts: nothing that failed, crashed, stopped half-way or did not run at all counts as passed."""

import importlib.machinery
import importlib.util
import json

import pytest

from peers.postern import REPOSITORY


@pytest.fixture(scope="module")
def run_all():
    loader = importlib.machinery.SourceFileLoader("run_all", str(REPOSITORY / "tests" / "run-all"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_all", loader))
    loader.exec_module(module)
    return module


def numbers(count):
    return count.passed, count.failed, count.skipped


@pytest.mark.parametrize("text, expected", [
    ("1..2\nok 1 - a\nok 2 - b\n", (2, 0, 0)),
    ("1..2\nok 1 - a\nnot ok 2 - b\n# 0x1 != 0x2\n", (1, 1, 0)),
    ("1..3\nok 1 - a\n", (1, 2, 0)),  # ended before it was through
    ("1..2\nok 1 - a\nok 2 - b\n1..1\nnot ok 1 - c\n", (2, 1, 0)),  # two groups in one program
    ("1..2\nok 1 - a\nnot ok 2 # SKIP b\n", (1, 0, 1)),  # how cmocka says it
    ("1..2\nok 1 - a # SKIP no root\nok 2 - b\n", (1, 0, 1)),
    ("# not ok - a\nokay\nnot okay\n", (0, 0, 0)),
    ("", (0, 0, 0)),
])
def test_tap(run_all, text, expected):
    assert numbers(run_all.count_tap(text)) == expected


@pytest.mark.parametrize("tests, expected", [
    ([{"result": "OK", "stdout": "1..2\nok 1 - a\nok 2 - b\n"}], (2, 0, 0)),
    ([{"result": "OK"}], (1, 0, 0)),
    ([{"result": "FAIL"}], (0, 1, 0)),
    ([{"result": "TIMEOUT", "stdout": "1..2\nok 1 - a\n"}], (1, 1, 0)),
    ([{"result": "FAIL", "stdout": "1..1\nok 1 - a\n"}], (1, 1, 0)),  # all passed, then it crashed
    ([{"result": "SKIP"}], (0, 0, 1)),
    ([{"result": "OK"}, {"result": "ERROR"}], (1, 1, 0)),
    ([], (0, 0, 0)),
])
def test_meson_log(run_all, tmp_path, tests, expected):
    log = tmp_path / "testlog.json"
    log.write_text("".join(json.dumps(t) + "\n" for t in tests))
    assert numbers(run_all.count_meson(log)) == expected


def test_a_log_that_is_missing_has_failed(run_all, tmp_path):
    assert numbers(run_all.count_meson(tmp_path / "nothing")) == (0, 1, 0)
    assert numbers(run_all.count_junit(tmp_path / "nothing")) == (0, 1, 0)


@pytest.mark.parametrize("suite, expected", [
    ('<testsuite tests="5" failures="1" errors="1" skipped="1"/>', (2, 2, 1)),
    ('<testsuite tests="3" failures="0" errors="0" skipped="0"/>', (3, 0, 0)),
    ('<testsuite tests="3"', (0, 1, 0)),  # cut off
])
def test_junit(run_all, tmp_path, suite, expected):
    report = tmp_path / "junit.xml"
    report.write_text(f"<testsuites>{suite}</testsuites>")
    assert numbers(run_all.count_junit(report)) == expected


def test_no_test_at_all_is_a_failure(run_all):
    assert numbers(run_all.at_least_one(run_all.Count())) == (0, 1, 0)
    assert numbers(run_all.at_least_one(run_all.Count(skipped=3))) == (0, 1, 3)
    assert numbers(run_all.at_least_one(run_all.Count(passed=1))) == (1, 0, 0)


def test_a_part_that_breaks_is_a_failure_and_the_last_line_says_so(run_all, monkeypatch, capsys):
    def broken(_which):
        raise RuntimeError("out of order")

    monkeypatch.setattr(run_all, "PARTS", {"good": lambda _which: run_all.Count(passed=2), "broken": broken})
    monkeypatch.setattr(run_all.sys, "argv", ["run-all", "good", "broken"])
    monkeypatch.setattr(run_all.signal, "signal", lambda *_: None)
    assert run_all.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 passed, 1 failed"


def test_a_program_that_does_not_end_is_ended(run_all):
    status, _ = run_all.run(["sleep", "600"], seconds=0.2)
    assert status != 0
