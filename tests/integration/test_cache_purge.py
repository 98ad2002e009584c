"""PURGE: what the operators remove, no worker gives again."""

import concurrent.futures
import hashlib
import os
import signal

import gwtest
from gwtest import Background, expect, request, wait_until
from test_cache import Cache

TOKEN = "correct horse battery staple"
MONITORING = {"monitoring": {"token_sha256": hashlib.sha256(TOKEN.encode()).hexdigest()}}


class Purge(Cache):
    workers = 4

    def start(self, cache=None, keys=None, **route):
        super().start(cache, {**MONITORING, **(keys or {})}, **route)

    def purge(self, path, token=TOKEN, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return request(self.port, "PURGE", path,
                       headers={"Authorization": f"Bearer {token}", **headers})

    def assert_purged(self, answer, count):
        self.assertEqual(expect(answer).json(), {"purged": count})
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def assert_problem(self, answer, status):
        self.assertEqual(answer.status, status, answer.body)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.json()["status"], status)

    def wait_variant(self, path, **headers):
        wait_until(lambda: self.verdict(path, **headers) == "HIT")


class Removal(Purge):
    def test_no_worker_gives_it_again(self):
        self.start()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            for _ in range(10):
                self.wait_stored("/p?x=1")
                old = self.get("/p?x=1").body
                self.assert_purged(self.purge("/p?x=1"), 1)
                answers = list(pool.map(lambda _: expect(self.get("/p?x=1")), range(32)))
                self.assertNotIn(old, [answer.body for answer in answers])

    def test_other_urls_stay_and_nothing_counts_as_nothing(self):
        self.start()
        self.wait_stored("/a?x=1")
        self.assert_purged(self.purge("/a"), 0)
        self.assert_purged(self.purge("/a?x=2"), 0)
        self.assert_purged(self.purge("/a?x=1", Host="elsewhere.test"), 0)
        self.assertEqual(self.verdict("/a?x=1"), "HIT")
        self.assert_purged(self.purge("/./b/../a?x=1"), 1)
        self.assert_purged(self.purge("/a?x=1"), 0)

    def test_all_variants_go_and_stay_away(self):
        self.start()
        path = "/v?field=Vary:%20Accept-Language"
        old = {}
        for language in ("de", "en"):
            self.wait_variant(path, Accept_Language=language)
            old[language] = self.get(path, Accept_Language=language).body
        self.assert_purged(self.purge(path), 1)
        for language in ("de", "en"):
            self.wait_variant(path, Accept_Language=language)
            self.assertNotEqual(self.get(path, Accept_Language=language).body, old[language])

    def test_what_was_being_fetched_is_not_stored(self):
        self.start()
        for path in ("/slow?sleep=1", "/slow/v?sleep=1&field=Vary:%20Accept-Language"):
            with self.subTest(path=path), concurrent.futures.ThreadPoolExecutor(1) as pool:
                name = path.partition("?")[0]
                early = pool.submit(self.get, path)
                wait_until(lambda name=name: self.fetches(name) == 1)
                self.assert_purged(self.purge(path), 0)
                self.assertIn(b" 1 ", expect(early.result()).body)
                self.assertIn(b" 2 ", expect(self.get(path)).body)
                self.wait_stored(path)
                self.assertIn(b" 2 ", self.get(path).body)

    def test_under_load_nothing_old_is_left(self):
        self.start()
        clients = [Background(lambda: expect(self.get("/hot"))) for _ in range(8)]
        for _ in range(30):
            before = self.fetches("/hot")
            expect(self.purge("/hot"))
            self.wait_stored("/hot")
            self.assertGreater(int(self.get("/hot").body.split()[1]), before)
        self.assertEqual([client.stop() for client in clients], [[]] * 8)


class Keys(Purge):
    def test_its_own_fields_are_part_of_the_key(self):
        self.start({"key": {"headers": ["X-Tenant"], "cookies": ["theme"]}})
        for tenant in ("a", "b"):
            self.wait_variant("/k", X_Tenant=tenant, Cookie="theme=dark")
        self.assert_purged(self.purge("/k"), 0)
        self.assert_purged(self.purge("/k", X_Tenant="a", Cookie="theme=dark; other=1"), 1)
        self.assertEqual(self.verdict("/k", X_Tenant="b", Cookie="theme=dark"), "HIT")
        self.assertEqual(self.verdict("/k", X_Tenant="a", Cookie="theme=dark"), "MISS")

    def test_the_token_is_no_user(self):
        self.start({"key": {"user": True}, "ignore": ["authorization"], "skip": []})
        self.wait_variant("/u")
        self.wait_variant("/u", Authorization=f"Bearer {TOKEN}")
        self.assert_purged(self.purge("/u"), 1)
        self.assertEqual(self.verdict("/u", Authorization=f"Bearer {TOKEN}"), "HIT")
        self.assertEqual(self.verdict("/u"), "MISS")


class Refusals(Purge):
    workers = 2

    def test_without_the_token_nothing_is_removed(self):
        self.start()
        self.wait_stored("/a")
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"},
                        {"Authorization": MONITORING["monitoring"]["token_sha256"]}):
            answer = request(self.port, "PURGE", "/a", headers=headers)
            self.assert_problem(answer, 401)
            self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        self.assertEqual(self.verdict("/a"), "HIT")
        self.assertEqual(self.fetches("/a"), 1)

    def test_where_there_is_no_cache(self):
        self.start(keys={"routes": [{"path": "/*", "upstream": "app"},
                                    {"path": "/off/*", "upstream": "app", "cache": False}]})
        answer = self.purge("/off/a")
        self.assert_problem(answer, 405)
        self.assertIn("GET", answer.headers["Allow"])
        self.assert_problem(self.purge("/off/a", token="wrong"), 401)
        self.assertEqual(self.fetches("/off/a"), 0)

    def test_while_cachesvc_is_away(self):
        self.start()
        self.wait_stored("/a")
        victim = self.home.pids("cachesvc")[0]
        os.kill(victim, signal.SIGSTOP)
        try:
            for _ in range(4):
                answer = self.purge("/a")
                self.assert_problem(answer, 503)
                self.assertEqual(answer.headers["Retry-After"], "1")
        finally:
            os.kill(victim, signal.SIGCONT)
        wait_until(lambda: self.purge("/a").status == 200)
        self.wait_stored("/a")


class Foreign(Cache):
    def test_without_a_configured_token_it_is_the_apps(self):
        self.start()
        self.wait_stored("/a")
        answer = request(self.port, "PURGE", "/a", headers={"Authorization": f"Bearer {TOKEN}"})
        self.assertEqual(answer.status, 501)  # of the app's server, which does not know it either
        self.assertEqual(answer.headers["X-Cache"], "BYPASS")
        self.assertEqual(self.verdict("/a"), "HIT")


if __name__ == "__main__":
    gwtest.main()
