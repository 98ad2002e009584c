"""What is shared through the response cache, and with whom: one fetch for a thousand who ask at once,
nothing of one user for another, and nobody who waits for a cachesvc that does not answer."""

import asyncio
import os
import random
import re
import resource
import signal
import threading

import gwtest
from gwtest import KeepAlive, expect, get, wait_until
from test_cache import Cache

# While the file "shut" is there, it counts, and answers nobody.
GATED = """
import http.server, json, os, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    counts = {}
    lock = threading.Lock()
    def do_GET(self):
        if self.path == "/counts":
            return self.answer(json.dumps(self.counts).encode())
        with self.lock:
            count = self.counts[self.path] = self.counts.get(self.path, 0) + 1
        while os.path.exists("shut"):
            time.sleep(0.02)
        self.answer(f"{self.path} {count}".encode())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 2000
    daemon_threads = True

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

# Whom a request is from stands in one field of it, and the answer names them, if anything says that
# it is not for everybody: a field of the request or of the answer, or the settings of the route.
KNOWING = """
import http.server, os, re

FIELDS = {"cookie": "Cookie", "header": "X-User", "authorization": "Authorization"}
TOLD_BY_ROUTE = {"/cookie/": "cookie", "/header/": "header", "/skip/": "cookie"}
ANSWERS = {"public": ("Cache-Control", "public, max-age=60"), "plain": None,
           "private": ("Cache-Control", "max-age=60, Private"),
           "no-store": ("Cache-Control", "no-store"), "set-cookie": ("Set-Cookie", "seen=1"),
           "vary-all": ("Vary", "*")}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        carrier = next(name for name, field in FIELDS.items()
                       if re.search("user-", self.headers.get(field) or ""))
        user = re.search("user-[a-z]+", self.headers[FIELDS[carrier]])[0]
        kind = self.headers["X-Kind"]
        prefix = self.path[:self.path.index("/", 1) + 1]
        field = ("Vary", FIELDS[carrier]) if kind == "vary" else ANSWERS[kind]
        is_told = (carrier == "authorization" or TOLD_BY_ROUTE.get(prefix) == carrier or
                   kind not in ("public", "plain"))
        body = (user if is_told else "anyone").encode()
        self.send_response(200)
        if field:
            self.send_header(*field)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 200
    daemon_threads = True

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Gated(Cache):
    app = GATED

    def shut(self):
        self.home.write("shut", "")

    def open(self):
        os.unlink(os.path.join(self.home.folder, "shut"))

    def in_flight(self):
        return self.home.counter("in_flight")


