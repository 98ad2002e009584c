"""What the integration tests share: a home with its own supervisor, a client, load generators.

Each test has a GWCTL_HOME of its own in a temporary folder. When it ends, everything of that home is
stopped with `gwctl kill`; a process that is left, or a sanitizer's report, fails the test. Nothing
here waits for a fixed time: wait_until() waits for a condition.
"""

import glob
import http.client
import json
import os
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("GWCTL_BIN", os.path.join(ROOT, "build", "dev", "bin"))
NEXT = os.path.join(os.path.dirname(BIN.rstrip("/")), "next")  # programs that are one version on
DEMO = os.path.join(ROOT, "ecosystem", "demo", "app.py")
EXIT_SKIPPED = 77


# --- conditions, ports, processes ----------------------------------------------------------------


def wait_until(condition, limit=10.0, what="the condition"):
    """Waits until condition() is true and returns its value; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what} did not come true within {limit} s")
        time.sleep(0.02)


def free_port():
    """A TCP port that nobody uses, below the range that outgoing connections draw from."""
    while True:
        port = random.randrange(10240, 19000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def process_exists(pid):
    """A process that runs; one that waits to be reaped does not count."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def processes_with(variable, value):
    """The processes with this variable in their environment, as {pid: command line}."""
    wanted = f"{variable}={value}".encode()
    found = {}
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as environ:
                if wanted not in environ.read().split(b"\0"):
                    continue
            with open(os.path.dirname(path) + "/cmdline", "rb") as cmdline:
                text = cmdline.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        found[int(path.split("/")[2])] = text
    return found


def require(*programs):
    """Skips the test when one of the programs is not installed."""
    for program in programs:
        if not shutil.which(program):
            raise unittest.SkipTest(f"{program} is missing")


def install_packages(folder):
    """npm ci in a folder, unless what its lock file names is there already."""
    require("node", "npm")
    lock = os.path.join(folder, "package-lock.json")
    installed = os.path.join(folder, "node_modules", ".package-lock.json")
    if os.path.exists(installed) and os.path.getmtime(installed) >= os.path.getmtime(lock):
        return
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"npm ci in {folder} failed: {done.stdout[-500:]}")
    os.utime(installed)


# --- a home --------------------------------------------------------------------------------------


class Home:
    """A temporary GWCTL_HOME and the supervisor in it. Ecosystem files are written to .folder."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gwctl-test-")
        self.path = os.path.join(self.folder, "home")
        dropped = ("GWCTL_", "LISTEN_", "NOTIFY_", "PM2_", "REDIS_")
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(dropped) and name not in ("HOST", "PORT")}
        self.env["GWCTL_HOME"] = self.path
        # Reports go to files, so that they are found whoever's stderr they would have gone to.
        options = f"log_path={self.folder}/sanitizer"
        self.env["ASAN_OPTIONS"] = options
        self.env["UBSAN_OPTIONS"] = f"print_stacktrace=1:{options}"
        self.env["TSAN_OPTIONS"] = options

    # commands

    def popen(self, *args, env=None, **kwargs):
        """`gwctl args...` in the background, its output in pipes."""
        return subprocess.Popen([os.path.join(BIN, "gwctl"), *map(str, args)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, errors="replace",
                                env={**self.env, **(env or {})},
                                cwd=kwargs.pop("cwd", self.folder), **kwargs)

    def gwctl(self, *args, env=None, limit=90, **kwargs):
        """Runs `gwctl args...` to its end: a CompletedProcess with text output."""
        process = self.popen(*args, env=env, **kwargs)
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"gwctl {' '.join(map(str, args))} did not end within {limit} s\n"
                                 f"{out}{err}") from None
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def ok(self, *args, **kwargs):
        """gwctl that has to succeed; returns its standard output."""
        done = self.gwctl(*args, **kwargs)
        if done.returncode != 0:
            raise AssertionError(f"gwctl {' '.join(map(str, args))}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    # files

    def write(self, name, content, mode=0o644):
        """Writes a file of the folder (an object as JSON) and returns its path."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content if isinstance(content, str) else json.dumps(content, indent=2))
        os.chmod(path, mode)
        return path

    def read_log(self, pattern):
        """The text of the logs that match, e.g. "demo-out*.log", one after another."""
        texts = []
        for path in sorted(glob.glob(os.path.join(self.path, "logs", pattern))):
            with open(path, errors="replace") as file:
                texts.append(file.read())
        return "".join(texts)

    # what runs

    def jlist(self):
        return json.loads(self.ok("jlist"))

    def processes(self, name):
        """The entries of an app in `jlist`, by id."""
        found = [entry for entry in self.jlist() if entry["name"] == name]
        return sorted(found, key=lambda entry: entry["pm_id"])

    def pids(self, name):
        return [entry["pid"] for entry in self.processes(name)]

    def states(self, name):
        return [state_of(entry) for entry in self.processes(name)]

    def wait_online(self, name, count=None, limit=20.0):
        """Waits until every process of the app (and `count` of them) is online."""
        def all_online():
            states = self.states(name)
            right = count is None or len(states) == count
            return states and right and set(states) == {"online"}
        try:
            wait_until(all_online, limit)
        except AssertionError:
            raise AssertionError(f"{name} is not online: {self.ok('list')}") from None

    def counter(self, name):
        """A counter of the gateway, summed over its processes."""
        return sum(entry["gwctl"].get("counters", {}).get(name, 0)
                   for entry in self.processes("gateway"))

    def supervisor_pid(self):
        with open(os.path.join(self.path, "gwctl.pid")) as file:
            return int(file.read())

    def kill_supervisor(self):
        """kill -9; returns when its successor answers."""
        old = self.supervisor_pid()

        def replaced():
            try:
                pid = self.supervisor_pid()
            except (OSError, ValueError):
                return False
            return pid != old and process_exists(pid) and self.gwctl("ping").returncode == 0
        os.kill(old, signal.SIGKILL)
        wait_until(replaced, 15, "a new supervisor")

    def left_processes(self):
        """Every process that has this home in its environment."""
        return processes_with("GWCTL_HOME", self.path)

    # the end

    def close(self):
        """Stops everything; returns what is wrong afterwards, as a list of sentences."""
        wrong = []
        if self.left_processes() or os.path.exists(os.path.join(self.path, "control.sock")):
            try:
                done = self.gwctl("kill", limit=60)
                if done.returncode != 0:
                    wrong.append(f"gwctl kill: exit {done.returncode}: {done.stderr}")
            except AssertionError as error:
                wrong.append(str(error))
        try:
            wait_until(lambda: not self.left_processes(), 10)
        except AssertionError:
            left = self.left_processes()
            wrong.append(f"processes are left: {left}")
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for path in glob.glob(os.path.join(self.folder, "sanitizer.*")):
            with open(path, errors="replace") as file:
                wrong.append(f"{os.path.basename(path)}: {file.read()}")
        return wrong

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def state_of(entry):
    return entry["gwctl"]["state"]


