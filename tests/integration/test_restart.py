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


class Reasons(gwtest.Case):
    """Each restart is counted by what led to it; a new supervisor counts on."""

    def wait_for(self, name, **counts):
        def reached():
            entry = self.home.processes(name)[0]
            return gwtest.restart_reasons(entry) == counts and state_of(entry) == "online"
        wait_until(reached, 20, f"restarts {counts}")
        self.assertEqual(restarts_of(self.home.processes(name)[0]), sum(counts.values()))

    def test_crash_command_and_reload(self):
        self.home.write("app.py", SLEEPER)
        file = self.home.write("apps.json", {"apps": [
            {"name": "app", "script": "app.py", "min_uptime": 0},
            {"name": "demo", "script": gwtest.DEMO, "port": "auto"}]})
        self.home.ok("start", file)
        os.kill(self.home.pids("app")[0], signal.SIGKILL)
        self.wait_for("app", crash=1)
        self.home.ok("restart", "app")
        self.wait_for("app", crash=1, manual=1)
        self.home.kill_supervisor()
        self.wait_for("app", crash=1, manual=1)
        self.home.ok("reload", "all")
        self.wait_for("app", crash=1, manual=1, reload=1)
        self.wait_for("demo", reload=1)
        self.home.ok("stop", "app")
        self.home.ok("start", "app")
        self.wait_for("app", crash=1, manual=1, reload=1)
        self.assertIn("restarts       3 (crash 1, manual 1, reload 1)",
                      self.home.ok("describe", "app"))

    def test_an_exit_is_no_crash(self):
        self.home.write("once.py", "import os, time\nwhile not os.path.exists('go'): time.sleep(.01)\n"
                                   "os.unlink('go')\n")
        self.home.ok("start", self.home.write("apps.json", {"apps": [
            {"name": "once", "script": "once.py", "min_uptime": 0}]}))
        self.home.write("go", "")
        self.wait_for("once", exit=1)

    def test_what_was_not_ready_in_time(self):
        self.home.write("late.py", "import os, time\nif os.path.exists('go'): print('here', flush=True)\n"
                                   "open('go', 'w').close()\nwhile True: time.sleep(3600)\n")
        self.home.gwctl("start", self.home.write("apps.json", {"apps": [
            {"name": "late", "script": "late.py", "ready": {"log": "here", "timeout": "1s"},
             "max_restarts": -1}]}))
        self.wait_for("late", not_ready=1)

    def test_what_hung(self):
        port = gwtest.free_port()
        self.home.ok("start", self.home.write("demo.json", {
            "apps": [gwtest.demo_app(instances=1)],
            "gateway": gwtest.demo_gateway(port, instances=1)}))
        os.kill(self.home.pids("gateway")[0], signal.SIGSTOP)
        self.assertEqual(gwtest.get(port, "/health/live").status, 200)
        self.wait_for("gateway", hung=1)


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
