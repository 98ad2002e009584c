"""Beside prom-client in an Express cluster of two under PM2: what counting costs a request, and what
the page says afterwards.

The same app, once with prom-client's middleware, once without it behind our gateway, once with
neither. CPU per request is of all processes of a side.
"""

import re
import time
import urllib.request

import measure
import seed
from measure import Servers, median

SCRAPES = 20


def scrape(url):
    start = time.perf_counter()
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    found = re.search(r"^http_requests_total (\d+)", text, re.M)
    return int(found[1]), (time.perf_counter() - start) * 1000


def scrapes(url):
    """What the counter said, least and most, whether it ever went back, and ms a scrape."""
    said, took = zip(*(scrape(url) for _ in range(SCRAPES)))
    falls = sum(later < earlier for earlier, later in zip(said, said[1:]))
    return min(said), max(said), falls, sorted(took)[SCRAPES // 2]


def run(options):
    seed.install()
    with Servers() as servers:
        no_redis = {"REDIS_PORT": ""}
        sides = {}
        for name, env in (("Express, PM2", no_redis),
                          ("Express + prom-client, PM2", {**no_redis, "METRICS": "1"})):
            port, pids, _ = seed.start_pm2(servers, env, name=name.split()[-2].strip("+,"))
            sides[name] = (f"http://127.0.0.1:{port}", pids, "/metrics")
        port, pids, _ = seed.start_gwctl(servers, "gwctl", False)
        sides["Express, gwctl and its gateway"] = (f"http://127.0.0.1:{port}", pids,
                                                   "/api/monitoring/metrics")
        samples = {name: [] for name in sides}
        for url, pids, _page in sides.values():
            servers.wait_for(f"{url}/api/services", url)
            measure.ab(f"{url}/api/services", pids, 1000, 100, True)
        for _ in range(options.rounds):
            for name, (url, pids, _page) in sides.items():
                samples[name].append(
                    measure.ab(f"{url}/api/services", pids, options.requests, 100, True))
        asked = options.rounds * options.requests + 1001
        rows = []
        for name, (url, _pids, page) in sides.items():
            row = [name, f"{median(samples[name], lambda s: s.cpu_us):,.0f}",
                   f"{median(samples[name], lambda s: s.per_second):,.0f}"]
            if "prom-client" in name or "gwctl" in name:
                least, most, falls, took = scrapes(url + page)
                row += [f"{asked:,}", f"{least:,} to {most:,}", str(falls), f"{took:.1f} ms"]
            else:
                row += [""] * 4
            rows.append(row)
        measure.print_table(["side", "CPU µs/request", "requests/s", "requests made",
                             f"`http_requests_total` in {SCRAPES} scrapes", "times it went back",
                             "a scrape"], rows)
