"""gwctl events: what is told of processes, reloads and the supervisor, and that none of it is lost."""

import json
import os
import signal
import threading

import cachesvc
import gwtest
from gwtest import demo_app, wait_until

SLEEPER = "import time\nwhile True: time.sleep(3600)\n"
CRASHER = "import sys\nprint('\\x1b[31mno luck', file=sys.stderr, flush=True)\nsys.exit(3)\n"


class Follower:
    """`gwctl events --follow --json`, read as it comes."""

    def __init__(self, home, *args):
        self.events = []
        self.process = home.popen("events", "--follow", "--json", *args)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def wait_for(self, source, name):
        def seen():
            return [e for e in self.events if (e["source"], e["name"]) == (source, name)]
        return wait_until(seen, 20, f"an event {source} {name}")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        _, error = self.process.communicate(timeout=20)
        self._thread.join()
        return error


class Events(gwtest.Case):
    def events(self, *args):
        return [json.loads(line) for line in self.home.ok("events", "--json", *args).splitlines()]

    def told(self, source, app=None):
        """(name, text) of the events of a source, and of an app."""
        return [(event["name"], event["text"]) for event in self.events("--lines", 1024)
                if event["source"] == source and (app is None or event.get("app") == app)]

    def start(self, *apps):
        return self.home.gwctl("start", self.home.write("apps.json", {"apps": list(apps)}))

    def sleeper(self, **keys):
        self.home.write("app.py", SLEEPER)
        return {"name": "app", "script": "app.py", "min_uptime": 0, **keys}

    def expect(self, told, *patterns):
        """Each (name, text) fits its "name: pattern", in order."""
        self.assertEqual([name for name, _ in told], [p.partition(": ")[0] for p in patterns], told)
        for (_, text), pattern in zip(told, patterns):
            self.assertRegex(text, f"^{pattern.partition(': ')[2]}$")

    def test_the_life_of_a_process(self):
        self.start(self.sleeper())
        pid = self.home.pids("app")[0]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.home.pids("app")[0] not in (0, pid), what="a new process")
        self.home.wait_online("app", 1)
        self.home.ok("stop", "app")
        self.expect(self.told("process", "app"),
                    f"start: pid {pid}", r"ready: after .* \(500 ms alive\)",
                    "exit: killed by SIGKILL after .*",
                    r"start: pid \d+", r"ready: after .*", "stop: stopped by command",
                    "exit: killed by SIGTERM after .*")
        self.assertEqual(self.told("config"), [("start", os.path.join(self.home.folder, "apps.json"))])

    def test_a_crash_loop_until_it_is_given_up(self):
        self.home.write("crash.py", CRASHER)
        self.start({"name": "crash", "script": "crash.py", "max_restarts": 2, "wait_ready": True})
        wait_until(lambda: self.home.states("crash") == ["errored"], 30, "errored")
        exited = r"exited 3 after .*: \?\[31mno luck"  # nothing that a terminal would obey
        self.expect(self.told("process", "crash"),
                    r"start: pid \d+", f"exit: {exited}", r"restart: in 100 ms",
                    r"start: pid \d+", f"exit: {exited}", f"errored: {exited}")

    def test_what_does_not_end_is_killed(self):
        self.home.write("deaf.sh", "trap '' TERM\necho up\nwhile :; do sleep 1000; done\n")
        self.start({"name": "deaf", "script": "deaf.sh", "kill_timeout": "200ms",
                    "ready": {"log": "up"}})
        self.home.ok("stop", "deaf")
        self.expect(self.told("process", "deaf"), r"start: pid \d+", r"ready: after .* \(log\)",
                    "stop: stopped by command", "kill: did not end in time",
                    "exit: killed by SIGKILL after .*")

    def test_reloads_and_scaling(self):
        self.start(demo_app())
        self.home.wait_online("demo", 2)
        self.home.ok("reload", "demo")
        self.expect(self.told("reload", "demo"), "begin: 2 slots", "slot: done", "slot: done",
                    "done: 2 slots")
        slots = [e for e in self.events("--lines", 1024) if (e["source"], e["name"]) ==
                 ("reload", "slot")]
        self.assertEqual([e["id"] for e in slots],
                         [entry["pm_id"] for entry in self.home.processes("demo")])
        self.home.ok("scale", "demo", "+1")
        self.assertEqual(self.told("app", "demo"), [("scale", "from 2 to 3")])

    def test_a_reload_that_fails_says_why(self):
        self.start(demo_app())
        self.home.wait_online("demo", 2)
        broken = demo_app(env={"DEMO_BROKEN": "never-ready"},
                          ready={"http": "/healthz", "timeout": "500ms"})
        file = self.home.write("broken.json", {"apps": [broken]})
        self.assertEqual(self.home.gwctl("reload", file).returncode, 1)
        self.expect(self.told("reload", "demo"), "begin: 2 slots",
                    "failed: demo#0: the new process failed: not ready after 500 ms")
        self.assertIn(("reload", file), self.told("config"))

    def test_a_killed_supervisor_loses_none(self):
        self.start(self.sleeper())
        before = self.events()
        self.home.kill_supervisor()
        after = self.events()
        self.assertEqual(after[:len(before)], before)
        names = [(event["source"], event["name"]) for event in after[len(before):]]
        self.assertEqual(names, [("supervisor", "takeover")])
        self.assertEqual(after[-1]["text"], f"pid {self.home.supervisor_pid()}, with 1 process")
        self.assertEqual([e["number"] for e in after], list(range(1, len(after) + 1)))

    def test_a_follower_goes_on_with_the_next_supervisor(self):
        self.start(self.sleeper())
        follower = Follower(self.home, "--lines", 1)
        self.addCleanup(follower.close)
        follower.wait_for("process", "ready")
        self.home.kill_supervisor()
        follower.wait_for("supervisor", "takeover")
        self.home.ok("restart", "app")
        follower.wait_for("process", "stop")
        wait_until(lambda: follower.events[-1]["name"] == "ready", what="ready again")
        numbers = [event["number"] for event in follower.events]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.home.ok("kill")
        follower.process.wait(timeout=20)
        self.assertIn("no supervisor runs", follower.close())
        self.assertEqual(follower.process.returncode, 1)

    def test_a_replaced_keeper(self):
        self.start(self.sleeper())
        with open(f"/proc/{self.home.supervisor_pid()}/stat") as stat:
            keeper = int(stat.read().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: len(self.told("supervisor")) == 3, 20, "a new supervisor")
        self.expect(self.told("supervisor"), "start: pid .*", "keeper: it has died and is replaced",
                    "takeover: pid .*, with 1 process")

    def test_what_the_cache_tells(self):
        port = gwtest.free_port()
        self.home.ok("start", self.home.write("cache.json", {"cachesvc": {
            "memory": "16M", "redis": {"host": "127.0.0.1", "port": port}}}))
        wait_until(lambda: self.told("breaker", "cachesvc"), what="an event of its breaker")
        self.assertEqual(self.told("redis", "cachesvc")[0][0], "error")
        self.assertEqual(self.told("breaker", "cachesvc"), [("open", "redis: Connection refused")])

    def test_the_breaker_of_redis(self):
        gwtest.require("redis-server")
        redis = cachesvc.Process(self.home.folder, "redis", [
            "redis-server", "--port", "0", "--unixsocket",
            os.path.join(self.home.folder, "redis.sock"), "--save", "", "--appendonly", "no"])
        self.addCleanup(redis.process.wait)
        self.addCleanup(redis.process.kill)
        redis.wait_answers()
        self.home.ok("start", self.home.write("cache.json", {"cachesvc": {
            "memory": "16M", "redis": {"host": f"unix:{redis.path}"}}}))
        wait_until(lambda: self.told("redis"), what="the way to Redis")
        self.assertEqual(self.told("breaker"), [])
        redis.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self.told("breaker"), 20, "that it is open")
        redis.process.send_signal(signal.SIGCONT)
        wait_until(lambda: len(self.told("breaker")) == 2, 20, "that it is closed")
        self.expect(self.told("breaker", "cachesvc"), "open: redis: .+", "closed: redis")

    def test_lines_for_people(self):
        self.start(self.sleeper())
        lines = self.home.ok("events", "--lines", "2").splitlines()
        at = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
        self.assertEqual(len(lines), 2)
        self.assertRegex(lines[0], rf"^{at} app 0: process start: pid \d+$")
        self.assertRegex(lines[1], rf"^{at} app 0: process ready: after .* \(500 ms alive\)$")
        self.assertEqual(self.home.ok("events", "-l", "0"), "")
        wrong = self.home.gwctl("events", "--lines", "x")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("--lines takes a number", wrong.stderr)

    def test_without_a_supervisor(self):
        done = self.home.gwctl("events")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no supervisor runs", done.stderr)


if __name__ == "__main__":
    gwtest.main()
