"""cachesvc against redis-server: the same commands get the same bytes. And clients of Redis that
people use, as they are.
"""

import os
import random
import subprocess
import unittest

import cachesvc
import gwtest
from cachesvc import encode
from gwtest import require, wait_until

# Each line is a command; in one list, since some see what others did. Times are far enough off to
# come out the same at both servers.
FIXED = r"""
PING
PING hello
PING a b
ECHO hello
ECHO
GET a
SET a 1
GET a
SET a 2 NX
SET a 2 XX
SET b 2 XX
SET b 2 NX
GET b
SET a 3 GET
SET new 3 GET
SET a 4 NX GET
SET newer 4 NX GET
SET a 4 XX GET
SET newest 4 XX GET
SET a 5 EX 100
TTL a
SET a 6 KEEPTTL
TTL a
SET a 7
TTL a
SET a 1 PX 100000
TTL a
SET a 1 EXAT 4102444800
EXPIRETIME a
PEXPIRETIME a
SET a 1 PXAT 4102444800123
EXPIRETIME a
PEXPIRETIME a
SET a 1 EXAT 1000
GET a
EXISTS a
SET a 1 EX 0
SET a 1 EX -1
SET a 1 EX x
SET a 1 EX
SET a 1 EX 1.5
SET a 1 EX 9223372036854775807
SET a 1 EX 9223372036854775
SET a 1 PX 9223372036854775807
SET a 1 EXAT 9223372036854775
SET a 1 PXAT 9223372036854775807
SET a 1 EX 10 PX 10
SET a 1 EX 10 EX 20
SET a 1 EX 10 KEEPTTL
SET a 1 KEEPTTL EX 10
SET a 1 KEEPTTL KEEPTTL
SET a 1 NX XX
SET a 1 NX NX
SET a 1 GET GET
SET a 1 PERSIST
SET a 1 FOO
SET a 1 FOO EX 0
SET a 1 EX 0 FOO
SET a 1 EX x NX
SET a 1 ex 100 get
SET a
SET
set a 1
SeT a 1
FOO
FOO bar
FOO bar "b a z" ''
FOO "a\r\nb" "\x00x"
FLUSHNOTHING
GETX
G
GET
GET a b
DEL a b new newer
GET a
SETNX a 1
SETNX a 2
SETNX a
SETEX a 100 v
TTL a
SETEX a 0 v
SETEX a -5 v
SETEX a x v
SETEX a 9223372036854775807 v
PSETEX a 100000 v
TTL a
PSETEX a 0 v
PSETEX a x v
GETSET a w
TTL a
GETSET none x
GET none
GETDEL none
GETDEL none
GETDEL
GETEX a
GETEX a EX 100
TTL a
GETEX a PERSIST
TTL a
GETEX a PX 100000
TTL a
GETEX a EXAT 4102444800
EXPIRETIME a
GETEX a PXAT 4102444800123
PEXPIRETIME a
GETEX a EX 0
GETEX a EX x
GETEX a KEEPTTL
GETEX a NX
GETEX a EX 10 PERSIST
GETEX a PERSIST EX 10
GETEX missing EX 0
GETEX missing EX 10
GETEX missing FOO
GETEX a EXAT 1
EXISTS a
MSET a 1 b 2 c 3
MSET a
MSET a 1 b
MGET a b c d
MGET a a a
MGET
MSETNX d 1 e 2
MSETNX e 1 f 2
MSETNX f
MSETNX f 1 g
EXISTS f
MSETNX x 1 x 2
GET x
APPEND app hello
APPEND app " world"
GET app
STRLEN app
STRLEN missing
STRLEN
EXPIRE app 100
APPEND app !
TTL app
SET n 10
INCR n
DECR n
INCRBY n 5
DECRBY n 3
INCRBY n -5
INCRBY n x
INCRBY n 1.5
INCRBY n " 1"
INCRBY n 01
INCRBY n +1
INCRBY n ""
INCRBY n 9223372036854775807
INCRBY n 9223372036854775808
DECRBY n -9223372036854775808
DECRBY n 9223372036854775807
SET n 9223372036854775807
INCR n
INCRBY n 0
DECR n
SET n -9223372036854775808
DECR n
DECRBY n 1
INCR n
SET n abc
INCR n
SET n ""
INCR n
SET n " 1"
INCR n
SET n 012
INCR n
SET n -0
INCR n
SET n 1.0
INCR n
SET n 99999999999999999999999999
INCR n
INCR fresh
DECR fresh2
INCRBY fresh3 7
DECRBY fresh4 7
EXPIRE fresh 100
INCR fresh
TTL fresh
INCR
INCRBY n
SET f 10.50
INCRBYFLOAT f 0.1
INCRBYFLOAT f -5
INCRBYFLOAT f 5.0e3
INCRBYFLOAT f 1e400
INCRBYFLOAT f x
INCRBYFLOAT f ""
INCRBYFLOAT f " 1"
INCRBYFLOAT f inf
INCRBYFLOAT f -inf
INCRBYFLOAT f nan
INCRBYFLOAT f 0x10
INCRBYFLOAT f 1e-10
INCRBYFLOAT f2 3
INCRBYFLOAT f3 3.000
INCRBYFLOAT f3 -3
INCRBYFLOAT f4 -0.0
SET f x
INCRBYFLOAT f 1
SET f " 1"
INCRBYFLOAT f 1
SET f 1e17
INCRBYFLOAT f 1
SET f 1e4000
INCRBYFLOAT f 1e4000
SET f 1e4932
INCRBYFLOAT f 1e4932
EXISTS a b zzz a
EXISTS
TOUCH a zzz
TOUCH
TYPE a
TYPE zzz
TYPE
UNLINK a b zzz
UNLINK
DEL
DEL zzz
SET e 1
EXPIRE e 100
TTL e
EXPIRE e 200 NX
EXPIRE e 200 XX
EXPIRE e 100 GT
EXPIRE e 300 GT
EXPIRE e 400 LT
EXPIRE e 100 LT
TTL e
PERSIST e
PERSIST e
PERSIST zzz
EXPIRE e 100 GT
EXPIRE e 100 XX
EXPIRE e 100 LT
TTL e
PERSIST e
EXPIRE e 100 NX
EXPIRE e 100 NX XX
EXPIRE e 100 NX GT
EXPIRE e 100 GT LT
EXPIRE e 150 XX GT
EXPIRE e 50 XX LT
EXPIRE e 100 FOO
EXPIRE e 100 NX FOO
EXPIRE e x
EXPIRE e x FOO
EXPIRE e x NX XX
EXPIRE e 1.5
EXPIRE e 9223372036854775807
EXPIRE e -9223372036854775808
EXPIRE e 9223372036854775
EXPIRE zzz 9223372036854775807
EXPIRE zzz 10
EXPIRE e
PEXPIRE e 9223372036854775807
PEXPIRE e 100000
TTL e
EXPIREAT e 4102444800
EXPIRETIME e
PEXPIREAT e 4102444800999
EXPIRETIME e
PEXPIRETIME e
PEXPIREAT e 4102444800499
EXPIRETIME e
EXPIREAT e 9223372036854775807
PEXPIREAT e 9223372036854775807
PEXPIRETIME e
EXPIRE e -1 GT
EXPIRE e -1 LT
EXISTS e
SET e 1
EXPIRE e 0
EXISTS e
SET e 1
PEXPIRE e -1
EXISTS e
SET e 1
EXPIREAT e 1
EXISTS e
SET e 1
PEXPIREAT e 0
EXISTS e
TTL zzz
PTTL zzz
EXPIRETIME zzz
PEXPIRETIME zzz
SET e 1
TTL e
PTTL e
EXPIRETIME e
PEXPIRETIME e
TTL
RENAME e e2
GET e2
RENAME zzz y
RENAME e2 e2
RENAME zzz zzz
EXPIRE e2 100
RENAME e2 e3
TTL e3
SET e4 other
RENAME e3 e4
GET e4
TTL e4
RENAMENX e4 f
RENAMENX e4 e5
RENAMENX e5 e5
RENAMENX zzz e5
RENAME a
RENAMENX a
KEYS nothing-like-this
KEYS
KEYS a b
SET only:1 x
KEYS only:*
KEYS only:[0-9]
KEYS only\:?
KEYS only:1
SCAN x
SCAN -1
SCAN " 0"
SCAN 99999999999999999999999
SCAN
SCAN 0 MATCH
SCAN 0 COUNT
SCAN 0 COUNT 0
SCAN 0 COUNT -1
SCAN 0 COUNT x
SCAN 0 FOO 1
SCAN 0 MATCH * FOO
SCAN x FOO
SELECT 0
SELECT 1
SELECT -1
SELECT x
SELECT
SELECT 0 0
AUTH secret
AUTH default secret
AUTH other secret
AUTH a b c
AUTH
HELLO x
HELLO 1
HELLO 4
HELLO 2 FOO
HELLO 2 AUTH default
HELLO 2 AUTH other x
HELLO 2 SETNAME
HELLO 2 SETNAME "a b"
CLIENT
CLIENT FOO
CLIENT GETNAME
CLIENT SETNAME me
CLIENT GETNAME
CLIENT SETNAME "a b"
CLIENT SETNAME ""
CLIENT GETNAME
CLIENT SETNAME
CLIENT ID x
CLIENT NO-EVICT on
CLIENT NO-EVICT off
CLIENT NO-EVICT x
CLIENT LIST FOO
CLIENT LIST ID
CLIENT LIST ID x
CLIENT LIST TYPE x
CONFIG
CONFIG FOO
CONFIG GET
CONFIG GET appendonly
CONFIG GET save
CONFIG GET SAVE
CONFIG GET nothing-like-this
CONFIG SET
CONFIG SET nothing-like-this 1
CONFIG SET databases 1
CONFIG SET maxmemory
CONFIG RESETSTAT
CONFIG RESETSTAT x
COMMAND FOO
COMMAND COUNT x
COMMAND INFO foo
COMMAND DOCS foo
MEMORY
MEMORY FOO
MEMORY USAGE
MEMORY USAGE zzz
MEMORY USAGE zzz SAMPLES
MEMORY USAGE zzz SAMPLES x
MEMORY USAGE zzz SAMPLES 5
MEMORY USAGE zzz FOO 5
DBSIZE x
FLUSHDB x
FLUSHDB ASYNC
DBSIZE
SET a 1
DBSIZE
FLUSHALL SYNC
FLUSHALL ASYNC x
FLUSHALL
DBSIZE
GET a
RESET
RESET x
"" x
QUIT x
"""

