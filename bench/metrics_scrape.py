"""The page of a gateway with so many routes that it has 10,000 series.

Two workers; every route was asked once at each. Times are of the whole page over a Unix socket, from
metricsd itself, which takes no part in requests and asks nobody.
"""

import statistics
import subprocess
import time

import measure
import metrics_home
from measure import Failed, Servers

ROUTES, SCRAPES = 560, 15  # more is asked too often
ACCEPT = {"text 0.0.4": "text/plain", "OpenMetrics": "application/openmetrics-text"}


def time_scrape(page, accept):
    start_s = time.perf_counter()
    page.read(accept)
    return (time.perf_counter() - start_s) * 1000


def run(_options):
    with Servers() as servers:
        gateway, page, pids = metrics_home.start(servers, routes=[
            {"id": f"route-{i}", "path": f"/r{i}/*", "upstream": "origin", "rewrite": "/*"}
            for i in range(ROUTES)])
        for _ in range(6):  # new connections, so that each worker gets some
            urls = [f"http://127.0.0.1:{gateway}/r{i}/index.html" for i in range(ROUTES)]
            subprocess.run(["curl", "-s", "-o", "/dev/null", *urls], check=True,
                           stdout=subprocess.DEVNULL)
        rows = []
        for name, accept in ACCEPT.items():
            text = page.read(accept)
            series = metrics_home.count_series(text)
            if series < 10000:
                raise Failed(f"only {series} series")
            before = measure.cpu_ns(pids["gateway"])
            took = [time_scrape(page, accept) for _ in range(SCRAPES)]
            workers = (measure.cpu_ns(pids["gateway"]) - before) / 1e6 / SCRAPES
            rows.append([name, f"{series:,}", f"{len(text) / 2**20:.2f} MB",
                         f"{statistics.median(took):.1f} ms", f"{max(took):.1f} ms",
                         f"{workers:.2f} ms"])
        measure.print_table(["format", "series", "size", "a scrape", "the slowest",
                             "CPU of the workers meanwhile, a scrape"], rows)
        measure.print_memory({"metricsd": pids["metricsd"][0]})
