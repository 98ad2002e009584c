"""cachesvc among clients that do not read, that wait, that are many; killed and started anew; and the
commands that Redis does not have.
"""

import os
import select
import signal
import socket
import time

import cachesvc
import gwtest
from cachesvc import Client, encode
from control import Supervisor
from gwtest import wait_until

MB = 1 << 20


def memory_of(pid):
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def has_data(client):
    return client.at < len(client.data) or bool(select.select([client.sock], [], [], 0)[0])


class Limits(cachesvc.Case):
    def setUp(self):
        super().setUp()
        self.cache = self.serve()
        self.client = self.connect(self.cache)

    def clients_listed(self):
        return self.client.call("CLIENT", "LIST").count(b"\n")

    def test_ten_thousand_pipelined_commands(self):
        self.client.send(b"".join(encode("SET", f"k{n}", n) + encode("GET", f"k{n}")
                                  for n in range(10000)))
        for n in range(10000):
            self.assertEqual(self.client.read(), "OK")
            self.assertEqual(self.client.read(), str(n).encode())

    def test_a_command_in_single_bytes(self):
        for byte in encode("SET", "a", "some value"):
            self.client.send(bytes([byte]))
        self.assertEqual(self.client.read(), "OK")
        self.assertEqual(self.client.call("GET", "a"), b"some value")

    def test_sixty_four_connections(self):
        clients = [self.connect(self.cache) for _ in range(64)]
        for turn in range(20):
            for n, client in enumerate(clients):
                client.send(encode("INCR", "n") + encode("SET", f"of {n}", turn))
            for client in clients:
                client.read()
                self.assertEqual(client.read(), "OK")
        self.assertEqual(self.client.call("GET", "n"), b"1280")
        self.assertEqual(self.clients_listed(), 65)
        for client in clients:
            client.close()
        wait_until(lambda: self.clients_listed() == 1)

    def test_large_values(self):
        for size in (65536, 65537, MB, 6 * MB):
            value = os.urandom(size)
            self.assertEqual(self.client.call("SET", "large", value), "OK")
            self.assertEqual(self.client.call("GET", "large"), value)
            self.assertEqual(self.client.call("APPEND", "large", "x"), size + 1)
            self.assertEqual(self.client.call("STRLEN", "large"), size + 1)
        # Too large for this cache; the connection is fine and the key is as it was.
        self.assertIn("too large", self.client.call("SET", "large", b"x" * (20 * MB)))
        self.assertEqual(self.client.call("STRLEN", "large"), 6 * MB + 1)
        self.assertIn("too large", self.client.call("SET", b"k" * 70000, "x"))

    def test_a_command_that_is_too_large(self):
        for start in (b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n" % (65 * MB),
                      b"*2\r\n$3\r\nGET\r\n$%d\r\n" % (64 * MB)):
            with self.cache.client() as client:
                client.send(start)
                self.assertIn("Protocol error", client.read())
                self.assertTrue(client.is_ended())

    def test_a_client_that_does_not_read(self):
        self.client.call("SET", "v", b"x" * 100000)
        slow = self.connect(self.cache)
        slow.sock.setblocking(False)
        sent, commands = 0, encode("GET", "v") * 1000
        before = memory_of(self.cache.pid)
        deadline = time.monotonic() + 20
        stalled = 0
        while stalled < 50 and time.monotonic() < deadline:
            try:
                sent += slow.sock.send(commands[sent % len(encode("GET", "v")):])
                stalled = 0
            except BlockingIOError:
                stalled += 1
                self.assertEqual(self.client.call("PING"), "PONG")
        # It is not read any more; what it is owed is bounded; the others are served.
        self.assertGreaterEqual(stalled, 50)
        self.assertLess(memory_of(self.cache.pid) - before, 40 * MB)
        # When it reads, it gets everything.
        slow.sock.settimeout(30)
        for _ in range(sent // len(encode("GET", "v"))):
            self.assertEqual(len(slow.read()), 100000)

    def test_a_reply_that_is_too_large(self):
        self.client.call("SET", "v", b"x" * (6 * MB))
        greedy = self.connect(self.cache)
        greedy.send(encode("MGET", *["v"] * 100))
        self.assertTrue(greedy.is_ended())
        self.assertEqual(self.client.call("PING"), "PONG")
        self.assertIn("closed", self.cache.log())

    def test_a_reply_of_many_values(self):
        self.client.call("SET", "v", b"x" * (6 * MB))
        self.assertEqual([len(value) for value in self.client.call("MGET", *["v"] * 9)],
                         [6 * MB] * 9)

    def test_half_closed_connections_get_their_replies(self):
        self.client.call("MSET", *[word for n in range(5000) for word in (f"k:{n}", "x")])
        other = self.connect(self.cache)
        other.send(encode("PING") + encode("CACHE.DELPATTERN", "k:?") + encode("PING"))
        other.sock.shutdown(socket.SHUT_WR)
        self.assertEqual([other.read() for _ in range(3)], ["PONG", 10, "PONG"])
        self.assertTrue(other.is_ended())

    def test_quit_answers_what_came_before_it(self):
        self.client.send(encode("PING") + encode("QUIT") + encode("PING"))
        self.assertEqual([self.client.read(), self.client.read()], ["PONG", "OK"])
        self.assertTrue(self.client.is_ended())

    def test_clients_that_go_away(self):
        self.client.call("SET", "v", b"x" * MB)
        self.client.call("CACHE.LOCK", "l", "t", 60000)
        for words in (["GET", "v"], ["KEYS", "*"], ["CACHE.WAIT", "l", "60000"], ["SET", "v"]):
            for _ in range(10):
                with self.cache.client() as client:
                    client.send(encode(*words) * 20)
        wait_until(lambda: self.clients_listed() == 1)


class OwnCommands(cachesvc.Case):
    def setUp(self):
        super().setUp()
        self.cache = self.serve()
        self.client = self.connect(self.cache)

    def fill(self, count, prefix="k"):
        for first in range(0, count, 10000):
            words = [word for n in range(first, min(first + 10000, count))
                     for word in (f"{prefix}:{n}", "x")]
            self.assertEqual(self.client.call("MSET", *words), "OK")

    def test_others_are_served_while_many_keys_go(self):
        self.fill(100000)
        self.client.call("SET", "other", "x")
        worker = self.connect(self.cache)
        worker.send(encode("CACHE.DELPATTERN", "k:*") + encode("PING"))
        served = 0
        while not has_data(worker):
            self.assertEqual(self.client.call("PING"), "PONG")
            served += 1
        self.assertEqual([worker.read(), worker.read()], [100000, "PONG"])
        self.assertGreater(served, 5)
        self.assertEqual(self.client.call("KEYS", "*"), [b"other"])

    def test_jobs_take_turns(self):
        self.fill(20000, "a")
        self.fill(20000, "b")
        clients = [self.connect(self.cache) for _ in range(6)]
        for n, client in enumerate(clients):
            client.send(encode(*[("CACHE.DELPATTERN", "a:*"), ("CACHE.INVALIDATE", "b", "1"),
                                 ("KEYS", "b:*")][n % 3]))
        replies = [client.read() for client in clients]
        self.assertEqual(replies[0] + replies[3], 20000)
        self.assertEqual(replies[1] + replies[4], 1)
        self.assertGreaterEqual(len(replies[2]), 19999)

    def test_waiting_for_a_lock(self):
        self.assertEqual(self.client.call("CACHE.WAIT", "k", 1000), 1)
        self.assertEqual(self.client.call("CACHE.LOCK", "k", "me", 60000), 1)
        waiting = [self.connect(self.cache) for _ in range(20)]
        for client in waiting:
            client.send(encode("CACHE.WAIT", "k", 30000) + encode("GET", "k"))
        wait_until(lambda: b"blocked_clients:20" in self.client.call("INFO", "clients"))
        self.assertEqual(self.client.call("SET", "k", "value"), "OK")
        self.assertFalse(any(has_data(client) for client in waiting))
        self.assertEqual(self.client.call("CACHE.UNLOCK", "k", "you"), 0)
        self.assertEqual(self.client.call("CACHE.UNLOCK", "k", "me"), 1)
        self.assertEqual([(c.read(), c.read()) for c in waiting], [(1, b"value")] * 20)

    def test_locks_that_end_by_themselves(self):
        self.client.call("CACHE.LOCK", "k", "me", 50)
        self.assertEqual(self.client.call("CACHE.WAIT", "k", 30000), 1)
        self.client.call("CACHE.LOCK", "k", "me", 60000)
        self.assertEqual(self.client.call("CACHE.WAIT", "k", 50), 0)
        other = self.connect(self.cache)
        other.send(encode("CACHE.WAIT", "k", 30000))
        self.client.call("FLUSHALL")
        self.assertEqual(other.read(), 1)

    def test_numbers(self):
        self.client.call("SET", "a", "x")
        for key in ("a", "a", "b"):
            self.client.call("GET", key)
        stats = self.client.call("CACHE.STATS")
        stats = {name.decode(): value for name, value in zip(stats[::2], stats[1::2])}
        self.assertEqual(list(stats), ["healthy", "keys", "memory", "hits", "misses", "hitRate",
                                       "connections", "uptime"])
        self.assertEqual((stats["healthy"], stats["keys"], stats["hits"], stats["misses"],
                          stats["hitRate"], stats["connections"]), (1, 1, 2, 1, b"66.67%", 1))
        self.assertRegex(stats["memory"], rb"^\d+\.\d\d MB$")


class Life(cachesvc.Case):
    def setUp(self):
        super().setUp()
        self.page = os.memfd_create("cache")
        self.addCleanup(os.close, self.page)
        os.ftruncate(self.page, 16 * MB)
        self.listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.listener.close)
        self.listener.bind(os.path.join(self.folder, "cache.sock"))
        self.listener.listen(64)
        supervisor = Supervisor(self.folder, lambda: {"document": {"cachesvc": {}}})
        self.addCleanup(supervisor.die)

    def start(self, **keys):
        return self.keep(cachesvc.start_supervised(self.folder, self.listener.fileno(), self.page,
                                                   **keys))

    def test_a_kill_keeps_the_keys(self):
        server = self.start().wait_answers()
        with server.client() as client:
            for n in range(2000):
                client.call("SET", f"k{n}", f"value {n}" * (n % 50), "EX", "1000")
            client.call("CACHE.SET", "tagged", "x", "TAGS", 1, "t")
            client.send(b"".join(encode("SET", f"busy{n}", "x" * n) for n in range(3000)))
            server.kill()
        # Connections that come meanwhile wait in the socket's queue.
        with Client(os.path.join(self.folder, "cache.sock")) as client:
            server = self.start()
            for n in range(2000):
                self.assertEqual(client.call("GET", f"k{n}"), (f"value {n}" * (n % 50)).encode())
            self.assertGreater(client.call("TTL", "k1"), 900)
            self.assertEqual(client.call("CACHE.PURGETAG", "t"), "OK")
            self.assertIsNone(client.call("GET", "tagged"))

    def test_a_page_of_another_version(self):
        os.pwrite(self.page, b"something else " * 100, 0)
        server = self.start().wait_answers()
        with server.client() as client:
            self.assertEqual(client.call("SET", "a", "x"), "OK")
        self.assertIn("begins empty", server.log())

    def test_ready_and_stopping(self):
        path = os.path.join(self.folder, "notify.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.settimeout(20)
            notify.bind(path)
            server = self.start(notify=path)
            self.assertIn(b"READY=1", notify.recv(4096))
            client = self.connect(server)
            self.assertEqual(client.call("SET", "a", "x"), "OK")
            client.send(encode("GET", "a") + encode("CACHE.LOCK", "l", "t", "60000") +
                        encode("CACHE.WAIT", "l", "30000") + encode("GET", "a"))
            self.assertEqual([client.read(), client.read()], [b"x", 1])
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual([client.read(), client.read()], [0, b"x"])
            self.assertTrue(client.is_ended())
            self.assertEqual(server.end(), 0)
            self.assertIn(b"STOPPING=1", notify.recv(4096))

    def test_what_it_does_not_start_with(self):
        os.ftruncate(self.page, 1000)
        server = cachesvc.start_supervised(self.folder, self.listener.fileno(), self.page)
        self.assertEqual(server.process.wait(20), 1)
        self.assertIn("the cache cannot have 1000 bytes", server.log())

    def test_the_end_by_hand(self):
        server = self.keep(cachesvc.Process(
            self.folder, "own", [os.path.join(gwtest.BIN, "cachesvc"), "--socket",
                                 os.path.join(self.folder, "own.sock"), "--memory", "1M"],
            env=cachesvc.clean_environment())).wait_answers()
        self.assertEqual(server.end(), 0)
        self.assertFalse(os.path.exists(server.path))


if __name__ == "__main__":
    gwtest.main()
