"""The access log: a line about each request, in two forms, and nobody who waits for it."""

import json
import os
import re
import signal

import gateway_alone
import gwtest
import pages
from gateway_alone import OK, answering
from gwtest import free_port, wait_until

LINE = re.compile(
    r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z Worker ID (?P<worker>\S+) (?P<method>\S+) (?P<path>\S+) "
    r"(?P<status>\d+) (?P<ms>\d+\.\d{3}) ms (?P<bytes>\d+) B (?P<ip>\S+) (?P<cache>\S+) "
    r"route=(?P<route>\S+) upstream=(?P<upstream>\S+)$")


class Alone(gateway_alone.Case):
    def lines(self, gateway, count):
        """That many lines about what is no health check."""
        def found():
            lines = [line for line in gateway.log().splitlines()
                     if ("Worker ID" in line or line.startswith("{")) and "/health/" not in line]
            return lines if len(lines) >= count else None
        lines = wait_until(found, what=f"{count} lines in {gateway.log()}")
        self.assertEqual(len(lines), count)
        return lines

    def start(self, **keys):
        upstream = self.upstream(answering(OK))
        gateway = self.gateway({"app": [upstream.url]},
                               [{"id": "all of it", "path": "/a/*", "upstream": "app"}], **keys)
        return upstream, gateway

    def test_text(self):
        upstream, gateway = self.start()
        self.fetch(gateway, "/a/services?token=secret", "User-Agent: tester\r\n")
        self.fetch(gateway, "/nowhere")
        gwtest.exchange(gateway.port, b'GET /a/"\\%00 HTTP/1.1\r\nHost: x\r\n\r\n')
        gwtest.exchange(gateway.port, b"GET http://x/a/y?secret=2 HTTP/1.1\r\nHost: x\r\n"
                                      b"Connection: close\r\n\r\n")
        gwtest.exchange(gateway.port, b"GET http://u:secret@x/a/z#secret HTTP/1.1\r\nHost: x\r\n\r\n")
        lines = [LINE.match(line) for line in self.lines(gateway, 5)]
        self.assertTrue(all(lines), gateway.log())
        served, nowhere, refused, absolute, password = lines
        self.assertEqual(absolute.group("path", "status"), ("/a/y", "200"))
        self.assertEqual(password.group("path", "status"), ("/a/z", "400"))
        self.assertEqual(served.group("worker", "method", "path", "status", "bytes", "ip", "cache",
                                      "route", "upstream"),
                         ("-", "GET", "/a/services", "200", "2", "127.0.0.1", "-", r"all\x20of\x20it",
                          upstream.url))
        self.assertEqual(nowhere.group("path", "status", "route", "upstream"),
                         ("/nowhere", "404", "unmatched", "-"))
        self.assertEqual(refused.group("path", "status", "route"),
                         (r"/a/\x22\x5c%00", "400", "unmatched"))
        self.assertNotIn("secret", gateway.log())

    def test_json(self):
        upstream, gateway = self.start(access_log="json")
        self.fetch(gateway, "/a/services?x", "User-Agent: \"tester\" \\ 1\r\n")
        (line,) = self.lines(gateway, 1)
        entry = json.loads(line)
        self.assertEqual(list(entry), ["time", "worker", "method", "path", "status", "duration_ms",
                                       "bytes", "ip", "cache", "route", "upstream", "endpoint",
                                       "user_agent"])
        self.assertRegex(entry.pop("time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertGreater(entry.pop("duration_ms"), 0)
        self.assertEqual(entry, {
            "worker": None, "method": "GET", "path": "/a/services", "status": 200, "bytes": 2,
            "ip": "127.0.0.1", "cache": None, "route": "all of it", "upstream": "app",
            "endpoint": upstream.url, "user_agent": r"\x22tester\x22 \x5c 1"})

    def test_none(self):
        _, gateway = self.start(access_log=False)
        self.fetch(gateway, "/a/b")
        self.fetch(gateway, "/nowhere")
        self.assertNotIn("/a/b", gateway.log())


class Supervised(gwtest.Case):
    def start(self, **keys):
        upstream = gateway_alone.Upstream(answering(OK))
        self.addCleanup(upstream.close)
        self.port = free_port()
        file = self.home.write("gateway.json", {"gateway": {
            "instances": 2, "listen": [{"address": f"127.0.0.1:{self.port}"}],
            "upstreams": {"app": {"servers": [upstream.url]}},
            "routes": [{"id": "all", "path": "/*", "upstream": "app", "cache": {"ttl": "60s"}}],
            **keys}})
        self.home.ok("start", file)

    def test_every_worker_says_who_it_is(self):
        self.start()
        for _ in range(4):
            gwtest.get(self.port, "/cached")
        log = lambda: self.home.ok("logs", "gateway", "--lines", "100", "--nostream")
        lines = lambda: re.findall(r"Worker ID (\d+) GET /cached 200 .* (MISS|HIT) route=all "
                                   r"upstream=(\S+)", log())
        wait_until(lambda: len(lines()) == 4, what=f"four lines in {log()}")
        ids = {str(entry["pm_id"]) for entry in self.home.processes("gateway")}
        self.assertLessEqual({worker for worker, _, _ in lines()}, ids)
        self.assertEqual(sorted((cache, upstream == "-") for _, cache, upstream in lines()),
                         [("HIT", True)] * 3 + [("MISS", False)])

    def test_a_reader_that_stands_still_stops_nobody(self):
        self.start(instances=1)
        supervisor = self.home.supervisor_pid()
        metrics = pages.Metrics(pages.open_page(self.home.pids("gateway")[0], "gwctl-metrics"))
        self.addCleanup(os.close, metrics.fd)
        dropped = lambda: metrics.sum("access_log_dropped")
        os.kill(supervisor, signal.SIGSTOP)
        self.addCleanup(os.kill, supervisor, signal.SIGCONT)
        client = gwtest.KeepAlive(self.port)
        self.addCleanup(client.close)
        requests = 0
        while dropped() < 10:
            self.assertEqual(client.request("GET", "/cached/" + "x" * 900).status, 200)
            requests += 1
            self.assertLess(requests, 5000, "no line was dropped")
        self.assertEqual(client.request("GET", "/cached/last").status, 200)


if __name__ == "__main__":
    gwtest.main()
