# SPDX-License-Identifier: BSD-2-Clause
"""The proxies that are compared, each as its own documentation would have it, with what must be equal equal:

one worker (or as many as the case says), the same certificate, the same servers behind it, no log of sessions.
A peer that cannot do a case says so by having no port for it.
"""

import grp
import os
import pwd
import shutil

from peers import Missing, Postern, Nginx, Process, find_program
from peers.process import wait_until, accepts

HOST = "127.0.0.1"
PROTOCOLS = ("imap", "pop3", "smtp", "smtp-open")


class Peer:
    """Ports are by (protocol, "plain" | "implicit"); "starttls" is the plain one where the peer has it."""

    name = ""
    starttls = True
    protocols = PROTOCOLS

    def __init__(self, site, stub, certificate, workers, cpu):
        self.site, self.stub, self.certificate, self.workers = site, stub, certificate, workers
        self.pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        self.dir = site.directory(self.name)
        self.ports = {(p, s): site.port() for p in self.protocols for s in ("plain", "implicit")}

    @classmethod
    def why_not(cls):
        """Why it cannot run here, or None."""
        try:
            cls.program()
        except Missing as reason:
            return str(reason)
        return None

    def port(self, protocol, security):
        if security == "starttls":
            return self.ports.get((protocol, "plain")) if self.starttls else None
        return self.ports.get((protocol, security))

    def start(self):
        self.run()
        for port in self.ports.values():
            wait_until(lambda port=port: accepts((HOST, port)), 20, f"{self.name} to listen", self.processes[0])
        return self

    def own(self, *argv):
        process = Process(self.name, [*self.pin, *argv], self.dir / "stderr", cwd=self.dir)
        self.site.own(process)
        return process.start()

    @property
    def sessions(self):
        return {process.pid for process in self.processes}

    def stop(self):
        for process in self.processes:
            process.stop()


class _NginxLike(Peer):
    def settings(self):
        lines = []
        for (protocol, security), port in self.ports.items():
            tls = "ssl" if security == "implicit" else ""
            lines.append(f"    server {{ listen {HOST}:{port} {tls} backlog=4096; protocol {protocol.split('-')[0]};"
                         f" smtp_auth {'none' if protocol == 'smtp-open' else 'plain login'};"
                         f" {'' if tls else 'starttls on;'} }}")
        return "\n".join([
            f"user nobody {grp.getgrgid(pwd.getpwnam('nobody').pw_gid).gr_name};" if os.geteuid() == 0 else "",
            f"worker_processes {self.workers};", f"error_log {self.dir}/log crit;",
            "worker_rlimit_nofile 20000;", "events { worker_connections 20000; }",
            "mail {", "    server_name bench.example;", f"    auth_http {HOST}:{self.stub.auth}/auth;",
            "    xclient off;",
            "    ssl_protocols TLSv1.2 TLSv1.3;",
            f"    ssl_certificate {self.certificate.chain};", f"    ssl_certificate_key {self.certificate.key};",
            *lines, "}", ""])

    def run(self):
        proxy = self.kind(self.site, self.settings(), name=self.name)
        self.site.own(proxy)
        proxy.process.argv = [*self.pin, *proxy.process.argv]
        proxy.process.start()
        self.processes = [proxy.process]


class PosternPeer(_NginxLike):
    name, kind = "postern", Postern
    program = Postern.program


class NginxPeer(_NginxLike):
    name, kind = "nginx", Nginx
    program = Nginx.program


class HaproxyPeer(Peer):
    """Knows nothing of mail: it ends TLS and passes bytes on, so the login is the server's. No STARTTLS."""

    name = "haproxy"
    starttls = False

    @staticmethod
    def program():
        return find_program("haproxy")

    def settings(self):
        pem = self.dir / "pem"
        pem.write_bytes(self.certificate.chain.read_bytes() + self.certificate.key.read_bytes())
        text = ["global", f"    nbthread {self.workers}", "    maxconn 9900", "    tune.ssl.cachesize 20000",
                "    stats timeout 1h",
                "defaults", "    mode tcp", "    balance roundrobin", "    timeout connect 60s",
                "    timeout client 1h", "    timeout server 1h"]
        for (protocol, security), port in self.ports.items():
            tls = f" ssl crt {pem}" if security == "implicit" else ""
            text += [f"listen {protocol}-{security}", f"    bind {HOST}:{port} backlog 4096{tls}"]
            text += [f"    server s{i} {address}:{self.stub.port(protocol)}"
                     for i, address in enumerate(self.stub.addresses)]
        return "\n".join(text) + "\n"

    def run(self):
        config = self.dir / "haproxy.cfg"
        config.write_text(self.settings())
        self.processes = [self.own(self.program(), "-db", "-f", config)]


