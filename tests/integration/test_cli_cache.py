"""gwctl cache: what it shows, removes and fetches, with a gateway, an app and cachesvc as they are."""

import json
import os
import pty
import re
import signal
import subprocess

import cachesvc
import gwtest
from gwtest import free_port, get, wait_until

# Answers as the path says, and counts.
APP = r"""
import http.server, json, os, threading

FIELDS = {"/cookie": ("Set-Cookie", "a=1"), "/private": ("Cache-Control", "private"),
          "/etag": ("ETag", '"v1"'), "/vary": ("Vary", "Accept-Language")}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = {}
    lock = threading.Lock()
    def do_GET(self):
        if self.path == "/counts":
            return self.answer(200, json.dumps(self.counts).encode())
        with self.lock:
            count = self.counts[self.path] = self.counts.get(self.path, 0) + 1
        status = {"/missing": 404, "/broken": 500}.get(self.path, 200)
        body = b"\x1b[31mred\x00" if self.path == "/binary" else f"{self.path} {count}".encode()
        self.answer(status, body, *FIELDS.get(self.path, ()))
    def answer(self, status, body, *field):
        self.send_response(status)
        if field:
            self.send_header(*field)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Case(gwtest.Case):
    def start(self, **cache):
        self.port = free_port()
        self.home.write("app.py", APP)
        self.home.ok("start", self.home.write("all.json", {
            "apps": [{"name": "app", "script": "app.py", "port": "auto"}],
            "gateway": {"instances": 2, "listen": [{"address": f"127.0.0.1:{self.port}"}],
                        "upstreams": {"app": {"app": "app"}},
                        "cache": {"skip": [{"path": "/skipped"}, {"path": "/counts"}],
                                  "tags": ["all"], **cache},
                        "routes": [{"path": "/plain/*", "upstream": "app", "cache": False},
                                   {"path": "/*", "upstream": "app"}]},
            "cachesvc": {"memory": "16M"}}))
        self.home.wait_online("gateway", 2)
        self.home.wait_online("cachesvc", 1)
        # Each worker uses it as soon as it has answered.
        wait_until(lambda: all(self.verdict("/first") == "HIT" for _ in range(8)))

    def start_cachesvc(self):
        """Only that."""
        self.home.ok("start", self.home.write("cache.json", {"cachesvc": {"memory": "16M"}}))
        self.home.wait_online("cachesvc", 1)

    def verdict(self, path):
        return get(self.port, path).headers.get("X-Cache")

    def store(self, path):
        wait_until(lambda: self.verdict(path) == "HIT")
        return f"http:GET:127.0.0.1:{self.port}{path}"

    def fetches(self, path):
        return get(self.port, "/counts").json().get(path, 0)

    def call(self, *words):
        with cachesvc.Client(os.path.join(self.home.path, "cache.sock")) as client:
            return client.call(*words)

    def refused(self, code, *args):
        done = self.home.gwctl("cache", *args)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def on_terminal(self, *args):
        """What a terminal gets from gwctl, as bytes."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen([os.path.join(gwtest.BIN, "gwctl"), *args], stdout=theirs,
                                   stderr=theirs, stdin=subprocess.DEVNULL, env=self.home.env)
        os.close(theirs)
        pieces = []
        try:
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        except OSError:
            pass  # its last writer is gone
        os.close(ours)
        process.wait(60)
        return b"".join(pieces)


class Words(Case):
    def test_help_and_mistakes(self):
        for words in (["cache", "--help"], ["help", "cache"], ["cache", "help"]):
            text = self.home.ok(*words)
            for name in ("stats", "get", "purge", "warm"):
                self.assertRegex(text, rf"(?m)^  {name} ")
        self.assertEqual(self.home.gwctl("cache").returncode, 2)
        text = self.home.ok("cache", "stats", "--help")
        self.assertTrue(text.startswith("Usage: gwctl cache stats [--json]\n"))
        self.assertEqual(self.home.ok("help", "cache", "stats"), text)
        self.assertIn('unknown command "stat"; did you mean "stats"?', self.refused(2, "stat"))
        self.assertIn('did you mean "purge"?', self.home.gwctl("help", "cache", "prge").stderr)
        self.assertIn("did you mean --json?", self.refused(2, "stats", "--jsno"))
        for words in ([], ["key", "--all"], ["--all", "--tag", "a"], ["--pattern=a", "--tag=b"]):
            self.assertIn("exactly one of", self.refused(2, "purge", *words))
        self.refused(2, "get")
        self.assertIn("no http://HOST:PORT", self.refused(2, "warm", "-", "--url", "host:80"))
        self.assertFalse(os.path.exists(self.home.path))

    def test_without_a_cache(self):
        for words in (["stats"], ["get", "a"], ["purge", "--all"]):
            self.assertIn("no cache runs in", self.refused(1, *words))
        self.assertIn("no supervisor runs", self.refused(1, "warm", "-"))
        self.assertFalse(os.path.exists(self.home.path))

    def test_a_cache_that_hangs(self):
        self.start_cachesvc()
        pid = self.home.pids("cachesvc")[0]
        os.kill(pid, signal.SIGSTOP)
        try:
            self.assertIn("did not answer within", self.refused(1, "stats"))
        finally:
            os.kill(pid, signal.SIGCONT)


