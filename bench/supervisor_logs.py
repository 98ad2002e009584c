"""Lines of 100 bytes that one app writes as fast as they are taken, beside PM2; logs on a tmpfs.

From the first line until the log has all of them. A log that is not byte for byte what was written is a
failure of ours; of PM2 it is said. Rotated is by 10 MB, compressed, and checked over all files.
CPU is of what supervises, which compresses as well; memory the most that it had, and how much more
that is than before the first line (VmHWM).
"""

import contextlib
import glob
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import measure
import supervisor_sides
from measure import Failed
from supervisor_sides import Gwctl, Pm2

LINE, STALLED_S = 100, 20
LINES = os.path.join(measure.BIN, "bench-lines")
MEMORY = "/dev/shm"
ROTATED = {"size": "10M", "keep": 10000}
SIDES = {"gwctl": (Gwctl, {"log_rotate": False}), "gwctl, rotated": (Gwctl, {"log_rotate": ROTATED}),
         "PM2": (Pm2, {})}


def build_lines():
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "bench-lines"],
                   cwd=measure.ROOT, stdout=sys.stderr, check=True)


def peak_mb(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status") as status:
            total += int(re.search(r"^VmHWM:\s+(\d+)", status.read(), re.M)[1])
    return total / 1024


def old_files(log):
    return sorted(glob.glob(f"{log}.2*"))


def arrived(log, count):
    """Whether all lines are there: in the log, or by the last one in what rotation left of it."""
    try:
        size = os.path.getsize(log)
        if not old_files(log):
            return size >= count * LINE
        with open(log, "rb") as file:
            file.seek(max(0, size - LINE))
            return file.read(10) == b"%010d" % (count - 1)
    except FileNotFoundError:  # not made yet, or renamed at this moment
        return False


def size_of(path):
    with contextlib.suppress(FileNotFoundError):
        return os.path.getsize(path)
    return 0


def wait_for_lines(log, count):
    """Whether they all came; not when the log has stopped growing."""
    written, since = -1, time.monotonic()
    while not arrived(log, count):
        now = sum(map(size_of, [*old_files(log), log]))
        if now != written:
            written, since = now, time.monotonic()
        elif time.monotonic() - since > STALLED_S:
            return False
        time.sleep(0.01)
    return True


def is_exact(log, count):
    with subprocess.Popen([LINES, "check", str(count)], stdin=subprocess.PIPE) as check:
        try:
            for path in [*old_files(log), log]:
                with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
                    shutil.copyfileobj(file, check.stdin, 1 << 20)
        except BrokenPipeError:
            pass
    return check.returncode == 0


def wait_for_gzip(log):
    while any(not path.endswith(".gz") for path in old_files(log)):
        time.sleep(0.05)


def start(side, log, count, keys):
    """Behind an app that does nothing, so that the supervisor is there before. Returns the file with the
    time of the first line, who supervises, and the memory and CPU time of those until then."""
    began = os.path.join(side.folder, "began")
    apps = [{"name": "lines", "script": LINES, "interpreter": "none", "out_file": log,
             "merge_logs": True, "args": ["write", str(count), began], **keys}]
    file = os.path.join(side.folder, "lines.json")
    with open(file, "w") as config:
        json.dump({"apps": apps}, config)
    side.command("start", side.file(1))
    pids = side.pids()
    before = peak_mb(pids), supervisor_sides.own_cpu_ns(pids)
    side.command("start", file)
    return began, pids, *before


def measure_round(kind, keys, count):
    with tempfile.TemporaryDirectory(prefix="gwctl-bench-", dir=MEMORY) as folder, \
            kind(folder) as side:
        log = os.path.join(folder, "lines.log")
        began, pids, peak_before, cpu_before = start(side, log, count, keys)
        whole = wait_for_lines(log, count)
        ended = os.stat(log).st_mtime_ns  # neither a look at it nor a command is in the way
        if keys.get("log_rotate"):
            wait_for_gzip(log)
        cpu_s = (supervisor_sides.own_cpu_ns(pids) - cpu_before) / 1e9
        peak = peak_mb(pids)
        with open(began) as file:
            seconds = (ended - int(file.read())) / 1e9
        exact = whole and is_exact(log, count)
        if not exact and kind is Gwctl:
            raise Failed(f"{log} is not what was written")
        return {"rate": count / seconds, "cpu_us": cpu_s * 1e6 / count, "peak": peak,
                "more": peak - peak_before, "exact": exact}


def print_result(rounds):
    rows = []
    for name, taken in rounds.items():
        def middle(figure, values=taken):
            return statistics.median(value[figure] for value in values)
        exact = sum(value["exact"] for value in taken)
        rows.append([name, f"{middle('rate'):,.0f}", f"{middle('cpu_us'):.3f}",
                     f"{middle('peak'):,.1f} MB", f"{middle('more'):,.1f} MB",
                     f"{exact} of {len(taken)}"])
    measure.print_table(["side", "lines/s", "CPU µs/line", "peak memory", "of it for the lines",
                         "byte-exact"], rows)


def run(options):
    build_lines()
    rounds = {name: [] for name in SIDES}
    for number in range(options.rounds):
        for name, (kind, keys) in SIDES.items():
            print(f"\rround {number + 1}/{options.rounds}: {name:16}", end="", file=sys.stderr,
                  flush=True)
            rounds[name].append(measure_round(kind, keys, options.lines))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    print(f"{options.rounds} interleaved rounds of {options.lines:,} lines; medians.\n")
    print_result(rounds)
