"""Crashes, backoff, giving up, and stopping what does not want to stop."""

import os
import signal

import gwtest
from gwtest import reason_of, restarts_of, state_of, wait_until

CRASHER = "import sys\nprint('no luck today', file=sys.stderr, flush=True)\nsys.exit(3)\n"
SLEEPER = "import time\nwhile True: time.sleep(3600)\n"

# Ignores SIGTERM, has a child which does too, and a grandchild whose parent has ended.
STUBBORN = """
trap '' TERM
sh -c "trap '' TERM; while :; do sleep 1000; done" &
sh -c "sh -c \\"trap '' TERM; while :; do sleep 1000; done\\" &"
echo family is up
while :; do sleep 1000; done
"""


class Restarts(gwtest.Case):
    def entry(self, name):
        return self.home.processes(name)[0]

    def start(self, **keys):
        file = self.home.write("apps.json", {"apps": [keys]})
        return self.home.gwctl("start", file)

    def test_a_killed_process_comes_back(self):
        self.home.write("app.py", SLEEPER)
        self.start(name="app", script="app.py", min_uptime=0)
        self.home.wait_online("app", 1)
        pid = self.entry("app")["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.entry("app")["pid"] not in (0, pid), what="a new process")
        self.home.wait_online("app", 1)
        self.assertEqual(restarts_of(self.entry("app")), 1)

    def test_a_crashing_app_backs_off_and_is_given_up(self):
        self.home.write("crash.py", CRASHER)
        # wait_ready: on a slow machine it could live for the 500 ms that count as ready otherwise.
        done = self.start(name="crash", script="crash.py", max_restarts=4, wait_ready=True)
        self.assertEqual(done.returncode, 1)
        wait_until(lambda: state_of(self.entry("crash")) == "errored", 30, "errored")
        self.assertEqual(self.entry("crash")["pm2_env"]["status"], "errored")
        self.assertRegex(reason_of(self.entry("crash")), r"exit|3")
        self.assertEqual(self.home.read_log("crash-error*.log").count("no luck today"),
                         1 + restarts_of(self.entry("crash")))
        log = self.home.read_log("gwctl.log")
        waits = [line for line in log.splitlines() if "waiting restart" in line]
        self.assertTrue(waits, log)

    def test_start_gives_an_errored_app_a_new_chance(self):
        script = self.home.write("crash.py", CRASHER)
        self.start(name="crash", script="crash.py", max_restarts=1)
        wait_until(lambda: state_of(self.entry("crash")) == "errored", 30, "errored")
        with open(script, "w") as file:
            file.write(SLEEPER)
        self.home.ok("start", "crash")
        self.home.wait_online("crash", 1)

    def test_without_autorestart_an_exit_is_the_end(self):
        self.home.write("once.py", "import time\ntime.sleep(1)\n")
        self.start(name="once", script="once.py", autorestart=False)
        wait_until(lambda: state_of(self.entry("once")) == "stopped", what="stopped")
        self.assertEqual(restarts_of(self.entry("once")), 0)

    def test_an_app_that_does_not_become_ready_fails_to_start(self):
        done = self.start(name="mute", script=gwtest.DEMO, port="auto", max_restarts=0,
                          ready={"http": "/healthz", "timeout": "1s"},
                          env={"DEMO_BROKEN": "never-ready"})
        self.assertEqual(done.returncode, 1)
        wait_until(lambda: state_of(self.entry("mute")) == "errored", 30, "errored")
        self.assertIn("ready", reason_of(self.entry("mute")))


class Stopping(gwtest.Case):
    def test_a_family_that_ignores_sigterm_is_killed_whole(self):
        self.home.write("stubborn.sh", STUBBORN)
        file = self.home.write("apps.json", {"apps": [{"name": "stubborn", "script": "stubborn.sh",
                                                       "kill_timeout": "300ms"}]})
        self.home.ok("start", file)
        wait_until(lambda: "family is up" in self.home.read_log("stubborn-out*.log"))
        def family():
            members = gwtest.processes_with("GWCTL_APP", "stubborn")
            return set(members) & set(self.home.left_processes())
        wait_until(lambda: len(family()) >= 3, what="the family")
        self.home.ok("stop", "stubborn")
        self.assertEqual(self.home.states("stubborn"), ["stopped"])
        wait_until(lambda: not family(), what="the end of the family")

    def test_the_stop_signal_is_the_apps_own_choice(self):
        self.home.write("signals.py", "import signal, sys, time\n"
                        "signal.signal(signal.SIGINT, lambda *_: (print('int', flush=True), "
                        "sys.exit(0)))\nprint('up', flush=True)\nwhile True: time.sleep(3600)\n")
        file = self.home.write("apps.json", {"apps": [{"name": "signals", "script": "signals.py",
                                                       "stop_signal": "SIGINT"}]})
        self.home.ok("start", file)
        wait_until(lambda: "up" in self.home.read_log("signals-out*.log"))
        self.home.ok("stop", "signals")
        self.assertEqual(self.home.read_log("signals-out*.log"), "up\nint\n")


if __name__ == "__main__":
    gwtest.main()
