"""One supervised gateway worker: the test plays the supervisor, and has its pages."""

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

import pages
from control import Supervisor
from gateway_alone import Client, Upstream
from gwtest import BIN, wait_until


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gateway-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.page = pages.State()
        self.addCleanup(os.close, self.page.fd)
        self.metrics = pages.Metrics()
        self.addCleanup(os.close, self.metrics.fd)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.bind(os.path.join(self.folder, "notify.sock"))
        self.notify.settimeout(20)
        self.slot = self.listening()
        self.port = self.slot.getsockname()[1]
        self.column = 7
        self.keys = {}  # of the gateway in the document
        self.sets = {}
        self.generation = 1
        self.supervisor = Supervisor(self.folder, self.registration)
        self.process = None
        self.log = os.path.join(self.folder, "log")
        self.addCleanup(self.end)

    def listening(self):
        sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        sock.setblocking(False)
        self.addCleanup(sock.close)
        return sock

    def app(self, script):
        """An upstream as an endpoint of the app; its index is that of its creation."""
        upstream = Upstream(script)
        self.addCleanup(upstream.close)
        return upstream

    @staticmethod
    def endpoint(upstream, index):
        return {"name": f"api#{index}", "address": upstream.url.removeprefix("http://"),
                "index": index}

    def registration(self):
        gateway = {"listen": [{"address": "127.0.0.1:1"}], "upstreams": {"api": {"app": "api"}},
                   "routes": [{"path": "/*", "upstream": "api"}], **self.keys}
        api = {"name": "api", "script": "/bin/true", "port": "auto"}
        return {"column": self.column, "document": {"apps": [api], "gateway": gateway},
                "endpoints": {"generation": self.generation, "upstreams": self.sets}}

    def start(self, ready=True):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("GWCTL_", "LISTEN_"))}
        env |= {"GWCTL_HOME": self.folder, "LISTEN_FDS": "3",
                "LISTEN_FDNAMES": "listen.0:state:metrics",
                "NOTIFY_SOCKET": self.notify.getsockname()}
        # LISTEN_PID is the worker's own pid; descriptors from 3 on are made by the shell.
        fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 50)
               for fd in (self.slot.fileno(), self.page.fd, self.metrics.fd)]
        moves = " ".join(f"{3 + n}<&{fd} {fd}<&-" for n, fd in enumerate(fds))
        command = f"exec {moves}; LISTEN_PID=$$ exec {os.path.join(BIN, 'gateway')}"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(["bash", "-c", command], env=env, stderr=log,
                                            stdin=subprocess.DEVNULL, stdout=log, pass_fds=fds)
        for fd in fds:
            os.close(fd)
        if ready:
            self.assertTrue(self.notify.recv(4096).startswith(b"READY=1"))

    def end(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            self.process.terminate()
        status = self.process.wait(20)
        with open(self.log) as log:
            text = log.read()
        self.assertEqual(status, 0, text)
        self.assertNotIn("Sanitizer", text)

    def requests(self, column):
        return self.metrics.column(column).sum("requests")

    def fetch(self, path="/", port=None):
        with Client(port or self.port) as client:
            client.get(path)
            return client.answer()

    def push(self, sets):
        """Pushes new sets and waits for the acknowledgement."""
        self.generation += 1
        self.sets = sets
        self.supervisor.push("endpoints", {"generation": self.generation, "upstreams": sets})
        wait_until(lambda: self.generation in self.supervisor.acked, what="the acknowledgement")
