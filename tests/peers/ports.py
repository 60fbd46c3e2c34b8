# SPDX-License-Identifier: BSD-2-Clause
"""Free ports, without the usual race.

Asking the kernel for port 0 and closing the socket again hands out a port that any outgoing connection may
get a moment later. So ports are taken from below the kernel's ephemeral range, and each is locked by
an abstract unix socket named after it. Whoever else uses this module, in any process of any user, keeps away; the
kernel drops the lock when the process that took it ends, however it ends.
"""

import random
import socket

_LOWEST = 10000
_held = {}


def _ephemeral_start():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            return int(f.read().split()[0])
    except (OSError, ValueError):
        return 32768


def _range():
    end = _ephemeral_start()
    return (_LOWEST, end) if end > _LOWEST + 1000 else (_LOWEST, 65536)


def _lock(port):
    """The lock of a port as an open socket, or None if somebody else holds it."""
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f"\0postern-port-{port}")
    except OSError:
        lock.close()
        return None
    return lock


def is_free(port, host="127.0.0.1"):
    """Whether a server could listen on host:port now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as s:
        # Servers set this too; without it, connections of a previous run in TIME_WAIT look like a listener.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
            s.listen(1)
        except OSError:
            return False
    return True


def take_port():
    """A port on which nothing listens, kept from other users of this module until release_port()."""
    first, end = _range()
    for port in random.sample(range(first, end), 200):
        lock = _lock(port)
        if lock is None:
            continue
        if is_free(port, "0.0.0.0"):
            _held[port] = lock
            return port
        lock.close()
    raise RuntimeError(f"no free port found in {first}-{end - 1}")


def release_port(port):
    """Gives back a port that take_port() returned."""
    lock = _held.pop(port, None)
    if lock is not None:
        lock.close()
