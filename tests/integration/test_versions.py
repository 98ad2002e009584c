"""Programs one version apart work together while the new ones are rolled in."""

import os
import subprocess

import gwtest
import programs
from exposition import parse, total
from gwtest import Background, expect, free_port, get, wait_until

APP = '''
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Cache-Control", "public, max-age=600")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''
LOOKS = 8  # so many requests meet every worker


class Versions(programs.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.home.write("app.py", APP)
        self.home.ok("start", self.home.write("versions.json", {
            "apps": [{"name": "app", "script": "app.py", "port": "auto"}],
            "gateway": {"instances": 2, "listen": [{"address": f"127.0.0.1:{self.port}"}],
                        "upstreams": {"app": {"app": "app"}}, "cache": {},
                        "routes": [{"id": "all", "path": "/*", "upstream": "app"}]},
            "cachesvc": {"memory": "16M"}}))
        self.home.wait_online("gateway", 2)
        self.wait_verdict("HIT")
        self.clients = [Background(lambda: expect(get(self.port, "/asked"))) for _ in range(2)]

    def tearDown(self):
        self.assertEqual([client.stop() for client in self.clients], [[], []])
        for name in ("gateway", "cachesvc", "metricsd"):
            crashes = [entry["gwctl"]["restarts"]["crash"] for entry in self.home.processes(name)]
            self.assertEqual(set(crashes), {0}, name)

    def wait_verdict(self, verdict):
        wait_until(lambda: {get(self.port, "/page").headers["X-Cache"] for _ in range(LOOKS)} ==
                   {verdict}, what=verdict)

    def roll(self, name, folder):
        self.take_from(folder, name)
        self.home.ok("reload", name)
        self.home.wait_online(name)

    def requests(self):
        """How many metricsd knows of; its process must be known to itself in any case."""
        scraped = subprocess.run(
            ["curl", "-sS", "--unix-socket", os.path.join(self.home.path, "metrics.sock"),
             "http://localhost/api/monitoring/metrics"], capture_output=True, text=True, check=True)
        samples = parse(scraped.stdout)
        self.assertGreater(total(samples, "gwctl_process_rss_bytes"), 0)
        return total(samples, "gwctl_http_requests_total")

    def wait_counted(self):
        before = self.requests()
        wait_until(lambda: self.requests() > before, what="requests that are counted")

    def test_cachesvc_first(self):
        self.roll("cachesvc", gwtest.NEXT)
        self.wait_verdict("MISS")
        self.roll("gateway", gwtest.NEXT)
        self.wait_verdict("HIT")

    def test_gateway_first(self):
        self.roll("gateway", gwtest.NEXT)
        self.wait_verdict("MISS")
        self.roll("cachesvc", gwtest.NEXT)
        self.wait_verdict("HIT")

    def test_metricsd_first(self):
        self.wait_counted()
        before = self.requests()
        self.roll("metricsd", gwtest.NEXT)
        self.assertEqual(self.requests(), 0)
        self.roll("metricsd", self.built)
        self.assertGreaterEqual(self.requests(), before)

    def test_workers_before_metricsd(self):
        self.wait_counted()
        self.roll("gateway", gwtest.NEXT)
        before = self.requests()
        wait_until(lambda: self.clients[0].done > 100, what="requests")
        self.assertEqual(self.requests(), before)
        self.roll("gateway", self.built)
        self.wait_counted()


if __name__ == "__main__":
    gwtest.main()
