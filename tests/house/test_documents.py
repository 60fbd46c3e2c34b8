# SPDX-License-Identifier: BSD-2-Clause
"""What the README and examples/ show is what the program takes."""

import re
import subprocess

import pytest

from peers import Authority, Postern, Site
from peers.examples import EXAMPLES, example
from peers.postern import REPOSITORY


@pytest.fixture
def site():
    with Site() as place:
        yield place


@pytest.fixture
def certificate(site):
    return Authority(site.directory("ca")).issue("mail.example.org")


def accepted(gate):
    done = gate.run("-t")
    assert done.returncode == 0, done.stderr
    assert "test is successful" in done.stderr


@pytest.mark.parametrize("number", [0, 1])
def test_the_configurations_of_the_readme(site, certificate, number):
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)[number]
    shown = shown.replace("/etc/ssl/mail.pem", str(certificate.chain))
    shown = shown.replace("/etc/ssl/mail.key", str(certificate.key))
    if "proxy_ssl " in shown:  # the system here may have no authorities
        shown = shown.replace("proxy_ssl ", f"proxy_ssl_trusted_certificate {certificate.chain}; proxy_ssl ")
    accepted(Postern(site, shown))


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.conf")))
def test_an_example_is_accepted(site, certificate, name):
    text, _ = example(name, site, auth="127.0.0.1:9000/auth", certificate=certificate)
    accepted(Postern(site, text.replace("/etc/postern/mail-ca.pem", str(certificate.chain))))


@pytest.mark.parametrize("document", ["authentication.md", "routing.md"])
def test_the_configurations_of_a_document(site, document):
    text = (REPOSITORY / "docs" / document).read_text(encoding="utf-8")
    shown = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert shown
    for number, config in enumerate(shown):
        gate = Postern(site, config, name=f"example{number}")
        (gate.dir / "database.secret").write_text("what a password_file holds\n")
        accepted(gate)


def test_the_list_of_directives_is_what_the_program_prints():
    """If not: build/postern -h directives.md > docs/directives.md"""
    printed = subprocess.run([Postern.program(), "-h", "directives.md"], capture_output=True, text=True, check=True)
    assert (REPOSITORY / "docs/directives.md").read_text(encoding="utf-8") == printed.stdout


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_links_and_targets_exist(document):
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (REPOSITORY / link).exists(), link
    for path in re.findall(r"`((?:src|tests|examples|tools|docs|fuzz)/[\w./-]+)", text):
        assert (REPOSITORY / path).exists(), path
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ((?:test|check|install|run|clean|bench|format|fuzz|help)[\w-]*)", text):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
