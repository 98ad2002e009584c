"""How processes end, what that leads to, and what is remembered of it."""

import json
import os
import resource
import signal

import gwtest
from gwtest import reason_of, restarts_of, state_of, wait_until

SLEEPER = "import time\nwhile True: time.sleep(3600)\n"

# Ends with the code that a file names.
ORDERED = """
import os, sys, time
while not os.path.exists("code") or not os.path.getsize("code"): time.sleep(.01)
code = int(open("code").read())
os.unlink("code")
sys.exit(code)
"""


class ExitCase(gwtest.Case):
    def entry(self, name="app"):
        return self.home.processes(name)[0]

    def start(self, script, **keys):
        self.home.write("app.py", script)
        file = self.home.write("apps.json", {"apps": [
            {"name": "app", "script": "app.py", "min_uptime": 0, **keys}]})
        self.home.ok("start", file)

    def kill(self, number):
        pid = self.entry()["pid"]
        os.kill(pid, number)
        return pid

    def wait_restarts(self, count):
        wait_until(lambda: restarts_of(self.entry()) == count and state_of(self.entry()) == "online",
                   what=f"restart {count}")

    def wait_stopped(self):
        wait_until(lambda: state_of(self.entry()) == "stopped", what="stopped")


class StopExits(ExitCase):
    def test_a_death_by_a_signal_is_not_exit_code_0(self):
        self.start(SLEEPER, stop_exit_codes=[0, 137])
        self.kill(signal.SIGKILL)
        self.wait_restarts(1)
        self.kill(signal.SIGUSR1)
        self.wait_restarts(2)
        self.assertEqual(gwtest.restart_reasons(self.entry()), {"crash": 2})
        self.assertNotIn("exit_code", self.entry()["pm2_env"])
        self.assertEqual(self.entry()["gwctl"]["exit_signal"], signal.SIGUSR1)

    def test_a_code_that_is_named_is_the_end(self):
        self.start(ORDERED, stop_exit_codes=[3])
        self.home.write("code", "4")
        self.wait_restarts(1)
        self.home.write("code", "3")
        self.wait_stopped()
        self.assertIn("exited 3", reason_of(self.entry()))
        self.home.ok("start", "app")
        self.home.wait_online("app", 1)

    def test_a_signal_that_is_named_is_the_end(self):
        self.start(SLEEPER, stop_exit_codes=["SIGUSR1"])
        self.kill(signal.SIGUSR2)
        self.wait_restarts(1)
        self.kill(signal.SIGUSR1)
        self.wait_stopped()
        self.assertIn("SIGUSR1", reason_of(self.entry()))

    def test_our_own_stop_signal_is_not_the_apps_wish(self):
        self.start(SLEEPER, stop_exit_codes=["SIGTERM"])
        self.home.ok("restart", "app")
        self.wait_restarts(1)


class CoreDumps(ExitCase):
    def dumps(self, limit):
        """Whether the system makes a core dump of a process of ours with this limit."""
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        pid = os.fork()
        if pid == 0:
            os.chdir(self.home.folder)
            resource.setrlimit(resource.RLIMIT_CORE, (limit, hard))
            os.execvp("sh", ["sh", "-c", "kill -ABRT $$"])
        return os.WCOREDUMP(os.waitpid(pid, 0)[1])

    def check(self, limit, key):
        self.start(SLEEPER, limit_core=key)
        self.kill(signal.SIGABRT)
        self.wait_restarts(1)
        shown = self.home.ok("describe", "app")
        self.assertIn("killed by SIGABRT", shown)
        self.assertEqual("core dumped" in shown, self.dumps(limit))

    def test_one_is_told_of(self):
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        self.check(hard, "unlimited" if hard == resource.RLIM_INFINITY else hard)

    def test_without_one(self):
        self.check(0, 0)


