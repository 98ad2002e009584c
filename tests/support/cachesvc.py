"""cachesvc by hand, redis-server beside it, and a client that sees the bytes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from gwtest import BIN, require, wait_until


def encode(*words):
    """A command as an array of bulk strings."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class ReplyError(str):
    """An error reply."""


class Client:
    """A connection. call() returns values, raw() the very bytes of a reply."""

    def __init__(self, path, limit=30.0):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(limit)
        self.data = b""
        self.at = 0
        try:
            self.sock.connect(path)
        except OSError:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def _more(self):
        piece = self.sock.recv(1 << 20)
        if not piece:
            raise EOFError(self.data[self.at:])
        self.data = self.data[self.at:] + piece
        self.at = 0

    def _line(self):
        while True:
            end = self.data.find(b"\r\n", self.at)
            if end >= 0:
                line = self.data[self.at:end]
                self.at = end + 2
                return line
            self._more()

    def _exactly(self, length):
        pieces = [self.data[self.at:self.at + length]]
        self.at += len(pieces[0])
        left = length - len(pieces[0])
        while left > 0:
            piece = self.sock.recv(min(left, 1 << 20))
            if not piece:
                raise EOFError(b"".join(pieces))
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def read_raw(self):
        line = self._line()
        raw = line + b"\r\n"
        kind, rest = line[:1], line[1:]
        if kind == b"$" and int(rest) >= 0:
            raw += self._exactly(int(rest) + 2)
        elif kind == b"*":
            for _ in range(max(int(rest), 0)):
                raw += self.read_raw()
        return raw

    def read(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ReplyError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._exactly(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        raise AssertionError(f"not a reply: {line!r}")

    def raw(self, *words):
        self.send(encode(*words))
        return self.read_raw()

    def call(self, *words):
        self.send(encode(*words))
        return self.read()

    def is_ended(self):
        """Waits for the server to close the connection; what it sent before is dropped."""
        try:
            while self.sock.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass
        return True


class Process:
    """A server on a socket in `folder`, its output in a file beside it."""

    def __init__(self, folder, name, args, **keys):
        self.path = os.path.join(folder, f"{name}.sock")
        self.log_path = os.path.join(folder, f"{name}.log")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=folder, **keys)

    @property
    def pid(self):
        return self.process.pid

    def wait_answers(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"exit {self.process.returncode}\n{self.log()}")
            try:
                with Client(self.path) as client:
                    return client.call("PING") == "PONG"
            except OSError:
                return False
        wait_until(answers, what=f"{self.path}'s start")
        return self

    def client(self, **keys):
        return Client(self.path, **keys)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self, limit=20.0):
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {limit} s\n{self.log()}") from None


def clean_environment():
    dropped = ("GWCTL_", "LISTEN_", "NOTIFY_", "REDIS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def start_cachesvc(folder, memory="64M", **environment):
    path = os.path.join(folder, "cache.sock")
    args = [os.path.join(BIN, "cachesvc"), "--socket", path, "--memory", memory]
    return Process(folder, "cache", args, env={**clean_environment(), **environment}).wait_answers()


def start_supervised(folder, listener, page, notify=None):
    """As the supervisor does: the page and the socket by LISTEN_FDS, of which fds are given. Whoever
    plays the supervisor listens on control.sock in the folder."""
    code = ("import os, sys\n"
            "page, listener = int(sys.argv[1]), int(sys.argv[2])\n"
            "page, listener = os.dup(page), os.dup(listener)\n"
            "high = [os.dup2(fd, 100 + i) for i, fd in enumerate((page, listener))]\n"
            "os.dup2(high[0], 3)\n"
            "os.dup2(high[1], 4)\n"
            "os.closerange(5, 200)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2',\n"
            "                  LISTEN_FDNAMES='cache:cache.sock')\n"
            "os.execv(sys.argv[3], [sys.argv[3]])\n")
    env = {**clean_environment(), "GWCTL_HOME": folder}
    if notify:
        env["NOTIFY_SOCKET"] = notify
    args = [sys.executable, "-c", code, str(page), str(listener), os.path.join(BIN, "cachesvc")]
    return Process(folder, "cache", args, env=env, pass_fds=(page, listener))


def start_redis(folder, *options):
    """On redis.sock in the folder; an option again replaces one of these."""
    require("redis-server")
    path = os.path.join(folder, "redis.sock")
    args = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--databases", "1",
            "--daemonize", "no", "--dir", folder, *map(str, options)]
    return Process(folder, "redis", args).wait_answers()


class Case(unittest.TestCase):
    """A temporary folder, and servers that end with the test. A cachesvc that crashed, or that a
    sanitizer complained about, fails it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cachesvc-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, server):
        self.addCleanup(self._end, server)
        return server

    def _end(self, server):
        status = server.end()
        self.assertIn(status, (0, -signal.SIGKILL), server.log())
        self.assertNotIn("Sanitizer", server.log())

    def serve(self, **keys):
        return self.keep(start_cachesvc(self.folder, **keys))

    def connect(self, server, **keys):
        client = server.client(**keys)
        self.addCleanup(client.close)
        return client
