"""metricsd with inherited memory that a helper fills, and a supervisor played by the test."""

import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from control import Supervisor
from gwtest import BIN, wait_until

PAGES = os.path.join(os.path.dirname(os.path.abspath(BIN)), "tests", "metrics_pages")


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.socket_path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.socket_path)


class Pages:
    """The helper (metrics_pages.c): call it as pages("request", 0, "api", ...)."""

    NAMES = ("metrics", "state", "history", "cache")

    def __init__(self):
        self.process = subprocess.Popen([PAGES], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        numbers = self.process.stdout.readline().split()
        self.fds = {name: os.open(f"/proc/{self.process.pid}/fd/{number}", os.O_RDWR)
                    for name, number in zip(self.NAMES, numbers)}

    def __call__(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer == "ok\n", answer

    def close(self):
        for fd in self.fds.values():
            os.close(fd)
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Case(unittest.TestCase):
    """A home with a control socket, pages, and a metricsd once start() is called."""

    document = {"apps": [], "gateway": {
        "listen": [{"address": "127.0.0.1:1"}],
        "upstreams": {"api": {"servers": ["http://127.0.0.1:9"]}},
        "routes": [{"id": "services", "path": "/api/services", "upstream": "api"},
                   {"id": "rest", "path": "/*", "upstream": "api"}]}}

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="metricsd-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.pages = Pages()
        self.addCleanup(self.pages.close)
        self.endpoints = {"generation": 1, "upstreams": {}}
        self.processes = []
        self.supervisor = Supervisor(self.folder, self.registration)
        self.addCleanup(self.supervisor.die)
        self.path = os.path.join(self.folder, "metrics.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.listener.close)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.bind(os.path.join(self.folder, "notify.sock"))
        self.notify.settimeout(20)
        self.log_path = os.path.join(self.folder, "log")
        self.process = None
        self.addCleanup(self.end)

    def registration(self):
        return {"document": self.document, "endpoints": self.endpoints,
                "processes": self.processes}

    def start(self, without=(), ready=True):
        descriptors = {name: fd for name, fd in self.pages.fds.items() if name not in without}
        descriptors["metrics.sock"] = self.listener.fileno()
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("GWCTL_", "LISTEN_"))}
        env |= {"GWCTL_HOME": self.folder, "LISTEN_FDS": str(len(descriptors)),
                "LISTEN_FDNAMES": ":".join(descriptors), "NOTIFY_SOCKET": self.notify.getsockname()}
        # LISTEN_PID is the process's own pid; descriptors from 3 on are made by the shell.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 50) for fd in descriptors.values()]
        moves = " ".join(f"{3 + i}<&{fd} {fd}<&-" for i, fd in enumerate(high))
        command = f"exec {moves}; LISTEN_PID=$$ exec {os.path.join(BIN, 'metricsd')}"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(["bash", "-c", command], env=env, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, pass_fds=high)
        for fd in high:
            os.close(fd)
        if ready:
            self.assertIn(b"READY=1", self.told("READY"))

    def told(self, what):
        """The next message to the supervisor that begins with this word."""
        while True:
            message = self.notify.recv(4096)
            if message.startswith(what.encode()):
                return message

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def end(self):
        """A metricsd that crashed, or that a sanitizer complained about, fails the test."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        self.assertEqual(status, 0, self.log())
        self.assertNotIn("Sanitizer", self.log())

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def request(self, path, method="GET", **fields):
        """(status, fields, body); names of fields with _ for -."""
        connection = Connection(self.path)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): value
                                                      for name, value in fields.items()})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get(self, path, **fields):
        """The body of a 200; an answer 429 is asked again."""
        answers = []

        def answered():
            answers.append(self.request(path, **fields))
            return answers[-1][0] != 429
        wait_until(answered)
        self.assertEqual(answers[-1][0], 200, answers[-1])
        return answers[-1][2]

    def get_json(self, path, **fields):
        return json.loads(self.get(path, **fields))

    def metrics(self, **fields):
        """{sample with its labels: value} of a scrape."""
        text = self.get("/api/monitoring/metrics", **fields).decode()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))}