class History(ExitCase):
    """The last ends of a slot: how, why, and with which last words."""

    def exits(self):
        return self.entry()["gwctl"]["exits"]

    def test_codes_signals_and_commands_with_the_last_lines(self):
        self.start("import sys\nprint('so far so good', flush=True)\n" + ORDERED)
        self.assertEqual(self.exits(), [])
        self.home.write("code", "4")
        self.wait_restarts(1)
        killed = self.kill(signal.SIGKILL)
        self.wait_restarts(2)
        self.home.ok("restart", "app")
        self.home.ok("stop", "app")
        exits = self.exits()
        self.assertEqual([ended["cause"] for ended in exits], ["crash", "crash", "manual", "stop"])
        self.assertEqual([ended.get("code") for ended in exits], [4, None, None, None])
        self.assertEqual([ended.get("signal") for ended in exits],
                         [None, signal.SIGKILL, signal.SIGTERM, signal.SIGTERM])
        self.assertEqual(exits[1]["pid"], killed)
        self.assertEqual(exits[3]["why"], "stopped by command")
        self.assertEqual(exits[0]["lines"], ["so far so good"])
        self.assertEqual(exits, sorted(exits, key=lambda ended: ended["time"]))
        page = self.home.ok("describe", "app")
        self.assertRegex(page, r"exited 4 after \S+( \S+)? \(crash\)\n +\| so far so good\n")
        self.assertRegex(page, r"killed by SIGKILL after .*\(crash\)")
        self.assertRegex(page, r"killed by SIGTERM after .*\(stop: stopped by command\)")

    def test_what_was_not_ready_or_not_there(self):
        self.home.write("mute.py", SLEEPER)
        self.home.gwctl("start", self.home.write("apps.json", {"apps": [
            {"name": "app", "script": "mute.py", "max_restarts": 0, "stop_exit_codes": ["SIGTERM"],
             "ready": {"log": "never", "timeout": "300ms"}}]}))
        wait_until(lambda: state_of(self.entry()) == "errored", what="errored")
        ended, = self.exits()
        self.assertEqual((ended["cause"], ended["why"]), ("not_ready", "not ready after 300 ms"))
        self.assertEqual(ended["signal"], signal.SIGTERM)

    def test_they_survive_the_supervisor_and_stay_ten(self):
        self.start(SLEEPER)
        for count in range(1, 4):
            self.kill(signal.SIGUSR1)
            self.wait_restarts(count)
        before = self.exits()
        self.home.kill_supervisor()
        self.assertEqual(self.exits(), before)
        self.kill(signal.SIGUSR2)  # of a process whose parent is another by now
        self.wait_restarts(4)
        self.assertEqual([ended.get("signal") for ended in self.exits()],
                         [signal.SIGUSR1] * 3 + [signal.SIGUSR2])
        for count in range(5, 13):
            self.kill(signal.SIGKILL)
            self.wait_restarts(count)
        exits = self.exits()
        self.assertEqual(len(exits), 10)
        self.assertEqual(exits[0]["signal"], signal.SIGUSR1)
        self.assertEqual(exits[-1]["signal"], signal.SIGKILL)


class Storms(ExitCase):
    def events(self, name):
        lines = self.home.ok("events", "--json", "--lines", 1024).splitlines()
        return [event for event in map(json.loads, lines)
                if (event["source"], event["name"]) == ("process", name)]

    def test_the_61st_restart_in_an_hour_waits_and_a_new_supervisor_waits_on(self):
        self.home.write("app.sh", "echo up\nuntil [ -e go ]; do sleep .01; done\n")
        go = self.home.write("go", "")
        self.home.gwctl("start", self.home.write("apps.json", {"apps": [
            {"name": "app", "script": "app.sh", "min_uptime": 0, "ready": {"log": "up"}}]}))
        wait_until(lambda: state_of(self.entry()) == "waiting restart", 60, "the storm")
        self.assertEqual(restarts_of(self.entry()), 60)
        self.assertEqual(len(self.events("storm")), 1)
        self.home.kill_supervisor()
        self.assertEqual(state_of(self.entry()), "waiting restart")
        self.assertEqual(restarts_of(self.entry()), 60)
        os.unlink(go)
        self.home.ok("start", "app")  # by hand: at once
        self.home.wait_online("app", 1)


if __name__ == "__main__":
    gwtest.main()
