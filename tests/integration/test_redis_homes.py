"""Two homes, each with a gateway in front of an app of its own, that share a Redis."""

import hashlib
import os
import re
import shutil
import signal
import tempfile
import time
import unittest

import cachesvc
import gwtest
from gwtest import Background, Home, expect, free_port, get, request, wait_until
from test_cache import COUNTING

PASSWORD = "only Redis needs to know"
TOKEN = "and this the operators"


class Node:
    """A home with an app that counts what it is asked for."""

    def __init__(self, redis, name):
        self.home = Home()
        self.name = name
        self.port = free_port()
        self.home.write("app.py", COUNTING)
        self.file = self.home.write("node.json", {
            "apps": [{"name": "app", "script": "app.py", "port": "auto"}],
            "gateway": {"instances": 2, "listen": [{"address": f"127.0.0.1:{self.port}"}],
                        "upstreams": {"app": {"app": "app"}},
                        "cache": {"skip": [{"path": "/counts"}]},
                        "monitoring": {"token_sha256":
                                       hashlib.sha256(TOKEN.encode()).hexdigest()},
                        "routes": [{"id": "all", "path": "/*", "upstream": "app",
                                    "cache": {"ttl": "300s"}}]},
            "cachesvc": {"memory": "16M", "redis": redis}})

    def start(self):
        self.home.ok("start", self.file)
        self.home.wait_online("gateway", 2)
        self.wait_connected()

    def wait_connected(self):
        wait_until(lambda: "redis_link:connected" in self.info() and
                   "redis_breaker:closed" in self.info(), what=f"{self.name}'s way to Redis")

    def info(self):
        with self.client() as client:
            return client.call("INFO", "redis").decode()

    def client(self):
        return cachesvc.Client(os.path.join(self.home.path, "cache.sock"))

    def get(self, path, **headers):
        """All nodes are the same site. Their apps repeat the language, which is the node's name."""
        return get(self.port, path, headers={"Host": "site.test", "Accept-Language": self.name,
                                             **headers})

    def purge(self, path):
        return expect(request(self.port, "PURGE", path, headers={
            "Host": "site.test", "Authorization": f"Bearer {TOKEN}"}))

    def verdict(self, path, **headers):
        return expect(self.get(path, **headers)).headers["X-Cache"]

    def fetches(self, path):
        return self.get("/counts").json().get(path, 0)

    def events(self):
        return re.findall(r"cachesvc: redis (\w+)", self.home.read_log("gwctl.log"))


