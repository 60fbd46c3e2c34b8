# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what is printed where, and the exit status."""

import pytest

from . import commands
from .differences import DIFFERENCES
from .program import wanted
from .test_faults import OK

SHOWN = {"load-module"}  # differences that these tests, or commands.py for them, show

CONF = """load_module modules/ngx_mail_module.so;
pid {dir}/run.pid;
events {{ }}
mail {{
    auth_http 127.25.0.2:9;
    include part*.conf;
}}
"""
PART = "server { listen 127.25.0.1:10143; protocol imap; }\n"
FAILED = "PROGRAM: configuration file {conf} test failed\n"
BASE = ("-c", "{conf}", "-p", "{dir}", "-e", "{dir}/error.log")


@pytest.fixture(params=wanted())
def name(request):
    return request.param


@pytest.fixture
def run(name, tmp_path):
    """run(options...) -> (exit status, standard output, standard error)."""
    conf = tmp_path / "mail.conf"
    conf.write_text(CONF.format(dir=tmp_path))
    (tmp_path / "part1.conf").write_text(PART)
    names = {"conf": conf, "dir": tmp_path}

    def inner(*options):
        printed = commands.run(name, *(option.format(**names) for option in options), place=tmp_path)
        return printed.status, printed.out, printed.err

    inner.names = names
    return inner


def told(run, text):
    return text.format(**run.names)


def test_version(run, name):
    status, out, err = run("-v")
    assert (status, out) == (0, "")
    assert err.startswith(f"{name} version: {name}/")
    assert err.count("\n") == 1


def test_long_version(run, name):
    status, out, err = run("-V")
    assert (status, out) == (0, "")
    lines = err.splitlines()
    assert lines[0].startswith(f"{name} version: {name}/")
    assert any(line.startswith("built with OpenSSL ") for line in lines)
    assert "TLS SNI support enabled" in lines
    assert lines[-1].startswith("configure arguments:")


@pytest.mark.parametrize("option", ["-h", "-?"])
def test_help(run, name, option):
    status, out, err = run(option)
    assert (status, out) == (0, "")
    assert err.startswith(f"{name} version: {name}/")
    for part in (f"Usage: {name} [-?hvVtTq] [-s signal] [-p prefix]\n",
                 "[-e filename] [-c filename] [-g directives]\n",
                 "  -?,-h         : this help\n", "  -v            : show version and exit\n",
                 "  -V            : show version and configure options then exit\n",
                 "  -t            : test configuration and exit\n",
                 "  -T            : test configuration, dump it and exit\n",
                 "  -q            : suppress non-error messages during configuration testing\n",
                 "  -s signal     : send signal to a master process: stop, quit, reopen, reload\n",
                 "  -p prefix     : set prefix path (default: ",
                 "  -e filename   : set error log file (default: ",
                 "  -c filename   : set configuration file (default: ",
                 "  -g directives : set global directives out of configuration file\n"):
        assert part in err


