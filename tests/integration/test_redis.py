"""cachesvc with a real Redis behind it: what is written arrives there, what only Redis has is found,
and nobody notices but for that when Redis is away, slow, full or not ready.
"""

import os
import signal

import cachesvc
import gwtest
import machines
from cachesvc import encode
from gwtest import wait_until
from machines import MB, Traffic

BINARY = bytes(range(256))
ENVELOPE = b"\0gwctl1\n"


class Values(machines.Case):
    def setUp(self):
        super().setUp()
        self.cache = self.machine()
        self.call = self.cache.call

    def ttl_there(self, key):
        return self.seen.call("PTTL", self.prefix + key)

    def test_what_is_set_is_in_redis(self):
        self.call("SET", "plain", "v")
        self.call("SET", "short", "v", "EX", 100)
        self.call("SETEX", "setex", 200, "v")
        self.call("PSETEX", "psetex", 300000, "v")
        self.call("MSET", "a", 1, "b", "", BINARY, BINARY)
        self.call("CACHE.SET", "expires", "v", "PX", 400000)
        self.call("SETNX", "nx", "v")
        self.call("SET", "xx", "v", "XX")
        self.wait_there("nx", b"v")
        self.assertEqual([self.there(key) for key in
                          ("plain", "short", "setex", "psetex", "a", "b", BINARY, "expires", "xx")],
                         [b"v", b"v", b"v", b"v", b"1", b"", BINARY, b"v", None])
        for key, limit in (("short", 100), ("setex", 200), ("psetex", 300), ("expires", 400)):
            self.assertTrue((limit - 30) * 1000 < self.ttl_there(key) <= limit * 1000, key)
        self.assertEqual([self.ttl_there(key) for key in ("plain", "a", "nx")], [-1, -1, -1])

    def test_what_is_changed_is_changed_there(self):
        self.call("MSET", "n", 5, "text", "a", "old", "v", "gone", "v", "unlinked", "v", "taken", "v")
        self.assertEqual(self.call("INCRBY", "n", 3), 8)
        self.assertEqual(self.call("DECR", "n"), 7)
        self.assertEqual(self.call("INCRBYFLOAT", "f", "1.5"), b"1.5")
        self.assertEqual(self.call("APPEND", "text", "bc"), 3)
        self.assertEqual(self.call("RENAME", "old", "new"), "OK")
        self.assertEqual(self.call("EXPIRE", "new", 100), 1)
        self.assertEqual(self.call("DEL", "gone", "never"), 1)
        self.assertEqual(self.call("UNLINK", "unlinked"), 1)
        self.assertEqual(self.call("GETDEL", "taken"), b"v")
        self.assertEqual(self.call("GETSET", "text", "d"), b"abc")
        self.assertEqual(self.call("GETEX", "n", "EX", 100), b"7")
        self.assertEqual([self.there(key) for key in
                          ("n", "f", "text", "old", "new", "gone", "unlinked", "taken")],
                         [b"7", b"1.5", b"d", None, b"v", None, None, None])
        for key in ("n", "new"):
            self.assertTrue(70000 < self.ttl_there(key) <= 100000)
        self.assertEqual(self.call("PERSIST", "n"), 1)
        self.assertEqual(self.ttl_there("n"), -1)
        self.assertEqual(self.call("MGET", "n", "f", "text", "new", "gone"),
                         [b"7", b"1.5", b"d", b"v", None])

    def test_what_only_redis_has_is_found(self):
        for key in ("a", "b", "c", "d", "e"):
            self.seen.call("SET", "gwctl:" + key, "of " + key, "EX", 100)
        self.seen.call("SET", b"gwctl:" + BINARY, BINARY)
        fetched, found = self.cache.info("keys_fetched"), self.cache.info("keys_found")
        self.assertEqual(self.call("GET", "a"), b"of a")
        self.assertEqual(self.call("MGET", "a", "b", "missing", BINARY),
                         [b"of a", b"of b", None, BINARY])
        self.assertEqual(self.call("EXISTS", "c", "also missing"), 1)
        self.assertEqual(self.call("STRLEN", "d"), 4)
        self.assertTrue(70 < self.call("TTL", "e") <= 100)
        self.assertEqual(self.call("TTL", BINARY), -1)
        self.assertTrue(70 < self.call("TTL", "a") <= 100)
        self.assertEqual(self.cache.info("keys_found") - found, 6)
        self.assertEqual(self.cache.info("keys_fetched") - fetched, 8)
        # It is here now.
        self.seen.call("FLUSHALL")
        self.assertEqual(self.call("GET", "a"), b"of a")

    def test_what_is_no_string_there_is_not_found(self):
        self.seen.call("RPUSH", "gwctl:list", "x")
        self.assertIsNone(self.call("GET", "list"))
        self.assertEqual(self.call("SET", "list", "v"), "OK")
        self.wait_there("list", b"v")
        self.assertTrue(self.cache.is_healthy())

    def test_pipelined_commands_keep_their_order(self):
        self.seen.call("SET", "gwctl:there", "v")
        self.cache.client.send(b"".join(
            encode("SET", f"k{n}", n) + encode("INCR", f"k{n}") + encode("GET", "there") +
            encode("GET", f"k{n}") for n in range(200)))
        for n in range(200):
            self.assertEqual([self.cache.client.read() for _ in range(4)],
                             ["OK", n + 1, b"v", str(n + 1).encode()])

    def test_tags_go_with_the_value(self):
        self.call("CACHE.SET", "k", "value", "TAGS", 2, "one", "two")
        self.call("CACHE.SET", "forged", ENVELOPE + b"\1value")
        wait_until(lambda: self.there("forged"))
        self.assertTrue(self.there("k").startswith(ENVELOPE))
        self.assertTrue(self.there("k").endswith(b"value"))
        other = self.machine("other")
        self.assertEqual(other.call("MGET", "k", "forged"), [b"value", ENVELOPE + b"\1value"])
        self.assertEqual(other.call("STRLEN", "k"), 5)
        self.assertEqual(other.call("CACHE.PURGETAG", "two"), "OK")
        self.assertIsNone(other.call("GET", "k"))
        wait_until(lambda: self.call("GET", "k") is None)
        third = self.machine("third")
        self.assertEqual(third.call("MGET", "k", "forged"), [None, ENVELOPE + b"\1value"])

    def test_a_new_value_counts_as_soon_as_it_is_acknowledged(self):
        for n in range(200):
            self.call("SET", "k", n)
            self.assertEqual(self.call("GET", "k"), str(n).encode())
            self.call("DEL", "k")
            self.assertIsNone(self.call("GET", "k"))

    def test_no_key_is_looked_up_by_keys(self):
        self.call("MSET", "a:1", 1, "a:2", 2, "b:1", 1)
        self.call("KEYS", "*")
        self.call("SCAN", 0)
        self.assertEqual(self.call("CACHE.DELPATTERN", "a:*"), 2)
        self.call("CACHE.INVALIDATE", "b", 1)
        self.call("FLUSHALL")
        stats = self.seen.call("INFO", "commandstats")
        self.assertIn(b"cmdstat_scan:", stats)
        for command in (b"keys", b"flushdb", b"flushall"):
            self.assertNotIn(b"cmdstat_%s:" % command, stats)


