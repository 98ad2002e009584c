"""cachesvc with a real Redis behind it: what is written arrives there, what only Redis has is found,
and nobody notices but for that when Redis is away, slow, full or not ready.
"""

import os
import signal

import cachesvc
import gwtest
import machines
import pages
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

    def test_locks_are_of_this_machine(self):
        self.assertEqual(self.call("CACHE.LOCK", "k", "t1", 60000), 1)
        self.assertEqual(self.call("EXPIRE", "lock:k", 100), 1)
        self.assertEqual(self.call("CACHE.LOCK", "k", "t2", 60000), 0)
        self.assertEqual(self.call("DEL", "lock:k"), 1)
        self.assertEqual(self.call("CACHE.LOCK", "k", "t2", 60000), 1)
        self.assertIsNone(self.there("lock:k"))

    def test_locks_and_other_keys_in_one_command(self):
        self.seen.call("SET", "gwctl:k", "v")
        for words in (("MGET", "lock:k", "k"), ("DEL", "k", "lock:k"), ("RENAME", "k", "lock:z"),
                      ("MSETNX", "lock:q", 1, "k", 2)):
            with self.subTest(words):
                self.assertRegex(self.call(*words), "^ERR .* both in one command")
        self.assertEqual(self.there("k"), b"v")
        self.assertEqual(self.call("MGET", "lock:k", "lock:l"), [None, None])

    def test_what_was_purged_is_no_reply(self):
        for n, words in enumerate((["GETDEL"], ["GETEX"], ["GETSET", "n"], ["SET", "n", "GET"])):
            self.call("CACHE.SET", f"t{n}", "secret", "PX", 100000, "TAGS", 1, "t")
            self.call("CACHE.PURGETAG", "t")
            words = [words[0], f"t{n}", *words[1:]]
            self.assertIsNone(self.call(*words), words)

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
        self.cache = self.machine(deadline="10s")
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

    def test_what_is_deleted_while_redis_is_away_is_not_read_again(self):
        wire = self.wire()
        cache = self.machine("wired", port=wire.port)
        for pattern in ("k:*", "*"):
            wire.mend()
            cache.wait_healthy()
            self.fill("gwctl:k:%d", self.seen.call)
            self.seen.call("SET", "gwctl:doomed", "x")
            wire.cut()
            cache.wait_away()
            cache.call("DEL", "doomed")
            self.assertEqual(cache.call("CACHE.DELPATTERN", pattern), 0)
            wire.mend()
            turn = 0
            while self.left_there():
                turn = (turn + 1) % self.COUNT
                self.assertEqual(cache.call("MGET", "doomed", f"k:{turn}"), [None, None])
            self.assertEqual(cache.call("DBSIZE"), 0)

    def test_what_is_set_after_a_deletion_stays(self):
        wire = self.wire()
        cache = self.machine("wired", port=wire.port)
        names = [f"k:{n}" for n in range(100)]
        for pattern in ("k:*", "*"):
            self.fill("gwctl:k:%d", self.seen.call)
            wire.cut()
            cache.wait_away()
            cache.call("CACHE.DELPATTERN", pattern)
            cache.call("MSET", *[word for name in names for word in (name, "later")])
            cache.call("CACHE.DELPATTERN", "others:*")
            wire.mend()
            cache.wait_healthy()
            wait_until(lambda: self.left_there() == {b"gwctl:" + n.encode() for n in names})
            self.assertEqual(cache.call("INCR", "counter"), 1)
            self.assertEqual(cache.call("CACHE.DELPATTERN", "*"), len(names) + 1)
            wait_until(lambda: not self.left_there())

    def test_everything(self):
        for command in ("FLUSHDB", "FLUSHALL"):
            self.seen.call("MSET", "k:1", "x", "gwctl", "x", "Gwctl:a", "x")
            self.fill("k:%d", self.call)
            self.seen.call("SET", "gwctl:there", "x")
            self.assertEqual(self.call(command), "OK")
            self.assertEqual(self.left_there(), {b"k:1", b"gwctl", b"Gwctl:a"})
            self.assertEqual(self.call("DBSIZE"), 0)
            self.assertIsNone(self.call("GET", "there"))


