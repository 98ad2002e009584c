"""What the benchmarks share: processes and their CPU time and memory, load generators, tables,
parts."""

import argparse
import contextlib
import glob
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BENCH = os.path.join(ROOT, "bench")
BIN = os.path.join(ROOT, "build", "release", "bin")


class Failed(Exception):
    """The benchmark cannot go on; the text says why."""


# --- processes -----------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parents():
    """{pid: parent} of every process."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path) as stat:
                text = stat.read()
        except OSError:
            continue
        found[int(path.split("/")[2])] = int(text.rpartition(")")[2].split()[1])
    return found


def family(pids):
    """The processes and all their descendants."""
    parent_of = parents()
    members = {pid for pid in pids if pid in parent_of}
    while True:
        more = {pid for pid, parent in parent_of.items() if parent in members} - members
        if not more:
            return sorted(members)
        members |= more


def cpu_ns(pids):
    """CPU time of all threads of the processes and their descendants."""
    total = 0
    for pid in family(pids):
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with contextlib.suppress(OSError), open(path) as stat:
                total += int(stat.read().split()[0])
    return total


def memory_mb(pid):
    """A process' memory as (PSS, private): with what it shares with others counted by share, and
    not at all."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        text = file.read()

    def sum_of(pattern):
        return sum(map(int, re.findall(rf"^{pattern}:\s+(\d+) kB", text, re.M))) / 1024
    return sum_of("Pss"), sum_of("Private_(?:Clean|Dirty)")


