"""What gateway workers count, in the page that outlives them: that it is what clients have seen,
whoever dies."""

import collections
import os
import random
import signal
import socket

import gwtest
import pages
from gateway_alone import Client, Upstream
from gwtest import Background, free_port, wait_until

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY")
MAX_BODY = 1000


def app(connection):
    """Answers /.../<status>."""
    while request := connection.request():
        line = request[0].split(b"\r\n")[0].decode()
        method, path, _ = line.split(" ")
        status = int(path.partition("?")[0].rpartition("/")[2])
        body = b"" if status in (204, 304) else b"body of " + path.encode()
        length = f"Content-Length: {len(body)}\r\n" if status not in (204, 304) else ""
        connection.send(f"HTTP/1.1 {status} Something\r\n{length}\r\n".encode() +
                        (b"" if method == "HEAD" else body))


class Traffic:
    """A client that asks for anything; what it got, by method and status."""

    def __init__(self, port, seed):
        self.port = port
        self.random = random.Random(seed)
        self.seen = collections.Counter()
        self.lost = 0  # went without an answer
        self.bytes = 0
        self.client = None
        self.background = Background(self.step)

    def choose(self):
        """(method, path, length of the body)"""
        method = self.random.choice(METHODS)
        path = self.random.choice((
            "/a/200", "/a/204", "/a/304", "/a/404", "/a/500", "/a/503", "/cached/200?n=%d" %
            self.random.randrange(5), "/cached/404", "/nowhere", "/health/live", "/a/%00", "/a/../../x",
            "/refused/200"))
        return method, path, self.random.choice((0, 0, 10, MAX_BODY, MAX_BODY + 1, 3 * MAX_BODY))

    def step(self):
        method, path, length = self.choose()
        head = f"{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n"
        try:
            if self.client is None:
                self.client = Client(self.port)
            self.client.send(head.encode() + b"x" * length)
            status, head, body = self.client.answer(to_head=method == "HEAD")
        except (OSError, EOFError, AssertionError):
            self.lost += 1
            self.leave()
            return
        self.seen[method if method in pages.METHODS else "OTHER", status] += 1
        self.bytes += len(body)
        if b"connection: close" in head.lower() or self.random.random() < 0.1:
            self.leave()

    def leave(self):
        if self.client is not None:
            self.client.sock.close()
        self.client = None

    def finish(self, case):
        case.assertEqual(self.background.stop(), [])
        self.leave()


