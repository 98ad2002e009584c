"""The promise: reloads lose no request.

Rolling reloads of the gateway and of the app behind it, under every kind of client that is known to
notice a sloppy one: keep-alive connections that never rest (wrk, h2load), a connection per request
(ab), requests that take two seconds, POSTs (which nobody may repeat), and connections that send only
now and then. What the clients count is compared with what the app counts.
"""

import random
import re
import threading

import gwtest
from gwtest import Background, KeepAlive, demo_app, demo_gateway, expect, free_port

RELOADS = 20
REQUESTS = 30000


class Traffic:
    """All the clients together."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/api/services"
        self.port = port
        self.answered = {}
        self.failed = {}
        self.in_flight_at_end = 0
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.clients = []
        self.threads = [threading.Thread(target=self.repeat, args=args) for args in (
            ("wrk", 6, lambda: gwtest.wrk(self.url, 5, 6)),
            ("ab", 0, lambda: gwtest.ab(self.url, 600, 4)),
            ("h2load", 0, lambda: gwtest.h2load(self.url, 1200, 6)))]
        for thread in self.threads:
            thread.start()
        self.steps = {
            "slow": [Background(self.on_connection(self.slow)) for _ in range(3)],
            "post": [Background(self.on_connection(self.post)) for _ in range(3)],
            "idle": [Background(self.on_connection(self.vendors), lambda: random.uniform(0.1, 3))
                     for _ in range(8)],
        }

    # A round of a load generator ends with requests in flight that the app answers and it does not
    # count: up to one a connection.
    def repeat(self, name, in_flight, start):
        while not self.ended.is_set():
            try:
                answered, failed, output = start().finish()
            except AssertionError as error:
                answered, failed, output = 0, 1, str(error)
            with self.lock:
                self.answered[name] = self.answered.get(name, 0) + answered
                self.in_flight_at_end += in_flight
                if failed:
                    self.failed.setdefault(name, []).append(output)

    def on_connection(self, step):
        client = KeepAlive(self.port, limit=30)
        self.clients.append(client)

        def run():
            try:
                step(client)
            except Exception:
                client.close()
                raise
        return run

    @staticmethod
    def slow(client):
        expect(client.request("GET", "/slow?ms=2000"))

    @staticmethod
    def vendors(client):
        expect(client.request("GET", "/api/vendors"))

    @staticmethod
    def post(client):
        answer = expect(client.request("POST", "/api/services", body='{"name": "new"}'), 201)
        if answer.json()["created"] != {"name": "new"}:
            raise AssertionError(f"not what was sent: {answer.body}")

    def total(self):
        with self.lock:
            return sum(self.answered.values()) + sum(step.done for steps in self.steps.values()
                                                     for step in steps)

    def stop(self):
        self.ended.set()
        for name, steps in self.steps.items():
            for step in steps:
                failures = step.stop()
                if failures:
                    self.failed.setdefault(name, []).extend(failures)
            self.answered[name] = sum(step.done for step in steps)
            for step in steps:
                step.done = 0
        for client in self.clients:
            client.close()
        for thread in self.threads:
            thread.join()


class Reload(gwtest.Case):
    def start(self, **app):
        self.port = free_port()
        self.file = self.write_file(**app)
        self.home.ok("start", self.file)
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)

    def write_file(self, **app):
        return self.home.write("demo.json", {"apps": [demo_app(**app)],
                                             "gateway": demo_gateway(self.port)})

    def answered_by_apps(self):
        """What the apps counted, each in its last line; after they have ended."""
        return sum(map(int, re.findall(r"ends after (\d+) requests",
                                       self.home.read_log("demo-out*.log"))))

    def created_by_apps(self):
        return sum(map(int, re.findall(r"requests, (\d+) created",
                                       self.home.read_log("demo-out*.log"))))

    def roll(self, name, wrong):
        """Reloads an app RELOADS times; each time every process has to be a new one."""
        for _ in range(RELOADS):
            before = set(self.home.pids(name))
            done = self.home.gwctl("reload", name, limit=60)
            after = set(self.home.pids(name))
            if done.returncode != 0:
                wrong.append(f"reload {name}: exit {done.returncode}: {done.stdout}{done.stderr}")
                return
            if before & after:
                wrong.append(f"reload {name}: {before & after} are still there")
            retries = self.home.counter("retries")
            if retries:
                wrong.append(f"reload {name}: {retries} retries")

    def test_twenty_reloads_of_both_lose_nothing(self):
        gwtest.require("wrk", "ab", "h2load")
        self.start()
        traffic = Traffic(self.port)
        wrong = []
        rollers = [threading.Thread(target=self.roll, args=(name, wrong))
                   for name in ("demo", "gateway")]
        for roller in rollers:
            roller.start()
        for roller in rollers:
            roller.join()
        while traffic.total() < REQUESTS and not traffic.failed:
            traffic.ended.wait(0.2)
        traffic.stop()

        self.assertEqual(traffic.failed, {})
        self.assertEqual(wrong, [])
        self.assertEqual(self.home.counter("retries"), 0)
        self.assertEqual(self.home.counter("failures"), 0)
        self.assertGreaterEqual(traffic.total(), REQUESTS)
        self.home.ok("stop", "demo")
        counted = self.answered_by_apps()
        print(f"clients {traffic.answered}, together {traffic.total()}; apps {counted}")
        self.assertGreaterEqual(counted, traffic.total())
        self.assertLessEqual(counted, traffic.total() + traffic.in_flight_at_end)
        self.assertEqual(self.created_by_apps(), traffic.answered["post"])

    def test_a_version_that_never_becomes_ready_changes_nothing(self):
        gwtest.require("wrk", "ab", "h2load")
        self.start()
        before = self.home.pids("demo")
        traffic = Traffic(self.port)
        self.write_file(ready={"http": "/healthz", "timeout": "1s", "interval": "50ms"},
                        env={"DEMO_BROKEN": "never-ready", "DEMO_VERSION": "2"})
        done = self.home.gwctl("reload", self.file, limit=60)
        traffic.stop()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("ready", done.stdout + done.stderr)
        self.assertEqual(self.home.pids("demo"), before)
        self.assertEqual(set(self.home.states("demo")), {"online"})
        self.assertEqual(traffic.failed, {})
        self.assertEqual(self.home.counter("retries"), 0)
        # The old settings are back: a restart runs the version that works.
        self.home.ok("restart", "demo")
        self.home.wait_online("demo", 2)
        self.assertEqual(gwtest.get(self.port, "/healthz").json()["version"], "1")

    def test_a_reload_brings_the_new_version_and_shows_its_progress(self):
        self.start()
        self.write_file(env={"DEMO_VERSION": "2"})
        out = self.home.ok("reload", self.file)
        for slot in ("demo#0", "demo#1"):
            self.assertIn(slot, out)
        versions = {gwtest.get(self.port, "/healthz").json()["version"] for _ in range(8)}
        self.assertEqual(versions, {"2"})

    def test_other_names_of_upstreams_lose_no_request(self):
        port = free_port()
        def write(name):
            gateway = demo_gateway(port, upstreams={name: {"app": "demo"}},
                                   routes=[{"id": "all", "path": "/*", "upstream": name}])
            return self.home.write("demo.json", {"apps": [demo_app()], "gateway": gateway})
        self.home.ok("start", write("first"))
        client = Background(lambda: expect(gwtest.get(port, "/api/vendors")))
        for name in ("second", "third"):
            done = client.done
            self.home.ok("start", write(name))  # reloads the gateway, and nothing else
            gwtest.wait_until(lambda done=done: client.done > done + 10, what="requests afterwards")
        self.assertEqual(client.stop(), [])

    def test_an_app_on_one_fixed_port_is_restarted_instead(self):
        port = free_port()
        file = self.home.write("demo.json", {"apps": [demo_app(instances=1, port=port)]})
        self.home.ok("start", file)
        self.home.wait_online("demo", 1)
        before = self.home.pids("demo")
        self.home.ok("reload", "demo")
        self.home.wait_online("demo", 1)
        self.assertNotEqual(self.home.pids("demo"), before)
        self.assertEqual(gwtest.get(port, "/healthz").status, 200)


if __name__ == "__main__":
    gwtest.main()