# What cachesvc says where the bytes differ on purpose.
DIFFERENT = {
    # A cursor has no sign. In Redis -1 means some place in the table.
    "SCAN -1": b"-ERR invalid cursor\r\n",
    # The name of a setting comes as it is, in Redis as it was asked for.
    "CONFIG GET SAVE": b"*2\r\n$4\r\nsave\r\n$0\r\n\r\n",
}


def words_of(line):
    """A line in the notation of redis-cli as a list of bytes."""
    words, word, quote, at = [], None, None, 0
    escapes = {"r": b"\r", "n": b"\n", "t": b"\t", '"': b'"', "\\": b"\\"}
    while at < len(line):
        char = line[at]
        if quote and char == quote:
            quote = None
        elif quote == '"' and char == "\\" and line[at + 1] == "x":
            word += bytes.fromhex(line[at + 2:at + 4])
            at += 3
        elif quote == '"' and char == "\\":
            word += escapes[line[at + 1]]
            at += 1
        elif not quote and char in "\"'":
            quote, word = char, word or b""
        elif not quote and char == " ":
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or b"") + char.encode()
        at += 1
    return words + ([word] if word is not None else [])


def random_command(rng):
    """A command on a few keys, with arguments that are mostly right. Nothing depends on the time,
    which is not the same at both servers."""
    key = lambda: f"key:{rng.randrange(12)}"
    number = lambda: rng.choice(["1", "-1", "7", "100", "0", "x", "1.5", "9223372036854775807"])
    value = lambda: rng.choice(["", "1", "12", "-5", "3.25", "abc", "v" * rng.randrange(3000),
                                bytes(rng.randrange(256) for _ in range(rng.randrange(40)))])
    wrong = lambda: rng.choice(["0", "-1", "x", "9223372036854775807"])
    at = lambda: str(4102444800 + rng.randrange(1000))
    condition = lambda: rng.sample(["NX", "XX", "GT", "LT"], rng.choice([0, 0, 1, 1, 2]))
    kinds = [
        lambda: ["SET", key(), value()],
        lambda: ["SET", key(), value(), rng.choice(["NX", "XX", "GET", "KEEPTTL"])],
        lambda: ["SET", key(), value(), "EX", wrong()],
        lambda: ["SET", key(), value(), "PXAT", at() + "123"],
        lambda: ["SET", key(), value(), "GET", rng.choice(["NX", "XX"]), "EXAT", at()],
        lambda: ["GET", key()], lambda: ["GET", key()], lambda: ["GETDEL", key()],
        lambda: ["GETSET", key(), value()],
        lambda: ["GETEX", key(), *rng.choice([[], ["PERSIST"], ["EXAT", at()], ["EX", wrong()]])],
        lambda: ["SETNX", key(), value()], lambda: ["SETEX", key(), wrong(), value()],
        lambda: ["MGET", key(), key(), key()],
        lambda: ["MSET", key(), value(), key(), value()],
        lambda: ["MSETNX", key(), value(), key(), value()],
        lambda: ["APPEND", key(), value()], lambda: ["STRLEN", key()],
        lambda: [rng.choice(["INCR", "DECR"]), key()],
        lambda: [rng.choice(["INCRBY", "DECRBY", "INCRBYFLOAT"]), key(), number()],
        lambda: [rng.choice(["DEL", "UNLINK", "EXISTS", "TOUCH"]), key(), key()],
        lambda: ["EXPIREAT", key(), at(), *condition()],
        lambda: ["PEXPIREAT", key(), at() + "000", *condition()],
        lambda: ["EXPIREAT", key(), number(), *condition()],
        lambda: ["EXPIRETIME", key()], lambda: ["PEXPIRETIME", key()],
        lambda: ["PERSIST", key()], lambda: ["TYPE", key()],
        lambda: [rng.choice(["RENAME", "RENAMENX"]), key(), key()],
        lambda: ["DBSIZE"],
    ]
    return rng.choice(kinds)()


