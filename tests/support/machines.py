"""Machines that share a Redis: a cachesvc each, and a wire to Redis that can be cut."""

import os
import signal
import socket
import threading
import time

import cachesvc
from control import Supervisor
from gwtest import Background, free_port, wait_until

MB = 1 << 20


def hang_up(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


class Wire:
    """A TCP port whose connections lead to a Unix socket, as long as it is not cut. What is on those
    that it has may be held back, as a network does that loses packets for some time, or be late."""

    def __init__(self, path):
        self.path = path
        self.is_cut = False
        self.delay_s = 0.0  # of what is sent from now on, each way
        self.tries = 0  # to connect
        self.lock = threading.Lock()
        self.ends = set()
        self.gates = []  # of each connection: to Redis, and from it
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.tries += 1
            self._lead(near)

    def _lead(self, near):
        far = socket.socket(socket.AF_UNIX)
        with self.lock:
            try:
                if self.is_cut:
                    raise OSError("cut")
                far.connect(self.path)
            except OSError:
                near.close()
                far.close()
                return
            self.ends.update((near, far))
            gates = (threading.Event(), threading.Event())
            self.gates.append(gates)
            for gate in gates:
                gate.set()
        threading.Thread(target=self._carry_both_ways, args=(near, far, gates), daemon=True).start()

    def _carry_both_ways(self, near, far, gates):
        back = threading.Thread(target=self._carry, args=(far, near, gates[1]), daemon=True)
        back.start()
        self._carry(near, far, gates[0])
        back.join()
        with self.lock:
            self.ends -= {near, far}
            near.close()
            far.close()

    def _carry(self, source, target, gate):
        try:
            while data := source.recv(65536):
                time.sleep(self.delay_s)
                gate.wait()
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            hang_up(end)

    def cut(self):
        """What is on it is lost, and nobody gets through until mend()."""
        with self.lock:
            self.is_cut = True
            for end in self.ends:
                hang_up(end)

    def hold(self):
        """What is sent to Redis stays where it is until let_go(); new connections are not held."""
        with self.lock:
            for gate, _ in self.gates:
                gate.clear()

    def hold_replies(self):
        """The same of what comes from Redis, on the connection that was made last."""
        with self.lock:
            self.gates[-1][1].clear()

    def let_go(self):
        with self.lock:
            for gates in self.gates:
                for gate in gates:
                    gate.set()

    def mend(self):
        with self.lock:
            self.is_cut = False

    def close(self):
        self.let_go()
        self.cut()
        hang_up(self.listener)
        self.listener.close()


class Machine:
    """cachesvc with a Redis behind it, as the supervisor starts it: its page and its socket outlive
    it. `redis` is what the file says."""

    def __init__(self, case, name, redis, memory=16 * MB):
        self.case = case
        self.name = name
        self.folder = os.path.join(case.folder, name)
        os.mkdir(self.folder)
        self.page = os.memfd_create("cache")
        case.addCleanup(os.close, self.page)
        os.ftruncate(self.page, memory)
        self.listener = socket.socket(socket.AF_UNIX)
        case.addCleanup(self.listener.close)
        self.listener.bind(os.path.join(self.folder, "cache.sock"))
        self.listener.listen(64)
        self.supervisor = Supervisor(self.folder, lambda: {"document": {"cachesvc": {"redis": redis}}})
        case.addCleanup(self.supervisor.die)
        self.start()

    def start(self):
        self.process = self.case.keep(cachesvc.start_supervised(
            self.folder, self.listener.fileno(), self.page)).wait_answers()
        self.client = self.case.connect(self.process)
        self.call = self.client.call

    def connect(self):
        return self.case.connect(self.process)

    def log(self):
        return self.process.log()

    def lines(self, level):
        """What the log says of Redis at this level."""
        return [line for line in self.log().splitlines() if level in line and "redis: " in line]

    def events(self, source="redis"):
        return [event["name"] for event in self.supervisor.events if event["source"] == source]

    def info(self, name, client=None):
        for line in (client or self.client).call("INFO").decode().split("\r\n"):
            if line.startswith(f"redis_{name}:"):
                value = line.partition(":")[2]
                return int(value) if value.isdigit() else value
        raise AssertionError(f"no redis_{name} in INFO")

    def is_healthy(self):
        return self.info("link") == "connected" and self.info("breaker") == "closed"

    def wait_healthy(self, limit=10):
        wait_until(self.is_healthy, limit, "the way to Redis")
        return self

    def wait_away(self, limit=10):
        wait_until(lambda: self.info("link") != "connected", limit, "the loss of Redis")


class Traffic:
    """A client that goes on with commands of all kinds; how long did the slowest one take?"""

    def __init__(self, machine):
        self.client = machine.connect()
        self.slowest = 0.0
        self.turn = 0
        self.background = Background(self._step, lambda: 0.001)

    def _step(self):
        self.turn += 1
        n = self.turn
        words = [("SET", f"t:{n % 50}", n), ("GET", f"t:{n % 50}"), ("GET", f"t:missing:{n}"),
                 ("MGET", *[f"t:missing:{n}:{i}" for i in range(5)]), ("INCR", "t:count"),
                 ("SET", f"t:nx:{n}", n, "NX", "PX", 60000), ("EXISTS", f"t:missing:{n}"),
                 ("DEL", f"t:{n % 50}"), ("EXPIRE", f"t:{n % 50}", 100),
                 ("CACHE.SET", f"t:tagged:{n % 50}", n, "TAGS", 1, "t")][n % 10]
        begun = time.monotonic()
        reply = self.client.call(*words)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        if isinstance(reply, cachesvc.ReplyError):
            raise AssertionError(f"{words}: {reply}")

    def wait_more(self, count=200):
        """Until so many more commands were answered."""
        begun = self.turn
        wait_until(lambda: self.turn >= begun + count, 20, "the traffic's commands")

    def stop(self):
        """Returns what failed."""
        failures = self.background.stop()
        self.client.close()
        return failures


class Case(cachesvc.Case):
    """A Redis in self.redis, and a client of it in self.seen."""

    options = ()
    prefix = "gwctl:"

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.start_redis()

    def start_redis(self, *options):
        self.redis = cachesvc.start_redis(self.folder, "--port", self.port, *self.options, *options)
        self.addCleanup(self._end_redis, self.redis)
        self.seen = self.connect(self.redis)

    @staticmethod
    def _end_redis(redis):
        if redis.process.poll() is None:
            redis.process.send_signal(signal.SIGCONT)
        redis.end()

    def wire(self):
        wire = Wire(self.redis.path)
        self.addCleanup(wire.close)
        return wire

    def machine(self, name="machine", memory=16 * MB, **redis):
        """Connected, by default to self.redis directly."""
        redis = {"host": "127.0.0.1", "port": self.port, **redis}
        return Machine(self, name, redis, memory).wait_healthy()

    def count_there(self, command):
        """How often Redis has done a command."""
        stats = self.seen.call("INFO", "commandstats").decode()
        return int(stats.partition(f"cmdstat_{command}:calls=")[2].partition(",")[0] or 0)

    def there(self, key):
        """What Redis has."""
        key = key if isinstance(key, bytes) else key.encode()
        return self.seen.call("GET", self.prefix.encode() + key)

    def wait_there(self, key, value, limit=5):
        wait_until(lambda: self.there(key) == value, limit, f"{key} = {value!r:.50} in Redis")
