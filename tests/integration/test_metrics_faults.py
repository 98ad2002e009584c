"""Numbers stay right whoever dies: workers and metricsd are killed and stopped under load, while a
real Prometheus looks on."""

import http.client
import os
import random
import signal

import time

import exposition
import gwtest
import prometheus
from gwtest import Background, KeepAlive, demo_app, demo_gateway, free_port, get, wait_until

KILLS = 100
COUNTERS = ("http_requests_total", "http_request_duration_seconds_count",
            "http_request_duration_seconds_sum", "http_requests_by_status")
PAGE = "/api/monitoring/metrics"


class Scraper:
    """Looks at the page again and again; remembers what went wrong with it."""

    def __init__(self, port):
        self.port = port
        self.before = {}
        self.pages = 0
        self.wrong = []

    def step(self):
        try:
            answer = get(self.port, PAGE, limit=10)
        except OSError:  # a worker was killed that had just this request in hand
            return
        if answer.status == 200:
            self.check(exposition.parse(answer.body.decode()))

    def check(self, page):
        self.pages += 1
        total = page["http_requests_total", ()]
        sums = {"by status": exposition.total(page, "http_requests_by_status"),
                "by code": exposition.total(page, "gwctl_http_requests_total")}
        self.wrong += [f"{name} {value}, total {total}" for name, value in sums.items()
                       if value != total]
        for key, value in page.items():
            is_counter = key[0] in COUNTERS or key[0].endswith(("_total", "_count", "_bucket"))
            if key[0] == "gwctl_process_cpu_seconds_total":  # begins anew with the process
                continue
            if is_counter and value < self.before.get(key, 0):
                self.wrong.append(f"{key} went back from {self.before[key]} to {value}")
        missing = self.before.keys() - page.keys()
        self.wrong += [f"{key} is gone" for key in missing if key[0] in COUNTERS]
        self.before = page


class Client:
    """Asks for the same over and over; counts what it was answered."""

    def __init__(self, case, port, expected=(200,)):
        self.expected = expected
        self.connection = KeepAlive(port)
        case.addCleanup(self.connection.close)
        self.answered = 0
        self.failed = 0

    def step(self):
        try:
            answer = self.connection.request("GET", "/api/services")
            assert answer.status in self.expected, answer.status
            self.answered += 1
        except (OSError, http.client.HTTPException):
            self.failed += 1
            self.connection.close()


class Case(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        at_once = {"min_uptime": "1ms", "exp_backoff_restart_delay": "1ms"}
        file = self.home.write("demo.json", {
            "apps": [demo_app()], "metricsd": at_once,
            "gateway": demo_gateway(self.port, instances=2, **at_once)})
        self.home.ok("start", file)
        self.home.wait_online("gateway", 2)
        self.home.wait_online("metricsd", 1)

    def page(self):
        answer = get(self.port, PAGE, limit=10)
        self.assertEqual(answer.status, 200, answer.body)
        return exposition.parse(answer.body.decode())

    def kill(self, name):
        victim = random.choice(self.home.pids(name))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in self.home.pids(name), what=f"a new {name}")
        self.home.wait_online(name)


class Faults(Case):
    def test_killed_again_and_again(self):
        scraper, clients = Scraper(self.port), [Client(self, self.port) for _ in range(3)]
        running = [Background(scraper.step, lambda: 0.1)]  # more often is refused
        running += [Background(client.step) for client in clients]
        for number in range(KILLS):
            self.kill("gateway" if number % 4 else "metricsd")
        wait_until(lambda: scraper.pages > KILLS / 4, what="pages")
        for each in running:
            each.stop()
        self.assertEqual(scraper.wrong, [])
        answered = sum(client.answered for client in clients)
        counted = exposition.total(self.page(), "gwctl_http_requests_total", route="all", code="200")
        # Of each client a kill hits one request at the most: answered and not counted, or counted
        # and, for all it knows, not answered.
        self.assertLessEqual(abs(counted - answered), KILLS * len(clients))
        self.assertGreater(answered, KILLS)

    def test_a_stopped_metricsd_holds_nobody_up(self):
        pid = self.home.pids("metricsd")[0]
        client = Client(self, self.port)
        running = Background(client.step)
        before = exposition.total(self.page(), "http_requests_total")
        os.kill(pid, signal.SIGSTOP)
        try:
            done = client.answered
            wait_until(lambda: client.answered > done + 100, what="requests meanwhile")
            # As much as the socket's queue holds, each of which waits in vain.
            for _ in range(3):
                self.assertIn(get(self.port, PAGE, limit=30).status, (503, 504))
        finally:
            os.kill(pid, signal.SIGCONT)
        running.stop()
        self.assertEqual(client.failed, 0)
        self.assertGreaterEqual(exposition.total(self.page(), "http_requests_total"),
                                before + client.answered)
        self.assertEqual(self.home.pids("metricsd"), [pid])


class SeenByPrometheus(Case):
    KILLS = 20

    def setUp(self):
        gwtest.require("prometheus")
        super().setUp()
        self.prometheus = prometheus.Prometheus(self, f"127.0.0.1:{self.port}")

    def test_rates_do_not_jump(self):
        client = Client(self, self.port)
        running = Background(client.step)
        self.prometheus.wait_for(lambda: self.prometheus.value("sum(http_requests_total)"))
        begin = time.time()
        for number in range(self.KILLS):
            self.kill("gateway" if number % 2 else "metricsd")
            scraped = self.prometheus.value("sum(http_requests_total)")
            self.prometheus.wait_for(
                lambda: (self.prometheus.value("sum(http_requests_total)") or 0) > scraped)
        running.stop()
        took = time.time() - begin
        for name in (*COUNTERS, "gwctl_http_requests_total", "gwctl_upstream_requests_total",
                     "gwctl_http_request_duration_seconds_bucket"):
            with self.subTest(name):
                self.assertEqual(self.prometheus.value(f"max(resets({name}[10m]))"), 0)
        (_, rates), = self.prometheus.query_range("sum(rate(http_requests_total[5s]))", begin,
                                                  begin + took, 0.5)
        # Scrapes count as well, and what one sees late comes at once; a fall would show as the
        # whole total within five seconds.
        self.assertLess(max(rate for _, rate in rates), 3 * client.answered / took + 50)

    def test_errors_of_a_gateway_fire_the_shipped_alert(self):
        client = Client(self, self.port, expected=(200, 503))
        running = Background(client.step)
        self.prometheus.wait_for(lambda: self.prometheus.value("sum(http_requests_total)"))
        self.home.ok("stop", "demo")
        self.prometheus.wait_for(lambda: "HighErrorRate" in self.prometheus.alerts(),
                                 what="the alert HighErrorRate")
        self.assertEqual(running.stop(), [])


if __name__ == "__main__":
    gwtest.main()
