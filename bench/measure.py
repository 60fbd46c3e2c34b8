# SPDX-License-Identifier: BSD-2-Clause
"""What a proxy costs: CPU time and memory of all its processes, from /proc."""

import os

TICK = 1 / os.sysconf("SC_CLK_TCK")


def _read(*path):
    try:
        with open(os.path.join("/proc", *map(str, path)), encoding="ascii", errors="replace") as f:
            return f.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _stat(pid):
    """The fields of stat behind the program's name, which may hold blanks and brackets itself."""
    return _read(pid, "stat").rpartition(")")[2].split()


def processes(sessions):
    """The pids of all processes of these sessions (setsid), which is where a server's children stay."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = _stat(name)
            if len(stat) > 3 and int(stat[3]) in sessions:
                found.append(int(name))
    return found


def _cpu_of(pid):
    """To the nanosecond for what lives, in ticks for children that ended and were waited for."""
    alive = 0
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return 0.0
    for thread in threads:
        numbers = _read(pid, "task", thread, "schedstat").split()
        alive += int(numbers[0]) if numbers else 0
    stat = _stat(pid)
    ended = int(stat[13]) + int(stat[14]) if len(stat) > 14 else 0
    return alive / 1e9 + ended * TICK


def cpu_seconds(sessions):
    """User and system time of all processes so far."""
    return sum(_cpu_of(pid) for pid in processes(sessions))


def pss_bytes(sessions):
    """Proportional set size: what is shared counts once, shared memory included."""
    total = 0
    for pid in processes(sessions):
        for line in _read(pid, "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def kernel_memory():
    """Bytes of kernel slabs and of TCP's buffers, of the whole machine."""
    slab = next(int(line.split()[1]) * 1024 for line in _read("meminfo").splitlines() if line.startswith("Slab:"))
    tcp = _read("net", "sockstat").partition("TCP:")[2].split("\n")[0].split()
    return slab, int(tcp[tcp.index("mem") + 1]) * os.sysconf("SC_PAGE_SIZE")