class AgainstRedis(cachesvc.Case):
    def setUp(self):
        super().setUp()
        self.redis = self.keep(cachesvc.start_redis(self.folder))
        self.cache = self.serve()
        self.theirs = self.connect(self.redis)
        self.ours = self.connect(self.cache)

    def compare(self, words):
        theirs, ours = self.theirs.raw(*words), self.ours.raw(*words)
        line = b" ".join(w if isinstance(w, bytes) else w.encode() for w in words)[:200]
        return None if theirs == ours else f"{line!r}\n  redis    {theirs[:300]!r}\n  " \
                                           f"cachesvc {ours[:300]!r}"

    def test_the_fixed_list(self):
        wrong = []
        for line in FIXED.strip().splitlines():
            words = words_of(line)
            if line in DIFFERENT:
                theirs, ours = self.theirs.raw(*words), self.ours.raw(*words)
                self.assertEqual(ours, DIFFERENT[line])
                self.assertNotEqual(theirs, ours)
            else:
                wrong.append(self.compare(words))
        self.assertEqual([text for text in wrong if text], [])

    def test_random_sequences(self):
        for seed in range(4):
            rng = random.Random(seed)
            self.theirs.call("FLUSHALL")
            self.ours.call("FLUSHALL")
            for _ in range(1500):
                words = random_command(rng)
                self.assertIsNone(self.compare(words), f"seed {seed}")
            keys = sorted(self.theirs.call("KEYS", "*"))
            self.assertEqual(sorted(self.ours.call("KEYS", "*")), keys)

    def test_wrong_counts_of_every_command(self):
        """Every command that both know, with too few and too many arguments."""
        names = {entry[0].decode(): entry[1] for entry in self.ours.call("COMMAND")}
        theirs = {entry[0].decode(): entry[1] for entry in self.theirs.call("COMMAND")}
        for name, arity in sorted(names.items()):
            if name.startswith("cache."):
                continue
            self.assertEqual(theirs[name], arity, name)
            few = [name] + ["x"] * (abs(arity) - 2)
            if abs(arity) >= 2:
                self.assertIsNone(self.compare(few))
            if arity > 0:
                self.assertIsNone(self.compare([name] + ["x"] * arity))

    def test_keys_and_flags_of_every_command(self):
        theirs = {entry[0]: entry for entry in self.theirs.call("COMMAND")}
        for entry in self.ours.call("COMMAND"):
            if entry[0].startswith(b"cache."):
                continue
            self.assertEqual(entry[3:6], theirs[entry[0]][3:6], entry[0])
            more = set(entry[2]) - set(theirs[entry[0]][2])
            self.assertEqual(more, set(), entry[0])

    def test_scan_visits_every_key_once(self):
        keys = {b"key:%d" % n for n in range(3000)}
        for client in (self.theirs, self.ours):
            client.send(b"".join(encode("SET", key, "x") for key in keys))
            self.assertEqual({client.read() for _ in keys}, {"OK"})
            self.assertEqual(self.scan(client), sorted(keys))
            self.assertEqual(self.scan(client, "MATCH", "key:1?"),
                             sorted(b"key:%d" % n for n in range(10, 20)))
            self.assertEqual(self.scan(client, "TYPE", "string", "COUNT", "1000"), sorted(keys))
            self.assertEqual(self.scan(client, "TYPE", "list"), [])

    @staticmethod
    def scan(client, *options):
        found, cursor = [], b"0"
        while True:
            cursor, keys = client.call("SCAN", cursor, *options)
            found += keys
            if cursor == b"0":
                return sorted(found)

    def test_inline_commands(self):
        for line in (b"PING\r\n", b"set a 'b c'\r\n", b'get "a"\n', b"\r\nSTRLEN a\r\n", b"FOO x\n"):
            replies = []
            for client in (self.theirs, self.ours):
                client.send(line)
                replies.append(client.read_raw())
            self.assertEqual(*replies, line)

    def test_malformed_input(self):
        for data in (b"*1\r\n$x\r\n", b"*1\r\nfoo\r\n", b"*1\r\n$-5\r\n", b"*9999999999\r\n",
                     b"*x\r\n", b'get "a\r\n', b"*2\r\n$4\r\nPING\r\n!1\r\n", b"x" * 70000):
            replies = []
            for server in (self.redis, self.cache):
                with server.client() as client:
                    client.send(data)
                    replies.append(client.read_raw())
                    self.assertTrue(client.is_ended())
            self.assertEqual(*replies, data[:40])


