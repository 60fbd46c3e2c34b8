# SPDX-License-Identifier: BSD-2-Clause
"""A mail client made of a socket: it sends lines and reads lines, and sees what a library would hide."""

import base64
import socket

DEADLINE = 60  # seconds without a byte after which a test has hung


class Line:
    """`address` is (host, port) or the path of a unix socket; `tls` an SSLContext for TLS from the first byte."""

    def __init__(self, address, *, tls=None, source=None):
        if isinstance(address, str):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(DEADLINE)
            self.sock.connect(address)
        else:
            self.sock = socket.create_connection(address, DEADLINE, (source, 0) if source else None)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = b""
        if tls:
            self.secure(tls)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def secure(self, context):
        assert not self._read, "bytes before the handshake"
        self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        return self

    def close(self):
        self.sock.close()

    # Sending

    def send(self, *lines):
        self.sock.sendall(b"".join(_bytes(line) + b"\r\n" for line in lines))

    def raw(self, data):
        self.sock.sendall(data)

    # Reading

    def _more(self):
        try:
            data = self.sock.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        self._read += data
        return bool(data)

    def line(self):
        """The next line without its end; "" when the connection is over."""
        while b"\n" not in self._read:
            if not self._more():
                rest, self._read = self._read, b""
                return rest.decode("latin-1")
        line, _, self._read = self._read.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def ask(self, *lines):
        """Sends, and returns the line that comes back."""
        self.send(*lines)
        return self.line()

    def until(self, *beginnings):
        """Lines up to the one with such a beginning; that one is the last of the list."""
        found = [self.line()]
        while not found[-1].startswith(beginnings):
            assert found[-1] or self._read, f"the end came before {beginnings}: {found}"
            found.append(self.line())
        return found

    def take(self, count):
        """Exactly so many bytes."""
        parts, have = [self._read], len(self._read)
        while have < count:
            data = self.sock.recv(1 << 18)
            assert data, f"the end came after {have} of {count} bytes"
            parts.append(data)
            have += len(data)
        data = b"".join(parts)
        self._read = data[count:]
        return data[:count]

    def take_through(self, mark):
        """Everything up to and including `mark`, which nothing follows."""
        parts, tail = [self._read], self._read[-len(mark):]
        while tail != mark:
            data = self.sock.recv(1 << 18)
            assert data, f"the end came before {mark}"
            parts.append(data)
            tail = (tail + data)[-len(mark):]
        self._read = b""
        return b"".join(parts)

    def rest(self):
        """Everything until the connection is over."""
        while self._more():
            pass
        data, self._read = self._read, b""
        return data.decode("latin-1")


def b64(text):
    return base64.b64encode(_bytes(text)).decode()


def sasl_plain(user, password):
    return base64.b64encode(b"\0" + _bytes(user) + b"\0" + _bytes(password)).decode()


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


# Sessions that are logged in


def greeted(doors, protocol, security, context):
    """Connected as `security` says, greeted, not logged in."""
    line = Line(doors.address(protocol, security), tls=context if security == "tls" else None)
    line.line()
    if security == "starttls":
        if protocol == "smtp":
            line.send("EHLO client.example")
            line.until("250 ")
        answer = line.ask({"imap": "s STARTTLS", "pop3": "STLS", "smtp": "STARTTLS"}[protocol])
        assert answer.startswith(("s OK", "+OK", "220")), answer
        line.secure(context)
    return line


def log_in(line, protocol, user):
    """Logs in where the greeting has been read; returns the answer."""
    if protocol == "imap":
        line.send(f"a LOGIN {user.name} {user.password}")
        return line.until("a ")[-1]
    if protocol == "pop3":
        line.send(f"USER {user.name}", f"PASS {user.password}")
        return line.until("+OK", "-ERR") and line.line()
    line.send("EHLO client.example")
    line.until("250 ")
    return line.ask(f"AUTH PLAIN {sasl_plain(user.name, user.password)}")


OK = {"imap": "a OK", "pop3": "+OK", "smtp": "235"}
BROKEN = {"imap": "* BAD internal server error", "pop3": "-ERR internal server error",
          "smtp": "451 4.3.2 Internal server error"}


def logged_in(doors, protocol, user, security="plain", context=None):
    line = greeted(doors, protocol, security, context)
    answer = log_in(line, protocol, user)
    assert answer.startswith(OK[protocol]), answer
    return line


def still_works(line, protocol):
    """Whether the server behind a relayed session answers."""
    question, answer = {"imap": ("n NOOP", "n OK"), "pop3": ("NOOP", "+OK"), "smtp": ("NOOP", "250")}[protocol]
    line.send(question)
    return line.until(answer)
