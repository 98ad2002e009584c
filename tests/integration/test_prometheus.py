"""A real Prometheus, with the configuration and the rules that are shipped, scrapes every family
that docs/metrics.md names, and its alerts fire.

The target is an HTTP server of this test that serves tests/prometheus/families.*, in the format
that Prometheus asks for; what it counts and shows can be changed.
"""

import http.server
import os
import re
import threading
import time
import unittest

import gwtest
import prometheus
from gwtest import free_port

PATH = "/api/monitoring/metrics"
FORMATS = {"text/plain; version=0.0.4; charset=utf-8": "families.txt",
           "application/openmetrics-text; version=1.0.0; charset=utf-8": "families.openmetrics"}
TEXT, OPENMETRICS = FORMATS


def golden(name):
    with open(os.path.join(gwtest.ROOT, "tests", "prometheus", name)) as file:
        return file.read()


class Golden:
    """Serves the golden files. `only`: one of FORMATS, whatever is asked for."""

    def __init__(self, case, only=None):
        self.only = only
        self.given = set()  # formats
        self._values = {}
        self._steps = {}
        self._lock = threading.Lock()
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                target._answer(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        case.addCleanup(thread.join)
        case.addCleanup(self._server.server_close)
        case.addCleanup(self._server.shutdown)

    def _answer(self, request):
        first = request.headers["Accept"].partition(",")[0]
        asked = OPENMETRICS if first.startswith("application/openmetrics-text") else TEXT
        kind = self.only or asked
        with self._lock:
            for sample, step in self._steps.items():
                self._values[sample] += step
            body = golden(FORMATS[kind])
            body = prometheus.changed(body, {f"^{re.escape(sample)} .*$": f"{sample} {value}"
                                             for sample, value in self._values.items()})
            self.given.add(kind)
        request.send_response(200 if request.path == PATH else 404)
        request.send_header("Content-Type", kind)
        request.end_headers()
        request.wfile.write(body.encode())

    def show(self, sample, value):
        """From now on a sample has this value."""
        with self._lock:
            self._values[sample] = value

    def serve(self, status, route="rest", method="GET"):
        """From now on there are more answers of a status in each scrape: one request in all the
        places where it is counted."""
        with self._lock:
            for sample in ("http_requests_total", f'http_requests_by_status{{code="{status}"}}',
                           f'gwctl_http_requests_total{{route="{route}",method="{method}",'
                           f'code="{status}"}}'):
                self._steps[sample] = self._steps.get(sample, 0) + 10
                now = re.search(f"(?m)^{re.escape(sample)} (.*)$", golden(FORMATS[TEXT]))[1]
                self._values.setdefault(sample, int(now))


class Case(unittest.TestCase):
    def scrape(self, *targets):
        """A Prometheus that has scraped each of the targets, or tried to."""
        server = prometheus.Prometheus(self, *targets)
        server.wait_for(lambda: server.value("count(up)") == len(targets),
                        what="every target is scraped")
        return server


class Families(Case):
    def test_every_family_is_ingested_with_its_kind(self):
        target = Golden(self)
        server = self.scrape(target.address)
        self.assertEqual(server.targets(), {target.address: ("up", "")})
        self.assertEqual(target.given, {OPENMETRICS})
        self.assertEqual(server.kinds(),
                         {name: kind for name, (kind, _) in prometheus.documented().items()})
        self.check_labels(server)
        self.assertEqual(server.said(), "")

    def check_labels(self, server):
        """Series have the labels that the document says."""
        for name, (kind, labels) in prometheus.documented().items():
            samples = {"histogram": [("_bucket", {"le"}), ("_count", set()), ("_sum", set())],
                       "summary": [("", set()), ("_count", labels), ("_sum", labels)]}
            for suffix, more in samples.get(kind, [("", set())]):
                for series, _ in server.query(name + suffix):
                    self.assertEqual(set(series) - {"__name__", "job", "instance"}, labels ^ more)

    def test_both_formats_give_the_same_series(self):
        targets = {kind: Golden(self, only=kind) for kind in FORMATS}
        server = self.scrape(*(target.address for target in targets.values()))
        series = {}
        for kind, target in targets.items():
            self.assertEqual(server.targets()[target.address], ("up", ""))
            found = server.query(f'{{__name__=~".+", instance="{target.address}", '
                                 f'__name__!~"up|scrape_.*"}}')
            series[kind] = sorted((sorted(labels.items()), value) for labels, value in found
                                  if labels.pop("instance"))
        self.assertEqual(series[TEXT], series[OPENMETRICS])
        self.assertEqual(server.kinds(),
                         {name: kind for name, (kind, _) in prometheus.documented().items()})

    def test_the_sums_agree(self):
        server = self.scrape(Golden(self).address)
        for counted in ("http_requests_by_status", "http_request_duration_seconds_count",
                        "gwctl_http_requests_total", "gwctl_http_request_duration_seconds_count"):
            self.assertEqual(server.value(f"sum({counted})"), server.value("http_requests_total"),
                             counted)


class Alerts(Case):
    def test_errors_fire_the_alert(self):
        target = Golden(self)
        server = self.scrape(target.address)
        target.serve(200)
        server.wait_for(lambda: server.value("rate(http_requests_total[5m]) > 0"))
        seen = server.rules()[0]["lastEvaluation"]
        server.wait_for(lambda: server.rules()[0]["lastEvaluation"] > seen)
        self.assertEqual(server.alerts(), {})
        target.serve(500, method="POST")
        alerts = server.wait_for(lambda: server.alerts().get("HighErrorRate"))
        self.assertEqual([alert["annotations"]["summary"] for alert in alerts],
                         ["High error rate detected"])
        self.assertEqual(alerts[0]["labels"]["severity"], "critical")
        now = time.time()
        for series, points in server.query_range("http_requests_total", now - 30, now, 0.1):
            values = [value for _, value in points]
            self.assertGreater(len(set(values)), 1, series)
            self.assertEqual(values, sorted(values), series)

    def test_every_alert_fires_and_its_text_is_whole(self):
        target = Golden(self)
        for sample, value in (('http_request_duration_seconds{quantile="0.95"}', 1.5),
                              ('circuit_breaker_state{name="redis"}', 2),
                              ('gwctl_upstream_endpoints{upstream="api"}', 0),
                              ('gwctl_process_state{app="api",id="4",state="online"}', 0),
                              ('gwctl_process_state{app="api",id="4",state="errored"}', 1),
                              ('gwctl_process_pss_bytes{app="api",id="5"}', 1 << 30),
                              ("gwctl_cache_up", 0)):
            target.show(sample, value)
        target.serve(500, method="POST")
        nobody = f"127.0.0.1:{free_port()}"
        server = self.scrape(target.address, nobody)
        self.assertEqual(server.targets()[nobody][0], "down")
        target.show('gwctl_process_restarts_total{app="api",id="5",reason="crash"}', 9)
        names = {rule["name"] for rule in server.rules() if rule["type"] == "alerting"}
        server.wait_for(lambda: set(server.alerts()) == names, what=f"all of {names} fire")
        for name, alerts in server.alerts().items():
            self.assertEqual(len(alerts), 1, name)
            self.assertEqual(set(alerts[0]["annotations"]), {"summary", "description"}, name)
            self.assertIn(alerts[0]["labels"]["severity"], ("critical", "warning"), name)
            for text in alerts[0]["annotations"].values():
                self.assertNotRegex(text, r"<no value>|<error|%!|\{\{|\s#|  ", name)


if __name__ == "__main__":
    gwtest.main()