class Values(Case):
    def test_stats(self):
        self.start_cachesvc()
        for key in ("a", "b"):
            self.call("SET", key, "x")
        self.call("GET", "a")
        self.call("GET", "none")
        self.assertRegex(self.home.ok("cache", "stats"),
                         r"(?s)keys +2\nmemory +\S+ KB of 16\.0 MB\nclient hits +1\n"
                         r"client misses +1\nclient hit rate +50\.00%\nexpired +0\nevicted +0\n")
        stats = json.loads(self.home.ok("cache", "stats", "--json"))
        self.assertEqual((stats["keys"], stats["client_hits"], stats["client_hit_rate_percent"]),
                         (2, 1, 50.0))
        self.assertEqual(stats["memory_limit"], 16 << 20)

    def test_values_of_clients(self):
        self.start_cachesvc()
        self.call("SET", "greeting", "hello", "EX", "100")
        self.assertRegex(self.home.ok("cache", "get", "greeting"),
                         r"^key +greeting\nexpires +in 1m \d+s\nsize +5 bytes\n\nhello\n$")
        self.call("SET", "empty", "")
        self.assertRegex(self.home.ok("cache", "get", "empty"), r"expires +never\nsize +0 bytes\n$")
        self.assertEqual(self.home.ok("cache", "get", "empty", "--raw"), "")
        self.assertEqual(self.refused(1, "get", "no\x1b[31me"),
                         "gwctl: no\\x1B[31me: not in the cache\n")

    def test_a_terminal_obeys_nothing(self):
        self.start_cachesvc()
        evil = b"\x1b[31mred\x1b]0;title\x07 \xc2\x9b31m \xff"
        self.call("SET", b"key\x1b[1m", evil)
        self.call("SET", "text", b"a\x1b[31mb\n")
        for words in (["get", b"key\x1b[1m"], ["get", b"key\x1b[1m", "--raw"], ["get", "text"],
                      ["get", "text", "--raw"], ["get", b"none\x1b[1m"]):
            shown = self.on_terminal("cache", *words)
            self.assertNotEqual(shown, b"")
            for bad in (b"\x1b", b"\x07", b"\x9b", b"\xff"):
                self.assertNotIn(bad, shown, words)
        self.assertIn(b"a\\x1B[31mb", self.on_terminal("cache", "get", "text"))
        done = self.home.gwctl("cache", "get", "text", "--raw")
        self.assertEqual(done.stdout, "a\x1b[31mb\n")  # no terminal: as it is

    def test_answers_of_the_gateway(self):
        self.start()
        key = self.store("/etag")
        shown = self.home.ok("cache", "get", key)
        self.assertTrue(shown.startswith(f"key      {key}\nanswer   200 OK\nage      "), shown)
        self.assertRegex(shown, r"\nfresh    for \S+ \S+\nexpires  in \S+ \S+\nsize     \d+ bytes\n")
        self.assertRegex(shown, '(?s)bytes\n\n.*ETag: "v1"\n\n/etag 1\n$')
        self.assertEqual(self.home.ok("cache", "get", key, "--raw"), "/etag 1")
        shown = self.home.ok("cache", "get", self.store("/binary"))
        self.assertIn("(no text; --raw", shown)
        self.assertNotIn("red", shown)

    def test_marks_of_the_gateway(self):
        self.start()
        key = self.store("/vary")
        shown = self.home.ok("cache", "get", key)
        self.assertIn("one for each value of: accept-language\n", shown)
        self.assertIn(f"{key}|v:", shown)
        self.verdict("/cookie")
        key = key.replace("/vary", "/cookie")
        wait_until(lambda: self.home.gwctl("cache", "get", key).returncode == 0)
        self.assertIn("could not be stored", self.home.ok("cache", "get", key))


