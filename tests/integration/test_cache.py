"""The response cache, mode ttl: one answer for all workers, one fetch for all who wait, and never an
answer for somebody else."""

import concurrent.futures
import os
import re
import signal
import subprocess
import threading
import time

import gwtest
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, request, wait_until

# An app that counts what it is asked for, and answers as the query says.
COUNTING = """
import http.server, json, os, threading, time, urllib.parse

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = {}
    lock = threading.Lock()
    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(parts.query)
        if parts.path == "/counts":
            return self.answer(200, json.dumps(self.counts).encode(), [])
        with self.lock:
            count = self.counts[parts.path] = self.counts.get(parts.path, 0) + 1
        time.sleep(float(query.get("sleep", ["0"])[0]))
        if os.path.exists("broken"):
            self.close_connection = True
            return
        fields = [field.split(": ", 1) for field in query.get("field", [])]
        text = f"{parts.path} {count} {self.headers.get('Accept-Language')} {self.headers.get('Cookie')}"
        self.answer(int(query.get("status", ["200"])[0]), text.encode(), fields)
    do_POST = do_GET
    def answer(self, status, body, fields):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 2000
    daemon_threads = True

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Cache(gwtest.Case):
    workers = 2
    app = COUNTING

    def start(self, cache=None, keys=None, routes=(), warm=True, **route):
        self.port = free_port()
        self.home.write("app.py", self.app)
        gateway = {"instances": self.workers, "listen": [{"address": f"127.0.0.1:{self.port}"}],
                   "upstreams": {"app": {"app": "app", "connect_timeout": "5s"}},
                   "cache": {"skip": ["authenticated", {"path": "/skipped/*"}, {"path": "/counts"}],
                             **(cache or {})},
                   "routes": [*routes, {"id": "all", "path": "/*", "upstream": "app", **route}],
                   **(keys or {})}
        self.home.ok("start", self.home.write("cache.json", {
            "apps": [{"name": "app", "script": "app.py", "port": "auto"}], "gateway": gateway,
            "cachesvc": {"memory": "16M"}}))
        self.home.wait_online("gateway", self.workers)
        self.home.wait_online("cachesvc", 1)
        if route.get("no_cache") or not warm:
            return
        # Each worker uses it as soon as it has answered.
        wait_until(lambda: all(self.verdict("/warm") == "HIT" for _ in range(8)))

    def get(self, path, **headers):
        return get(self.port, path, headers={name.replace("_", "-"): value
                                             for name, value in headers.items()})

    def verdict(self, path, **headers):
        return self.get(path, **headers).headers.get("X-Cache")

    def fetches(self, path):
        return self.get("/counts").json().get(path, 0)

    def redis(self, *words):
        done = subprocess.run(["redis-cli", "-s", os.path.join(self.home.path, "cache.sock"), *words],
                              capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def wait_stored(self, path="/stored"):
        """Until a second request finds what the first one fetched."""
        wait_until(lambda: self.verdict(path) == "HIT")


class Answers(Cache):
    def test_a_miss_then_hits_of_all_workers(self):
        self.start()
        first = expect(self.get("/a?x=1"))
        self.assertEqual(first.headers["X-Cache"], "MISS")
        self.wait_stored("/a?x=1")
        for _ in range(20):
            answer = self.get("/a?x=1")
            self.assertEqual(answer.headers["X-Cache"], "HIT", f"{answer.status} {answer.headers}")
            self.assertEqual(answer.body, first.body)
            self.assertIsNotNone(answer.headers["Age"])
            self.assertEqual(len(answer.headers.get_all("Date")), 1)
        self.assertEqual(self.fetches("/a"), 1)
        self.assertEqual(self.verdict("/a?x=2"), "MISS")  # the query is part of the key

    def test_an_answer_is_as_old_as_where_it_came_from_says(self):
        self.start()
        for came, least in ((None, 0), (7, 7), (1234567890, 1234567890), (9999999999, 2147483648)):
            with self.subTest(came=came):
                path = f"/aged{came}" + (f"?field=Age:%20{came}" if came is not None else "")
                self.get(path)
                self.wait_stored(path)
                age = self.get(path).headers["Age"]
                self.assertRegex(age, r"\A(0|[1-9][0-9]*)\Z")
                self.assertIn(int(age), range(least, least + 60))

    def test_what_is_never_stored(self):
        self.start()
        for path in ("/x?field=Cache-Control: private", "/x?field=Cache-Control: no-store",
                     "/x?field=Set-Cookie: a=1", "/x?field=Vary: *", "/x?status=404",
                     "/x?status=500"):
            path = path.replace(" ", "%20")
            with self.subTest(path=path):
                self.assertEqual(self.verdict(path), "MISS")
                before = self.fetches("/x")
                self.assertEqual(self.verdict(path), "MISS")
                self.assertEqual(self.fetches("/x"), before + 1)

    def test_who_passes_by(self):
        self.start()
        self.get("/a")
        self.wait_stored("/a")
        self.assertEqual(self.verdict("/a", Authorization="Basic eDp5"), "BYPASS")
        self.assertEqual(self.verdict("/skipped/a"), "BYPASS")
        answer = request(self.port, "POST", "/a", body="x")
        self.assertEqual(answer.headers["X-Cache"], "BYPASS")

    def test_head_and_conditions_from_the_store(self):
        self.start()
        path = '/e?field=ETag:%20"v1"'
        self.get(path)
        self.wait_stored(path)
        before = self.fetches("/e")
        head = request(self.port, "HEAD", path)
        self.assertEqual((head.status, head.headers["X-Cache"], head.body), (200, "HIT", b""))
        fresh = self.get(path, If_None_Match='W/"v1"')
        self.assertEqual((fresh.status, fresh.headers["ETag"], fresh.body), (304, '"v1"', b""))
        self.assertEqual(self.get(path, If_None_Match='"v2"').status, 200)
        self.assertEqual(self.fetches("/e"), before)

    def test_variants_by_vary(self):
        self.start()
        path = "/v?field=Vary:%20Accept-Language"
        bodies = {}
        for language in ("de", "en"):
            bodies[language] = self.get(path, Accept_Language=language).body
            wait_until(lambda language=language:
                       self.verdict(path, Accept_Language=language) == "HIT")
        for language in ("de", "en"):
            self.assertEqual(self.get(path, Accept_Language=language).body, bodies[language])
            self.assertIn(language.encode(), bodies[language])
        self.assertEqual(self.fetches("/v"), 2)

    def test_variants_of_a_removed_key_do_not_come_back(self):
        self.start({"debug": True})
        path = "/v?field=Vary:%20Accept-Language"

        def wait_hit(language):
            wait_until(lambda: self.verdict(path, Accept_Language=language) == "HIT")
        wait_hit("de")
        wait_hit("en")
        self.redis("DEL", self.get(path).headers["X-Cache-Key"])
        wait_hit("de")  # there is a mark again, with the same names
        self.assertEqual(self.verdict(path, Accept_Language="en"), "MISS")

    def test_time_to_live_and_removal(self):
        self.start({"ttl": "1s", "tags": ["things"], "debug": True})
        self.get("/t")
        self.wait_stored("/t")
        wait_until(lambda: self.verdict("/t") == "MISS", 5)  # expired
        self.wait_stored("/t")
        key = expect(self.get("/t")).headers["X-Cache-Key"]
        self.redis("DEL", key)
        self.assertEqual(self.verdict("/t"), "MISS")
        self.wait_stored("/t")
        self.redis("CACHE.PURGETAG", "things")
        self.assertEqual(self.verdict("/t"), "MISS")
        self.wait_stored("/t")
        self.redis("FLUSHALL")
        self.assertEqual(self.verdict("/t"), "MISS")

    def test_stale_answers_when_the_upstream_fails(self):
        self.start({"ttl": "1s", "keep_stale": "60s"})
        body = self.get("/s").body
        self.wait_stored("/s")
        self.home.write("broken", "")
        wait_until(lambda: self.verdict("/s") == "STALE", 5)
        self.assertEqual(self.get("/s").body, body)
        self.assertEqual(self.get("/never-seen").status, 502)

    def test_fields_of_a_route(self):
        self.start(cache_control="public, max-age=3600")
        answer = self.get("/c?field=Cache-Control:%20max-age=1")
        self.assertEqual(answer.headers.get_all("Cache-Control"), ["public, max-age=3600"])
        self.assertIsNone(self.get("/c?status=404").headers.get("Cache-Control"))

    def test_no_cache(self):
        self.start(no_cache=True)
        answer = self.get("/n?field=Expires:%20tomorrow")
        self.assertIn("no-store", answer.headers["Cache-Control"])
        self.assertEqual(answer.headers.get_all("Expires"), ["0"])
        self.assertIsNone(answer.headers.get("X-Cache"))
        self.assertIsNone(self.get("/n").headers.get("X-Cache"))


class Together(Cache):
    """A worker whose question cachesvc answers too late (a busy machine) fetches for itself and says
    so in its counter of waits: as many fetches more are right."""

    workers = 4

    def start(self):
        super().start()
        self.waits = self.home.counter("cache_waits")

    def late(self):
        return self.home.counter("cache_waits") - self.waits

    def ask(self, path, count):
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self.get(path), range(count)))

    def test_one_fetch_for_all(self):
        self.start()
        answers = self.ask("/one?sleep=1", 200)
        self.assertEqual({answer.status for answer in answers}, {200})
        late = self.late()
        self.assertLessEqual(self.fetches("/one"), 1 + late)
        self.assertLessEqual(len({answer.body for answer in answers}), 1 + late)

    def test_what_is_not_storable_makes_nobody_wait_in_a_row(self):
        self.start()
        begin = time.monotonic()
        answers = self.ask("/no?sleep=0.3&field=Set-Cookie:%20a=1", 30)
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertLess(time.monotonic() - begin, 30 * 0.3)  # it would be that one after another

    def test_a_leader_that_leaves_is_replaced(self):
        self.start()
        leader = subprocess.Popen(["curl", "-s", f"http://127.0.0.1:{self.port}/left?sleep=1"],
                                  stdout=subprocess.DEVNULL)
        wait_until(lambda: self.fetches("/left") == 1)
        others = threading.Thread(target=lambda: setattr(self, "others",
                                                         self.ask("/left?sleep=1", 20)))
        others.start()
        leader.kill()
        leader.wait()
        others.join()
        self.assertEqual({answer.status for answer in self.others}, {200})
        self.assertLessEqual(self.fetches("/left"), 2 + self.late())

    def test_a_leader_that_is_killed_costs_one_more_fetch(self):
        self.start()
        # It asks once: what it asked again might be the first thing that the killed worker's
        # successor gets to do, before cachesvc has answered there.
        leader = subprocess.Popen(["curl", "-s", f"http://127.0.0.1:{self.port}/killed?sleep=2"],
                                  stdout=subprocess.DEVNULL)
        wait_until(lambda: self.fetches("/killed") == 1)

        def busy():
            found = [entry["pid"] for entry in self.home.processes("gateway")
                     if entry["gwctl"]["counters"]["in_flight"] > 0]
            return found if len(found) == 1 else None
        victim = wait_until(busy)[0]
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            asked = [pool.submit(self.get, "/killed?sleep=2") for _ in range(40)]
            wait_until(lambda: sum(entry["gwctl"]["counters"]["in_flight"]
                                   for entry in self.home.processes("gateway")) > 40)
            os.kill(victim, signal.SIGKILL)
            done = [future.result() for future in asked if not future.exception()]
        leader.wait()
        self.assertGreater(len(done), 10)  # the others were of the killed worker
        self.assertEqual({answer.status for answer in done}, {200})
        late = self.late()
        self.assertLessEqual(len({answer.body for answer in done}), 1 + late)
        self.assertIn(self.fetches("/killed"), range(2, 2 + late + 1))


class Sidecar(Cache):
    def commands(self):
        text = self.redis("INFO", "stats")
        return int(re.search(r"total_commands_processed:(\d+)", text)[1])

    def test_hits_ask_nobody(self):
        gwtest.require("ab")
        self.start()
        self.get("/hot")
        self.wait_stored("/hot")
        before = self.commands()
        answered, failed, _ = gwtest.ab(f"http://127.0.0.1:{self.port}/hot", 10000, 16).finish()
        self.assertEqual((answered, failed), (10000, 0))
        self.assertLessEqual(self.commands() - before, 1)  # the question itself
        hits = [entry["gwctl"]["counters"]["cache_hits"]
                for entry in self.home.processes("gateway")]
        self.assertGreaterEqual(min(hits), 1000)

    def test_killed_and_stopped_it_costs_nobody_anything(self):
        self.start()
        self.get("/kept")
        self.wait_stored("/kept")
        clients = [Background(lambda: expect(self.get("/kept"))) for _ in range(4)]
        clients += [Background(lambda: expect(self.get(f"/new{time.monotonic_ns()}")))
                    for _ in range(2)]
        for _ in range(3):
            victim = self.home.pids("cachesvc")[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda victim=victim: self.home.pids("cachesvc") not in ([victim], [0]))
            self.home.wait_online("cachesvc", 1)
        self.assertEqual(self.verdict("/kept"), "HIT")  # what was in it stays
        victim = self.home.pids("cachesvc")[0]
        os.kill(victim, signal.SIGSTOP)
        for _ in range(50):
            self.assertEqual(self.verdict("/kept"), "HIT")
            self.assertEqual(self.verdict(f"/new{time.monotonic_ns()}"), "MISS")
        os.kill(victim, signal.SIGCONT)
        self.assertEqual([client.stop() for client in clients], [[]] * 6)
        self.wait_stored("/after")

    def test_without_it_everything_is_fetched(self):
        port = free_port()
        self.home.ok("start", self.home.write("demo.json", {
            "apps": [demo_app(instances=1)], "cachesvc": False,
            "gateway": demo_gateway(port, cache={})}))
        self.home.wait_online("gateway", 2)
        self.assertEqual(self.home.processes("cachesvc"), [])
        self.assertIsNone(get(port, "/api/vendors").headers.get("X-Cache"))


if __name__ == "__main__":
    gwtest.main()