class LargeValues(machines.Case):
    def test_values_of_all_sizes(self):
        first, second = (self.machine(name, memory=96 * MB, deadline="10s")
                         for name in ("first", "second"))
        for size in (0, 1, 4095, 65536, 65537, MB, 8 * MB):
            value = os.urandom(size)
            key = b"k\0\r\n%d" % size
            self.assertEqual(first.call("SET", key, value), "OK")
            wait_until(lambda: self.there(key) == value, what=f"{size} bytes in Redis")
            self.assertEqual(second.call("STRLEN", key), size)
            self.assertEqual(second.call("GET", key), value)
        self.seen.call("SET", "gwctl:too large", b"x" * (13 * MB))
        self.assertIsNone(first.call("GET", "too large"))
        self.assertEqual([first.lines("warn"), second.lines("warn")], [[], []])


class Deleting(machines.Case):
    COUNT = 10000

    def setUp(self):
        super().setUp()
        self.cache = self.machine()
        self.call = self.cache.call

    def fill(self, name, call):
        words = [word for n in range(self.COUNT) for word in (name % n, "x")]
        self.assertEqual(call("MSET", *words), "OK")

    def left_there(self):
        return {key for key in self.seen.call("KEYS", "*") if b"~gwctl:" not in key}

    def test_patterns(self):
        self.seen.call("MSET", "k:1", "x", "other:k:1", "x", "gwctl:other", "x")
        self.fill("k:%d", self.call)
        self.assertEqual(self.call("CACHE.DELPATTERN", "k:*"), self.COUNT)
        self.assertEqual(self.left_there(), {b"k:1", b"other:k:1", b"gwctl:other"})
        # Those that only Redis has count too.
        self.fill("gwctl:k:%d", self.seen.call)
        self.assertEqual(self.call("CACHE.DELPATTERN", "k:*"), self.COUNT)
        self.assertEqual(self.left_there(), {b"k:1", b"other:k:1", b"gwctl:other"})
        self.assertIsNone(self.call("GET", "k:1"))

    def test_resources(self):
        self.seen.call("MSET", "gwctl:r:11", "x", "r:1", "x")
        self.fill("r:1:%d", self.call)
        self.call("MSET", "r:1", "x", "list:r:all", "x", "query:r", "x")
        self.assertEqual(self.call("CACHE.INVALIDATE", "r", 1), self.COUNT + 3)
        wait_until(lambda: self.left_there() == {b"gwctl:r:11", b"r:1"})
        self.seen.call("MSET", "gwctl:list:r:there", "x", "gwctl:query:r", "x")
        self.assertEqual(self.call("CACHE.INVALIDATE", "r", 1), 2)
        self.assertEqual(self.left_there(), {b"gwctl:r:11", b"r:1"})

    def test_everything(self):
        for command in ("FLUSHDB", "FLUSHALL"):
            self.seen.call("MSET", "k:1", "x", "gwctl", "x", "Gwctl:a", "x")
            self.fill("k:%d", self.call)
            self.seen.call("SET", "gwctl:there", "x")
            self.assertEqual(self.call(command), "OK")
            self.assertEqual(self.left_there(), {b"k:1", b"gwctl", b"Gwctl:a"})
            self.assertEqual(self.call("DBSIZE"), 0)
            self.assertIsNone(self.call("GET", "there"))


if __name__ == "__main__":
    gwtest.main()
