#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures postern beside its peers and prints one table.

    bench.py [--case PATTERN,…] [--peers NAME,…] [--rounds N] [--scale X] [--quick] [--json] [--list]

The peers take turns within each round, so that whatever else the machine does meets them all; figures are the
medians of the rounds, in brackets the best. With one worker, the proxy has the first processor to itself and
everything else the second. Ratios are postern's figure over the peer's.
"""

import argparse
import fnmatch
import json
import os
import platform
import socket
import statistics
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from peers import Site  # noqa: E402
from peers.certs import Authority  # noqa: E402

from cases import CASES, QUICK, Failed  # noqa: E402
from proxies import PEERS, Stub, absent, have_taskset  # noqa: E402


class Bench:
    def __init__(self, options):
        build = Path(options.build)
        self.load, self.stub = build / "bench" / "load", build / "bench" / "stub"
        self.loads = []
        self.load_pin = []
        self.rounds, self.scale = options.rounds, options.scale
        self.can_pin = have_taskset() and len(os.sched_getaffinity(0)) > 1 and not options.no_pin
        self.certificate = None

    def run_case(self, case, names):
        """The figures by peer: a list of runs for each, or the text why there is none."""
        runs = {name: [] for name in names}
        with Site() as site:
            self.certificate = Authority(site.directory("ca")).issue("bench.example")
            pinned = self.can_pin and case.pinned
            self.load_pin = ["taskset", "-c", "1"] if pinned else []
            stub = Stub(site, self.stub, processes=4 if case.name == "growth" else 1, forgetful=case.forgetful,
                        cpu=1 if pinned else None)
            running = {}
            for turn in range(min(self.rounds, case.most_rounds) + 1):
                for name in list(names):
                    if isinstance(runs[name], str):
                        continue
                    try:
                        self.one_run(case, name, site, stub, pinned, running, runs, turn)
                    except Failed as reason:
                        runs[name] = str(reason)
                    finally:
                        self.end_loads()
        return runs

    def one_run(self, case, name, site, stub, pinned, running, runs, turn):
        """Turn 0 is for warming up, where processes stay."""
        if case.fresh and turn == 0:
            return
        peer = running.pop(name, None) or self.start(case, name, site, stub, pinned)
        if case.port(peer) is None:
            raise Failed("-")
        figures = case.run(self, peer, self.scale * (0.2 if turn == 0 else 1))
        if turn > 0:
            runs[name].append(figures)
        if case.fresh:
            peer.stop()
        else:
            running[name] = peer

    def start(self, case, name, site, stub, pinned):
        return PEERS[name](site, stub, self.certificate, case.workers, 0 if pinned else None).start()

    def end_loads(self):
        for child in self.loads:
            child.kill()
            child.wait()
        self.loads.clear()


def summary(case, runs):
    """One row for each figure of the case."""
    rows = []
    for at, figure in enumerate(case.figures()):
        cells = {}
        for name, found in runs.items():
            if isinstance(found, str):
                cells[name] = {"note": found}
                continue
            values = [run[at] for run in found]
            best = max(values) if figure.more_is_better else min(values)
            cells[name] = {"median": statistics.median(values), "best": best, "runs": values}
        for cell in cells.values():
            if "median" in cell and "median" in cells.get("postern", {}):
                cell["ratio"] = cells["postern"]["median"] / cell["median"]
        rows.append({"case": case.name, "figure": figure.name, "unit": figure.unit, "goal": figure.goal,
                     "more_is_better": figure.more_is_better, "peers": cells})
    return rows


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def cell(found):
    if "note" in found:
        return found["note"] if found["note"] == "-" else "failed"
    return f"{number(found['median'])} ({number(found['best'])})"


def ratios(row, names):
    cells = [row["peers"][n] for n in names if n != "postern"]
    return [f"{found['ratio']:.2f}" if "ratio" in found else "-" for found in cells]


def table(rows, names):
    others = [n for n in names if n != "postern"]
    lines = [["case", "figure", *names, *(f": {n}" for n in others), "goal"]]
    for row in rows:
        goal = ("≥ " if row["more_is_better"] else "≤ ") + f"{row['goal']:g}"
        lines.append([row["case"], f"{row['figure']}, {row['unit']}", *(cell(row["peers"][n]) for n in names),
                      *ratios(row, names), goal])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = ["-" * w for w in widths]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |"
                     for line in [lines[0], rule, *lines[1:]])


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}, Linux {platform.release()}, TCP {congestion_control()}"


def congestion_control():
    """What a connection on loopback has: the route may have chosen another than the system's."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        return client.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=HERE.parent / "build", help="where bench/load and bench/stub are")
    parser.add_argument("--case", default="", help="names or patterns, with commas")
    parser.add_argument("--peers", default="", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--scale", type=float, default=0.0, help="more or less of everything")
    parser.add_argument("--quick", action="store_true", help="a minute, postern against nginx")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--no-pin", action="store_true", help="let the scheduler choose processors")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.scale = options.scale or (0.4 if options.quick else 1.0)
    return options


def chosen_cases(options):
    patterns = [p for p in options.case.split(",") if p] or (QUICK if options.quick else ["*"])
    cases = [c for c in CASES if any(fnmatch.fnmatch(c.name, p) for p in patterns)]
    if not cases:
        sys.exit(f"bench: no case is named {options.case}; --list names them")
    return cases


def chosen_peers(options):
    names = [p for p in options.peers.split(",") if p] or (["postern", "nginx"] if options.quick else list(PEERS))
    unknown = [n for n in names if n not in PEERS]
    if unknown:
        sys.exit(f"bench: no peer is named {unknown[0]}; there are {', '.join(PEERS)}")
    for name, reason in absent(names).items():
        print(f"bench: without {name}: {reason}", file=sys.stderr)
        names.remove(name)
    return names


def main():
    options = read_options()
    if options.list:
        print("\n".join(c.name for c in CASES))
        return 0
    names, rows, bench = chosen_peers(options), [], Bench(options)
    for case in chosen_cases(options):
        took_part = [n for n in names if not case.peers or n in case.peers]
        runs = bench.run_case(case, took_part)
        for name, found in runs.items():
            if isinstance(found, str) and found != "-":
                print(f"bench: {case.name}: {name}: {found}", file=sys.stderr)
        runs.update({n: "-" for n in names if n not in runs})
        rows += summary(case, {n: runs[n] for n in names})
        if sys.stderr.isatty():
            print(f"bench: {case.name} is done", file=sys.stderr)
    print(json.dumps({"machine": machine(), "rows": rows}, indent=2) if options.json
          else f"{machine()}\nmedians of {options.rounds} rounds (the best)\n\n{table(rows, names)}")
    return any(isinstance(c.get("note"), str) and c["note"] != "-" for r in rows for c in r["peers"].values())


if __name__ == "__main__":
    sys.exit(main())