class DovecotPeer(Peer):
    """Its login processes as a proxy. It asks a file instead of the authentication server."""

    name = "dovecot"
    protocols = ("imap", "pop3", "smtp")

    @staticmethod
    def program():
        program = find_program("dovecot", "dovecot-core")
        if not os.path.exists("/usr/lib/dovecot/submission-login"):
            raise Missing("Dovecot's submission proxy is not installed (Debian package: dovecot-submissiond)")
        if os.geteuid() != 0:
            raise Missing("Dovecot's proxy wants to be started by root")
        return program

    def settings(self):
        text = [f"base_dir = {self.dir}/run", f"state_dir = {self.dir}/state", f"log_path = {self.dir}/log",
                "protocols = imap pop3 submission", f"listen = {HOST}", "disable_plaintext_auth = no",
                "auth_mechanisms = plain login", "ssl = yes", f"ssl_cert = <{self.certificate.chain}",
                f"ssl_key = <{self.certificate.key}", "ssl_min_protocol = TLSv1.2", "default_internal_user = dovecot",
                "default_login_user = dovenull", "default_vsz_limit = 0", "default_client_limit = 20000",
                "login_log_format_elements =", "auth_verbose = no", "verbose_proctitle = no",
                "login_proxy_max_disconnect_delay = 0", "mail_max_userip_connections = 0",
                "passdb {", "  driver = passwd-file", f"  args = {self.dir}/users.%s", "}",
                "service anvil {", "  chroot =", "}", "service stats {", "  chroot =", "}"]
        for protocol, service in (("imap", "imap"), ("pop3", "pop3"), ("smtp", "submission")):
            text += [f"service {service}-login {{", f"  process_min_avail = {self.workers}",
                     f"  process_limit = {self.workers}", "  service_count = 0", "  client_limit = 9900",
                     "  chroot =",
                     f"  inet_listener {service} {{", f"    port = {self.ports[protocol, 'plain']}", "  }",
                     f"  inet_listener {service}s {{", f"    port = {self.ports[protocol, 'implicit']}",
                     "    ssl = yes", "  }", "}"]
            (self.dir / f"users.{service}").write_text(
                f"user@example.com:{{PLAIN}}password::::::proxy=y host={self.stub.addresses[0]}"
                f" port={self.stub.port(protocol)} proxy_timeout=3600\n")
        return "\n".join(text) + "\n"

    def run(self):
        config = self.dir / "dovecot.conf"
        config.write_text(self.settings())
        self.processes = [self.own(self.program(), "-F", "-c", config)]


class PerditionPeer(Peer):
    """A process for every session, and a server for every port."""

    name = "perdition"
    starttls = False
    protocols = ("imap", "pop3")

    @staticmethod
    def program():
        return find_program("perdition")

    def run(self):
        self.processes = []
        for (protocol, security), port in self.ports.items():
            program = find_program("perdition." + {"imap": "imap4", "pop3": "pop3"}[protocol], "perdition")
            tls = ["--ssl_mode", "none"]
            if security == "implicit":
                tls = ["--ssl_mode", "ssl_listen", "--ssl_cert_file", self.certificate.chain,
                       "--ssl_key_file", self.certificate.key, "--ssl_ca_chain_file", self.certificate.chain]
            pid = self.dir / f"pid.{port}"
            self.processes.append(self.own(
                program, "--no_daemon", "-f", "/dev/null", "-b", HOST, "-l", str(port), "-M", "", "-q",
                "-s", f"{self.stub.addresses[0]}:{self.stub.port(protocol)}", "--pid_file", pid, *tls))


PEERS = {peer.name: peer for peer in (PosternPeer, NginxPeer, HaproxyPeer, DovecotPeer, PerditionPeer)}


class Stub:
    """bench-stub: the authentication server and the mail servers behind every peer."""

    def __init__(self, site, program, *, addresses=8, processes=1, forgetful=False, cpu=None):
        self.auth = site.port()
        self.addresses = [f"127.0.0.{2 + i}" for i in range(addresses)]
        self.ports = {p: site.port() for p in ("imap", "pop3", "smtp")}
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        argv = [*pin, program, "--auth", self.auth, "--addresses", addresses, "--processes", processes]
        for protocol, port in self.ports.items():
            argv += [f"--{protocol}", port]
        self.process = Process("stub", argv + (["--forgetful"] if forgetful else []), site.directory("stub") / "log")
        site.own(self.process)
        self.process.start()
        for address in self.addresses:
            self.process.wait_accepts((address, self.ports["smtp"]))
        self.process.wait_accepts((HOST, self.auth))

    def port(self, protocol):
        return self.ports[protocol.split("-")[0]]


def absent(names):
    """What of these peers is not here, with the reasons."""
    return {name: reason for name in names if (reason := PEERS[name].why_not())}


def have_taskset():
    return shutil.which("taskset") is not None