class Purge(Case):
    def test_what_clients_stored(self):
        self.start_cachesvc()
        for key in ("a:1", "a:2", "b:1"):
            self.call("SET", key, "x")
        self.call("CACHE.SET", "c", "x", "TAGS", "1", "news")
        self.assertEqual(self.home.ok("cache", "purge", "a:1"), "1 key removed\n")
        self.assertEqual(self.home.ok("cache", "purge", "a:1"), "0 keys removed\n")
        self.call("SET", "a:1", "x")
        self.assertEqual(self.home.ok("cache", "purge", "--pattern", "a:*"), "2 keys removed\n")
        self.assertEqual(self.home.ok("cache", "purge", "--tag", "news"),
                         "everything with the tag is removed\n")
        self.assertEqual(self.call("KEYS", "*"), [b"b:1"])
        self.assertEqual(self.home.ok("cache", "purge", "--all"), "everything is removed\n")
        self.assertEqual(self.call("DBSIZE"), 0)

    def test_answers_of_the_gateway(self):
        self.start()
        for words in ([self.store("/a")], ["--pattern", "*/a"], ["--tag", "all"], ["--all"]):
            with self.subTest(words=words):
                self.store("/a")
                before = self.fetches("/a")
                self.home.ok("cache", "purge", *words)
                self.assertEqual(self.verdict("/a"), "MISS")
                self.assertEqual(self.fetches("/a"), before + 1)


class Warm(Case):
    def warm(self, text, *options, code=0):
        done = self.home.gwctl("cache", "warm", self.home.write("urls", text), *options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_each_is_stored_or_said_why_not(self):
        self.start()
        lines = [f"/page/{number}" for number in range(20)]
        done = self.warm("# pages\n\n" + "\r\n".join([*lines, "/first"]))
        self.assertEqual(done.stdout,
                         "20 stored, 1 already there, 0 not cacheable, 0 failed\n")
        self.assertEqual(done.stderr, "")
        for line in lines:
            self.assertEqual(self.verdict(line), "HIT")
            self.assertEqual(self.fetches(line), 1)
        done = self.warm("\n".join(["/cookie", "/private", "/missing", "/skipped", "/plain/a"]))
        self.assertEqual(sorted(re.findall(r"//[^/]+(/\S+): not cacheable: (.*)\n", done.stdout)), [
            ("/cookie", "Set-Cookie"), ("/missing", "status 404"),
            ("/plain/a", "no cache on its route"), ("/private", "Cache-Control: private"),
            ("/skipped", "the cache is not asked: BYPASS")])
        self.assertTrue(done.stdout.endswith(
            "0 stored, 0 already there, 5 not cacheable, 0 failed\n"), done.stdout)

    def test_the_host_is_part_of_the_key(self):
        self.start()
        self.warm("http://www.example.com/a\n")
        answer = get(self.port, "/a", headers={"Host": "www.example.com"})
        self.assertEqual(answer.headers["X-Cache"], "HIT")
        self.assertEqual(self.verdict("/a"), "MISS")

    def test_failures(self):
        self.start()
        done = self.warm("/broken\n/a\n", code=1)
        self.assertIn("/broken: status 500\n", done.stderr)
        self.assertEqual(done.stdout, "1 stored, 0 already there, 0 not cacheable, 1 failed\n")
        done = self.warm("/a\n/b\n", "--url", f"http://127.0.0.1:{free_port()}", code=1)
        self.assertEqual(done.stdout, "0 stored, 0 already there, 0 not cacheable, 2 failed\n")
        self.assertEqual(done.stderr.count("gwctl: http://127.0.0.1:"), 2)

    def test_another_gateway_by_url(self):
        self.start()
        env = {"GWCTL_HOME": os.path.join(self.home.folder, "elsewhere")}
        file = self.home.write("urls", "/a\n")
        self.assertIn("1 stored", self.home.ok("cache", "warm", file, "--url",
                                               f"http://127.0.0.1:{self.port}/", env=env))

    def test_nothing_is_requested_from_a_list_with_mistakes(self):
        self.start()
        done = self.warm("/a\nb\n/c d\nhttps://x/\n", code=1)
        self.assertEqual(re.findall(r"urls:(\d)", done.stderr), ["2", "3", "4"])
        self.assertEqual(self.fetches("/a"), 0)
        self.assertIn("No such file", self.refused(1, "warm", "nowhere"))

    def test_standard_input_and_progress(self):
        self.start()
        process = subprocess.run([os.path.join(gwtest.BIN, "gwctl"), "cache", "warm", "-"],
                                 input="/a\n/b", capture_output=True, text=True, env=self.home.env)
        self.assertEqual(process.stdout, "2 stored, 0 already there, 0 not cacheable, 0 failed\n")
        shown = self.on_terminal("cache", "warm", self.home.write("urls", "/a\n/b\n"))
        self.assertIn(b"\r2 of 2\r", shown)
        self.assertTrue(shown.endswith(b"failed\r\n"))

    def test_a_gateway_that_is_stopped(self):
        self.start()
        self.home.ok("stop", "gateway")
        self.assertIn("no gateway is online", self.refused(1, "warm", "-"))


if __name__ == "__main__":
    gwtest.main()
