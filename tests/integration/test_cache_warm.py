"""Warming: a worker that is ready has the answers that the configuration names."""

import os
import re
import signal

import gwtest
from gwtest import Background, expect, free_port, get, wait_until
from test_cache import COUNTING, Cache


class Warm(Cache):
    workers = 2

    def write_file(self, warm, key=None, app=COUNTING, upstream=None, **cache):
        self.port = getattr(self, "port", None) or free_port()
        self.home.write("app.py", app)
        return self.home.write("warm.json", {
            "apps": [{"name": "app", "script": "app.py", "port": "auto"}],
            "gateway": {"instances": self.workers,
                        "listen": [{"address": f"127.0.0.1:{self.port}"}],
                        "upstreams": {"app": upstream or {"app": "app"}},
                        "cache": {"skip": [{"path": "/skipped/*"}, {"path": "/counts"}],
                                  "key": key or {"host": False}, "warm": warm, **cache},
                        "routes": [{"path": "/*", "upstream": "app"}]},
            "cachesvc": {"memory": "16M"}})

    def start_warm(self, warm, **keys):
        self.home.ok("start", self.write_file(warm, **keys))
        self.home.wait_online("gateway", self.workers, limit=40)

    def log(self):
        return self.home.read_log("gateway-error*.log")

    def summaries(self):
        return [(int(warm), int(all_)) for warm, all_ in
                re.findall(r"cache: warmed (\d+) of (\d+) in \d+ ms", self.log())]


class ColdStart(Warm):
    workers = 4

    def test_the_first_clients_find_answers(self):
        paths = [f"/w{number}?sleep=0.1" for number in range(9)]
        self.start_warm(paths)
        for path in paths * 2:
            self.assertEqual(self.verdict(path), "HIT")
        self.assertEqual(self.summaries(), [(9, 9)] * 4)
        before = self.get("/counts").json()
        self.home.ok("reload", "gateway")  # all of it is there
        self.assertEqual(self.get("/counts").json(), before)
        self.assertEqual(self.summaries(), [(9, 9)] * 8)

    def test_it_waits_for_apps_that_are_not_there_yet(self):
        self.start_warm(["/w"], app="import time; time.sleep(2)\n" + COUNTING)
        self.assertEqual(self.verdict("/w"), "HIT")
        self.assertEqual(self.summaries(), [(1, 1)] * 4)


class Urls(Warm):
    def test_a_host_is_part_of_the_key(self):
        self.start_warm(["http://shop.test/a", "http://shop.test:8080/b?c=d"], key={"host": True})
        self.assertEqual(self.verdict("/a", Host="shop.test"), "HIT")
        self.assertEqual(self.verdict("/b?c=d", Host="shop.test:8080"), "HIT")
        self.assertEqual(self.verdict("/a"), "MISS")

    def test_what_cannot_be_warm_is_said_and_nothing_waits_for_it(self):
        never = {"/x?status=404": "no answer that is stored",
                 "/skipped/a": "it goes past the cache",
                 "/x?field=Cache-Control:%20no-store": "the answer forbids to store it"}
        self.start_warm(["/a", *never], warm_timeout="25s")
        for url, reason in never.items():
            self.assertEqual(self.log().count(f"cache: {url} is not warm: {reason} "), self.workers)
        self.assertEqual(self.summaries(), [(1, 4)] * self.workers)
        self.assertEqual(self.verdict("/a"), "HIT")


class Limits(Warm):
    def test_without_an_upstream_it_is_ready_in_the_end(self):
        self.start_warm(["/a", "/b"], warm_timeout="1s",
                        upstream={"servers": [f"http://127.0.0.1:{free_port()}"]})
        self.assertEqual(self.summaries(), [(0, 2)] * self.workers)
        self.assertEqual(self.log().count("is not warm: not in time (status 502)"),
                         2 * self.workers)
        self.assertEqual(get(self.port, "/health/live").status, 200)

    def test_an_answer_that_never_comes_holds_nobody_up(self):
        self.start_warm(["/a?sleep=20", "/b"], warm_timeout="5s")
        self.assertEqual(self.summaries(), [(1, 2)] * self.workers)
        self.assertEqual(self.verdict("/b"), "HIT")

    def test_without_cachesvc_it_is_ready_in_the_end(self):
        self.start_warm(["/a"], warm_timeout="5s")
        victim = self.home.pids("cachesvc")[0]
        os.kill(victim, signal.SIGSTOP)
        try:
            self.home.ok("restart", "gateway")
            self.home.wait_online("gateway", self.workers)
        finally:
            os.kill(victim, signal.SIGCONT)
        self.assertEqual(sorted(self.summaries()), [(0, 1), (0, 1), (1, 1), (1, 1)])
        self.assertEqual(get(self.port, "/a").status, 200)

    def test_it_can_be_stopped_meanwhile(self):
        starting = self.home.popen("start", self.write_file(["/a?sleep=20"], warm_timeout="25s"))
        wait_until(lambda: os.path.exists(os.path.join(self.home.path, "control.sock")))
        wait_until(lambda: self.home.processes("app") and
                   self.home.states("gateway") == ["starting"] * self.workers)
        wait_until(lambda: self.home.counter("in_flight") == self.workers)
        self.home.ok("stop", "gateway")
        starting.communicate()
        self.assertEqual(self.home.states("gateway"), ["stopped"] * self.workers)
        self.assertEqual(self.summaries(), [])


class Reload(Warm):
    def test_the_old_worker_serves_until_the_new_one_is_warm(self):
        self.start_warm(["/a?sleep=0.5"])
        self.redis("FLUSHALL")
        client = Background(lambda: expect(self.get("/counts")))
        self.home.ok("reload", "gateway")
        self.assertEqual(client.stop(), [])
        self.assertEqual(self.verdict("/a?sleep=0.5"), "HIT")
        self.assertEqual(self.summaries(), [(1, 1)] * 2 * self.workers)


if __name__ == "__main__":
    gwtest.main()
