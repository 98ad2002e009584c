"""Machines that share a Redis: what one changes the other sees, also when it was cut off meanwhile."""

import fnmatch
import os
import random
import threading

import gwtest
import machines
from cachesvc import encode
from gwtest import Background, wait_until

SEEN_S = 1.0  # so soon a change of one machine is seen by the other


class Two(machines.Case):
    def setUp(self):
        super().setUp()
        self.wires = [self.wire(), self.wire()]
        self.first, self.second = (self.machine(name, port=wire.port, deadline="1s") for name, wire
                                   in zip(("first", "second"), self.wires))

    def wait_seen(self, machine, key, value, limit=SEEN_S):
        wait_until(lambda: machine.call("GET", key) == value, limit, f"{key} = {value}")

    def cut_second(self):
        self.wires[1].cut()
        self.second.wait_away()

    def mend_second(self):
        self.wires[1].mend()
        self.second.wait_healthy()


class Changes(Two):
    """Both have some keys, and one changes them, in each of the ways that there are."""

    KEYS = ("k:1", "k:2", "list:k:all", "query:k")

    def changes(self, machine):
        """(name, what does it, what the keys are afterwards)."""
        gone = {key: None for key in self.KEYS}
        return (
            ("SET", lambda: machine.call("SET", "k:1", "new"), {"k:1": b"new"}),
            ("DEL", lambda: machine.call("DEL", "k:1"), {"k:1": None}),
            ("MSET", lambda: machine.call("MSET", "k:1", "a", "k:2", "b"),
             {"k:1": b"a", "k:2": b"b"}),
            ("INCR", lambda: machine.call("INCR", "k:2"), {"k:2": b"3"}),
            ("EXPIRE", lambda: machine.call("PEXPIRE", "k:1", 0), {"k:1": None}),
            ("PURGETAG", lambda: machine.call("CACHE.PURGETAG", "t"), {"tagged": None}),
            ("DELPATTERN", lambda: machine.call("CACHE.DELPATTERN", "k:?"),
             {"k:1": None, "k:2": None}),
            ("INVALIDATE", lambda: machine.call("CACHE.INVALIDATE", "k", 1),
             {"k:1": None, "list:k:all": None, "query:k": None}),
            ("FLUSHDB", lambda: machine.call("FLUSHDB"), {**gone, "tagged": None}),
            ("FLUSHALL", lambda: machine.call("FLUSHALL"), {**gone, "tagged": None}),
        )

    def fill(self):
        """Both have all keys; returns what they are."""
        values = {key: key[-1:].encode() for key in self.KEYS}
        values["tagged"] = b"of t"
        for key in self.KEYS:
            self.first.call("SET", key, values[key])
        self.first.call("CACHE.SET", "tagged", values["tagged"], "TAGS", 1, "t")
        for key, value in values.items():
            self.wait_seen(self.second, key, value, 5)
            self.wait_seen(self.first, key, value, 5)
        return values

    def check_change(self, steps, changed):
        """After these steps both see at once what was changed, and the rest as it was."""
        values = self.fill()
        for step in steps:
            step()
        values.update(changed)
        for key, value in values.items():
            self.wait_seen(self.second, key, value)
            self.wait_seen(self.first, key, value)

    def test_while_both_are_connected(self):
        for name, run, changed in self.changes(self.first):
            with self.subTest(name):
                self.check_change([run], changed)
        self.assertEqual(self.second.lines("warn"), [])
        # What they keep there of each other is no key that anybody deletes.
        self.assertEqual(self.seen.call("HLEN", "gwctl:~gwctl:epochs"), 3)  # and its birth

    def test_made_by_the_one_that_did_not_begin(self):
        self.first, self.second = self.second, self.first
        for name, run, changed in self.changes(self.first):
            with self.subTest(name):
                self.check_change([run], changed)

    def test_right_after_subscriptions_were_cut(self):
        for name, run, changed in self.changes(self.first):
            if name in ("INCR", "EXPIRE"):  # without Redis they are done here alone
                continue
            with self.subTest(name):
                self.check_change((lambda: self.seen.call("CLIENT", "KILL", "TYPE", "pubsub"), run,
                                   self.first.wait_healthy, self.second.wait_healthy), changed)

    def test_while_the_other_was_cut_off(self):
        for name, run, changed in self.changes(self.first):
            with self.subTest(name):
                self.check_change((self.cut_second_with_all, run, self.mend_second), changed)

    def cut_second_with_all(self):
        """What it has just fetched may be dropped once more, by the message that came after it."""
        def is_cut():
            self.fill()
            self.cut_second()
            if self.second.call("EXISTS", *self.KEYS, "tagged") == len(self.KEYS) + 1:
                return True
            self.mend_second()
            return False
        wait_until(is_cut)

    def test_made_by_one_that_was_cut_off_itself(self):
        for name, run, changed in self.changes(self.second):
            if name in ("INCR", "EXPIRE"):
                continue
            with self.subTest(name):
                self.check_change((self.cut_second, run, self.mend_second), changed)

    def test_a_value_that_is_changed_while_it_is_fetched(self):
        wire = self.wire()
        third = self.machine("third", port=wire.port, deadline="10s")
        other = third.connect()
        for words, then in ((("SET", "k", "new"), b"new"), (("CACHE.PURGETAG", "t"), None),
                            (("CACHE.DELPATTERN", "k*"), None)):
            with self.subTest(words[0]):
                heard = third.info("messages_heard")
                self.first.call("CACHE.SET", "k", "old", "TAGS", 1, "t")
                wait_until(lambda: (self.there("k") or b"").endswith(b"old"))
                wait_until(lambda: third.info("messages_heard") > heard)  # of that
                gets, heard = self.count_there("get"), third.info("messages_heard")
                wire.hold_replies()
                third.client.send(encode("GET", "k"))
                wait_until(lambda: self.count_there("get") > gets)
                self.first.call(*words)
                wait_until(lambda: third.info("messages_heard", other) > heard)
                wire.let_go()
                self.assertEqual(third.client.read(), then)
                self.assertEqual(third.call("GET", "k"), then)

    def test_ten_thousand_keys(self):
        count = 10000
        names = [f"n:{n}" for n in range(count)]
        self.first.call("MSET", *[w for name in names for w in (name, "old")])
        wait_until(lambda: self.second.call("GET", names[-1]) == b"old")
        self.second.call("MGET", *names)
        self.first.call("MSET", *[w for name in names for w in (name, "new")])
        wait_until(lambda: self.second.call("MGET", *names) == [b"new"] * count)
        self.assertEqual(self.second.call("CACHE.DELPATTERN", "n:*"), count)
        wait_until(lambda: self.first.call("MGET", *names) == [None] * count)