class Options(machines.Case):
    options = ("--databases", 8)
    # What docs/cache.md says a user of Redis needs.
    RIGHTS = ("+select", "+subscribe", "+publish", "+hset", "+hsetnx", "+hgetall", "+hdel",
              "+mget", "+get", "+set", "+pttl", "+unlink", "+scan", "+del", "+getdel",
              "+getex", "+getset", "+setnx", "+msetnx", "+append", "+incr", "+decr", "+incrby", "+decrby", "+incrbyfloat",
              "+expire", "+pexpire", "+expireat", "+pexpireat", "+persist", "+rename", "+renamenx")

    def refused(self, **redis):
        """A machine that Redis does not let in, and the wire on which it tries."""
        wire = self.wire()
        cache = machines.Machine(self, "refused", {"host": "127.0.0.1", "port": wire.port, **redis})
        wait_until(lambda: cache.lines("warn"))
        tries = wire.tries
        wait_until(lambda: wire.tries >= tries + 3)
        self.assertEqual(len(cache.lines("warn")), 1, cache.log())
        self.assertEqual(cache.call("SET", "k", "v"), "OK")
        self.assertEqual(cache.call("GET", "k"), b"v")
        self.assertEqual(cache.events(), ["error"])
        self.assertEqual(cache.events("breaker"), ["open"])
        return cache

    def check_secrets(self, cache, *secrets):
        said = cache.log() + str(cache.supervisor.events) + str(cache.call("INFO"))
        for secret in secrets:
            self.assertNotIn(secret, said)

    def test_a_password(self):
        self.seen.call("CONFIG", "SET", "requirepass", "p:ss w\"rd")
        cache = self.machine(password="p:ss w\"rd")
        cache.call("SET", "k", "v")
        self.wait_there("k", b"v")
        self.check_secrets(cache, "p:ss")

    def test_a_wrong_password(self):
        self.seen.call("CONFIG", "SET", "requirepass", "right-secret")
        cache = self.refused(password="wrong-secret")
        self.assertIn("WRONGPASS", cache.log())
        self.check_secrets(cache, "right-secret", "wrong-secret")
        self.seen.call("CONFIG", "SET", "requirepass", "wrong-secret")
        self.wait_there("k", b"v")
        self.assertEqual((len(cache.lines("warn")), len(cache.lines("info"))), (1, 1))
        self.check_secrets(cache, "right-secret", "wrong-secret")

    def test_no_password_where_one_is_needed(self):
        self.seen.call("CONFIG", "SET", "requirepass", "right-secret")
        self.assertIn("NOAUTH", self.refused().log())

    def test_a_user_with_the_fewest_rights(self):
        self.seen.call("ACL", "SETUSER", "cache", "on", ">secret-of-cache", "~gwctl:*",
                       "&gwctl:~gwctl:events*", *self.RIGHTS)
        cache = self.machine(username="cache", password="secret-of-cache")
        for words in ((b"SET k v", b"OK"), (b"SET k w NX", None), (b"SET k v XX GET", b"v"),
                      (b"GET there", b"x"), (b"MGET there k", [b"x", b"v"]), (b"TTL there", -1),
                      (b"INCR n", 1), (b"DECR n", 0), (b"INCRBY n 2", 2), (b"DECRBY n 1", 1),
                      (b"INCRBYFLOAT n 1", b"2"), (b"APPEND k w", 2), (b"SETNX k v", 0),
                      (b"MSETNX k v", 0), (b"GETSET k x", b"vw"), (b"GETEX k EX 9", b"x"),
                      (b"EXPIRE k 9", 1), (b"PEXPIRE k 9000", 1), (b"EXPIREAT k 9999999999", 1),
                      (b"PEXPIREAT k 9999999999000", 1), (b"PERSIST k", 1), (b"RENAME k r", "OK"),
                      (b"RENAMENX r k", 1), (b"GETDEL k", b"x"), (b"DEL n k", 1), (b"UNLINK k", 0),
                      (b"CACHE.SET tagged v TAGS 1 t", "OK"), (b"CACHE.PURGETAG t", "OK"),
                      (b"CACHE.INVALIDATE a 1", 0), (b"CACHE.DELPATTERN th*", 1),
                      (b"FLUSHALL", "OK")):
            if words[0] == b"GET there":
                self.seen.call("SET", "gwctl:there", "x")
            reply = cache.call(*words[0].split())
            self.assertEqual(reply, "OK" if words[1] == b"OK" else words[1], words[0])
        cache.call("SET", "last", "v")
        self.wait_there("last", b"v")
        self.assertEqual(cache.lines("warn"), [])
        self.check_secrets(cache, "secret-of-cache")

    def test_none_of_the_rights_is_for_nothing(self):
        log = self.seen.call("ACL", "SETUSER", "cache", "on", ">s", "~gwctl:*", "&gwctl:~gwctl:*",
                             "+@all")
        self.assertEqual(log, "OK")
        cache = self.machine(username="cache", password="s", database=3)
        for words in ("SET k v", "INCR n", "DECR n", "INCRBY n 1", "DECRBY n 1", "INCRBYFLOAT n 1",
                      "APPEND k w", "SETNX k v", "MSETNX k v", "GETSET k x", "GETEX k EX 9", "GET x",
                      "EXPIRE k 9", "PEXPIRE k 9", "EXPIREAT k 9999999999", "PERSIST k",
                      "PEXPIREAT k 9999999999000", "SET r x", "RENAME r k", "RENAMENX k r",
                      "GETDEL k", "DEL n", "UNLINK n", "FLUSHALL"):
            cache.call(*words.split())
        used = {line.partition(":")[0][len("cmdstat_"):] for line in
                self.seen.call("INFO", "commandstats").decode().split("\r\n")}
        wanted = {right[1:] for right in self.RIGHTS} - {"hdel"}  # of machines gone for a month
        self.assertEqual(wanted - used, set())

    def test_a_user_without_rights(self):
        self.seen.call("ACL", "SETUSER", "cache", "on", ">secret-of-cache", "~gwctl:*",
                       "&gwctl:~gwctl:events*", *self.RIGHTS, "-publish")
        cache = self.refused(username="cache", password="secret-of-cache")
        self.assertIn("NOPERM", cache.log())
        self.check_secrets(cache, "secret-of-cache")
        self.seen.call("ACL", "SETUSER", "cache", "+publish")
        cache.wait_healthy()
        self.assertEqual((len(cache.lines("warn")), len(cache.lines("info"))), (1, 1))

    def test_a_user_without_the_keys(self):
        self.seen.call("ACL", "SETUSER", "cache", "on", ">secret-of-cache", "~other:*", "&*",
                       "+@all")
        self.assertIn("NOPERM", self.refused(username="cache", password="secret-of-cache").log())

    def test_a_database(self):
        cache = self.machine(database=3)
        cache.call("SET", "k", "v")
        self.seen.call("SET", "gwctl:k", "of 0")
        self.seen.call("SELECT", 3)
        self.wait_there("k", b"v")
        self.seen.call("SET", "gwctl:there", "of 3")
        self.assertEqual(cache.call("GET", "there"), b"of 3")
        cache.call("FLUSHALL")
        self.assertIsNone(self.there("k"))
        self.seen.call("SELECT", 0)
        self.assertEqual(self.there("k"), b"of 0")

    def test_a_database_that_redis_does_not_have(self):
        self.assertIn("SELECT", self.refused(database=8).log())

    def test_prefixes(self):
        others = {b"shopping", b"gwctl:k", b"sh:p:k", b"Shop:k"}
        for prefix in ("shop:", "s*[h]o\\?p:", "ключ:"):
            self.prefix = prefix
            for other in others:
                self.seen.call("SET", other, "x")
            cache = self.machine(f"of {prefix}", prefix=prefix)
            cache.call("MSET", "k", "v", "l", "v")
            self.wait_there("k", b"v")
            self.assertEqual(cache.call("CACHE.DELPATTERN", "k*"), 1)
            self.assertEqual((self.there("k"), self.there("l")), (None, b"v"))
            self.assertEqual(cache.call("FLUSHALL"), "OK")
            left = {key for key in self.seen.call("KEYS", "*") if b"~gwctl:" not in key}
            self.assertEqual(left, others)

    def test_no_prefix(self):
        cache = self.machine(prefix="")
        cache.call("SET", "k", "v")
        wait_until(lambda: self.seen.call("GET", "k") == b"v")
        self.seen.call("SET", "there", "x")
        self.assertEqual(cache.call("GET", "there"), b"x")
        cache.call("FLUSHALL")
        self.assertEqual([key for key in self.seen.call("KEYS", "*") if b"~gwctl:" not in key], [])
        # What machines keep there of each other is nobody's to change.
        cache.call("SET", "~gwctl:epochs", "x")
        cache.call("SET", "last", "x")
        wait_until(lambda: self.seen.call("GET", "last") == b"x")
        self.assertEqual(self.seen.call("TYPE", "~gwctl:epochs"), "hash")

    def test_a_unix_socket(self):
        cache = self.machine(host="unix:" + self.redis.path)
        cache.call("SET", "k", "v")
        self.wait_there("k", b"v")
        self.assertIn(f"connected to unix:{self.redis.path}", cache.log())

    def test_a_name(self):
        cache = self.machine(host="localhost")
        cache.call("SET", "k", "v")
        self.wait_there("k", b"v")

    def test_a_name_that_nobody_has(self):
        cache = machines.Machine(self, "nowhere", {"host": "nobody.invalid"})
        wait_until(lambda: cache.lines("warn"))
        self.assertEqual(cache.call("SET", "k", "v"), "OK")
        self.assertIn("nobody.invalid", cache.lines("warn")[0])

    def test_the_environment(self):
        self.seen.call("CONFIG", "SET", "requirepass", "secret-of-env")
        cache = self.keep(cachesvc.start_cachesvc(self.folder, REDIS_HOST="127.0.0.1",
                                                  REDIS_PORT=str(self.port),
                                                  REDIS_PASSWORD="secret-of-env"))
        with cache.client() as client:
            client.call("SET", "k", "v")
            self.wait_there("k", b"v")
        self.assertNotIn("secret-of-env", cache.log())


