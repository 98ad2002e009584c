"""The health endpoints: their shapes, key by key, and what takes a worker out of a balancer."""

import json
import os
import re
import signal

import cachesvc
import gateway_alone
import gateway_worker
import gwtest
from gateway_alone import OK, answering, field
from gwtest import demo_gateway, free_port, wait_until

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
MEGABYTES = re.compile(r"^\d+\.\d\d MB$")
DRAFT = "Accept: application/health+json\r\n"

STATUS = {
    "status": "healthy",
    "uptime": {"milliseconds": int, "seconds": int, "minutes": int, "hours": int,
               "formatted": re.compile(r"^\d+h \d+m$")},
    "memory": {"heapUsed": MEGABYTES, "heapTotal": MEGABYTES, "rss": MEGABYTES,
               "external": MEGABYTES, "arrayBuffers": "0.00 MB"},
    "cache": {"healthy": bool, "keys": int, "memory": MEGABYTES,
              "stats": {"hits": int, "misses": int, "hitRate": re.compile(r"^\d+\.\d\d%$")}},
    "checks": {"app": {"healthy": True}},
    "version": re.compile(r"^\d+\.\d+\.\d+$"), "nodeVersion": None,
    "runtime": re.compile("^native "), "pid": int}


class Shape:
    """Mixed into tests: a document is like a pattern of values, types and expressions."""

    def assert_like(self, value, pattern, where=""):
        if isinstance(pattern, dict):
            self.assertEqual(list(value), list(pattern), where)
            for key in pattern:
                self.assert_like(value[key], pattern[key], f"{where}.{key}")
        elif isinstance(pattern, list):
            self.assertEqual(len(value), len(pattern), where)
            for one, wanted in zip(value, pattern):
                self.assert_like(one, wanted, where + "[]")
        elif isinstance(pattern, re.Pattern):
            self.assertRegex(value, pattern, where)
        elif isinstance(pattern, type):
            self.assertIs(type(value), pattern, where)
        else:
            self.assertEqual(value, pattern, where)


class Alone(gateway_alone.Case, Shape):
    def start(self, **keys):
        upstream = self.upstream(answering(OK))
        return self.gateway({"app": {"servers": [upstream.url]}, **keys},
                            [{"path": "/*", "upstream": "app"}],
                            apps=[{"name": "api", "script": "/bin/true", "port": "auto"}])

    def ask(self, gateway, name, fields="", status=200):
        got, head, body = self.fetch(gateway, f"/health/{name}", fields)
        self.assertEqual(got, status, body)
        self.assertEqual(field(head, "cache-control"), [b"no-store"])
        wanted = b"application/health+json" if fields == DRAFT else b"application/json"
        self.assertEqual(field(head, "content-type"), [wanted])
        return json.loads(body)

    def test_shapes(self):
        gateway = self.start()
        self.assert_like(self.ask(gateway, "live"), {"status": "alive", "timestamp": TIME})
        self.assert_like(self.ask(gateway, "startup"), {"status": "started", "timestamp": TIME})
        self.assert_like(self.ask(gateway, "ready"), {
            "status": "ready", "checks": {"app": {"healthy": True, "message": "1 endpoint"}},
            "timestamp": TIME})
        status = self.ask(gateway, "status")
        self.assert_like(status, STATUS)
        self.assertEqual(status["pid"], gateway.process.pid)
        self.assertFalse(status["cache"]["healthy"])  # there is none

    def test_the_drafts_shapes(self):
        gateway = self.start()
        general = {"status": "pass", "version": STATUS["version"], "serviceId": "gwctl-gateway"}
        for name in ("live", "startup"):
            self.assert_like(self.ask(gateway, name, DRAFT), general)
        for name in ("ready", "status"):
            self.assert_like(self.ask(gateway, name, DRAFT), general | {"checks": {
                "app:availability": [{"componentType": "component", "status": "pass", "time": TIME}],
                "uptime": [{"componentType": "system", "status": "pass", "time": TIME,
                            "observedValue": int, "observedUnit": "s"}]}})

    def test_who_prefers_json_gets_json(self):
        gateway = self.start()
        for accept in ("*/*", "application/json", "application/health+json;q=0",
                       "application/health+json;q=0.5, application/json"):
            self.assertEqual(
                self.ask(gateway, "live", f"Accept: {accept}\r\n")["status"], "alive", accept)

    def test_something_critical_is_away(self):
        gateway = self.start(other={"app": "api"})
        for name, word in (("ready", "not ready"), ("status", "unhealthy")):
            document = self.ask(gateway, name, status=503)
            self.assertEqual(document["status"], word)
            self.assertFalse(document["checks"]["other"]["healthy"])
            self.assertTrue(document["checks"]["app"]["healthy"])
        draft = self.ask(gateway, "ready", DRAFT, 503)
        self.assertEqual(draft["status"], "fail")
        self.assert_like(draft["checks"]["other:availability"],
                         [{"componentType": "component", "status": "fail", "time": TIME,
                           "output": "no endpoint"}])
        self.assertEqual(self.ask(gateway, "live")["status"], "alive")
        self.assertEqual(self.ask(gateway, "startup")["status"], "started")

    def test_something_else_is_away(self):
        gateway = self.start(other={"app": "api", "critical": False})
        for name in ("ready", "status"):
            document = self.ask(gateway, name)
            self.assertEqual(document["status"], "degraded")
            self.assertFalse(document["checks"]["other"]["healthy"])
        draft = self.ask(gateway, "ready", DRAFT)
        self.assertEqual((draft["status"], draft["checks"]["other:availability"][0]["status"]),
                         ("warn", "warn"))