class Clients(cachesvc.Case):
    def setUp(self):
        super().setUp()
        self.cache = self.serve()

    def run_program(self, *args, **keys):
        done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=120, cwd=self.folder, **keys)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def cli(self, *args, **keys):
        require("redis-cli")
        return self.run_program("redis-cli", "-s", self.cache.path, *args, **keys)

    def test_redis_cli(self):
        self.assertEqual(self.cli("SET", "a", "1"), "OK\n")
        self.assertEqual(self.cli("GET", "a"), "1\n")
        self.assertEqual(self.cli("INCR", "a"), "2\n")
        self.assertEqual(self.cli("--scan"), "a\n")
        self.assertEqual(self.cli("KEYS", "*"), "a\n")
        self.assertIn("redis_version:", self.cli("INFO", "server"))
        self.assertIn("db0:keys=1", self.cli("INFO"))
        self.assertIn("ERR unknown command", self.cli("LPUSH", "l", "1"))
        self.assertIn("hitRate", self.cli("CACHE.STATS"))
        # What it asks for at the start of a session: COMMAND DOCS.
        self.assertIn("PONG", self.cli(input="PING\nHELLO 2\nCOMMAND DOCS get\n"))

    def test_redis_cli_is_told_the_same_as_by_redis(self):
        redis = self.keep(cachesvc.start_redis(self.folder))
        lines = "\n".join(line for line in FIXED.strip().splitlines() if line not in DIFFERENT)

        def told_by(server):
            return self.run_program("redis-cli", "-s", server.path, "--no-raw", input=lines)
        self.assertEqual(told_by(self.cache), told_by(redis))

    def test_redis_benchmark(self):
        require("redis-benchmark")
        out = self.run_program("redis-benchmark", "-s", self.cache.path, "-q", "-n", "2000", "-t",
                               "ping,set,get,incr,mset", "-P", "4", "-r", "500")
        self.assertEqual(out.count("requests per second"), 6, out)
        self.assertNotIn("ERR", out)

    def test_redis_py(self):
        try:
            import redis
        except ImportError:
            raise unittest.SkipTest("python3-redis is missing") from None
        with redis.Redis(unix_socket_path=self.cache.path, client_name="tester") as client:
            self.assertTrue(client.ping())
            self.assertTrue(client.set("a", "1", ex=100))
            self.assertIsNone(client.set("a", "2", nx=True))
            self.assertEqual(client.get("a"), b"1")
            self.assertLessEqual(client.ttl("a"), 100)
            self.assertEqual(client.incrby("n", 5), 5)
            self.assertEqual(client.mget("a", "n", "zzz"), [b"1", b"5", None])
            with client.pipeline(transaction=False) as pipeline:
                pipeline.set("p", "x").get("p").delete("p")
                self.assertEqual(pipeline.execute(), [True, b"x", 1])
            self.assertEqual(sorted(client.scan_iter("*")), [b"a", b"n"])
            self.assertEqual(client.info("keyspace")["db0"]["keys"], 2)
            self.assertEqual(client.config_get("maxmemory")["maxmemory"], str(64 << 20))
            self.assertEqual(client.client_list()[0]["name"], "tester")
            self.assertEqual(client.execute_command("CACHE.LOCK", "a", "token", 1000), 1)
            with self.assertRaises(redis.ResponseError):
                client.lpush("l", "x")
            client.flushdb()
            self.assertEqual(client.dbsize(), 0)

    def test_numbers_about_the_server(self):
        client = self.connect(self.cache)
        client.call("CLIENT", "SETNAME", "me")
        self.assertEqual(client.call("CLIENT", "SETINFO", "LIB-NAME", "lib"), "OK")
        info = client.call("CLIENT", "INFO").decode()
        self.assertIn(" name=me ", info)
        self.assertIn(" lib-name=lib ", info)
        self.assertIn(f"id={client.call('CLIENT', 'ID')} ", info)
        self.assertEqual(client.call("CLIENT", "LIST").count(b"\n"), 1)
        other = self.connect(self.cache)
        wait_until(lambda: client.call("CLIENT", "LIST").count(b"\n") == 2)
        listed = client.call("CLIENT", "LIST", "ID", other.call("CLIENT", "ID"))
        self.assertEqual(listed.count(b"\n"), 1)
        hello = client.call("HELLO", "2", "SETNAME", "you")
        self.assertEqual(hello[:6:2], [b"server", b"version", b"proto"])
        self.assertEqual(client.call("CLIENT", "GETNAME"), b"you")
        self.assertEqual(client.call("HELLO", "3"), "NOPROTO unsupported protocol version")
        self.assertEqual(client.call("CONFIG", "GET", "maxmemory*")[1], str(64 << 20).encode())
        self.assertGreater(client.call("SET", "a", "x") and client.call("MEMORY", "USAGE", "a"), 0)


if __name__ == "__main__":
    gwtest.main()