class Faults(machines.Case):
    """Redis goes away and comes back, in many ways: clients do not wait for it, what they do
    meanwhile arrives afterwards, and the log has a line for each."""

    SLOWEST_S = 1.0

    def check(self, go, come, *, limit=10, is_lost=True, **redis):
        cache = self.machine(**redis)
        cache.call("MSET", *[word for n in range(20) for word in (f"old:{n}", "old")])
        cache.call("SET", "doomed", "v")
        cache.call("SET", "untouched", "v")
        self.wait_there("untouched", b"v")
        traffic = Traffic(cache)
        traffic.wait_more()
        go()
        if is_lost:
            cache.wait_away()
        else:
            wait_until(lambda: cache.info("breaker") != "closed")
        traffic.wait_more()
        for n in range(20):
            self.assertEqual(cache.call("SET", f"old:{n}", f"new {n}", "EX", 1000), "OK")
            self.assertEqual(cache.call("CACHE.SET", f"tagged:{n}", n, "TAGS", 1, "t"), "OK")
        self.assertEqual(cache.call("DEL", "doomed"), 1)
        self.assertEqual(cache.call("INCR", "counter"), 1)
        traffic.wait_more()
        come()
        cache.wait_healthy(limit)
        self.wait_there("old:19", b"new 19")
        wait_until(lambda: self.there("doomed") is None)
        wait_until(lambda: (self.there("tagged:19") or b"").endswith(b"19"))
        for n in range(20):
            self.assertEqual(self.there(f"old:{n}"), f"new {n}".encode())
            self.assertEqual(cache.call("GET", f"old:{n}"), f"new {n}".encode())
        self.assertTrue(900 < cache.call("TTL", "old:0") <= 1000)
        self.assertEqual(cache.call("MGET", "untouched", "doomed", "tagged:3"), [b"v", None, b"3"])
        traffic.wait_more()
        self.assertEqual(traffic.stop(), [])
        self.assertLess(traffic.slowest, self.SLOWEST_S)
        return cache

    def check_said(self, cache, warn=1, info=2, events=("connect", "close", "connect")):
        self.assertEqual((len(cache.lines("warn")), len(cache.lines("info"))), (warn, info),
                         cache.log())
        wait_until(lambda: cache.events() == list(events), what=f"{events}, not {cache.events()}")
        transitions = ["open", "closed"] if warn else []
        wait_until(lambda: cache.events("breaker") == transitions,
                   what=f"{transitions}, not {cache.events('breaker')}")

    def test_killed_and_started_empty(self):
        self.check_said(self.check(lambda: self.redis.kill(), self.start_redis))

    def test_killed_while_many_wait(self):
        cache = self.machine(deadline="10s")
        clients = [cache.connect() for _ in range(20)]
        self.redis.process.send_signal(signal.SIGSTOP)
        for n, client in enumerate(clients):
            client.send(encode("GET", f"k:{n}"))
        wait_until(lambda: cache.info("keys_fetched") == 20)
        self.redis.kill()
        self.assertEqual([client.read() for client in clients], [None] * 20)
        cache.wait_away()
        self.start_redis()
        cache.wait_healthy()
        self.check_said(cache)

    def test_a_wire_that_is_cut(self):
        wire = self.wire()

        def go():
            wire.cut()
            tries = wire.tries
            wait_until(lambda: wire.tries >= tries + 4)
        self.check_said(self.check(go, wire.mend, port=wire.port))

    def test_stopped(self):
        wire = self.wire()

        def go():
            tries = wire.tries
            self.redis.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: wire.tries >= tries + 2)
        cache = self.check(go, lambda: self.redis.process.send_signal(signal.SIGCONT),
                           port=wire.port)
        # Too slow at first, away then: that is one loss.
        self.check_said(cache, events=("connect", "error", "close", "connect"))

    def test_slow(self):
        self.options = ("--enable-debug-command", "yes")
        self.redis.end()
        self.start_redis()
        sleeper = self.connect(self.redis)
        cache = self.check(lambda: sleeper.send(encode("DEBUG", "SLEEP", "1.2")), lambda: None,
                           is_lost=False)
        self.check_said(cache, events=("connect", "error", "connect"))

    def test_slow_for_long(self):
        wire = self.wire()
        cache = self.machine(port=wire.port, deadline="200ms")
        state = lambda: pages.redis_state(cache.page)
        wire.delay_s = 0.3
        for n in range(5):
            self.assertIsNone(cache.call("GET", f"missing:{n}"))
        for _ in range(3):  # trials that are late too
            wait_until(lambda: state() == "half-open", what="a trial")
            wait_until(lambda: state() == "open", what="its end")
        wire.delay_s = 0
        cache.wait_healthy()
        self.check_said(cache, events=("connect", "error", "connect"))

    def test_the_page_tells_of_it(self):
        cache = self.machine()
        state = lambda: pages.redis_state(cache.page)
        wait_until(lambda: state() == "closed", what="Redis in the page")
        self.redis.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: state() == "open", what="its silence")
        self.redis.process.send_signal(signal.SIGCONT)
        wait_until(lambda: state() == "closed", what="its return")
        self.redis.kill()
        wait_until(lambda: state() == "open", what="its end")
        cache.process.process.kill()
        cache.process.process.wait()
        self.assertEqual(state(), "open")

    def test_a_replica(self):
        cache = self.check(lambda: self.seen.call("REPLICAOF", "127.0.0.1", 1),
                           lambda: self.seen.call("REPLICAOF", "NO", "ONE"))
        self.check_said(cache)
        self.assertIn("READONLY", cache.lines("warn")[0])

    def test_killed_under_commands_that_it_does(self):
        cache = self.machine(deadline="5s")
        with cache.connect() as client:
            for _ in range(5):
                self.redis.process.send_signal(signal.SIGSTOP)
                client.send(b"".join(encode("INCR", "n") + encode("DEL", "m") for _ in range(50)))
                wait_until(lambda: self.redis.process.poll() is None)
                self.redis.kill()
                for _ in range(50):
                    self.assertGreater(client.read(), 0)
                    self.assertEqual(client.read(), 0)
                self.start_redis()
                cache.wait_healthy()
        self.assertEqual(cache.call("PING"), "PONG")

    def test_more_than_it_takes_is_no_loss(self):
        cache = self.machine(queue="64K", memory=64 * MB)
        self.assertEqual(cache.call("SET", "keep", "v"), "OK")
        count = 20000
        self.assertEqual(cache.call("MSET", *[w for n in range(count) for w in (f"m:{n}", n)]), "OK")
        with cache.connect() as client:
            for _ in range(3):
                client.send(b"".join(encode("SET", f"s:{n}", n) for n in range(count)))
                for _ in range(count):
                    self.assertEqual(client.read(), "OK")
        wait_until(lambda: self.seen.call("DBSIZE") >= 2 * count + 1)
        self.assertEqual(self.there("keep"), b"v")

    def test_it_comes_back_from_a_snapshot(self):
        cache = self.machine()
        cache.call("SET", "deleted", "v")
        cache.call("SET", "changed", "old")
        self.wait_there("changed", b"old")
        wait_until(lambda: cache.info("unsent_keys") == 0 and cache.info("keys_sent") >= 2)
        self.assertEqual(self.seen.call("SAVE"), "OK")
        self.assertEqual(cache.call("DEL", "deleted"), 1)
        cache.call("SET", "changed", "new")
        self.wait_there("changed", b"new")
        wait_until(lambda: cache.info("keys_sent") >= 3)
        self.redis.kill()
        cache.wait_away()
        self.start_redis()
        cache.wait_healthy()
        wait_until(lambda: self.there("deleted") is None and self.there("changed") is None)
        self.assertIsNone(cache.call("GET", "deleted"))
        self.assertEqual(cache.call("GET", "changed"), b"new")

    def test_connections_that_are_killed(self):
        for kind in ("normal", "pubsub"):
            with self.subTest(kind):
                cache = self.machine(kind)
                cache.call("SET", "k", "v")
                traffic = Traffic(cache)
                traffic.wait_more(50)
                self.seen.call("CLIENT", "KILL", "TYPE", kind)
                wait_until(lambda: len(cache.lines("info")) == 2)
                cache.wait_healthy()
                cache.call("SET", "k", kind)
                self.wait_there("k", kind.encode())
                self.assertEqual(traffic.stop(), [])
                self.check_said(cache)

    def reach(self, redis):
        try:
            return self.connect(redis)
        except OSError:
            return None

    def test_loading(self):
        cache = self.machine()
        self.seen.call("SET", "gwctl:there", "v")
        self.seen.call("EVAL", "for n = 1, 3000 do redis.call('SET', 'x' .. n, n) end", 0)
        self.seen.call("SAVE")
        self.redis.kill()
        cache.wait_away()
        redis = cachesvc.Process(self.folder, "redis", [
            "redis-server", "--port", str(self.port), "--unixsocket", self.redis.path, "--save", "",
            "--dir", self.folder, "--key-load-delay", "500",
            "--loading-process-events-interval-bytes", "1024"])
        self.addCleanup(self._end_redis, redis)
        self.assertEqual(cache.call("SET", "k", "v"), "OK")
        self.seen = wait_until(lambda: self.reach(redis))
        loading = self.seen.call("GET", "gwctl:there")
        cache.wait_healthy()
        self.assertIn("LOADING", loading)
        self.wait_there("k", b"v")
        self.assertEqual(cache.call("GET", "there"), b"v")
        self.check_said(cache)

    def test_full(self):
        cache = self.machine()
        cache.call("MSET", "k", "old", "doomed", "v")
        self.wait_there("doomed", b"v")
        self.seen.call("CONFIG", "SET", "maxmemory", 1)
        for n in range(100):
            self.assertEqual(cache.call("SET", "k", n), "OK")
            self.assertEqual(cache.call("GET", "k"), str(n).encode())
        self.assertEqual(cache.call("DEL", "doomed"), 1)
        # It keeps no older value than ours.
        wait_until(lambda: self.there("k") is None)
        self.assertIsNone(self.there("doomed"))
        self.assertEqual(cache.call("GET", "k"), b"99")
        self.seen.call("CONFIG", "SET", "maxmemory", 0)
        cache.call("SET", "k", "new")
        self.wait_there("k", b"new")
        self.assertTrue(cache.is_healthy())
        self.check_said(cache, warn=0, info=1, events=("connect",))

    def test_more_changes_than_are_remembered(self):
        wire = self.wire()
        count = 3000
        self.seen.call("MSET", *[w for n in range(count) for w in (f"gwctl:k:{n}", "old")])
        self.seen.call("MSET", "k:1", "other", "gwctlk", "other")
        cache = self.machine(port=wire.port, queue="64K")
        wire.cut()
        cache.wait_away()
        cache.call("MSET", *[w for n in range(count) for w in (f"k:{n}", "new")])
        self.assertLess(cache.info("unsent_keys"), 1500)
        wire.mend()
        wait_until(lambda: self.seen.call("KEYS", "gwctl:k:*") == [] or
                   set(self.seen.call("MGET", *[f"gwctl:k:{n}" for n in range(count)])) <=
                   {None, b"new"})
        self.assertEqual(self.seen.call("MGET", "k:1", "gwctlk"), [b"other", b"other"])
        self.assertEqual(cache.call("MGET", *[f"k:{n}" for n in range(count)]), [b"new"] * count)
        cache.call("SET", "k:1", "later")
        self.wait_there("k:1", b"later")
        cache.wait_healthy()
        self.check_said(cache)