class ManyAtOnce(Gated):
    workers = 4
    clients = 1000

    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.clients + 200
        if hard != resource.RLIM_INFINITY and hard < wanted:
            self.skipTest(f"{wanted} open files are not allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    async def ask(self, path):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    async def ask_all(self, path):
        asked = asyncio.gather(*(self.ask(path) for _ in range(self.clients)))
        all_wait = lambda: self.in_flight() >= self.clients
        await asyncio.to_thread(wait_until, all_wait, 30, "that all wait")
        self.open()
        return await asked

    def test_a_thousand_misses_are_one_fetch(self):
        self.start({"wait": "60s"})
        self.shut()
        answers = asyncio.run(self.ask_all("/one"))
        fetches = self.fetches("/one")
        self.assertEqual(len(answers), self.clients)
        self.assertEqual(set(answers),
                         {(200, f"/one {number + 1}".encode()) for number in range(fetches)})
        # A worker whose question cachesvc left open for too long fetches for its own clients, and
        # says so. Where all are busy at once that happens; nothing else is a reason.
        unanswered = self.home.read_log("gateway*").count("cachesvc does not answer")
        self.assertGreaterEqual(fetches, 1)
        self.assertLessEqual(fetches, 1 + unanswered)
        # Who waited for it is in no worker's way any more.
        wait_until(lambda: self.in_flight() == 0)


class TwoUsers(Cache):
    app = KNOWING
    clients = 4
    requests = 1000  # each

    def route(self, name, **cache):
        return {"id": name, "path": f"/{name}/*", "upstream": "app", "cache": cache}

    def start_routes(self):
        self.start({"skip": [], "ttl": "1s", "hit_for_miss": "0"}, routes=[
            self.route("plain"),
            self.route("remembered", hit_for_miss="1s"),
            self.route("cookie", key={"cookies": ["user"]}),
            self.route("header", key={"headers": ["X-User"]}),
            self.route("user", key={"user": True}, ignore=["authorization"]),
            self.route("skip", skip=[{"cookie": "user"}]),
        ], warm=False)

    def fields_of(self, choose, user):
        carrier = choose.choice(["Cookie", "X-User", "Authorization"])
        value = {"Cookie": f"theme={choose.randrange(2)}; user=user-{user}",
                 "X-User": f"user-{user}", "Authorization": f"Bearer user-{user}"}[carrier]
        fields = {carrier: value, "X-Kind": choose.choice(
            ["public", "plain", "vary", "vary", "vary", "private", "no-store", "set-cookie",
             "vary-all"])}
        # A field that says nothing of who it is, where the other user's may stand.
        if carrier != "Cookie" and choose.random() < 0.3:
            fields["Cookie"] = "theme=0"
        return carrier, fields

    def be(self, number):
        """One client: what it was given that is not its own, and how often from the cache."""
        choose = random.Random(number)
        user = ("ada", "bob")[number % 2]
        client = KeepAlive(self.port)
        for turn in range(self.requests):
            carrier, fields = self.fields_of(choose, user)
            route = choose.choice(["plain", "remembered", "cookie", "header", "user", "skip"])
            path = f"/{route}/{choose.randrange(3)}"
            answer = client.request("GET", path, headers=fields)
            body, verdict = answer.body.decode(), answer.headers.get("X-Cache")
            what = f"{number}.{turn}: {user} {path} {fields}: {verdict} {answer.status} {body}"
            if answer.status != 200 or body not in ("anyone", f"user-{user}"):
                self.wrong.append(what)
            if verdict == "HIT":
                if answer.headers.get("Set-Cookie"):
                    self.wrong.append(what)
                self.hits.append((route, carrier, body == "anyone"))
        client.close()

    def test_nothing_of_one_user_is_given_to_the_other(self):
        self.start_routes()
        self.wrong, self.hits = [], []
        threads = [threading.Thread(target=self.be, args=(number,))
                   for number in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.wrong, [])
        # And it was the cache that kept them apart, not its absence.
        own = {(route, carrier) for route, carrier, is_anyones in self.hits if not is_anyones}
        self.assertLessEqual({("cookie", "Cookie"), ("header", "X-User"),
                              ("user", "Authorization")}, own)
        self.assertTrue(own & {("plain", "Cookie"), ("plain", "X-User")}, own)
        self.assertNotIn(("plain", "Authorization"), own)
        self.assertNotIn(("skip", "Cookie"), own)
        self.assertTrue([hit for hit in self.hits if hit[2]])


class NobodyWaits(Gated):
    """A request that waits for cachesvc has sent it a command: what cachesvc finds in its socket
    when it goes on is how many waited, and each of them no longer than the link's limit. Those who
    waited that long count themselves."""

    clients = 4
    requests = 100  # each, of both kinds

    def commands(self):
        text = self.redis("INFO", "stats")
        return int(re.search(r"total_commands_processed:(\d+)", text)[1])

    def be(self, name, failures):
        client = KeepAlive(self.port)
        for turn in range(self.requests):
            for path, wanted in (("/kept", "HIT"), (f"/{name}/{turn}", "MISS")):
                try:
                    answer = expect(client.request("GET", path))
                    if answer.headers["X-Cache"] != wanted:
                        failures.append(f"{path}: {answer.headers['X-Cache']}")
                except Exception as error:  # whatever it is, the request failed
                    failures.append(f"{path}: {error!r}")
        client.close()

    def load(self, name, meanwhile=lambda: None):
        failures = []
        threads = [threading.Thread(target=self.be, args=(f"{name}-{number}", failures))
                   for number in range(self.clients)]
        for thread in threads:
            thread.start()
        meanwhile()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        counts = self.get("/counts").json()
        mine = [count for path, count in counts.items() if path.startswith(f"/{name}-")]
        self.assertEqual(mine, [1] * self.clients * self.requests)

    def start_kept(self):
        self.start()
        self.get("/kept")
        self.wait_stored("/kept")
        return self.home.pids("cachesvc")[0]

    def test_for_one_that_is_stopped(self):
        victim = self.start_kept()
        before, waits = self.commands(), self.home.counter("cache_waits")
        os.kill(victim, signal.SIGSTOP)
        try:
            self.load("stopped")
        finally:
            os.kill(victim, signal.SIGCONT)
        self.assertEqual(self.home.pids("cachesvc"), [victim])
        asked = self.commands() - before - 1  # without this question
        # A client may be the first to ask at each worker; from then on nobody does.
        self.assertGreaterEqual(asked, 1)
        self.assertLessEqual(asked, self.clients * self.workers)
        waits = self.home.counter("cache_waits") - waits
        self.assertGreaterEqual(waits, 1)
        self.assertLessEqual(waits, asked)
        self.wait_stored("/after")

    def test_for_one_that_is_killed(self):
        victim = self.start_kept()
        waits = self.home.counter("cache_waits")
        self.load("killed", lambda: os.kill(victim, signal.SIGKILL))
        # Whoever waits for its reply when it dies has the news at once. What a busy machine makes
        # late counts too; were each miss to wait for one that is dead, it would be all of them.
        self.assertLess(self.home.counter("cache_waits") - waits,
                        self.clients * self.requests // 4)
        wait_until(lambda: self.home.pids("cachesvc") not in ([victim], [0]))
        self.home.wait_online("cachesvc", 1)
        self.assertEqual(get(self.port, "/kept").headers["X-Cache"], "HIT")
        self.wait_stored("/after")


if __name__ == "__main__":
    gwtest.main()
