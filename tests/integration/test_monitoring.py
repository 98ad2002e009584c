"""/api/monitoring: who gets through to metricsd, which the test plays, and what the others hear."""

import hashlib
import os
import unittest

import gateway_worker
from gateway_alone import Client, Upstream, answering, field
from gwtest import wait_until

TOKEN = "correct horse battery staple"
SHA256 = hashlib.sha256(TOKEN.encode()).hexdigest()
BEARER = f"Authorization: Bearer {TOKEN}\r\n"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\nrequests'


class Monitoring(gateway_worker.Case):
    def setUp(self):
        super().setUp()
        self.api = self.app(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\napp"))
        self.sets = {"api": [self.endpoint(self.api, 0)]}

    def begin(self, script=answering(ANSWER), **keys):
        """A worker, and a metricsd unless the script is None."""
        self.keys = keys
        if script:
            self.metricsd = Upstream(script, os.path.join(self.folder, "metrics.sock"))
            self.addCleanup(self.metricsd.close)
        self.start()

    def ask(self, path="/api/monitoring/metrics", fields="", method="GET", host="localhost"):
        with Client(self.port) as client:
            client.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n".encode())
            return client.answer(to_head=method == "HEAD")

    def status(self, *args, **keys):
        return self.ask(*args, **keys)[0]

    def test_who_is_here_gets_through(self):
        self.begin()
        status, head, body = self.ask("/api/monitoring/metrics?x=1", "Accept: text/plain\r\n")
        self.assertEqual((status, body), (200, b"requests"))
        self.assertIn(b"no-store", field(head, "cache-control")[0])
        (request, _), = self.metricsd.requests
        self.assertTrue(request.startswith(b"GET /api/monitoring/metrics?x=1 HTTP/1.1\r\n"))
        self.assertEqual(field(request, "x-forwarded-for"), [b"127.0.0.1"])
        self.assertEqual(field(request, "accept"), [b"text/plain"])
        self.assertEqual(self.status(method="HEAD"), 200)
        self.assertEqual(self.ask("/api/monitoring2")[2], b"app")
        self.assertEqual(self.api.requests[0][0].split(b" ")[1], b"/api/monitoring2")

    def test_who_comes_through_a_proxy_does_not(self):
        self.begin()
        for name in ("X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1", "Via: 1.1 x",
                     "X_Forwarded_For: x"):
            status, head, _ = self.ask(fields=f"{name}\r\n")
            self.assertEqual((status, field(head, "www-authenticate")), (403, []), name)
        self.assertEqual(self.status("/api/x/../monitoring/stats", "Via: 1.1 x\r\n"), 403)
        self.assertEqual(self.metricsd.requests, [])

    def test_who_comes_through_nginx_without_settings_does_not(self):
        self.begin()
        with Client(self.port) as client:  # what its proxy_pass alone makes of a request
            client.send(f"GET /api/monitoring/stats HTTP/1.0\r\nHost: 127.0.0.1:{self.port}\r\n"
                        "Connection: close\r\nUser-Agent: curl/8\r\n\r\n".encode())
            self.assertEqual(client.answer()[0], 403)
        self.assertEqual(self.metricsd.requests, [])

    def test_a_name_that_anybody_can_have(self):
        self.begin()
        for host in (f"evil.example:{self.port}", f"myhost:{self.port}", "127.0.0.1.evil.example"):
            status, head, body = self.ask(host=host)
            self.assertEqual((status, field(head, "content-type")),
                             (421, [b"application/problem+json"]), host)
            self.assertIn(b"http://localhost", body)
        reset = "/api/monitoring/reset"
        self.assertEqual(self.status(reset, method="POST", host="evil.example"), 421)
        self.assertEqual(self.metricsd.requests, [])
        for host in (f"localhost:{self.port}", f"127.0.0.1:{self.port}", "[::1]", "a.localhost"):
            self.assertEqual(self.status(host=host), 200, host)
        with Client(self.port) as client:
            client.send(b"GET /api/monitoring/stats HTTP/1.0\r\n\r\n")
            self.assertEqual(client.answer()[0], 200)
        self.assertEqual(self.ask("/", host="evil.example")[2], b"app")

    def test_the_token_is_enough_by_any_name(self):
        self.begin(monitoring={"token_sha256": SHA256})
        self.assertEqual(self.status(host="myhost"), 421)
        self.assertEqual(self.status(host="myhost", fields=BEARER), 200)

    def test_the_token(self):
        self.begin(monitoring={"token_sha256": SHA256})
        status, head, _ = self.ask(fields="Via: 1.1 x\r\n")
        self.assertEqual((status, field(head, "www-authenticate")), (401, [b"Bearer"]))
        self.assertEqual(self.status(fields="Via: 1.1 x\r\nAuthorization: Bearer no\r\n"), 401)
        self.assertEqual(self.status(fields=f"Via: 1.1 x\r\n{BEARER}"), 200)
        self.assertEqual(self.status(), 200)

    def test_reset(self):
        reset = "/api/monitoring/reset"
        self.begin(monitoring={"token_sha256": SHA256})
        self.assertEqual(self.status(reset, method="POST"), 401)
        self.assertEqual(self.status(reset, BEARER, method="POST"), 200)
        for path, method, allow in ((reset, "GET", b"POST"),
                                    ("/api/monitoring/stats", "POST", b"GET, HEAD")):
            status, head, _ = self.ask(path, BEARER, method)
            self.assertEqual((status, field(head, "allow")), (405, [allow]))
        self.assertEqual(len(self.metricsd.requests), 1)

    def test_a_reset_says_for_whom_it_is(self):
        self.begin(monitoring={"token_sha256": SHA256})
        said = "X-Forwarded-For: 203.0.113.9\r\n"
        self.assertEqual(self.status("/api/monitoring/reset", BEARER + said, "POST"), 200)
        self.assertEqual(field(self.metricsd.requests[0][0], "x-forwarded-for"),
                         [b"203.0.113.9, 127.0.0.1"])
        self.assertEqual(self.ask("/", BEARER + said)[2], b"app")
        self.assertEqual(field(self.api.requests[0][0], "x-forwarded-for"), [b"127.0.0.1"])

    def test_reset_without_a_token(self):
        self.begin()
        self.assertEqual(self.status("/api/monitoring/reset", method="POST"), 200)
        self.assertEqual(self.status("/api/monitoring/reset", "Origin: http://x\r\n", "POST"), 403)

    def test_without_metricsd(self):
        self.begin(script=None)
        status, head, _ = self.ask()
        self.assertEqual((status, field(head, "retry-after"), field(head, "content-type")),
                         (503, [b"1"], [b"application/problem+json"]))
        self.assertEqual(self.fetch("/health/ready")[0], 200)
        self.assertEqual(self.fetch("/")[0], 200)

    def test_it_is_no_upstream_like_others(self):
        self.begin()
        self.assertEqual(self.status(), 200)
        self.assertEqual(self.fetch("/health/ready")[2].count(b"metricsd"), 0)
        column = lambda: self.metrics.column(7)
        wait_until(lambda: column().sum("requests") == 2, what="the count")
        routes = {key[0]: value for key, value in column().family("requests").items() if value}
        self.assertEqual(routes, {"gwctl_monitoring": 1, "gwctl_health": 1})
        self.assertEqual(column().sum("upstream_requests"), 0)
        self.assertTrue(self.metricsd.connections[0].gone.wait(20))


if __name__ == "__main__":
    unittest.main(verbosity=2)