def reason_of(entry):
    return entry["gwctl"].get("reason") or ""


def restarts_of(entry):
    return entry["pm2_env"]["restart_time"]


def restart_reasons(entry):
    """Its restarts by reason, without those that there were none of."""
    return {reason: count for reason, count in entry["gwctl"]["restarts"].items() if count}


class Case(unittest.TestCase):
    """A test with a home, in self.home. Shows the supervisor's log when it failed."""

    def run(self, result=None):
        self._result = result
        return super().run(result)

    def setUp(self):
        self.home = Home()
        self.addCleanup(self._end_home)

    def _failed(self):
        bad = self._result.failures + self._result.errors if self._result else []
        return any(test is self for test, _ in bad)

    def _end_home(self):
        wrong = self.home.close()
        if wrong or self._failed():
            log = self.home.read_log("gwctl.log").splitlines()
            print("--- the supervisor's log\n" + "\n".join(log[-80:]), file=sys.stderr)
        self.home.remove()
        if wrong:
            self.fail("\n".join(wrong))


def main():
    """Runs the tests of the calling file: 0 passed, 1 failed, 77 something was skipped."""
    program = unittest.main(verbosity=2, exit=False)
    if not program.result.wasSuccessful():
        sys.exit(1)
    for test, reason in program.result.skipped:
        print(f"skipped: {test}: {reason}", file=sys.stderr)
    sys.exit(EXIT_SKIPPED if program.result.skipped else 0)


# --- ecosystem files -----------------------------------------------------------------------------


def demo_app(**keys):
    """An app entry: the demo app, two instances, each its own port."""
    return {"name": "demo", "script": DEMO, "instances": 2, "port": "auto",
            "ready": {"http": "/healthz", "timeout": "10s", "interval": "50ms"}, **keys}


def demo_gateway(port, **keys):
    """A gateway entry that sends everything to the demo app."""
    return {"instances": 2, "listen": [{"address": f"127.0.0.1:{port}"}],
            "upstreams": {"demo": {"app": "demo"}},
            "routes": [{"id": "all", "path": "/*", "upstream": "demo"}], **keys}


def stub_server(home, name, body):
    """Writes a Python script that serves `body` lines (a handler of `connection`) on $HOST:$PORT."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    return home.write(name, f'''
import os, socket, sys, threading, time
def handle(connection):
{lines}
listener = socket.create_server((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])))
while True:
    threading.Thread(target=handle, args=(listener.accept()[0],), daemon=True).start()
''')


# --- a client ------------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)


def request(port, method="GET", path="/", body=None, headers=None, limit=10.0):
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit)
    try:
        connection.request(method, path, body=body, headers={"Connection": "close",
                                                             **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def get(port, path="/", **kwargs):
    return request(port, "GET", path, **kwargs)


def exchange(port, data, limit=10.0):
    """Sends raw bytes and returns everything that comes back until the peer closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=limit) as connection:
        connection.sendall(data)
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
        return b"".join(pieces)