class Homes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gwctl-redis-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.redis_port = free_port()
        self.start_redis()
        # A machine that is busy with other tests is late.
        redis = {"host": "127.0.0.1", "port": self.redis_port, "password": PASSWORD,
                 "deadline": "400ms"}
        self.nodes = []
        for name in ("first", "second"):
            node = Node(redis, name)
            self.addCleanup(self.close, node)
            self.nodes.append(node)
            node.start()
        self.first, self.second = self.nodes

    def close(self, node):
        wrong = node.home.close()
        node.home.remove()
        self.assertEqual(wrong, [])

    def start_redis(self):
        self.redis = cachesvc.start_redis(self.folder, "--port", self.redis_port)
        self.addCleanup(self.end_redis, self.redis)
        with self.redis.client() as client:
            self.assertEqual(client.call("CONFIG", "SET", "requirepass", PASSWORD), "OK")

    @staticmethod
    def end_redis(redis):
        if redis.process.poll() is None:
            redis.process.send_signal(signal.SIGCONT)
        redis.end()

    def asking_redis(self):
        client = self.redis.client()
        self.addCleanup(client.close)
        self.assertEqual(client.call("AUTH", PASSWORD), "OK")
        return client

    def share(self, path, **headers):
        """Has it fetched by the first, and answered from that by the second."""
        first = expect(self.first.get(path, **headers))
        wait_until(lambda: self.first.verdict(path, **headers) == "HIT")
        wait_until(lambda: "redis_unsent_keys:0" in self.first.info())
        second = expect(self.second.get(path, **headers))
        self.assertEqual((second.headers["X-Cache"], second.body), ("HIT", first.body))
        return first.body

    def wait_gone(self, path, old, **headers):
        wait_until(lambda: expect(self.second.get(path, **headers)).body != old, 1,
                   "what was purged on the first is not served by the second")

    def test_what_one_stores_is_a_hit_on_all(self):
        self.assertEqual(self.first.verdict("/a"), "MISS")
        wait_until(lambda: self.first.verdict("/a") == "HIT")
        client = self.asking_redis()
        wait_until(lambda: any(b"/a" in key for key in client.call("KEYS", "*")))
        body = self.first.get("/a").body
        answer = expect(self.second.get("/a"))
        self.assertEqual((answer.body, answer.headers["X-Cache"]), (body, "HIT"))
        self.assertIn(b"first", body)
        self.assertEqual(self.second.fetches("/a"), 0)

    def test_variants(self):
        path = "/v?field=Vary:%20Accept-Language"
        for language in ("de", "fr"):
            body = self.share(path, **{"Accept-Language": language})
            self.assertIn(language.encode(), body)
        self.assertEqual(self.first.get(path, **{"Accept-Language": "de"}).headers["X-Cache"], "HIT")

    def test_purges_reach_the_other(self):
        client = self.asking_redis()
        for cut in (None, "pubsub", "normal"):
            for n, words in enumerate((["--pattern", "*purged*"], ["--all"])):
                path = f"/purged/{cut}/{n}"
                old = self.share(path)
                if cut:
                    client.call("CLIENT", "KILL", "TYPE", cut, "SKIPME", "yes")
                self.first.home.ok("cache", "purge", *words)
                self.wait_gone(path, old)
                for node in self.nodes:
                    node.wait_connected()

    def test_a_purge_reaches_what_the_other_is_fetching(self):
        slow = Background(lambda: expect(self.second.get("/slow?sleep=1")), lambda: 60)
        wait_until(lambda: self.second.fetches("/slow") == 1)
        self.first.purge("/slow?sleep=1")
        wait_until(lambda: slow.done == 1)
        self.assertEqual(slow.stop(), [])
        for node in self.nodes:
            expect(node.get("/slow?sleep=1"))
        # One fetches anew; the other has that, or fetches as well when Redis tells of it too late.
        self.assertIn(self.second.fetches("/slow") + self.first.fetches("/slow"), (2, 3))

    def test_redis_goes_and_nobody_notices(self):
        self.share("/hit")
        slowest = []

        def ask(n):
            begin = time.monotonic()
            answer = expect(self.nodes[n % 2].get("/hit" if n % 3 else f"/miss/{n}"))
            slowest.append(time.monotonic() - begin)
            return answer.status

        def ask_many(rounds):
            for n in range(rounds):
                self.assertEqual(ask(n), 200)
        self.redis.process.send_signal(signal.SIGSTOP)
        ask_many(120)
        self.redis.process.send_signal(signal.SIGCONT)
        for node in self.nodes:
            node.wait_connected()
        self.redis.kill()
        ask_many(120)
        self.start_redis()
        for node in self.nodes:
            node.wait_connected()
        ask_many(30)
        # The first that ask a stopped Redis wait for it, 400 ms each; it stays stopped for longer.
        self.assertLess(max(slowest), 1)
        for node in self.nodes:
            self.assertEqual(node.events()[-2:], ["close", "connect"])
        self.share("/afterwards")

    def test_nothing_shows_the_password(self):
        self.first.home.ok("reload", "cachesvc")
        self.first.wait_connected()
        texts = [self.first.home.ok("describe", "cachesvc"), self.first.home.ok("jlist")]
        logs = os.path.join(self.first.home.path, "logs")
        for name in os.listdir(logs):
            with open(os.path.join(logs, name), errors="replace") as log:
                texts.append(log.read())
        for text in texts:
            self.assertNotIn(PASSWORD, text)


if __name__ == "__main__":
    gwtest.main()
