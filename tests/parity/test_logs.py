# SPDX-License-Identifier: BSD-2-Clause
"""Where log lines go: files of each level and context, syslog with all its parameters, clients to be
watched."""

import asyncio
import re
import socket

import pytest

from stubs.syslog import SyslogServer

from .life import Life
from .program import DEADLINE, wanted

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
DATE = rf"(?:{MONTHS}) [ 0-9]\d \d\d:\d\d:\d\d"
HOST = re.escape(socket.gethostname())


def logged(name, **settings):
    """Runs a program while one client comes, says something wrong five times and is sent away, and another
    says nothing; returns what the log files hold in the end."""
    async def run():
        async with asyncio.timeout(2 * DEADLINE), Life(name, **settings) as life:
            client, _ = await life.connect()
            await client.send(b"a FOO\r\n" * 5)
            await client.rest()
            other, _ = await life.connect("smtp")
            other.close()
            await life.end()
            return {path.name: path.read_text() for path in life.place.glob("*.log")}
    return asyncio.run(run())


@pytest.fixture(params=wanted())
def name(request):
    return request.param


def texts(file):
    """Level and text of each line, without numbers."""
    return [re.sub(r"\d+", "N", match) for match in re.findall(r"^\S+ \S+ (\[.*)$", file, re.MULTILINE)]


CAME = "[info] N#N: *N client N.N.N.N:N connected to N.N.N.N:N"
SENT_AWAY = ("[info] N#N: *N client sent too many invalid commands while in auth state, client: N.N.N.N, "
             "server: N.N.N.N:N")


def test_levels(name):
    """A file has what is as bad as its level, or worse."""
    files = logged(name, main="error_log {dir}/info.log info;\nerror_log {dir}/notice.log notice;\n"
                              "error_log {dir}/error.log;\nerror_log {dir}/crit.log crit;")
    assert {CAME, SENT_AWAY} <= set(texts(files["info.log"]))
    assert {line.split()[0] for line in texts(files["notice.log"])} == {"[notice]"}
    assert files["error.log"] == files["crit.log"] == ""


def test_contexts(name):
    """A server's logs replace those of mail, which replace those of the file, for what happens to its
    clients."""
    files = logged(name, main="error_log {dir}/main.log info;", mail="error_log {dir}/mail.log info;",
                   servers=(
        "server {{ listen 127.25.0.1:{imap}; protocol imap; error_log {dir}/imap.log info; }}\n"
        "server {{ listen 127.25.0.1:{smtp}; protocol smtp; }}\n"))
    assert texts(files["imap.log"]) == [CAME, SENT_AWAY]
    assert texts(files["mail.log"]) == [CAME]
    assert CAME not in texts(files["main.log"])
    assert any("start worker processes" in line for line in texts(files["main.log"]))


def test_several_in_a_server(name):
    """Each gets every line."""
    files = logged(name, servers=(
        "server {{ listen 127.25.0.1:{imap}; protocol imap; error_log {dir}/one.log info; error_log {dir}/two.log info; }}\n"
        "server {{ listen 127.25.0.1:{smtp}; protocol smtp; }}\n"))
    assert texts(files["one.log"]) == texts(files["two.log"]) == [CAME, SENT_AWAY]


def test_line(name):
    """Date, level, process, connection, text."""
    files = logged(name, mail="error_log {dir}/mail.log info;")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[info\] (\d+)#\1: \*1 client 127\.0\.0\.1:\d+ "
                        r"connected to 127\.25\.0\.1:\d+", files["mail.log"].splitlines()[0])


def test_watched_client(name):
    """With debug_connection, everything is logged of that client though the log asks for little."""
    files = logged(name, mail="error_log {dir}/mail.log;", events="debug_connection 127.0.0.1;")
    assert CAME in texts(files["mail.log"])
    assert any(line.startswith("[debug]") for line in texts(files["mail.log"]))
    files = logged(name, mail="error_log {dir}/mail.log;", events="debug_connection 192.0.2.1;")
    assert files["mail.log"] == ""


# --- syslog ----------------------------------------------------------------------------------------------

# parameters: (facility, what stands between date and line)
SYSLOGS = {
    "": (23, f" {HOST} nginx: "),
    ",facility=mail": (2, f" {HOST} nginx: "),
    ",tag=my_tag_1": (23, f" {HOST} my_tag_1: "),
    ",nohostname": (23, " nginx: "),
    ",severity=alert": (23, f" {HOST} nginx: "),
    ",facility=local0,severity=debug,tag=x,nohostname": (16, " x: "),
}
SEVERITY = 6  # of info; the parameter is for access logs


@pytest.mark.parametrize("kind", ["udp", "unix"])
@pytest.mark.parametrize("more", SYSLOGS)
def test_syslog(name, kind, more):
    """<facility * 8 + severity>date host tag: and the whole line."""
    facility, between = SYSLOGS[more]
    message = asyncio.run(first_message(name, kind, more))
    assert re.fullmatch(rf"<{facility * 8 + SEVERITY}>{DATE}{between}"
                        r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[info\] (\d+)#\1: \*1 client 127\.0\.0\.1:\d+ "
                        r"connected to 127\.25\.0\.1:\d+", message.decode())


async def first_message(name, kind, more):
    server = SyslogServer()

    async def listen(life):
        await server.start(f"{life.place}/syslog.sock" if kind == "unix" else "127.25.0.2")
        life.names["syslog"] = f"127.25.0.2:{server.port}" \
            if server.port else f"unix:{life.place}/syslog.sock"

    async with asyncio.timeout(2 * DEADLINE), \
            Life(name, before=listen, mail="error_log syslog:server={syslog}" + more + " info;") as life:
        client, _ = await life.connect()
        message, = await server.wait(1)
        client.close()
        await server.stop()
    return message