class Servers(contextlib.ExitStack):
    """A temporary folder and the servers started in it; all of them end with it."""

    def __init__(self):
        super().__init__()
        self.folder = self.enter_context(tempfile.TemporaryDirectory(prefix="gwctl-bench-"))
        # nginx' worker drops root and has to reach its files.
        os.chmod(self.folder, 0o755)

    def start(self, name, args, cpu=None, env=None):
        """Starts a server in the foreground, pinned to a core; its output goes to <name>.log."""
        log = self.enter_context(open(os.path.join(self.folder, f"{name}.log"), "w"))
        pinned = ["taskset", "-c", str(cpu), *args] if cpu is not None else args
        process = subprocess.Popen(pinned, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={**os.environ, **(env or {})}, cwd=self.folder)
        self.callback(self._end, process)
        return process

    @staticmethod
    def _end(process):
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def config(self, template, values):
        """Fills in @names@ of a file of bench/ and returns the path of the result."""
        with open(os.path.join(BENCH, template)) as file:
            text = file.read()
        text = re.sub(r"@(\w+)@", lambda name: str(values[name[1]]), text)
        path = os.path.join(self.folder, os.path.basename(template))
        with open(path, "w") as file:
            file.write(text)
        return path

    def wait_for(self, url, name, limit=30):
        """Waits until GET url is answered with 200."""
        deadline = time.monotonic() + limit
        while True:
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    if answer.status == 200:
                        return answer.read()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Failed(f"{name} does not serve {url}: {error}\n{self.log(name)}") from None
            time.sleep(0.05)

    def wait_for_redis(self, path, name, limit=30):
        """Waits until a server on a Unix socket answers as Redis does."""
        deadline = time.monotonic() + limit
        while True:
            done = subprocess.run(["redis-cli", "-s", path, "ping"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.stdout.strip() == "PONG":
                return
            if time.monotonic() > deadline:
                raise Failed(f"{name} does not serve {path}: {done.stdout}\n{self.log(name)}")
            time.sleep(0.05)

    def log(self, name):
        try:
            with open(os.path.join(self.folder, f"{name}.log")) as file:
                return file.read()
        except OSError:
            return ""


# --- load ----------------------------------------------------------------------------------------


class Sample:
    """One run of a load generator against one side."""

    def __init__(self, requests, per_second, failed, percentiles_ms, cpu_us):
        self.requests = requests
        self.per_second = per_second
        self.failed = failed
        self.percentiles_ms = percentiles_ms  # {50: 1.2, 99: 3.4, ...}
        self.cpu_us = cpu_us  # of the side, per request


def _run(args):
    done = subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(args)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


def _milliseconds(text):
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def wrk(url, pids, seconds, connections, cpu):
    before = cpu_ns(pids)
    text = _run(["taskset", "-c", str(cpu), "wrk", "-t1", f"-c{connections}", f"-d{seconds}",
                 "--latency", url])
    used = cpu_ns(pids) - before
    requests = int(re.search(r"(\d+) requests in", text)[1])
    errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = sum(map(int, errors.groups())) if errors else 0
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed += int(other[1]) if other else 0
    percentiles = {int(p): _milliseconds(value)
                   for p, value in re.findall(r"^\s+(\d+)%\s+(\S+)$", text, re.M)}
    per_second = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return Sample(requests, per_second, failed, percentiles, used / 1000 / requests)


def ab(url, pids, requests, connections, keep_alive):
    before = cpu_ns(pids)
    text = _run(["ab", "-q", "-l", "-n", str(requests), "-c", str(connections), "-s", "30",
                 *(["-k"] if keep_alive else []), url])
    used = cpu_ns(pids) - before
    failed = sum(int(count) for count in
                 re.findall(r"(?:Failed requests|Non-2xx responses|Write errors):\s+(\d+)", text))
    percentiles = {int(p): float(value)
                   for p, value in re.findall(r"^\s+(\d+)%\s+(\d+)", text, re.M)}
    per_second = float(re.search(r"Requests per second:\s+([\d.]+)", text)[1])
    return Sample(requests, per_second, failed, percentiles, used / 1000 / requests)


def redis_benchmark(path, pids, test, pipeline, operations, cpu, size, keys):
    before = cpu_ns(pids)
    text = _run(["taskset", "-c", str(cpu), "redis-benchmark", "-s", path, "-t", test,
                 "-P", str(pipeline), "-n", str(operations), "-d", str(size), "-r", str(keys),
                 "--csv"])
    used = cpu_ns(pids) - before
    found = re.search(rf'^"{test}","([\d.]+)"', text, re.M | re.I)
    if not found:
        raise Failed(f"redis-benchmark {test}: {text}")
    return Sample(operations, float(found[1]), 0, {}, used / 1000 / operations)


# --- results -------------------------------------------------------------------------------------


def median(samples, value):
    return statistics.median(map(value, samples))


def failures(samples_of):
    return sum(sample.failed for samples in samples_of.values() for sample in samples)


def ratios(ours, theirs):
    """Median, least and greatest ratio of CPU per request, round by round."""
    each = sorted(a.cpu_us / b.cpu_us for a, b in zip(ours, theirs))
    return statistics.median(each), each[0], each[-1]


def print_table(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def print_memory(pids):
    """A table of {name: pid}."""
    rows = []
    for name, pid in pids.items():
        pss, private = memory_mb(pid)
        rows.append([name, f"{pss:.2f} MB", f"{private:.2f} MB"])
    print_table(["process", "PSS", "of it private"], rows)


def machine():
    """One line about where this was measured."""
    with open("/proc/cpuinfo") as file:
        model = re.search(r"^model name\s*: (.*)$", file.read(), re.M)
    return f"{model[1] if model else os.uname().machine}, {os.cpu_count()} CPUs, " \
           f"Linux {os.uname().release}"


def run_parts(bench, doc, parts, add_options):
    """The command line of a benchmark of several parts: {name: module with run(options)}."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench {bench}", description=doc.splitlines()[0])
    parser.add_argument("--only", choices=parts, help="this part alone")
    add_options(parser)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        sys.exit("bench: two CPUs are needed: one for what is measured, one for the load")
    print(machine() + "\n")
    try:
        for name in [options.only] if options.only else parts:
            print(f"## {name}: {parts[name].__doc__}", flush=True)
            parts[name].run(options)
    except Failed as failure:
        sys.exit(f"bench: {failure}")