class Late(machines.Case):
    """What was on a connection that was given up is executed by Redis when the network has it
    through, be it after what came on the next connection."""

    def setUp(self):
        super().setUp()
        self.held = self.wire()
        self.cache = self.machine(port=self.held.port)
        self.cache.call("MSET", "k", "before", "gone", "before")
        self.cache.call("CACHE.SET", "tagged", "before", "TAGS", 1, "t")
        wait_until(lambda: self.there("tagged"))

    def hold_old_values(self):
        self.held.hold()
        self.cache.call("MSET", "k", "old", "gone", "old")
        self.cache.call("CACHE.SET", "tagged", "old", "TAGS", 1, "t")

    def let_go(self):
        sets = self.count_there("set")
        self.held.let_go()
        wait_until(lambda: self.count_there("set") >= sets + 3)

    def check(self):
        self.wait_there("k", b"new")
        wait_until(lambda: self.there("gone") is None)
        other = self.machine("other")
        wait_until(lambda: other.call("MGET", "k", "gone", "tagged") == [b"new", None, None])

    def test_after_the_next_connection(self):
        self.hold_old_values()
        self.cache.wait_away()
        self.cache.call("SET", "k", "new")
        self.cache.call("DEL", "gone")
        self.cache.call("CACHE.PURGETAG", "t")
        self.cache.wait_healthy()
        self.wait_there("k", b"new")
        self.let_go()
        self.check()
        self.assertEqual(self.cache.call("MGET", "k", "gone", "tagged"), [b"new", None, None])

    def test_after_a_kill(self):
        self.hold_old_values()
        self.cache.call("SET", "k", "new")
        self.cache.call("DEL", "gone")
        self.cache.call("CACHE.PURGETAG", "t")
        self.cache.process.kill()
        self.cache.start()
        self.cache.wait_healthy()
        wait_until(lambda: self.there("k") != b"before")
        self.let_go()
        self.check()


