"""The page of a gateway with so many routes that it has 10,000 series.

Two workers; every route was asked once at each. Times are of the whole page over a Unix socket, from
metricsd itself, which takes no part in requests and asks nobody.
"""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import time

import measure
from measure import Failed, Servers

ROUTES, SCRAPES = 560, 15  # more is asked too often
ACCEPT = {"text 0.0.4": "text/plain", "OpenMetrics": "application/openmetrics-text"}


class Client(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path):
        super().__init__("metrics", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def page(self, accept):
        self.request("GET", "/api/monitoring/metrics", headers={"Accept": accept})
        answer = self.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failed(f"the page: {answer.status}")
        return body


def start(servers):
    origin, gateway = measure.free_port(), measure.free_port()
    os.mkdir(os.path.join(servers.folder, "www"))
    with open(os.path.join(servers.folder, "www", "index.html"), "w") as page:
        page.write("x")
    values = {"origin": origin, "folder": servers.folder}
    servers.start("origin", ["nginx", "-p", servers.folder, "-c",
                             servers.config("nginx-origin.conf", values)])
    servers.wait_for(f"http://127.0.0.1:{origin}/index.html", "origin")
    file = os.path.join(servers.folder, "scrape.json")
    with open(file, "w") as config:
        json.dump({"gateway": {
            "instances": 2, "listen": [{"address": f"127.0.0.1:{gateway}"}],
            "upstreams": {"origin": {"servers": [f"http://127.0.0.1:{origin}"]}},
            "routes": [{"id": f"route-{i}", "path": f"/r{i}/*", "upstream": "origin",
                        "rewrite": "/*"} for i in range(ROUTES)]}}, config)
    env = {**os.environ, "GWCTL_HOME": os.path.join(servers.folder, "home")}
    gwctl = os.path.join(measure.BIN, "gwctl")
    servers.callback(subprocess.run, [gwctl, "kill"], env=env, stdout=subprocess.DEVNULL)
    subprocess.run([gwctl, "start", file], env=env, check=True, stdout=subprocess.DEVNULL)
    listing = json.loads(subprocess.run([gwctl, "jlist"], env=env, check=True,
                                        stdout=subprocess.PIPE).stdout)
    pids = {name: [entry["pid"] for entry in listing if entry["name"] == name]
            for name in ("gateway", "metricsd")}
    return gateway, os.path.join(env["GWCTL_HOME"], "metrics.sock"), pids


def time_scrape(client, accept):
    start_s = time.perf_counter()
    client.page(accept)
    return (time.perf_counter() - start_s) * 1000


def run(_options):
    with Servers() as servers:
        gateway, sock, pids = start(servers)
        for _ in range(6):  # new connections, so that each worker gets some
            urls = [f"http://127.0.0.1:{gateway}/r{i}/index.html" for i in range(ROUTES)]
            subprocess.run(["curl", "-s", "-o", "/dev/null", *urls], check=True,
                           stdout=subprocess.DEVNULL)
        client, rows = Client(sock), []
        for name, accept in ACCEPT.items():
            page = client.page(accept).decode()
            series = len(re.findall(r"^[^#\n]", page, re.M))
            if series < 10000:
                raise Failed(f"only {series} series")
            before = measure.cpu_ns(pids["gateway"])
            took = [time_scrape(client, accept) for _ in range(SCRAPES)]
            workers = (measure.cpu_ns(pids["gateway"]) - before) / 1e6 / SCRAPES
            rows.append([name, f"{series:,}", f"{len(page) / 2**20:.2f} MB",
                         f"{statistics.median(took):.1f} ms", f"{max(took):.1f} ms",
                         f"{workers:.2f} ms"])
        measure.print_table(["format", "series", "size", "a scrape", "the slowest",
                             "CPU of the workers meanwhile, a scrape"], rows)
        measure.print_memory({"metricsd": pids["metricsd"][0]})
