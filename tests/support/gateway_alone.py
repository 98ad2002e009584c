"""One gateway worker by hand (`gateway --config`) between scripted upstreams and raw clients."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from gwtest import BIN, free_port, wait_until

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def read_head(sock, data=b""):
    """Reads up to the empty line. Returns (head, what came behind it); (None, rest) at the end."""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return None, data
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def field(head, name):
    """All values of a header field in a head."""
    wanted = name.lower().encode()
    return [value.strip() for line in head.split(b"\r\n")[1:]
            for key, _, value in [line.partition(b":")] if key.lower() == wanted]


def read_chunked(sock, rest):
    """The decoded body, and what came behind it. EOFError when the last chunk never comes."""
    body = b""

    def more():
        nonlocal rest
        piece = sock.recv(65536)
        if not piece:
            raise EOFError(body)
        rest += piece

    while True:
        while b"\r\n" not in rest:
            more()
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        while len(rest) < size + 2:
            more()
        body += rest[:size]
        assert rest[size:size + 2] == b"\r\n", rest[:40]
        rest = rest[size + 2:]
        if size == 0:
            return body, rest


class Upstream:
    """A server whose every connection runs `script(connection)` in a thread of its own."""

    def __init__(self, script, path=None):
        self.script = script
        self.requests = []  # (head, body) in the order they came
        self.connections = []
        self.lock = threading.Lock()
        if path is None:
            self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
            self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(path)
            self.socket.listen(64)
            self.url = f"unix:{path}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            connection = Connection(self, sock)
            with self.lock:
                self.connections.append(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
        with self.lock:
            for connection in self.connections:
                connection.abandon()


class Connection:
    """One connection at an Upstream."""

    def __init__(self, upstream, sock):
        self.upstream = upstream
        self.sock = sock
        self.rest = b""
        self.gone = threading.Event()  # the gateway closed it

    def run(self):
        try:
            self.upstream.script(self)
        except OSError:
            self.gone.set()
        finally:
            self.abandon()

    def abandon(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def request(self):
        """The next request as (head, body); None when the gateway closed the connection."""
        head, self.rest = read_head(self.sock, self.rest)
        if head is None:
            self.gone.set()
            return None
        length = int((field(head, "content-length") or [b"0"])[0])
        while len(self.rest) < length:
            self.rest += self.sock.recv(65536)
        body, self.rest = self.rest[:length], self.rest[length:]
        with self.upstream.lock:
            self.upstream.requests.append((head, body))
        return head, body

    def send(self, data):
        self.sock.sendall(data)

    def wait_gone(self):
        """Until the gateway closes its side."""
        while True:
            try:
                if not self.sock.recv(65536):
                    break
            except OSError:
                break
        self.gone.set()


def answering(answer):
    """A script: the same answer to each request, on a connection that stays open."""

    def script(connection):
        while connection.request():
            connection.send(answer)

    return script


def answering_once(answer):
    """A script: one answer, then the connection ends."""

    def script(connection):
        if connection.request():
            connection.send(answer)

    return script


class Client:
    """A raw client connection."""

    def __init__(self, port, limit=15.0, receive_buffer=None, host="127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(limit)
        self.rest = b""
        try:
            self.sock.connect((host, port))
        except OSError:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def get(self, path="/", fields=""):
        self.send(f"GET {path} HTTP/1.1\r\nHost: test\r\n{fields}\r\n".encode())

    def head(self):
        """The next head: (status, head)."""
        head, self.rest = read_head(self.sock, self.rest)
        assert head is not None, "the connection ended without an answer"
        return int(head.split()[1]), head

    def answer(self, to_head=False):
        """The next answer: (status, head, body). EOFError when it is not complete."""
        status, head = self.head()
        length = field(head, "content-length")
        if to_head or status in (204, 304):
            body = b""
        elif field(head, "transfer-encoding") == [b"chunked"]:
            body, self.rest = read_chunked(self.sock, self.rest)
        elif length:
            body = self.exactly(int(length[0]))
        else:
            body = self.to_end()
        return status, head, body

    def exactly(self, length):
        while len(self.rest) < length:
            piece = self.sock.recv(65536)
            if not piece:
                raise EOFError(self.rest)
            self.rest += piece
        body, self.rest = self.rest[:length], self.rest[length:]
        return body

    def to_end(self):
        data, self.rest = self.rest, b""
        while True:
            piece = self.sock.recv(65536)
            if not piece:
                return data
            data += piece

    def is_ended(self):
        """Waits for the gateway to end the connection; False when it sends something instead."""
        try:
            return self.rest == b"" and self.sock.recv(1) == b""
        except ConnectionResetError:
            return True


class Gateway:
    """The worker. `upstreams` is {name: [url, ...]} or {name: {...}} as in an ecosystem file."""

    def __init__(self, folder, upstreams, routes=None, apps=(), host="127.0.0.1", **keys):
        self.folder = folder
        self.port = free_port()
        named = {name: {"servers": value} if isinstance(value, list) else value
                 for name, value in upstreams.items()}
        routes = routes or [{"path": "/*", "upstream": name} for name in list(named)[:1]]
        document = {"apps": list(apps),
                    "gateway": {"listen": [{"address": f"{host}:{self.port}"}],
                                "upstreams": named, "routes": routes, **keys}}
        file = os.path.join(folder, "gateway.json")
        with open(file, "w") as out:
            json.dump(document, out)
        self.log_path = os.path.join(folder, "gateway.log")
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("GWCTL_", "LISTEN_", "NOTIFY_"))}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([os.path.join(BIN, "gateway"), "--config", file],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=env)
        wait_until(self.answers, what="the gateway's start")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"gateway: exit {self.process.returncode}\n{self.log()}")
        try:
            with Client(self.port) as client:
                client.get("/health/live")
                return client.answer()[0] == 200
        except OSError:
            return False

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    def client(self, **keys):
        return Client(self.port, **keys)

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self, limit=30.0):
        """The exit status; kills the process when it does not end."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the gateway did not end within {limit} s") from None


class Case(unittest.TestCase):
    """A temporary folder; upstreams and a gateway that are ended with the test. A worker that
    crashed, or that a sanitizer complained about, fails it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gateway-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def upstream(self, script, path=None):
        upstream = Upstream(script, path and os.path.join(self.folder, path))
        self.addCleanup(upstream.close)
        return upstream

    def gateway(self, upstreams, routes=None, **keys):
        gateway = Gateway(self.folder, upstreams, routes, **keys)
        self.addCleanup(self._end, gateway)
        return gateway

    def _end(self, gateway):
        if gateway.process.poll() is None:
            gateway.signal()
            gateway.signal()  # now
        status = gateway.wait()
        self.assertEqual(status, 0, gateway.log())
        self.assertNotIn("Sanitizer", gateway.log())

    def serve(self, script, **keys):
        """An upstream with this script and a gateway before it."""
        upstream = self.upstream(script)
        return upstream, self.gateway({"app": {"servers": [upstream.url], **keys}})

    def fetch(self, gateway, path="/", fields="", **keys):
        """GET on a connection of its own: (status, head, body)."""
        with gateway.client(**keys) as client:
            client.get(path, fields)
            return client.answer()

    def assert_problem(self, answer, status):
        self.assertEqual(answer[0], status, answer)
        self.assertEqual(field(answer[1], "content-type"), [b"application/problem+json"])
        self.assertEqual(json.loads(answer[2])["status"], status)


def unused_port():
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def pause(seconds):
    """For scripts that have to be slow (a slow server is what the test is about)."""
    time.sleep(seconds)