class Counting(gwtest.Case):
    CLIENTS = 4

    def start(self, **keys):
        upstream = Upstream(app)
        self.addCleanup(upstream.close)
        self.port = free_port()
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
        file = self.home.write("gateway.json", {"gateway": {
            "instances": 2, "listen": [{"address": f"127.0.0.1:{self.port}"}], "max_body": MAX_BODY,
            "upstreams": {"app": {"servers": [upstream.url]}, "none": {"servers": [nobody]}},
            "routes": [{"id": "a", "path": "/a/*", "upstream": "app"},
                       {"id": "cached", "path": "/cached/*", "upstream": "app",
                        "cache": {"ttl": "60s"}},
                       {"id": "refused", "path": "/refused/*", "upstream": "none"}], **keys}})
        self.home.ok("start", file)
        self.metrics = pages.Metrics(pages.open_page(self.home.pids("gateway")[0], "gwctl-metrics"))
        self.addCleanup(os.close, self.metrics.fd)

    def counted(self):
        """Requests by method and status."""
        counts = collections.Counter()
        for (_, _, method, status), value in self.metrics.family("requests").items():
            counts[pages.METHODS[method], status] += value
        return +counts

    def by_route(self, route):
        return sum(value for key, value in self.metrics.family("requests").items()
                   if key[0] == route)

    def wait_counted(self, seen):
        try:
            wait_until(lambda: self.counted() == seen)
        except AssertionError:
            self.fail(f"counted {self.counted() - seen} more and {seen - self.counted()} less")

    def run_traffic(self, seed, count, meanwhile=lambda: None):
        clients = [Traffic(self.port, seed + n) for n in range(self.CLIENTS)]
        meanwhile()
        done = lambda: sum(client.background.done for client in clients)
        wait_until(lambda: done() >= count, 60, "the traffic")
        for client in clients:
            client.finish(self)
        return clients

    def test_sums_are_what_clients_saw(self):
        self.start()
        clients = self.run_traffic(1, 1500)
        seen = sum((client.seen for client in clients), collections.Counter())
        self.assertEqual(sum(client.lost for client in clients), 0)
        self.wait_counted(seen)
        total = sum(seen.values())
        self.assertEqual(self.metrics.sum("duration"), total)
        self.assertEqual(self.metrics.sum("response_bytes"), sum(c.bytes for c in clients))
        self.assertEqual(sum(map(self.by_route, ("a", "cached", "refused", "unmatched",
                                                 "gwctl_health"))), total)
        self.assertGreater({key[0] for key, value in self.metrics.family("requests").items()
                            if value > 0}, {"a", "cached", "refused"})
        self.check_tries()

    def check_tries(self):
        answers = self.metrics.family("upstream_requests")
        failures = self.metrics.family("upstream_failures")
        self.assertEqual({key[0] for key in answers}, {"app"})
        self.assertEqual({(key[0], pages.FAILURES[key[2]]) for key in failures},
                         {("none", "connect")})
        refused = sum(value for (route, _, _, status), value
                      in self.metrics.family("requests").items()
                      if route == "refused" and status == 502)
        self.assertEqual(sum(failures.values()), refused)
        app_time = sum(value for key, value in self.metrics.family("upstream_duration").items()
                       if key[0] == "app")
        self.assertEqual(app_time, sum(answers.values()))

    def test_the_cache(self):
        self.start()
        results = lambda: {pages.CACHE_RESULTS[key[2]]: value
                           for key, value in self.metrics.family("cache").items()}
        self.assertEqual(results(), {"hit": 0, "miss": 0})
        count = 1
        while gwtest.get(self.port, "/cached/200?same").headers["X-Cache"] != "HIT":
            count += 1  # it is not stored yet
        for _ in range(4):
            gwtest.get(self.port, "/cached/200?same")
        gwtest.request(self.port, "POST", "/cached/200", body=b"x")
        gwtest.get(self.port, "/a/200")
        wait_until(lambda: sum(results().values()) == count + 5, what=f"the results {results()}")
        self.assertEqual(results()["bypass"], 1)
        self.assertGreaterEqual(results()["hit"], 4)
        self.assertGreaterEqual(results()["miss"], 1)

    def test_nothing_goes_back_when_workers_are_killed(self):
        self.start()
        last = collections.Counter()
        kills = 3

        def kill():
            nonlocal last
            for _ in range(kills):
                before = self.metrics.sum("requests")
                wait_until(lambda: self.metrics.sum("requests") > before + 100, 30)
                last = self.check_grown(last)
                victim = self.home.pids("gateway")[0]
                os.kill(victim, signal.SIGKILL)
                wait_until(lambda: victim not in self.home.pids("gateway"), 20)
                self.home.wait_online("gateway", 2)

        clients = self.run_traffic(100, 1000, kill)
        self.check_grown(last)
        seen = sum((client.seen for client in clients), collections.Counter())
        lost = sum(client.lost for client in clients)
        self.assertLessEqual(lost, kills * self.CLIENTS)
        # Of what was under way at a kill nobody knows: an answer that was not counted, or the
        # other way round.
        wait_until(lambda: abs(self.metrics.sum("requests") - sum(seen.values())) <=
                   kills * self.CLIENTS)
        for key, count in seen.items():
            self.assertLessEqual(abs(self.counted()[key] - count), kills * self.CLIENTS)

    def check_grown(self, last):
        now = self.counted()
        self.assertEqual(last - now, collections.Counter())
        return now

    def test_the_last_errors(self):
        self.start(monitoring={"hash_addresses": True})
        gwtest.get(self.port, "/a/404?secret=1", headers={"User-Agent": "tester/1"})
        gwtest.get(self.port, "/refused/200")
        gwtest.exchange(self.port, b"GET /a/%00 HTTP/1.1\r\nHost: x\r\n\r\n")
        errors = lambda kind: [error for column in self.metrics.columns()
                               for error in column.errors(kind)]
        wait_until(lambda: len(errors("server") + errors("client")) == 3)
        (server,) = errors("server")
        self.assertEqual((server["method"], server["path"], server["status"]),
                         ("GET", "/refused/200", 502))
        client = {error["path"]: error for error in errors("client")}
        self.assertEqual(set(client), {"/a/404", "/a/%00"})
        self.assertEqual((client["/a/404"]["user_agent"], client["/a/404"]["status"]),
                         ("tester/1", 404))
        addresses = {error["ip"] for error in (server, *client.values())}
        self.assertEqual(len(addresses), 1)
        self.assertRegex(addresses.pop(), "^[0-9a-f]{16}$")


if __name__ == "__main__":
    gwtest.main()
