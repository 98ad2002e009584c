"""gwctl and PM2 as the benchmarks of the supervisor use them: the same apps, the same commands.

The apps are bench/idle.c, which notes when it was executed. Each side has its own home."""

import collections
import contextlib
import json
import os
import subprocess
import sys
import time

import measure
import seed
from measure import Failed

IDLE = os.path.join(measure.BIN, "bench-idle")
Note = collections.namedtuple("Note", "pid ns")


def build_idle():
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "bench-idle"],
                   cwd=measure.ROOT, stdout=sys.stderr, check=True)


def own_cpu_ns(pids):
    """CPU time of these processes, without what came of them."""
    total = 0
    for pid in pids:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat") as stat:
                total += int(stat.read().split()[0])
    return total


class Side(contextlib.AbstractContextManager):
    """A supervisor in a home of its own. What it has started ends with it."""

    name = program = home_variable = pid_file = None

    def __init__(self, folder):
        self.home = os.path.join(folder, self.name)
        self.notes_path = os.path.join(folder, f"{self.name}.notes")
        self.env = {name: value for name, value in os.environ.items()
                    if name not in ("HOST", "PORT", "NOTIFY_SOCKET")}
        self.env.update({self.home_variable: self.home, "PM2_DISABLE_VERSION_CHECK": "true"})
        self.folder = folder

    def __exit__(self, *_):
        subprocess.run([self.program, "kill"], env=self.env, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def command(self, *words):
        """Runs one of its commands; returns milliseconds."""
        began = time.monotonic_ns()
        done = subprocess.run([self.program, *words], env=self.env, cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        ended = time.monotonic_ns()
        if done.returncode != 0:
            raise Failed(f"{self.name} {' '.join(words)}: exit {done.returncode}\n{done.stdout}")
        return (ended - began) / 1e6

    def file(self, count):
        """An ecosystem file of so many apps: app0, app1, ..."""
        names = [f"app{number}" for number in range(count)]
        path = os.path.join(self.folder, f"{self.name}-{count}.json")
        apps = [{"name": name, "script": IDLE, "interpreter": "none",
                 "args": [self.notes_path, name]} for name in names]
        with open(path, "w") as file:
            json.dump({"apps": apps}, file)
        return path

    def pids(self):
        """The processes that supervise."""
        with open(os.path.join(self.home, self.pid_file)) as file:
            return [int(file.read())]

    def notes(self):
        """{app: its notes, the newest last}."""
        found = collections.defaultdict(list)
        with contextlib.suppress(FileNotFoundError), open(self.notes_path) as file:
            for line in file:
                name, pid, ns = line.split()
                found[name].append(Note(int(pid), int(ns)))
        return found

    def wait_for_note(self, app, count, limit=30):
        """The note of this app's start number `count`."""
        deadline = time.monotonic() + limit
        while True:
            notes = self.notes()[app]
            if len(notes) >= count:
                return notes[count - 1]
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} does not start {app} for the {count}. time")
            time.sleep(0.01)


class Gwctl(Side):
    name = "gwctl"
    program = os.path.join(measure.BIN, "gwctl")
    home_variable, pid_file = "GWCTL_HOME", "gwctl.pid"

    def pids(self):
        supervisor = super().pids()[0]
        return [supervisor, measure.parents()[supervisor]]  # the keeper is its parent


class Pm2(Side):
    name = "PM2"
    program = os.path.join(seed.FOLDER, "node_modules", ".bin", "pm2")
    home_variable, pid_file = "PM2_HOME", "pm2.pid"