class KeepAlive:
    """A client that keeps one connection, as a browser does: opens a new one when the server closed
    it or said that it will. A GET that crossed the close of a connection that had rested is sent once
    more, as all clients do (RFC 9112, 9.3.1): nobody can know. Every other request that was sent and
    got no complete answer counts as failed."""

    def __init__(self, port, limit=10.0):
        self.port = port
        self.limit = limit
        self.connection = None
        self.opened = 0

    def _closed_by_peer(self):
        readable, _, _ = select.select([self.connection.sock], [], [], 0)
        return bool(readable)

    def _connect(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.limit)
        self.connection.connect()
        self.opened += 1

    def request(self, method, path, body=None, headers=None):
        if self.connection and (not self.connection.sock or self._closed_by_peer()):
            self.close()
        may_have_crossed = self.connection is not None and method == "GET"
        try:
            return self._request(method, path, body, headers)
        except http.client.RemoteDisconnected:
            self.close()
            if not may_have_crossed:
                raise
            return self._request(method, path, body, headers)

    def _request(self, method, path, body, headers):
        if not self.connection:
            self._connect()
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


class Background:
    """A thread that calls step() until stop(); counts successes and keeps what went wrong.

    step() returns normally (one success) or raises. Between two calls it waits pause() seconds."""

    def __init__(self, step, pause=lambda: 0.0):
        self.done = 0
        self.failures = []
        self._step = step
        self._pause = pause
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stopping.is_set():
            try:
                self._step()
                self.done += 1
            except Exception as error:  # whatever it is, it is this client's failed request
                self.failures.append(f"{type(error).__name__}: {error}")
            self._stopping.wait(self._pause())

    def stop(self):
        """Ends it after the call at hand; returns the failures."""
        self._stopping.set()
        self._thread.join()
        return self.failures


def expect(answer, status=200):
    """Raises unless the answer has this status."""
    if answer.status != status:
        raise AssertionError(f"status {answer.status} instead of {status}: {answer.body[:200]}")
    return answer


# --- load generators -----------------------------------------------------------------------------


class Load:
    """A load generator that runs: .finish() waits for it and returns (answered, failed, output)."""

    def __init__(self, args, parse):
        self._parse = parse
        self._process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, text=True)

    def running(self):
        return self._process.poll() is None

    def stop(self):
        """Asks it to end early, as Ctrl-C does; wrk and ab then print what they have."""
        self._process.send_signal(signal.SIGINT)

    def finish(self, limit=300):
        try:
            output, _ = self._process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
            raise AssertionError(f"the load generator did not end:\n{output}") from None
        answered, failed = self._parse(output)
        return answered, failed, output


def _number(pattern, text, fallback=None):
    found = re.search(pattern, text)
    if found:
        return int(found.group(1))
    if fallback is None:
        raise AssertionError(f"no /{pattern}/ in the load generator's output:\n{text}")
    return fallback


def parse_wrk(text):
    answered = _number(r"(\d+) requests in", text)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failed = sum(map(int, errors.groups())) if errors else 0
    return answered, failed + _number(r"Non-2xx or 3xx responses: (\d+)", text, 0)


def parse_ab(text):
    if "Complete requests" not in text:
        raise AssertionError(f"ab gave up:\n{text}")
    failed = sum(_number(pattern, text, 0) for pattern in
                 (r"Failed requests:\s+(\d+)", r"Write errors:\s+(\d+)",
                  r"Non-2xx responses:\s+(\d+)"))
    return _number(r"Complete requests:\s+(\d+)", text), failed


def parse_h2load(text):
    counts = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, "
                       r"(\d+) failed, (\d+) errored, (\d+) timeout", text)
    if not counts:
        raise AssertionError(f"h2load gave up:\n{text}")
    done, succeeded, failed, errored, timeout = map(int, counts.groups())
    return done, max(failed, errored, timeout, done - succeeded)


def wrk(url, seconds, connections, *options):
    require("wrk")
    return Load(["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--timeout", "10", *options, url],
                parse_wrk)


def ab(url, requests, connections, *options):
    require("ab")
    return Load(["ab", "-q", "-n", str(requests), "-c", str(connections), "-s", "10", *options, url],
                parse_ab)


def h2load(url, requests, connections, *options):
    """HTTP/1.1 keep-alive. By number: with a duration it never ends when a connection is closed in
    the wrong moment (nghttp2's issue 2250)."""
    require("h2load")
    return Load(["h2load", "--h1", "-n", str(requests), "-c", str(connections), "-t1", *options, url],
                parse_h2load)
