# SPDX-License-Identifier: BSD-2-Clause
"""Servers for the tests of this folder. What is expensive is started once and shared."""

import ssl
from contextlib import contextmanager

import pytest

from peers import Postern, Site
from peers.process import wait_until
from stubs.background import Background
from town import Doors, Town, alarms, configuration


@pytest.fixture(scope="session")
def town():
    with Site() as site:
        yield Town(site).start()


@pytest.fixture(scope="session")
def tls(town):
    """How a client trusts the town's certificates."""
    context = ssl.create_default_context(cafile=town.authority.ca)
    # A server that closes without saying so must not pass for one that does.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    return context


@pytest.fixture(scope="session")
def shared_gate(town):
    """The postern in front of the town that most tests use, as talkative as it can be."""
    doors = Doors(town.site)
    gate = Postern(town.site, configuration(town.mail_lines(), *doors.lines(), main=f"""
        worker_processes 2;
        error_log {town.site.root}/gate.log debug;"""), name="gate")
    gate.log = town.site.root / "gate.log"
    gate.doors = doors
    gate.start()
    wait_until(lambda: len(gate.workers()) == 2, 20, "the workers", gate)
    yield gate
    assert gate.stop() == 0
    assert alarms(gate.log_text() + gate.process.log_text()) == []
    said = [u.name for u in town.everybody if u.password in gate.log_text()]
    assert said == [], "passwords in the log"


@pytest.fixture
def gate(shared_gate):
    with unharmed(shared_gate):
        yield shared_gate


@contextmanager
def unharmed(gate):
    """Whatever happens inside: the same workers run afterwards, and nothing alarming was logged."""
    workers, before = gate.workers(), len(gate.log_text())
    yield gate
    assert gate.workers() == workers
    assert alarms(gate.log_text()[before:]) == []


@pytest.fixture
def site():
    with Site() as site:
        yield site


@pytest.fixture
def start(site):
    """Starts a postern of the test's own: start(configuration) or start(configuration, name)."""
    def start(config, **more):
        return Postern(site, config, **more).start()
    return start


@pytest.fixture(scope="module")
def stubs():
    with Background() as stubs:
        yield stubs
