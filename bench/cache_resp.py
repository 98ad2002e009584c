"""cachesvc beside redis-server without persistence: redis-benchmark over Unix sockets.

50 connections, values of 64 bytes, 100,000 keys that are all there; the servers on core 0, the load
generator on core 1. The servers take turns in each round of each test.
"""

import os
import sys

import measure
import proxy
from measure import Servers, median

SIZE, KEYS = 64, 100000
TESTS = [(test, pipeline) for pipeline in (1, 16) for test in ("get", "set")]
OPERATIONS = {1: 100000, 16: 800000}  # of each run


def start_servers(servers, memory):
    """Starts both; returns {name: (socket, pid)}."""
    paths = {name: os.path.join(servers.folder, f"{name}.sock")
             for name in ("cachesvc", "redis-server")}
    commands = {
        "cachesvc": [os.path.join(measure.BIN, "cachesvc"), "--socket", paths["cachesvc"],
                     "--memory", memory],
        "redis-server": ["redis-server", "--port", "0", "--unixsocket", paths["redis-server"],
                         "--save", "", "--appendonly", "no", "--dir", servers.folder]}
    started = {}
    for name, command in commands.items():
        started[name] = (paths[name], servers.start(name, command, proxy.SERVER_CPU).pid)
        servers.wait_for_redis(paths[name], name)
    return started


def run_one(side, test, pipeline, operations):
    path, pid = side
    return measure.redis_benchmark(path, [pid], test, pipeline, operations, proxy.LOAD_CPU, SIZE,
                                   KEYS)


def run_rounds(sides, rounds):
    samples = {(name, *test): [] for name in sides for test in TESTS}
    for side in sides.values():  # so many, that hardly a key is missing
        run_one(side, "set", 16, 10 * KEYS)
    order = list(sides)
    for number in range(rounds):
        for test, pipeline in TESTS:
            for name in order:
                print(f"\rround {number + 1}/{rounds}: {name:12} {test} -P {pipeline:2}", end="",
                      file=sys.stderr, flush=True)
                samples[name, test, pipeline].append(
                    run_one(sides[name], test, pipeline, OPERATIONS[pipeline]))
        order.append(order.pop(0))
    print("\r" + " " * 50 + "\r", end="", file=sys.stderr)
    return samples


def print_result(samples):
    rows = []
    for test, pipeline in TESTS:
        ours, theirs = (samples[name, test, pipeline] for name in ("cachesvc", "redis-server"))
        rows.append([f"{test.upper()}, -P {pipeline}",
                     f"{median(ours, lambda s: s.cpu_us):.2f}",
                     f"{median(theirs, lambda s: s.cpu_us):.2f}",
                     "{:.2f} ({:.2f} to {:.2f})".format(*measure.ratios(ours, theirs)),
                     f"{median(ours, lambda s: s.per_second):,.0f}",
                     f"{median(theirs, lambda s: s.per_second):,.0f}"])
    measure.print_table(["test", "cachesvc, CPU µs", "redis-server, CPU µs", "cachesvc ÷ it",
                         "cachesvc, per second", "redis-server, per second"], rows)


def run(options):
    with Servers() as servers:
        sides = start_servers(servers, "256M")
        print(f"{options.rounds} interleaved rounds; CPU time of the server per operation; "
              "medians.\n")
        print_result(run_rounds(sides, options.rounds))
