"""A hundred apps that do nothing, beside PM2.

  boot             `start` of one app in an empty home, which starts the supervisor
  memory           PSS of what supervises (supervisor and keeper; PM2's daemon): without apps, and how
                   much more an app makes it
  start            of all: until the last one is executed, and until the command is done
  jlist            the command
  restart          of one app: until the new process is executed, and until the command is done
  exit to exec     SIGKILL to an app that runs for 10 s, until its successor is executed
  idle             CPU time of what supervises, of one core, meanwhile
"""

import os
import signal
import statistics
import sys
import time

import measure
import supervisor_sides
from measure import Failed, Servers
from supervisor_sides import Gwctl, Pm2

APPS, UPTIME_S = 100, 10
LISTS, RESTARTS, EXITS = 5, 5, 10  # of a round

# Figure, unit, decimals, what we want at most.
FIGURES = [("boot", "ms", 1, 20), ("memory, no app", "MB", 2, 4.5), ("memory, an app more", "KB", 1, 20),
           ("start of 100, executed", "ms", 0, 300), ("start of 100, command", "ms", 0, None),
           ("jlist of 100", "ms", 1, 5), ("restart of one, executed", "ms", 1, 20),
           ("restart of one, command", "ms", 1, None), ("exit to exec", "ms", 2, 3),
           ("idle with 100", "%", 3, 0.1)]


def pss_mb(side):
    return sum(measure.memory_mb(pid)[0] for pid in side.pids())


def start_all(side):
    os.unlink(side.notes_path)
    began = time.monotonic_ns()
    command_ms = side.command("start", side.file(APPS))
    last = max(side.wait_for_note(f"app{number}", 1).ns for number in range(APPS))
    return {"start of 100, executed": (last - began) / 1e6, "start of 100, command": command_ms}


def restart_one(side, app):
    count = len(side.notes()[app])
    began = time.monotonic_ns()
    command_ms = side.command("restart", app)
    return (side.wait_for_note(app, count + 1).ns - began) / 1e6, command_ms


def kill_one(side, app):
    """Milliseconds from the signal to its successor."""
    notes = side.notes()[app]
    began = time.monotonic_ns()
    os.kill(notes[-1].pid, signal.SIGKILL)
    return (side.wait_for_note(app, len(notes) + 1).ns - began) / 1e6


def measure_round(side):
    taken = {"boot": side.command("start", side.file(1))}
    side.command("delete", "all")
    empty_mb = pss_mb(side)
    taken["memory, no app"] = empty_mb
    taken.update(start_all(side))
    time.sleep(1)  # a supervisor's first second is not idle
    pids = side.pids()
    cpu_before, began = supervisor_sides.own_cpu_ns(pids), time.monotonic_ns()
    time.sleep(UPTIME_S)
    taken["idle with 100"] = (100 * (supervisor_sides.own_cpu_ns(pids) - cpu_before) /
                              (time.monotonic_ns() - began))
    taken["memory, an app more"] = (pss_mb(side) - empty_mb) * 1024 / APPS
    taken["exit to exec"] = statistics.median(
        kill_one(side, f"app{number}") for number in range(EXITS))
    taken["jlist of 100"] = statistics.median(side.command("jlist") for _ in range(LISTS))
    executed, command = zip(*(restart_one(side, f"app{number}")
                              for number in range(EXITS, EXITS + RESTARTS)))
    taken["restart of one, executed"] = statistics.median(executed)
    taken["restart of one, command"] = statistics.median(command)
    return taken


def print_result(rounds):
    rows = []
    for figure, unit, decimals, wanted in FIGURES:
        row = [figure, f"{wanted} {unit}" if wanted else ""]
        for name in rounds:
            values = sorted(taken[figure] for taken in rounds[name])
            row.append(f"{statistics.median(values):,.{decimals}f} {unit} "
                       f"({values[0]:,.{decimals}f} to {values[-1]:,.{decimals}f})")
        rows.append(row)
    measure.print_table(["figure", "at most", *rounds], rows)


def run(options):
    rounds = {side.name: [] for side in (Gwctl, Pm2)}
    for number in range(options.rounds):
        for kind in (Gwctl, Pm2):
            print(f"\rround {number + 1}/{options.rounds}: {kind.name:12}", end="", file=sys.stderr,
                  flush=True)
            with Servers() as servers, kind(servers.folder) as side:
                rounds[kind.name].append(measure_round(side))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    if not rounds[Gwctl.name]:
        raise Failed("no round was asked for")
    print(f"{options.rounds} interleaved rounds; medians, and the least and the greatest.\n")
    print_result(rounds)
