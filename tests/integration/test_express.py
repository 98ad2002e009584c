"""A real Express app from npm behind the gateway, supervised and reloaded.

What it needs is installed into tests/express/node_modules from its lock file, once.
"""

import os

import gwtest
from gwtest import Background, KeepAlive, expect, free_port, get, request, wait_until

FOLDER = os.path.join(gwtest.ROOT, "tests", "express")


class Express(gwtest.Case):
    @classmethod
    def setUpClass(cls):
        gwtest.install_packages(FOLDER)

    def setUp(self):
        super().setUp()
        self.port = free_port()
        app = {"name": "express", "script": os.path.join(FOLDER, "app.js"), "instances": 2,
               "port": "auto", "ready": {"http": "/healthz"}}
        gateway = {"instances": 2, "listen": [{"address": f"127.0.0.1:{self.port}"}],
                   "upstreams": {"express": {"app": "express"}},
                   "routes": [{"path": "/public/*", "upstream": "express", "rewrite": "/api/*"},
                              {"path": "/*", "upstream": "express"}]}
        self.home.ok("start", self.home.write("express.json", {"apps": [app], "gateway": gateway}))
        self.home.wait_online("express", 2)
        self.home.wait_online("gateway", 2)

    def test_json_both_ways(self):
        self.assertEqual(get(self.port, "/api/services").json()["services"],
                         [{"id": 1, "name": "one"}])
        answer = request(self.port, "POST", "/api/services", body='{"name": "two"}',
                         headers={"Content-Type": "application/json"})
        self.assertEqual((answer.status, answer.json()), (201, {"name": "two"}))
        self.assertEqual(answer.headers["Location"], "/api/services/2")

    def test_what_the_app_sees(self):
        seen = get(self.port, "/api/echo/a%20b?x=1&y=2", headers={"User-Agent": "tester"}).json()
        self.assertEqual(seen["id"], "a b")
        self.assertEqual(seen["query"], {"x": "1", "y": "2"})
        self.assertEqual(seen["host"], f"127.0.0.1:{self.port}")
        self.assertEqual(seen["agent"], "tester")
        self.assertEqual(seen["forwarded"], "127.0.0.1")

    def test_a_rewritten_path(self):
        self.assertEqual(get(self.port, "/public/echo/7").json()["path"], "/api/echo/7")

    def test_chunked_answers_arrive_whole(self):
        answer = get(self.port, "/stream")
        self.assertEqual(answer.body.decode(), "".join(f"piece {n}\n" for n in range(100)))

    def test_other_answers(self):
        empty = get(self.port, "/empty")
        self.assertEqual((empty.status, empty.body), (204, b""))
        self.assertEqual(len(get(self.port, "/cookies").headers.get_all("Set-Cookie")), 2)
        self.assertEqual(get(self.port, "/fail").status, 500)
        self.assertEqual(get(self.port, "/nowhere").status, 404)
        head = request(self.port, "HEAD", "/api/services")
        self.assertEqual((head.status, head.body), (200, b""))
        # An entity tag is Express' own; the gateway passes the question and the 304 on.
        tag = get(self.port, "/api/echo/1").headers["ETag"]
        self.assertEqual(get(self.port, "/api/echo/1", headers={"If-None-Match": tag}).status, 304)

    def test_a_reload_under_keep_alive_clients(self):
        clients = []
        for _ in range(6):
            client = KeepAlive(self.port)
            self.addCleanup(client.close)
            clients.append(Background(lambda client=client:
                                      expect(client.request("GET", "/api/services"))))
        old = self.home.pids("express")
        self.home.ok("reload", "express")
        self.assertFalse(set(old) & set(self.home.pids("express")))
        done = sum(client.done for client in clients)
        wait_until(lambda: sum(client.done for client in clients) > done + 20)
        self.assertEqual([client.stop() for client in clients], [[] for _ in clients])
        self.assertEqual(self.home.counter("retries"), 0)


if __name__ == "__main__":
    gwtest.main()