@pytest.mark.parametrize("options, says", [
    (["-x"], 'invalid option: "x"'), (["-c"], 'option "-c" requires file name'),
    (["-p"], 'option "-p" requires directory name'),
    (["-g"], 'option "-g" requires parameter'), (["-s"], 'option "-s" requires parameter'),
    (["-e"], 'option "-e" requires file name'),
    (["-s", "foo"], 'invalid option: "-s foo"'), (["foo"], 'invalid option: "foo"'),
    (["-tx"], 'invalid option: "x"'),
    (["--"], 'invalid option: "-"'), (["--help"], 'invalid option: "-"'),
    (["-t", "foo"], 'invalid option: "foo"'),
    (["-s", "STOP"], 'invalid option: "-s STOP"')],
                         ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_option(run, options, says):
    assert run(*options) == (1, "", f"PROGRAM: {says}\n")


@pytest.mark.parametrize("options", [("-t", *BASE), ("-tc", "{conf}", "-p{dir}", "-e{dir}/error.log"),
                                     ("-t", "-t", *BASE),
                                     ("-t", "-c", "mail.conf", "-p", "{dir}/", "-e", "error.log"),
                                     ("-t", *BASE, "-g", "daemon off;"), ("-t", *BASE[:4], "-e", "stderr")],
                         ids=["plain", "bundled", "twice", "relative", "with directives", "to stderr"])
def test_test(run, options):
    assert run(*options) == (0, "", told(run, OK))


def test_quiet_test(run):
    assert run("-tq", *BASE) == (0, "", "")
    assert run("-q", "-t", *BASE) == (0, "", "")


def test_dump(run, tmp_path):
    (tmp_path / "part2.conf").write_text("# nothing\n")
    parts = "".join(f"# configuration file {tmp_path / file}:\n{(tmp_path / file).read_text()}\n"
                    for file in ("mail.conf", "part1.conf", "part2.conf"))
    assert run("-T", *BASE) == (0, parts, told(run, OK))


def test_dump_of_a_broken_file(run, tmp_path):
    (tmp_path / "part1.conf").write_text("foo;\n")
    status, out, err = run("-T", *BASE)
    assert (status, out) == (1, "")
    assert err == told(run, 'PROGRAM: [emerg] unknown directive "foo" in {dir}/part1.conf:1\n' + FAILED)


def test_quiet_dump(run, tmp_path):
    status, out, err = run("-Tq", *BASE)
    assert (status, err) == (0, "")
    assert out.startswith(f"# configuration file {tmp_path}/mail.conf:\n")


@pytest.mark.parametrize("given, says", [
    ("foo;", 'unknown directive "foo" in command line'),
    ("daemon off", 'unexpected end of parameter, expecting ";" in command line'),
    ("events {{ }}", "block directives are not supported in -g option in command line"),
    ("daemon maybe;",
     'invalid value "maybe" in "daemon" directive, it must be "on" or "off" in command line'),
    ("pid x;", '"pid" directive is duplicate in {conf}:2')])
def test_directives_given(run, given, says):
    assert run("-t", *BASE, "-g", given) == (1, "", told(run, f"PROGRAM: [emerg] {says}\n" + FAILED))


def test_missing_file(run):
    missing = ("-t", "-c", "{dir}/missing.conf", *BASE[2:])
    assert run(*missing) == (1, "", told(run,
                                         'PROGRAM: [emerg] open() "{dir}/missing.conf" failed (2: No such file or directory)\n'
                                         "PROGRAM: configuration file {dir}/missing.conf test failed\n"))


@pytest.mark.parametrize("word", ["stop", "quit", "reopen", "reload"])
def test_signal_without_a_pid_file(run, word):
    assert run("-s", word, *BASE) == (
        1, "", told(run, 'PROGRAM: [error] open() "{dir}/run.pid" failed (2: No such file or directory)\n'))


@pytest.mark.parametrize("content, says", [("", ""), ("\n", ""), ("abc\n", "abc"), ("99999999x\n",
                                                                                    "99999999x"),
                                           ("-99999999\n", "-99999999")])
def test_signal_with_a_bad_pid_file(run, tmp_path, content, says):
    (tmp_path / "run.pid").write_text(content)
    assert run("-s", "quit", *BASE) == (1, "",
                                        told(run,
                                             f'PROGRAM: [error] invalid PID number "{says}" in "{{dir}}/run.pid"\n'))


@pytest.mark.parametrize("word, number", [("stop", 15), ("quit", 3), ("reopen", 10), ("reload", 1)])
def test_signal_to_nobody(run, tmp_path, word, number):
    nobody = 99999999  # beyond the largest number of a process
    (tmp_path / "run.pid").write_text(f"{nobody}\n")
    assert run("-s", word, *BASE) == (1, "",
                                      f"PROGRAM: [alert] kill({nobody}, {number}) failed (3: No such process)\n")


def test_signal_with_a_broken_configuration(run, tmp_path):
    (tmp_path / "part1.conf").write_text("foo;\n")
    assert run("-s", "quit", *BASE) == (1, "",
                                        told(run,
                                             'PROGRAM: [emerg] unknown directive "foo" in {dir}/part1.conf:1\n'))


def test_load_module_is_skipped(name, tmp_path):
    """nginx loads it without a word, postern says that it does not."""
    (tmp_path / "mail.conf").write_text(CONF.format(dir=tmp_path))
    (tmp_path / "part1.conf").write_text(PART)
    printed = commands.run(name, "-t", "-c", "mail.conf", "-p", tmp_path, "-e", "error.log", place=tmp_path,
                           whole=True)
    notice = f'PROGRAM: [notice] "load_module" directive has no use here, skipped in {tmp_path}/mail.conf:1\n'
    assert printed.err.startswith(notice) == (name == "postern")


def test_differences_are_listed():
    assert SHOWN == {key for key, difference in DIFFERENCES.items() if difference.shown_by == "commands"}
