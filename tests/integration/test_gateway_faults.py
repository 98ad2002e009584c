"""What clients see when workers and upstreams fail."""

import json
import os
import signal
import socket
import threading
import time

import gwtest
from gwtest import ab, demo_app, demo_gateway, expect, free_port, get, wait_until

# The promise: whatever happens to a worker, no new connection waits longer than this.
CONNECTION_LIMIT = 1.0


class WorkerFaults(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        file = self.home.write("demo.json", {"apps": [demo_app()],
                                             "gateway": demo_gateway(self.port)})
        self.home.ok("start", file)
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)

    def probe(self):
        """A new connection with a request that the gateway answers by itself, timed as a whole.
        Returns the seconds; raises when it failed (it may have been in flight in a worker)."""
        start = time.monotonic()
        expect(get(self.port, "/health/live", limit=10))
        return time.monotonic() - start

    def test_a_killed_worker_fails_only_what_it_had_in_hand(self):
        stopped = threading.Event()
        late, failed, done = [], [], []

        def knock():
            while not stopped.is_set():
                try:
                    seconds = self.probe()
                    done.append(seconds)
                    if seconds > CONNECTION_LIMIT:
                        late.append(seconds)
                except OSError as error:
                    failed.append(error)

        clients = [threading.Thread(target=knock) for _ in range(4)]
        for client in clients:
            client.start()
        kills = 5
        for _ in range(kills):
            victim = self.home.pids("gateway")[0]
            before = len(done)
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: victim not in self.home.pids("gateway"), what="a new worker")
            self.home.wait_online("gateway", 2)
            wait_until(lambda: len(done) > before + 20, what="requests after the kill")
        stopped.set()
        for client in clients:
            client.join()
        self.assertEqual(late, [])
        # Each of the four clients has at most one request in flight when a worker dies.
        self.assertLessEqual(len(failed), kills * len(clients))
        self.assertGreater(len(done), 100)

    def test_a_stopped_worker_keeps_no_new_connection_waiting(self):
        victim = self.home.pids("gateway")[0]
        os.kill(victim, signal.SIGSTOP)
        self.addCleanup(self.continue_process, victim)
        # Enough connections that the frozen worker's socket gets its share of them.
        late = []
        for _ in range(40):
            seconds = self.probe()
            if seconds > CONNECTION_LIMIT:
                late.append(seconds)
        self.assertEqual(late, [])
        self.continue_process(victim)
        self.home.wait_online("gateway", 2)
        for _ in range(10):
            self.probe()

    @staticmethod
    def continue_process(pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass

    def test_a_crash_looping_worker_under_ab(self):
        """One worker is killed each time it is back; ab opens a connection for every request."""
        ended = threading.Event()
        slot = self.home.processes("gateway")[0]["pm_id"]
        kills = []

        def crash_loop():
            while not ended.is_set():
                for entry in self.home.processes("gateway"):
                    if entry["pm_id"] == slot and gwtest.state_of(entry) == "online" and \
                            entry["pid"]:
                        os.kill(entry["pid"], signal.SIGKILL)
                        kills.append(entry["pid"])
                ended.wait(0.1)

        looper = threading.Thread(target=crash_loop)
        looper.start()
        concurrency = 4
        # -r: go on after a connection that broke; that one counts as failed.
        answered, failed, output = ab(f"http://127.0.0.1:{self.port}/api/vendors", 3000,
                                      concurrency, "-r").finish()
        late = [seconds for seconds in (self.probe_or_zero() for _ in range(20))
                if seconds > CONNECTION_LIMIT]
        ended.set()
        looper.join()
        self.assertEqual(answered, 3000, output)
        self.assertGreater(len(kills), 0)
        # ab counts a broken connection up to three times (receive, length, exception).
        self.assertLessEqual(failed, 3 * concurrency * len(kills), output)
        self.assertEqual(late, [])
        longest = [line for line in output.splitlines() if "(longest request)" in line][0]
        self.assertLessEqual(int(longest.split()[1]), CONNECTION_LIMIT * 1000, output)

    def probe_or_zero(self):
        try:
            return self.probe()
        except OSError:
            return 0.0  # in flight in the worker that was killed

    def test_an_app_that_crashes_is_a_502_and_serves_on(self):
        answer = get(self.port, "/crash")
        self.assertEqual(answer.status, 502)
        wait_until(lambda: sum(map(gwtest.restarts_of, self.home.processes("demo"))) == 1)
        self.home.wait_online("demo", 2)
        self.assertEqual(get(self.port, "/api/vendors").status, 200)

    def test_a_client_that_leaves_cancels_its_request(self):
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            client.sendall(b"GET /slow?ms=60000 HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_until(lambda: self.home.counter("in_flight") == 1, what="a request in flight")
        wait_until(lambda: self.home.counter("in_flight") == 0, what="the end of the request")


class UpstreamFaults(gwtest.Case):
    def start(self, servers, **upstream):
        self.port = free_port()
        self.home.ok("start", self.home.write("gateway.json", {"gateway": {
            "instances": 1, "listen": [{"address": f"127.0.0.1:{self.port}"}],
            "upstreams": {"other": {"servers": servers, **upstream}},
            "routes": [{"path": "/*", "upstream": "other"}]}}))
        self.home.wait_online("gateway", 1)

    def check_problem(self, answer, status):
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        problem = json.loads(answer.body)
        self.assertEqual(problem["status"], status)
        # Nothing about the inside: no address, no path of a program, no errno text.
        for word in (b"127.0.0.1", b"ECONN", b"refused", b".c:", b"errno", b"upstream.c"):
            self.assertNotIn(word, answer.body)

    def serve(self, handle):
        """A server in this process: handle(connection, request head) for each request."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def one(connection):
            with connection:
                try:
                    handle(connection, connection.recv(65536))
                except OSError:
                    pass

        def accept():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=one, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def test_an_upstream_that_is_down_is_502(self):
        self.start([f"http://127.0.0.1:{free_port()}"])
        self.check_problem(get(self.port), 502)

    def test_an_upstream_without_an_answer_is_504(self):
        ended = threading.Event()
        self.addCleanup(ended.set)
        self.start([self.serve(lambda connection, head: ended.wait(30))],
                   first_byte_timeout="200ms")
        self.check_problem(get(self.port), 504)

    def test_answers_that_are_not_http_are_502(self):
        for nonsense in (b"not http at all\r\n\r\n",
                         b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
                         b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
                         b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc",
                         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"):
            with self.subTest(nonsense=nonsense):
                url = self.serve(lambda connection, head, text=nonsense: connection.sendall(text))
                home = self.home
                home.gwctl("delete", "all")
                self.start([url])
                self.check_problem(get(self.port), 502)

    def test_truncated_answers_are_never_complete(self):
        for text in (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n"):
            with self.subTest(text=text):
                url = self.serve(lambda connection, head, text=text: connection.sendall(text))
                self.home.gwctl("delete", "all")
                self.start([url])
                raw = gwtest.exchange(self.port, b"GET / HTTP/1.1\r\nHost: x\r\n"
                                                 b"Connection: close\r\n\r\n")
                head, _, body = raw.partition(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 502 "):
                    continue  # it knew before it had passed anything on
                complete = body.endswith(b"0\r\n\r\n") if b"chunked" in head.lower() else \
                    b"content-length: " + str(len(body)).encode() in head.lower()
                self.assertFalse(complete, raw)

    def test_one_date_and_no_hop_by_hop_fields(self):
        url = self.serve(lambda connection, head: connection.sendall(
            b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 2\r\n"
            b"Connection: x-private\r\nX-Private: yes\r\nX-Kept: yes\r\n\r\nok"))
        self.start([url])
        answer = get(self.port)
        self.assertEqual(len(answer.headers.get_all("Date")), 1)
        self.assertIsNone(answer.headers.get("X-Private"))
        self.assertEqual(answer.headers.get("X-Kept"), "yes")
        self.assertEqual(answer.body, b"ok")

    def test_a_unix_socket_as_upstream(self):
        path = os.path.join(self.home.folder, "app.sock")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)
        listener.listen()

        def one():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        threading.Thread(target=one, daemon=True).start()
        self.start([f"unix:{path}"])
        self.assertEqual(get(self.port).body, b"ok")

    def test_a_stale_keep_alive_connection_is_no_failure(self):
        """The upstream closes each connection after its answer without having said so."""
        url = self.serve(lambda connection, head: connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        self.start([url])
        for _ in range(50):
            self.assertEqual(get(self.port).status, 200)

    def test_a_large_body_arrives_whole(self):
        body = os.urandom(3_000_000)
        url = self.serve(lambda connection, head: connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body))
        self.start([url])
        answer = get(self.port)
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.body == body, f"{len(answer.body)} bytes, or other ones")


class BadRequests(gwtest.Case):
    """Heads that two servers may read differently end here."""

    def test_ambiguous_heads_are_400(self):
        port = free_port()
        self.home.ok("start", self.home.write("demo.json", {"apps": [demo_app(instances=1)],
                                                            "gateway": demo_gateway(port)}))
        self.home.wait_online("gateway", 2)
        for head in (b"GET / HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                     b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /../x HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET foo HTTP/1.1\r\nHost: a\r\n\r\n",
                     b"GET / HTTP/1.1\nHost: a\n\n"):
            with self.subTest(head=head):
                answer = gwtest.exchange(port, head)
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:100])
        self.assertEqual(get(port, "/api/vendors").status, 200)


if __name__ == "__main__":
    gwtest.main()