class Atomic(Two):
    def both(self, run):
        """run(machine) of both at once; what they return."""
        results = [None, None]

        def work(n, machine):
            results[n] = run(machine.connect())
        threads = [threading.Thread(target=work, args=(n, machine))
                   for n, machine in enumerate((self.first, self.second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    def test_counters(self):
        def count(client):
            return [client.call("INCR", "n") for _ in range(1000)]
        counted = self.both(count)
        self.assertEqual(sorted(counted[0] + counted[1]), list(range(1, 2001)))
        self.assertEqual(self.there("n"), b"2000")
        for machine in (self.first, self.second):
            wait_until(lambda: machine.call("GET", "n") == b"2000", SEEN_S)

    def test_who_is_first(self):
        def set_all(client):
            for n in range(200):
                client.send(encode("SET", f"nx:{n}", "x", "NX", "PX", 60000) +
                            encode("SETNX", f"setnx:{n}", "x") +
                            encode("MSETNX", f"one:{n}", "x", f"two:{n}", "x"))
            return [client.read() for _ in range(600)]
        first, second = self.both(set_all)
        for n in range(0, 600, 3):
            self.assertEqual({first[n], second[n]}, {"OK", None})
            self.assertEqual({first[n + 1], second[n + 1]}, {0, 1})
            self.assertEqual({first[n + 2], second[n + 2]}, {0, 1})

    def test_a_key_that_is_there_is_there(self):
        """While it changes elsewhere, and while other keys of the same command are fetched."""
        self.first.call("SET", "n", 1)
        self.wait_seen(self.second, "n", b"1")
        counting = Background(lambda: self.second.call("INCR", "n"))
        client = self.first.connect()
        for n in range(300):
            self.assertIsNotNone(client.call("GET", "n"))
            values = client.call("MGET", "n", f"missing:{n}")
            self.assertIsNotNone(values[0])
            self.assertIsNone(values[1])
        self.assertEqual(counting.stop(), [])
        for n in range(100):
            client.send(encode("SET", "x", n) + encode("APPEND", "x", "v") + encode("MGET", "x", "y"))
            self.assertEqual([client.read() for _ in range(3)],
                             ["OK", len(str(n)) + 1, [b"%dv" % n, None]])

    def test_who_takes_a_value(self):
        self.first.call("MSET", *[w for n in range(200) for w in (f"k:{n}", n)])
        wait_until(lambda: self.second.call("GET", "k:199") == b"199")

        def take_all(client):
            return [client.call("GETDEL", f"k:{n}") for n in range(200)]
        first, second = self.both(take_all)
        for n in range(200):
            self.assertEqual({first[n], second[n]}, {None, str(n).encode()})


class Returning(Two):
    def fill(self):
        for machine in (self.first, self.second):
            machine.call("MSET", *[w for n in range(100)
                                   for w in (f"{machine.name}:{n}", n)])
        # What the other has not heard of when Redis is killed is missing there for good.
        for machine in (self.first, self.second):
            wait_until(lambda: machine.info("keys_sent") >= 100)

    def check_local(self):
        for machine in (self.first, self.second):
            name = machine.name
            self.assertEqual(machine.call("DBSIZE"), 100)
            self.assertEqual(machine.call("MGET", *[f"{name}:{n}" for n in range(100)]),
                             [str(n).encode() for n in range(100)])

    def test_values_outlive_a_restart_of_redis(self):
        self.first.call("CACHE.PURGETAG", "t")
        self.fill()
        self.redis.kill()
        self.first.wait_away()
        self.second.wait_away()
        self.start_redis()
        self.first.wait_healthy()
        self.second.wait_healthy()
        self.check_local()
        # They hear each other again.
        self.first.call("SET", "k", "v")
        self.wait_seen(self.second, "k", b"v")
        self.second.call("SET", "k", "w")
        self.wait_seen(self.first, "k", b"w")

    def test_values_outlive_a_restart_of_cachesvc(self):
        self.fill()
        for machine in (self.first, self.second):
            self.assertEqual(machine.process.end(), 0)
            machine.start()
            machine.wait_healthy()
        self.check_local()

    def test_values_outlive_a_wire_that_is_cut(self):
        self.fill()
        for wire in self.wires:
            wire.cut()
        self.first.wait_away()
        self.second.wait_away()
        for wire in self.wires:
            wire.mend()
        self.first.wait_healthy()
        self.second.wait_healthy()
        self.check_local()

    def test_what_was_missed_by_a_process_that_was_not_there(self):
        self.first.call("SET", "k", "old")
        self.wait_seen(self.second, "k", b"old", 5)
        for name in ("end", "kill"):
            with self.subTest(name):
                getattr(self.second.process, name)()
                self.first.call("SET", "k", name)
                self.wait_there("k", name.encode())
                self.second.start()
                self.second.wait_healthy()
                self.wait_seen(self.second, "k", name.encode())

    def set_redis_back(self):
        self.redis.kill()
        self.first.wait_away()
        self.start_redis()
        self.first.wait_healthy()

    def save(self):
        """Redis has what both have, and will come back with that."""
        self.first.call("SET", "deleted", "v")
        self.second.call("SET", "more", "v")
        self.wait_seen(self.first, "more", b"v", 5)
        self.wait_seen(self.second, "deleted", b"v", 5)
        wait_until(lambda: self.first.info("unsent_keys") == self.second.info("unsent_keys") == 0)
        self.assertEqual(self.seen.call("SAVE"), "OK")

    def test_a_snapshot_that_is_older_than_a_machine(self):
        self.save()
        third = self.machine("third").wait_healthy()
        third.call("SET", "joined", "v")  # so that the others know of it
        self.wait_seen(self.first, "joined", b"v", 5)
        third.call("DEL", "deleted")
        wait_until(lambda: self.first.call("GET", "deleted") is None)
        self.set_redis_back()
        wait_until(lambda: self.there("deleted") is None)
        for machine in (self.first, self.second, third):
            wait_until(lambda: machine.call("GET", "deleted") is None)

    def test_a_snapshot_that_a_new_process_finds(self):
        self.save()
        self.second.call("DEL", "deleted")
        self.second.call("SET", "more", "w")  # its epoch, for the page of the first
        self.wait_seen(self.first, "more", b"w", 5)
        self.assertEqual(self.second.process.end(), 0)
        self.redis.kill()
        self.first.wait_away()
        self.first.process.kill()
        self.start_redis()
        self.first.start()
        self.first.wait_healthy()
        wait_until(lambda: self.there("deleted") is None)
        self.assertIsNone(self.first.call("GET", "deleted"))

    def test_a_full_redis_and_a_machine_that_was_cut_off(self):
        self.first.call("SET", "k", "old")
        self.wait_seen(self.second, "k", b"old", 5)
        self.cut_second()
        self.seen.call("CONFIG", "SET", "maxmemory", 1)
        self.first.call("SET", "k", "new")
        wait_until(lambda: self.there("k") is None)
        self.mend_second()
        wait_until(lambda: self.second.call("GET", "k") != b"old", SEEN_S)


class Model:
    """Which values of a key may still be read: each value is set once, so it tells when that was.
    What a machine sets while it is cut off comes after what the other does meanwhile."""

    def __init__(self, keys):
        self.values = {key: {} for key in keys}  # by key: what may be read, and its tag
        self.killed = {key: {} for key in keys}  # by key: what may not, and who has seen to that
        self.told = set()                        # the values that Redis has had

    @staticmethod
    def is_of(machine, value):
        return value.startswith(machine.name.encode() + b":")

    def set(self, machine, key, value, tag=None):
        self._kill(machine, key, lambda other, _: self.is_of(machine, other))
        self.values[key][value] = tag

    def tell(self, machine):
        self.told.update(value for values in self.values.values() for value in values
                         if self.is_of(machine, value))

    def delete(self, machine, keys):
        for key in keys:
            self._kill(machine, key, lambda *_: True)

    def purge_tag(self, machine, tag):
        for key in self.values:
            self._kill(machine, key, lambda _, of: of == tag)

    def _kill(self, machine, key, is_meant):
        for value, tag in list(self.values[key].items()):
            if is_meant(value, tag) and (value in self.told or self.is_of(machine, value)):
                del self.values[key][value]
                self.killed[key][value] = machine


class Anything(Two):
    """Random commands to both machines, whose wires are cut now and then. When both are connected
    again they say the same of each key, and nothing that was deleted or replaced comes back."""

    ROUNDS, COMMANDS = 10, 60
    KEYS = [f"{name}{n}" for name in "abc" for n in range(4)]

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("GWCTL_TEST_SEED") or random.randrange(1 << 32))
        self.random = random.Random(self.seed)
        self.model = Model(self.KEYS)
        self.history = []
        self.count = 0
        self.machines = (self.first, self.second)

    def say(self, machine, *words):
        self.history.append(f"{machine.name}: {' '.join(map(str, words))}")
        return machine.call(*words)

    def wait_told(self, machine):
        """What it sent before this, Redis has."""
        self.count += 1
        machine.call("EXISTS", f"nothing:{self.count}")
        if machine.is_healthy() and machine.info("unsent_keys") == 0:
            self.model.tell(machine)

    def set(self, machine):
        self.count += 1
        key, value = self.random.choice(self.KEYS), f"{machine.name}:{self.count}"
        how = self.random.randrange(4)
        tag = self.random.choice(("t", "u")) if how == 0 else None
        if how == 0:
            self.say(machine, "CACHE.SET", key, value, "TAGS", 1, tag)
        elif how == 1:
            self.say(machine, "SET", key, value, "EX", 1000)
        else:
            self.say(machine, "SET", key, value)
        self.model.set(machine, key, value.encode(), tag)

    def get(self, machine):
        """What was set and not deleted, as far as this machine was told."""
        key = self.random.choice(self.KEYS)
        value = self.say(machine, "GET", key)
        if value is not None and value not in self.model.values[key]:
            self.assertIn(value, self.model.killed[key])
            self.assertIsNot(self.model.killed[key][value], machine)

    def delete(self, machine):
        keys = self.random.sample(self.KEYS, 2)
        self.say(machine, "DEL", *keys)
        self.model.delete(machine, keys)

    def delete_pattern(self, machine):
        pattern = self.random.choice(("a*", "b?", "*[13]", "*"))
        self.say(machine, "CACHE.DELPATTERN", pattern)
        self.model.delete(machine, fnmatch.filter(self.KEYS, pattern))

    def purge_tag(self, machine):
        tag = self.random.choice(("t", "u"))
        self.say(machine, "CACHE.PURGETAG", tag)
        self.model.purge_tag(machine, tag)

    def turn_wire(self, n):
        wire = self.wires[n]
        self.history.append(f"{self.machines[n].name} {'mended' if wire.is_cut else 'cut'}")
        if wire.is_cut:
            wire.mend()
        else:
            wire.cut()
        if self.random.randrange(2):
            machine = self.machines[n]
            wait_until(lambda: machine.is_healthy() != wire.is_cut)

    def step(self):
        n = self.random.randrange(2)
        if self.random.random() < 0.08:
            self.turn_wire(n)
            return
        self.wait_told(self.machines[1 - n])
        [act] = self.random.choices((self.set, self.get, self.delete, self.delete_pattern,
                                     self.purge_tag), (8, 8, 3, 1, 1))
        act(self.machines[n])

    def answers(self):
        return [machine.call("MGET", *self.KEYS) for machine in self.machines]

    def agree(self):
        if any(machine.info("unsent_keys") for machine in self.machines):
            return False
        first, second = self.answers()
        return first == second

    def check_quiet(self):
        for n, machine in enumerate(self.machines):
            self.wires[n].mend()
            machine.wait_healthy()
        self.history.append("quiet")
        wait_until(self.agree, 5, "the same answers")
        for machine in self.machines:
            self.wait_told(machine)
        for key, value in zip(self.KEYS, self.answers()[0]):
            if value is not None:
                self.assertIn(value, self.model.values[key], f"{key} was deleted")

    def test_anything(self):
        try:
            for _ in range(self.ROUNDS):
                for _ in range(self.COMMANDS):
                    self.step()
                self.check_quiet()
        except AssertionError as error:
            recent = "\n".join(self.history[-120:])
            raise AssertionError(f"{error}\n{self.answers()}\n{recent}\n"
                                 f"GWCTL_TEST_SEED={self.seed}") from error


if __name__ == "__main__":
    gwtest.main()
