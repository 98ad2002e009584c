"""metricsd: the real program on inherited memory that real writers fill."""

import gzip
import json
import math
import os
import re
import shutil
import socket
import subprocess
import threading
import unittest
import urllib.parse
import urllib.request

try:
    from prometheus_client.openmetrics import parser as openmetrics
except ImportError:
    openmetrics = None

from gwtest import BIN, free_port, wait_until
from metricsd import Case, Connection


class Serving(Case):
    def test_serves_when_registered_and_ends_on_request(self):
        self.start()
        self.assertEqual(self.supervisor.registered, 1)
        self.assertEqual(self.request("/nothing")[0], 404)
        self.process.terminate()
        self.assertIn(b"STOPPING=1", self.told("STOPPING"))
        self.assertEqual(self.process.wait(20), 0)

    def test_idle_connections_do_not_hold_up_the_end(self):
        self.start()
        connection = Connection(self.path)
        connection.request("GET", "/nothing")
        self.assertEqual(connection.getresponse().read()[:1], b"{")
        self.process.terminate()
        self.assertEqual(self.process.wait(20), 0)
        connection.close()

    def test_asked_to_end_twice(self):
        self.start()
        connection = Connection(self.path)
        connection.connect()
        connection.sock.sendall(b"GET / HTTP/1.1\r\nHo")  # holds it up for a moment
        self.process.terminate()
        self.told("STOPPING")
        self.process.terminate()
        self.assertEqual(self.process.wait(20), 0)
        connection.close()

    def test_errors_are_problems(self):
        self.start()
        status, fields, body = self.request("/api/monitoring/nothing")
        self.assertEqual((status, fields["content-type"], fields["cache-control"]),
                         (404, "application/problem+json", "no-store"))
        self.assertIn(b'"status":404', body)
        status, fields, body = self.request("/api/monitoring/nothing", "HEAD")
        self.assertEqual((status, body), (404, b""))

    def test_too_many_requests(self):
        self.start()
        connection = Connection(self.path)
        statuses = []

        def asked():
            connection.request("GET", "/nothing")
            response = connection.getresponse()
            response.read()
            statuses.append((response.status, response.headers["retry-after"]))
            return statuses[-1][0] == 429
        wait_until(asked)
        self.assertEqual(statuses[-1], (429, "1"))
        self.assertGreaterEqual(len(statuses), 40)
        connection.close()

    def test_bad_peers_end_only_their_connections(self):
        self.start()
        for bytes_ in (b"", b"\0" * 100, b"GET / HTTP/1.1\r\n", b"x" * 600000,
                       b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(20)
                sock.connect(self.path)
                try:
                    sock.sendall(bytes_)
                except OSError:
                    pass
        self.assertEqual(self.request("/nothing")[0], 404)

    def test_supervisor_comes_back(self):
        self.start()
        self.supervisor.die()
        self.assertEqual(self.request("/nothing")[0], 404)
        self.supervisor.listen()
        wait_until(lambda: self.supervisor.registered == 2)
        self.assertEqual(self.request("/nothing")[0], 404)

    def test_killed_and_back(self):
        self.start()
        self.kill()
        self.start()
        self.assertEqual(self.request("/nothing")[0], 404)

    def test_not_started_by_the_supervisor(self):
        self.start(without=("metrics",), ready=False)
        self.assertEqual(self.process.wait(20), 1)
        self.assertIn("not started by gw-supervisor", self.log())
        self.process = None


OPENMETRICS = ("application/openmetrics-text;version=1.0.0,"
               "application/openmetrics-text;version=0.0.1;q=0.75,"
               "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")  # as Prometheus 2.42 asks


class Metrics(Case):
    path_of_metrics = "/api/monitoring/metrics"

    def fill(self):
        self.pages("request", 0, "services", "GET", 200, 3000, 100, 5)
        self.pages("request", 1, "services", "GET", 200, 1000, 100, 2)
        self.pages("request", 1, "services", "POST", 500, 200000, 10, 1)
        self.pages("request", 3, "unmatched", "OTHER", 404, 50, 0, 4)
        self.pages("upstream", 0, "api", "127.0.0.1:9", 200, 2000)
        self.pages("failure", 0, "api", "127.0.0.1:9", 2)
        self.pages("retry", 1, "api")
        self.pages("cache", 0, "services", 0)
        self.pages("cache", 0, "services", 2)
        self.pages("cache", 1, "services", 1)
        self.pages("cache", 1, "services", 3)
        self.pages("connection", 0)

    def check_sums(self, metrics):
        total = metrics["http_requests_total"]
        by_status = sum(value for name, value in metrics.items()
                        if name.startswith("http_requests_by_status"))
        by_route = sum(value for name, value in metrics.items()
                       if name.startswith("gwctl_http_requests_total"))
        self.assertEqual((by_status, by_route), (total, total))

    def test_sums_over_columns(self):
        self.fill()
        self.start()
        metrics = self.metrics()
        self.check_sums(metrics)
        for name, value in {
                "http_requests_total": 12,
                'http_requests_by_status{code="200"}': 7,
                'http_requests_by_status{code="404"}': 4,
                'http_requests_by_status{code="502"}': 0,
                "http_request_duration_seconds_count": 12,
                "http_request_duration_seconds_sum": 0.2172,
                "cache_hit_rate": 66.6666667,
                'gwctl_http_requests_total{route="services",method="GET",code="200"}': 7,
                'gwctl_http_requests_total{route="unmatched",method="OTHER",code="404"}': 4,
                'gwctl_http_request_duration_seconds_bucket{route="services",le="0.001"}': 2,
                'gwctl_http_request_duration_seconds_bucket{route="services",le="0.005"}': 7,
                'gwctl_http_request_duration_seconds_bucket{route="services",le="+Inf"}': 8,
                'gwctl_http_request_duration_seconds_count{route="services"}': 8,
                'gwctl_http_response_bytes_total{route="services"}': 710,
                'gwctl_upstream_requests_total{upstream="api",endpoint="127.0.0.1:9",code="200"}':
                    1,
                'gwctl_upstream_failures_total{upstream="api",endpoint="127.0.0.1:9",'
                'reason="timeout"}': 1,
                'gwctl_upstream_retries_total{upstream="api"}': 1,
                'gwctl_upstream_endpoints{upstream="api"}': 1,
                'gwctl_cache_requests_total{route="services",result="stale"}': 1,
                "gwctl_connections_total": 1}.items():
            self.assertAlmostEqual(metrics[name], value, msg=name)

    def test_columns_that_grow_and_are_taken_over(self):
        self.fill()
        self.start()
        before = self.metrics()
        self.pages("take-over", 1)
        self.fill()
        self.pages("request", 7, "new", "PUT", 201, 10, 0, 1)
        after = self.metrics()
        self.check_sums(after)
        self.assertEqual(after["http_requests_total"], 25)
        for name, value in before.items():
            if not math.isnan(value) and name.endswith("_total"):
                self.assertGreaterEqual(after[name], value, name)

    def test_formats(self):
        self.fill()
        self.start()
        status, fields, text = self.request(self.path_of_metrics)
        self.assertEqual((status, fields["content-type"], fields["vary"]),
                         (200, "text/plain; version=0.0.4; charset=utf-8",
                          "Accept, Accept-Encoding"))
        self.assertIn(b"# TYPE http_requests_by_status untyped\n", text)
        self.assertNotIn(b"# EOF", text)
        status, fields, body = self.request(self.path_of_metrics, Accept=OPENMETRICS)
        self.assertEqual((status, fields["content-type"]),
                         (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
        self.assertIn(b"# TYPE http_requests_by_status unknown\n", body)
        self.assertTrue(body.endswith(b"\n# EOF\n"))
        self.assertEqual(self.samples(text), self.samples(body))

    @staticmethod
    def samples(text):
        return [line.split()[0] for line in text.decode().splitlines() if line[0] != "#"]

    def test_gzip_and_head(self):
        self.fill()
        self.start()
        status, fields, body = self.request(self.path_of_metrics, Accept_Encoding="gzip")
        self.assertEqual((status, fields["content-encoding"]), (200, "gzip"))
        self.assertEqual(int(fields["content-length"]), len(body))
        self.assertIn(b"\nhttp_requests_total 12\n", gzip.decompress(body))
        status, fields, body = self.request(self.path_of_metrics, "HEAD")
        self.assertEqual((status, body), (200, b""))
        self.assertGreater(int(fields["content-length"]), 1000)

    def test_methods(self):
        self.start()
        status, fields, _ = self.request(self.path_of_metrics, "POST")
        self.assertEqual((status, fields["allow"]), (405, "GET, HEAD"))

    def test_every_series_once(self):
        self.fill()
        self.processes = [{"app": "gateway", "id": id_, "role": "gateway", "pid": os.getpid(),
                           "state": "online", "column": id_, "started_ms": 1700000000000,
                           "restarts": {"crash": 1, "reload": 2}} for id_ in (0, 1, 1)]
        self.start()
        names = self.samples(self.get(self.path_of_metrics))
        self.assertEqual(len(names), len(set(names)))

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_promtool(self):
        self.fill()
        self.processes = [{"app": "a b", "id": 4, "pid": os.getpid(), "state": "online"}]
        self.start()
        wait_until(lambda: any("pss" in name for name in self.metrics()))
        text = self.get(self.path_of_metrics)
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, b""))

    @unittest.skipUnless(openmetrics, "prometheus_client is not installed")
    def test_openmetrics_is_strict(self):
        self.fill()  # promtool reads the other format only; this parser refuses what is not allowed
        self.start()
        text = self.request(self.path_of_metrics, Accept=OPENMETRICS)[2].decode()
        families = {family.name: family
                    for family in openmetrics.text_string_to_metric_families(text)}
        self.assertEqual([families[name].type for name in
                          ("http_requests", "http_request_duration_seconds",
                           "http_requests_by_status")], ["counter", "summary", "unknown"])
        self.assertEqual([name for name, family in families.items() if not family.documentation], [])
        self.assertEqual(text.count("\n# TYPE ") + text.startswith("# TYPE"), len(families))

    def test_processes(self):
        self.pages("gauges", 5, 17, 3, 12500)
        self.pages("endpoint", 5, 2, 4)
        self.pages("connection", 5)  # the column is open
        self.processes = [{"app": "gateway", "id": 9, "role": "gateway", "pid": os.getpid(),
                           "state": "online", "column": 5, "started_ms": 1700000000500,
                           "restarts": {"crash": 2}, "log_lines_lost": 7,
                           "memory_limit": 1 << 28},
                          {"app": "cachesvc", "id": 1, "role": "cachesvc", "pid": 0,
                           "state": "stopped"}]
        self.endpoints = {"generation": 1, "upstreams": {
            "api": [{"name": "api#0", "address": "127.0.0.1:1", "index": 2}]}}
        self.start()
        labels = 'app="gateway",id="9"'
        wait_until(lambda: f"gwctl_process_cpu_seconds_total{{{labels}}}" in self.metrics())
        metrics = self.metrics()
        for name, value in {'gwctl_connections_active{worker="9"}': 17,
                            'gwctl_requests_in_flight{worker="9"}': 3,
                            'gwctl_event_loop_lag_seconds{worker="9"}': 0.0125,
                            'gwctl_upstream_in_flight{upstream="api",endpoint="api#0"}': 4,
                            f"gwctl_process_start_time_seconds{{{labels}}}": 1700000000.5,
                            f'gwctl_process_restarts_total{{{labels},reason="crash"}}': 2,
                            f"gwctl_process_log_lines_lost_total{{{labels}}}": 7,
                            f"gwctl_process_memory_limit_bytes{{{labels}}}": 1 << 28,
                            f'gwctl_process_state{{{labels},state="online"}}': 1,
                            f'gwctl_process_state{{{labels},state="errored"}}': 0,
                            "gwctl_cache_up": 0}.items():
            self.assertEqual(metrics[name], value, name)
        self.assertGreater(metrics[f"gwctl_process_pss_bytes{{{labels}}}"], 1 << 20)
        self.assertGreater(metrics[f"gwctl_process_open_fds{{{labels}}}"], 3)
        self.supervisor.push("processes", {"processes": [{"app": "gateway", "id": 9}]})
        wait_until(lambda: f"gwctl_process_cpu_seconds_total{{{labels}}}" not in self.metrics())

    def test_cache_figures(self):
        self.pages("segment", 12, 3456, 1000)
        self.pages("beat", 60000)
        self.processes = [{"app": "cachesvc", "id": 1, "role": "cachesvc", "pid": 0,
                           "state": "online"}]
        self.start()
        metrics = self.metrics()
        self.assertEqual((metrics["gwctl_cache_up"], metrics["gwctl_cache_items"]), (1, 12))
        self.assertEqual(metrics["gwctl_cache_size_bytes"] - metrics["gwctl_cache_used_bytes"],
                         1000)

    def test_a_cache_that_does_not_beat(self):
        self.processes = [{"app": "cachesvc", "id": 1, "role": "cachesvc", "pid": 0,
                           "state": "online"}]
        self.start()
        is_up = lambda: (self.metrics()["gwctl_cache_up"],
                         self.get_json("/api/monitoring/stats")["cache"]["healthy"])
        self.assertEqual(is_up(), (0, False))
        self.pages("beat", 60000)
        self.assertEqual(is_up(), (1, True))
        self.pages("beat", -3001)
        self.assertEqual(is_up(), (0, False))

    def test_every_family_is_documented(self):
        self.start()
        exported = {line.split()[2].decode() for line in self.get(self.path_of_metrics).splitlines()
                    if line.startswith(b"# TYPE")}
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/metrics.md")
        with open(path) as document:
            documented = set(re.findall(r"^\| `(\w+)`", document.read(), re.MULTILINE))
        self.assertEqual(exported - documented, set())
        self.assertEqual(documented - exported, {"gwctl_cache_up"})  # there is no cachesvc

    def test_without_a_cache(self):
        self.start(without=("cache",))
        metrics = self.metrics()
        self.assertNotIn("gwctl_cache_up", metrics)
        self.assertNotIn("gwctl_cache_items", metrics)
        self.assertFalse(any("circuit_breaker_state" in name for name in metrics))

    def test_breaker_of_redis(self):
        for word, state in ((1, 0), (2, 1), (3, 2)):
            self.pages("redis", word)
            if word == 1:
                self.start()
            self.assertEqual(self.metrics()['circuit_breaker_state{name="redis"}'], state)
        self.pages("redis", 77)
        self.assertNotIn('circuit_breaker_state{name="redis"}', self.metrics())

    def test_quantiles_outlive_a_kill(self):
        quantile = 'http_request_duration_seconds{quantile="0.5"}'
        self.start()
        self.assertTrue(math.isnan(self.metrics()[quantile]))
        self.pages("request", 0, "services", "GET", 200, 100000, 0, 100)
        self.assertAlmostEqual(self.metrics()[quantile], 0.1, delta=0.01)
        self.kill()
        self.start()
        self.assertAlmostEqual(self.metrics()[quantile], 0.1, delta=0.01)

    def test_foreign_columns(self):
        """What a worker wrote is no reason to end, or to be anything but well-formed."""
        self.fill()
        self.start()
        self.metrics()
        self.pages("damage", 0)
        self.check_sums(self.metrics())
        self.pages("request", 5, "bad\\x01\"\\name", "GET", 200, 10, 0, 1)
        self.check_sums(self.metrics())


class Documents(Case):
    """The JSON documents, key by key."""

    def fill(self):
        self.pages("request", 0, "services", "GET", 200, 45000, 10, 90)
        self.pages("request", 1, "services", "GET", 304, 45000, 0, 10)
        self.pages("request", 1, "rest", "POST", 500, 450000, 0, 4)
        self.pages("request", 1, "unmatched", "DELETE", 404, 1000, 0, 6)
        for _ in range(3):
            self.pages("cache", 0, "services", 0)
        self.pages("cache", 1, "services", 1)

    def test_stats(self):
        self.fill()
        self.pages("segment", 156, 3456, 1000)
        self.pages("beat", 60000)
        self.pages("redis", 2)
        self.processes = [{"app": "cachesvc", "id": 1, "role": "cachesvc", "state": "online"}]
        self.start()
        stats = self.get_json("/api/monitoring/stats")
        self.assertEqual(list(stats), ["uptime", "requests", "responseTime", "cache",
                                       "circuitBreakers", "window"])
        self.assertEqual(stats["uptime"]["formatted"], "0h 0m")
        self.assertIsInstance(stats["uptime"]["milliseconds"], int)
        self.assertEqual(stats["requests"], {
            "total": 110,
            "byMethod": {"GET": 100, "POST": 4, "DELETE": 6},
            "byStatusCode": {"200": 90, "304": 10, "404": 6, "500": 4},
            "topRoutes": [{"route": "GET /api/services", "count": 100},
                          {"route": "DELETE unmatched", "count": 6},
                          {"route": "POST /*", "count": 4}]})
        times = stats["responseTime"]
        self.assertEqual(list(times), ["average", "min", "max", "p50", "p95", "p99", "unit"])
        self.assertEqual((times["average"], times["min"], times["max"], times["unit"]),
                         (57, 1, 450, "ms"))
        self.assertEqual((times["p50"], times["p95"]), (44, 45))  # within their bucket
        self.assertAlmostEqual(times["p99"], 447, delta=5)
        self.assertEqual(stats["cache"], {"healthy": True, "keys": 156,
                                          "stats": {"hits": 3, "misses": 1, "hitRate": "75.00%"}})
        self.assertEqual(stats["circuitBreakers"], {
            "redis": {"state": "HALF_OPEN", "stats": {"totalRequests": None, "successRate": None}}})
        self.assertEqual(list(stats["window"]), ["1m", "5m", "15m"])

    def test_nothing_counted(self):
        self.start(without=("cache",))
        stats = self.get_json("/api/monitoring/stats")
        self.assertEqual(stats["requests"], {"total": 0, "byMethod": {}, "byStatusCode": {},
                                             "topRoutes": []})
        self.assertEqual(stats["responseTime"], {"average": 0, "min": 0, "max": 0, "p50": 0,
                                                 "p95": 0, "p99": 0, "unit": "ms"})
        self.assertEqual(stats["cache"], {"healthy": False, "keys": 0, "stats": {
            "hits": 0, "misses": 0, "hitRate": "0.00%"}})
        self.assertEqual(stats["circuitBreakers"], {})
        performance = self.get_json("/api/monitoring/performance")
        self.assertEqual(performance["reliability"], {
            "errorRate": "0.00%", "successRate": "100.00%", "errorCount": 0, "successCount": 0})
        self.assertEqual(self.get_json("/api/monitoring/errors"), {"total": 0, "errors": []})

    def test_performance(self):
        self.fill()
        self.start()
        performance = self.get_json("/api/monitoring/performance")
        self.assertEqual(list(performance), ["throughput", "latency", "reliability",
                                             "slowestRoutes", "window"])
        self.assertRegex(performance["throughput"].pop("requestsPerSecond"), r"^\d+\.\d\d$")
        self.assertEqual(performance["throughput"], {"totalRequests": 110, "uptime": "0h 0m"})
        self.assertEqual(list(performance["latency"]), ["average", "p50", "p95", "p99", "unit"])
        self.assertEqual(performance["reliability"], {
            "errorRate": "3.64%", "successRate": "96.36%", "errorCount": 4, "successCount": 106})
        self.assertEqual(performance["slowestRoutes"], [
            {"route": "POST /*", "count": 4, "avgResponseTime": 450},
            {"route": "GET /api/services", "count": 100, "avgResponseTime": 45},
            {"route": "DELETE unmatched", "count": 6, "avgResponseTime": 1}])

    def test_at_most_ten_routes(self):
        for number in range(12):
            self.pages("request", 0, f"r{number:02}", "GET", 200, 1000 * number, 0, number + 1)
            self.pages("request", 0, f"r{number:02}", "PUT", 200, 1000 * number, 0, 1)
        self.start()
        routes = self.get_json("/api/monitoring/stats")["requests"]["topRoutes"]
        self.assertEqual([route["route"] for route in routes],
                         [f"GET r{number:02}" for number in range(11, 1, -1)])
        routes = self.get_json("/api/monitoring/performance")["slowestRoutes"]
        self.assertEqual([(route["route"], route["avgResponseTime"]) for route in routes],
                         [(f"GET|PUT r{number:02}", number) for number in range(11, 1, -1)])

    def test_windows(self):
        self.pages("request", 0, "services", "GET", 200, 45000, 10, 1000)
        self.start()
        self.assertEqual(self.get_json("/api/monitoring/stats")["window"]["1m"], {
            "requests": 0, "requestsPerSecond": "0.00", "errorRate": "0.00%", "p50": 0, "p95": 0,
            "p99": 0})
        self.pages("request", 0, "services", "GET", 200, 20000, 10, 90)
        self.pages("request", 0, "services", "GET", 503, 20000, 10, 10)
        for name, window in self.get_json("/api/monitoring/stats")["window"].items():
            self.assertEqual((window["requests"], window["errorRate"], window["p95"]),
                             (100, "10.00%", 20), name)

    def error(self, column, kind, status, wall_ms, path="/a", agent="curl/8", ip="127.0.0.1"):
        self.pages("error", column, kind, status, "GET", wall_ms, 12345, path, agent, ip)

    def test_errors(self):
        self.pages("request", 0, "services", "GET", 500, 45000, 10, 44)
        self.pages("request", 0, "services", "GET", 404, 45000, 10, 500)
        self.error(0, 0, 500, 1736937000000, "/api/services/999", "Mozilla/5.0...",
                   "192.168.1.100")
        self.error(1, 0, 502, 1736937000002)
        self.error(0, 0, 504, 1736937000001)
        self.error(1, 1, 404, 1736937000003)
        self.start()
        errors = self.get_json("/api/monitoring/errors")
        self.assertEqual(errors["total"], 44)
        self.assertEqual([error["statusCode"] for error in errors["errors"]], [502, 504, 500])
        self.assertEqual(errors["errors"][2], {
            "timestamp": "2025-01-15T10:30:00.000Z", "method": "GET",
            "path": "/api/services/999", "statusCode": 500, "duration": 12,
            "userAgent": "Mozilla/5.0...", "ip": "192.168.1.100"})
        for query, total, statuses in (("class=server&limit=1", 44, [502]),
                                       ("class=client", 500, [404]),
                                       ("limit=2&class=all", 544, [404, 502]),
                                       ("class=all&limit=0", 544, []),
                                       ("class=all&limit=999999", 544, [404, 502, 504, 500])):
            errors = self.get_json(f"/api/monitoring/errors?{query}")
            self.assertEqual((errors["total"], [error["statusCode"] for error in errors["errors"]]),
                             (total, statuses), query)

    def test_errors_of_bad_queries(self):
        self.start()
        for query in ("class=other", "limit=x", "limit=", "limit=-1", "limit=99999999999"):
            self.assertEqual(self.request(f"/api/monitoring/errors?{query}")[0], 400, query)

    def test_at_most_a_hundred_errors(self):
        for column in range(2):
            for number in range(70):
                self.error(column, 0, 500, 1736937000000 + 2 * number + column)
        self.start()
        stamps = [error["timestamp"] for error in
                  self.get_json("/api/monitoring/errors")["errors"]]
        self.assertEqual(len(stamps), 100)
        self.assertEqual(stamps, sorted(stamps, reverse=True))
        self.assertEqual(stamps[0], "2025-01-15T10:30:00.139Z")

    def test_errors_are_made_safe(self):
        self.error(0, 0, 500, 1736937000000, '/a"\\\x1b[31m', "\x7f" * 200, "9" * 90)
        self.start()
        error = self.get_json("/api/monitoring/errors")["errors"][0]
        self.assertEqual((error["path"], error["userAgent"], error["ip"]),
                         ('/a"\\?[31m', "?" * 128, "9" * 48))

    def test_reset(self):
        self.fill()
        self.error(0, 0, 500, 1736937000000)
        self.start()
        before = self.metrics()
        for path in ("/api/monitoring/reset?", "/api/monitoring/reset"):
            status, fields, body = self.request(path, "POST", X_Forwarded_For="192.0.2.7")
            self.assertEqual((status, fields["content-type"]),
                             (200, "application/json; charset=utf-8"))
            self.assertEqual(list(json.loads(body)), ["message", "timestamp"])
        self.assertEqual(self.get_json("/api/monitoring/stats")["requests"]["total"], 0)
        self.assertEqual(self.get_json("/api/monitoring/errors"), {"total": 0, "errors": []})
        after = self.metrics()
        for name, value in before.items():
            if name.startswith(("http_requests", "gwctl_http")):
                self.assertEqual(after[name], value, name)
        wait_until(lambda: len(self.supervisor.events) == 2)
        self.assertEqual(self.supervisor.events[0], {"source": "metrics", "name": "reset",
                                                     "text": "by 192.0.2.7"})
        self.assertIn("metrics: reset by 192.0.2.7", self.log())
        self.pages("request", 3, "services", "GET", 200, 3000, 10, 5)
        self.kill()
        self.start()
        stats = self.get_json("/api/monitoring/stats")
        self.assertEqual(stats["requests"]["topRoutes"],
                         [{"route": "GET /api/services", "count": 5}])
        self.assertEqual((stats["requests"]["total"], stats["responseTime"]["max"]), (5, 3))
        self.assertEqual(stats["cache"]["stats"]["hits"], 0)

    def test_who_has_reset(self):
        self.start()
        fields = ({}, {"X_Forwarded_For": "203.0.113.9, 10.0.0.1, 192.0.2.7"},
                  {"X_Forwarded_For": "x\xff, 192.0.2.7"},
                  {"X_Forwarded_For": "9" * 300 + ", 192.0.2.7"})
        for each in fields:
            self.assertEqual(self.request("/api/monitoring/reset", "POST", **each)[0], 200)
        texts = ["by a local client", "by 192.0.2.7 (X-Forwarded-For: 203.0.113.9, 10.0.0.1)",
                 "by 192.0.2.7 (X-Forwarded-For: x?)",
                 ("by 192.0.2.7 (X-Forwarded-For: " + "9" * 300)[:242]]
        wait_until(lambda: len(self.supervisor.events) == len(texts))
        self.assertEqual([event["text"] for event in self.supervisor.events], texts)
        self.assertIn(f"metrics: reset {texts[1]}", self.log())

    def test_never_below_zero_after_a_reset(self):
        self.fill()
        self.start()
        self.assertEqual(self.request("/api/monitoring/reset", "POST")[0], 200)
        self.pages("damage", 0)
        self.pages("take-over", 0)
        stats = self.get_json("/api/monitoring/stats")
        self.assertEqual(stats["requests"]["total"], 0)

    def test_reset_takes_a_post_only(self):
        self.start()
        status, fields, _ = self.request("/api/monitoring/reset")
        self.assertEqual((status, fields["allow"]), (405, "POST"))

    def test_history(self):
        self.pages("gauges", 5, 17, 3, 12500)
        self.processes = [{"app": "gateway", "id": 9, "role": "gateway", "pid": os.getpid(),
                           "state": "online", "column": 5}]
        self.start()

        def points(name):
            history = self.get_json(f"/api/monitoring/history?series={name},none")
            self.assertEqual((history["step"], len(history["series"]) <= 1), (1, True))
            return {history["from"] + at: point for series in history["series"]
                    for at, point in enumerate(series["points"]) if point is not None}
        before = wait_until(lambda: points("connections"))
        self.assertEqual(set(before.values()), {17})
        self.kill()
        self.start()
        after = wait_until(lambda: len(points("connections")) > len(before)
                           and points("connections"))
        self.assertEqual(before, {at: after[at] for at in before})
        wait_until(lambda: points("memory_bytes"))
        history = self.get_json("/api/monitoring/history")
        names = {series["name"]: series["labels"] for series in history["series"]}
        self.assertEqual(names["memory_bytes"], {"app": "gateway"})
        self.assertEqual(names["requests_in_flight"], {})
        self.assertEqual({len(series["points"]) for series in history["series"]}, {3599})

    def test_history_of_a_day(self):
        self.start()
        history = self.get_json("/api/monitoring/history?range=24h")
        self.assertEqual((history["step"], history["from"] % 60), (60, 0))
        self.assertEqual(self.request("/api/monitoring/history?range=2h")[0], 400)


class Relay:
    """A TCP port that leads to a Unix socket: Prometheus knows no other."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.path)
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one, other):
        with one:
            try:
                while piece := one.recv(65536):
                    other.sendall(piece)
                other.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class Prometheus(Case):
    """A real one takes what it asks for: OpenMetrics, and compressed."""

    def start_prometheus(self, port):
        relay = Relay(self.path)
        self.addCleanup(relay.close)
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w") as out:
            json.dump({"scrape_configs": [{"job_name": "gwctl", "scrape_interval": "1s",
                                           "metrics_path": "/api/monitoring/metrics",
                                           "static_configs": [
                                               {"targets": [f"127.0.0.1:{relay.port}"]}]}]}, out)
        with open(os.path.join(self.folder, "prometheus.log"), "wb") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                 f"--storage.tsdb.path={self.folder}/data"], stdout=log, stderr=log)

        def end():
            process.terminate()
            process.wait(60)
        self.addCleanup(end)

    def query(self, port, text):
        """[(labels, value)], once there is something."""
        url = f"http://127.0.0.1:{port}/api/v1/query?query=" + urllib.parse.quote(text)

        def results():
            try:
                with urllib.request.urlopen(url, timeout=30) as answer:
                    return json.load(answer)["data"]["result"]
            except OSError:
                return None
        found = wait_until(results, limit=60, what=text)
        return [(result["metric"], float(result["value"][1])) for result in found]

    def test_scrapes(self):
        self.pages("request", 0, "services", "GET", 200, 3000, 100, 5)
        self.pages("request", 0, "services", "GET", 503, 3000, 100, 2)
        self.processes = [{"app": 'a"b', "id": 4, "pid": os.getpid(), "state": "online",
                           "restarts": {"crash": 1}}]
        self.start()
        port = free_port()
        self.start_prometheus(port)
        self.assertEqual(self.query(port, "http_requests_total")[0][1], 7)
        self.assertEqual(self.query(port, "up")[0][1], 1)
        self.assertEqual(self.query(port, "sum(http_requests_by_status)")[0][1], 7)
        self.assertEqual(self.query(port, 'http_requests_by_status{code=~"5.."} > 0')[0][1], 2)
        self.assertEqual(self.query(
            port, 'gwctl_http_request_duration_seconds_bucket{le="+Inf"}')[0][1], 7)
        self.assertEqual(self.query(port, "gwctl_process_restarts_total")[0][0]["app"], 'a"b')
        url = f"http://127.0.0.1:{port}/api/v1/targets/metadata?metric=http_requests_by_status"
        with urllib.request.urlopen(url, timeout=30) as answer:
            self.assertEqual(json.load(answer)["data"][0]["type"], "unknown")


class Options(unittest.TestCase):
    def run_with(self, *args):
        done = subprocess.run([os.path.join(BIN, "metricsd"), *args], capture_output=True,
                              text=True, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_help_and_version(self):
        status, out, _ = self.run_with("--help")
        self.assertEqual((status, out[:15]), (0, "Usage: metricsd"))
        status, out, _ = self.run_with("--version")
        self.assertEqual((status, out.split()[0]), (0, "metricsd"))

    def test_unknown_option(self):
        self.assertEqual(self.run_with("--nothing")[0], 2)
        self.assertEqual(self.run_with("nothing")[0], 2)


if __name__ == "__main__":
    unittest.main()