class Worker(gateway_worker.Case):
    def test_a_change_shows_at_once(self):
        one = self.app(answering(OK))
        self.start()
        ready = lambda: (self.fetch("/health/ready")[0], self.fetch("/health/status")[0])
        for _ in range(3):  # within the second for which a look counts
            self.push({"api": []})
            self.assertEqual(ready(), (503, 503))
            self.push({"api": [self.endpoint(one, 0)]})
            self.assertEqual(ready(), (200, 200))


class Cache(gwtest.Case):
    def test_stopped(self):
        """A stopped process is as online as ever, and its connections are open."""
        port = free_port()
        self.home.ok("start", self.home.write("gateway.json", {
            "apps": [gwtest.demo_app(instances=1)], "gateway": demo_gateway(port, instances=1),
            "cachesvc": {"memory": "16M"}}))

        def page(path):  # those of metricsd are given out a few times a second
            answers = []
            wait_until(lambda: answers.append(gwtest.get(port, path)) or answers[-1].status == 200)
            return answers[-1]

        def said():
            metrics = page("/api/monitoring/metrics").body.decode()
            return (page("/health/status").json()["cache"]["healthy"],
                    page("/api/monitoring/stats").json()["cache"]["healthy"],
                    int(re.search(r"^gwctl_cache_up (\d)$", metrics, re.MULTILINE)[1]))
        wait_until(lambda: said() == (True, True, 1), 20, "the cache")
        pid = self.home.pids("cachesvc")[0]
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        wait_until(lambda: said() == (False, False, 0), 20, "its silence")
        self.assertEqual(self.home.states("cachesvc"), ["online"])
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: said() == (True, True, 1), 20, "its return")
        self.assertEqual(self.home.pids("cachesvc"), [pid])


class Redis(gwtest.Case):
    def start(self, **redis):
        gwtest.require("redis-server")
        folder = os.path.join(self.home.folder, "redis")
        os.mkdir(folder)
        self.redis = cachesvc.Process(folder, "redis", [
            "redis-server", "--port", "0", "--unixsocket", os.path.join(folder, "redis.sock"),
            "--save", "", "--appendonly", "no"])
        self.addCleanup(self.redis.process.wait)
        self.addCleanup(self.redis.process.kill)
        self.redis.wait_answers()
        self.port = free_port()
        file = self.home.write("gateway.json", {
            "apps": [gwtest.demo_app(instances=1)], "gateway": demo_gateway(self.port, instances=1),
            "cachesvc": {"memory": "16M", "redis": {"host": f"unix:{self.redis.path}", **redis}}})
        self.home.ok("start", file)
        wait_until(lambda: self.ready()[1] == "ready", what=f"readiness, not {self.ready()}")

    def ready(self):
        answer = gwtest.get(self.port, "/health/ready")
        return answer.status, answer.json()["status"], answer.json()["checks"].get("redis")

    def check(self, status, word):
        self.assertEqual(self.ready(),
                         (200, "ready", {"healthy": True, "message": "answers"}))
        self.assertTrue(gwtest.get(self.port, "/health/status").json()["cache"]["healthy"])
        self.redis.process.kill()
        gone = (status, word, {"healthy": False, "message": "does not answer"})
        wait_until(lambda: self.ready() == gone, what=f"{gone}, not {self.ready()}")

    def test_without_it_things_go_on(self):
        self.start()
        self.check(200, "degraded")

    def test_where_it_is_critical(self):
        self.start(critical=True)
        self.check(503, "not ready")


if __name__ == "__main__":
    gwtest.main()
