"""metricsd: the real program on inherited memory that real writers fill."""

import gzip
import math
import os
import shutil
import socket
import subprocess
import unittest

from gwtest import BIN, wait_until
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

    def test_processes(self):
        self.pages("gauges", 5, 17, 3)
        self.pages("endpoint", 5, 2, 4)
        self.pages("connection", 5)  # the column is open
        self.processes = [{"app": "gateway", "id": 9, "role": "gateway", "pid": os.getpid(),
                           "state": "online", "column": 5, "started_ms": 1700000000500,
                           "restarts": {"crash": 2}},
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
                            'gwctl_upstream_in_flight{upstream="api",endpoint="api#0"}': 4,
                            f"gwctl_process_start_time_seconds{{{labels}}}": 1700000000.5,
                            f'gwctl_process_restarts_total{{{labels},reason="crash"}}': 2,
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
        self.processes = [{"app": "cachesvc", "id": 1, "role": "cachesvc", "pid": 0,
                           "state": "online"}]
        self.start()
        metrics = self.metrics()
        self.assertEqual((metrics["gwctl_cache_up"], metrics["gwctl_cache_items"]), (1, 12))
        self.assertEqual(metrics["gwctl_cache_size_bytes"] - metrics["gwctl_cache_used_bytes"],
                         1000)

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