class Ending(machines.Case):
    def test_what_is_set_before_redis_is_there(self):
        wire = self.wire()
        wire.cut()
        self.seen.call("MSET", "gwctl:k", "old", "gwctl:there", "v", "gwctl:doomed", "v")
        cache = machines.Machine(self, "early", {"host": "127.0.0.1", "port": wire.port})
        self.assertEqual(cache.call("SET", "k", "new"), "OK")
        cache.call("DEL", "doomed")
        wire.mend()
        self.wait_there("k", b"new")
        self.assertEqual((self.there("there"), self.there("doomed")), (b"v", None))

    def test_what_was_set_before_sigterm_is_there(self):
        cache = self.machine()
        count = 5000
        cache.client.send(b"".join(encode("SET", f"k:{n}", f"value {n}") for n in range(count)))
        for _ in range(count):
            self.assertEqual(cache.client.read(), "OK")
        self.assertEqual(cache.process.end(), 0)
        self.assertEqual(self.seen.call("MGET", *[f"gwctl:k:{n}" for n in range(count)]),
                         [f"value {n}".encode() for n in range(count)])

    def test_sigterm_while_redis_is_away(self):
        cache = self.machine()
        self.redis.kill()
        cache.wait_away()
        self.assertEqual(cache.call("SET", "k", "v"), "OK")
        self.assertEqual(cache.process.end(5), 0)

    def test_a_kill_leaves_nothing_older_in_redis(self):
        cache = self.machine()
        cache.call("MSET", *[w for n in range(100) for w in (f"k:{n}", "old")])
        cache.call("SET", "doomed", "v")
        self.wait_there("doomed", b"v")
        self.redis.process.send_signal(signal.SIGSTOP)
        for n in range(100):
            self.assertEqual(cache.call("SET", f"k:{n}", "new"), "OK")
        self.assertEqual(cache.call("DEL", "doomed"), 1)
        cache.process.kill()
        self.redis.process.send_signal(signal.SIGCONT)
        cache.start()
        cache.wait_healthy()
        names = [f"gwctl:k:{n}" for n in range(100)]
        wait_until(lambda: set(self.seen.call("MGET", *names, "gwctl:doomed")) <= {None, b"new"})
        self.assertEqual(cache.call("MGET", *[f"k:{n}" for n in range(100)], "doomed"),
                         [b"new"] * 100 + [None])


if __name__ == "__main__":
    gwtest.main()
