"""A cached answer beside the stack that is replaced: Express + ioredis + Redis under PM2 cluster.

`ab -c 100` with and without keep-alive against GET /api/services, 2.3 KB that both sides have
cached before. The same app under both, two processes of it, and no rate limit anywhere. CPU time
of all processes of a side is summed:

  pm2    PM2 and its cluster; the app's own middleware finds the answer in Redis; redis-server
  gwctl  supervisor, keeper, cachesvc, gateway, which finds the answer in the segment; the app, which
         is not asked
"""

import time
import urllib.request

import measure
import seed
from measure import Failed, Servers, median

CONNECTIONS = 100


def wait_for_hit(url, name, limit=10):
    """Waits until the answer comes from the cache (it is stored behind the answer); returns it."""
    deadline = time.monotonic() + limit
    while True:
        with urllib.request.urlopen(url, timeout=5) as answer:
            if answer.headers["X-Cache"] == "HIT":
                return answer.read()
        if time.monotonic() > deadline:
            raise Failed(f"{name} does not cache {url}: X-Cache: {answer.headers['X-Cache']}")
        time.sleep(0.05)


def start_sides(servers):
    """Starts both, with their answers cached; returns {name: (url, pids)}."""
    started = {"pm2": seed.start_pm2(servers, {"NO_LIMIT": "1"}),
               "gwctl": seed.start_gwctl(servers, "plain", False, {"ttl": "600s"})}
    sides, bodies = {}, set()
    for name, (port, pids, _) in started.items():
        url = f"http://127.0.0.1:{port}/api/services"
        servers.wait_for(url, name)
        bodies.add(wait_for_hit(url, name))
        sides[name] = (url, pids)
    if len(bodies) != 1:
        raise Failed("the sides do not serve the same")
    return sides


def times_less(sides, samples, keep_alive):
    """How many times less CPU gwctl takes: median, least and greatest."""
    taken = {name: samples[name, keep_alive] for name in sides}
    return measure.ratios(taken["pm2"], taken["gwctl"])


def print_result(sides, samples):
    rows = []
    for keep_alive in (True, False):
        for name in sides:
            taken = samples[name, keep_alive]
            ratio = "1"
            if name == "gwctl":
                ratio = "{:.1f} ({:.1f} to {:.1f})".format(
                    *times_less(sides, samples, keep_alive))
            rows.append([f"`ab -c {CONNECTIONS}{' -k' if keep_alive else ''}`", name,
                         f"{median(taken, lambda s: s.cpu_us):,.1f}", ratio,
                         f"{median(taken, lambda s: s.per_second):,.0f}",
                         f"{median(taken, lambda s: s.percentiles_ms[50]):.0f} ms",
                         f"{median(taken, lambda s: s.percentiles_ms[99]):.0f} ms"])
    measure.print_table(["load", "side", "CPU µs/request", "times less CPU", "requests/s", "p50",
                         "p99"], rows)
    if measure.failures(samples):
        raise Failed(f"{measure.failures(samples)} requests failed")


def run(options):
    seed.install()
    with Servers() as servers:
        sides = start_sides(servers)
        print(f"{options.rounds} interleaved rounds of {options.requests} requests; medians.\n")
        print_result(sides, seed.run_rounds(sides, options.rounds, options.requests, CONNECTIONS))
