"""SIGTERM to the supervisor: what stops, and what goes on without it and is taken over."""

import os
import signal

import gwtest
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, wait_until

LEAVE = {"on_supervisor_exit": "leave"}


class LeaveCase(gwtest.Case):
    def keeper_pid(self):
        with open(f"/proc/{self.home.supervisor_pid()}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])

    def script(self, name, text, **keys):
        return {"name": name, "script": self.home.write(f"{name}.py", text), **keys}

    def start(self, *apps, **parts):
        self.file = self.home.write("apps.json", {"apps": list(apps), **parts})
        self.home.ok("start", self.file)

    def terminate(self):
        """SIGTERM to the supervisor; returns when it has gone."""
        pid = self.home.supervisor_pid()
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not gwtest.process_exists(pid), 30, "the end of the supervisor")

    def assert_away(self):
        done = self.home.gwctl("ping")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no supervisor runs", done.stderr)

    def come_back(self):
        done = self.home.gwctl("start", self.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("takes over", done.stderr)


WAIT = "import time\ntime.sleep(1000)\n"

TALK = """
import os, sys, time
print("it starts", flush=True)
while not os.path.exists("speak"):
    time.sleep(0.01)
for number in range(20000):
    sys.stdout.write(f"{number:06}\\n")
sys.stdout.flush()
open("spoken", "w").close()
time.sleep(1000)
"""

WATCHED = """
import os, socket, time
socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
def say(text):
    try:
        socket.sendto(text, os.environ["NOTIFY_SOCKET"])
    except OSError:
        pass
say(b"READY=1")
while not os.path.exists("speak"):
    time.sleep(0.01)
for _ in range(5000):
    say(b"WATCHDOG=1")
open("spoken", "w").close()
while True:
    say(b"WATCHDOG=1")
    time.sleep(0.1)
"""


class Leave(LeaveCase):
    def test_the_gateway_serves_on_and_everything_keeps_its_pid(self):
        port = free_port()
        self.start({**demo_app(), **LEAVE}, gateway={**demo_gateway(port), **LEAVE},
                   cachesvc=LEAVE, metricsd=LEAVE)
        names = ("demo", "gateway", "cachesvc", "metricsd")
        for name in names:
            self.home.wait_online(name)
        pids = [self.home.pids(name) for name in names]
        client = Background(lambda: expect(get(port, "/api/vendors")))
        self.terminate()
        self.assert_away()
        done = client.done
        wait_until(lambda: client.done > done + 20, what="requests while nobody supervises")
        self.assert_away()  # neither workers nor those who look bring it back
        self.come_back()
        for name in names:
            self.home.wait_online(name)
        self.assertEqual([self.home.pids(name) for name in names], pids)
        self.assertEqual({gwtest.restarts_of(entry) for entry in self.home.jlist()}, {0})
        self.home.ok("reload", "all")
        self.assertEqual(client.stop(), [])
        events = self.home.ok("events", "--lines", 1000)
        self.assertIn("supervisor leave: ", events)
        self.assertIn("supervisor takeover: ", events)

    def test_output_of_the_time_between_is_in_the_log(self):
        self.start(self.script("talk", TALK, **LEAVE))
        wait_until(lambda: "it starts" in self.home.read_log("talk-out*.log"), what="its first line")
        self.terminate()
        self.home.write("speak", "")
        # More than a pipe usually holds: it is not held up.
        wait_until(lambda: os.path.exists(os.path.join(self.home.folder, "spoken")),
                   what="the end of what it says")
        self.come_back()
        lines = ["it starts"] + [f"{number:06}" for number in range(20000)]
        wait_until(lambda: self.home.read_log("talk-out*.log").splitlines() == lines,
                   what="every line")

    def test_who_says_that_it_lives_is_not_held_up(self):
        self.start(self.script("watched", WATCHED, watchdog="5s", wait_ready=True, **LEAVE))
        pids = self.home.pids("watched")
        self.terminate()
        self.home.write("speak", "")
        wait_until(lambda: os.path.exists(os.path.join(self.home.folder, "spoken")),
                   what="the end of what it says")
        self.come_back()
        self.home.wait_online("watched", 1)
        self.assertEqual(self.home.pids("watched"), pids)

    def test_an_end_of_the_time_between_is_noticed(self):
        self.start(self.script("app", WAIT, instances=2, **LEAVE))
        victim, other = self.home.pids("app")
        self.terminate()
        os.kill(victim, signal.SIGTERM)
        wait_until(lambda: not os.path.exists(f"/proc/{victim}"), what="the end of one")
        self.come_back()
        self.home.wait_online("app", 2)
        self.assertNotIn(victim, self.home.pids("app"))
        self.assertIn(other, self.home.pids("app"))
        self.assertIn("SIGTERM", self.home.ok("describe", "app"))

    def test_only_those_that_say_so(self):
        self.start(self.script("stays", WAIT, **LEAVE), self.script("goes", WAIT))
        stays, goes = self.home.pids("stays"), self.home.pids("goes")
        self.terminate()
        self.assertTrue(gwtest.process_exists(stays[0]))
        self.assertFalse(gwtest.process_exists(goes[0]))
        self.come_back()
        self.home.wait_online("goes", 1)
        self.assertEqual(self.home.pids("stays"), stays)

    def test_the_keeper_is_asked_to_end(self):
        self.start(self.script("app", WAIT, **LEAVE))
        pids, supervisor = self.home.pids("app"), self.home.supervisor_pid()
        os.kill(self.keeper_pid(), signal.SIGTERM)
        wait_until(lambda: not gwtest.process_exists(supervisor), what="the supervisor's end")
        self.come_back()
        self.assertEqual(self.home.pids("app"), pids)

    def test_again_and_after_a_kill_9(self):
        self.start(self.script("app", WAIT, **LEAVE))
        pids = self.home.pids("app")
        for _ in range(2):
            self.terminate()
            self.come_back()
        self.home.kill_supervisor()
        self.terminate()
        self.come_back()
        self.assertEqual(self.home.pids("app"), pids)

    def test_kill_ends_what_was_left(self):
        self.start(self.script("app", WAIT, **LEAVE))
        pids, keeper = self.home.pids("app"), self.keeper_pid()
        self.terminate()
        self.home.ok("kill")
        self.assertFalse(any(map(gwtest.process_exists, pids + [keeper])))

    def test_kill_stops_it_also_while_it_leaves(self):
        stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT
        self.start(self.script("stays", WAIT, **LEAVE),
                   self.script("slow", stubborn, kill_timeout="60s"))
        pids, supervisor = self.home.pids("stays"), self.home.supervisor_pid()
        os.kill(supervisor, signal.SIGTERM)
        wait_until(lambda: "stopping" in self.home.states("slow"), what="the stop")
        self.assertTrue(gwtest.process_exists(pids[0]))
        killing = self.home.popen("kill")
        wait_until(lambda: not gwtest.process_exists(pids[0]), what="the end of what would stay")
        for pid in self.home.pids("slow"):
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(killing.wait(30), 0)
        killing.communicate()

    def test_a_keeper_that_is_killed_then_leaves_them_to_nobody(self):
        self.start(self.script("app", WAIT, **LEAVE))
        pids, keeper = self.home.pids("app"), self.keeper_pid()
        self.terminate()
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: not gwtest.process_exists(keeper), what="the keeper's end")
        done = self.home.gwctl("start", self.file)
        self.assertIn("1 process that an earlier supervisor had left ended first", done.stderr)
        self.assertFalse(gwtest.process_exists(pids[0]))
        self.assertFalse(os.path.exists(os.path.join(self.home.path, "left.sock")))


class Stop(LeaveCase):
    def test_without_the_word_all_is_stopped(self):
        self.start(self.script("app", WAIT))
        pids, keeper = self.home.pids("app"), self.keeper_pid()
        self.terminate()
        wait_until(lambda: not gwtest.process_exists(keeper), what="the keeper's end")
        self.assertFalse(gwtest.process_exists(pids[0]))
        self.assertEqual(self.home.left_processes(), {})


if __name__ == "__main__":
    gwtest.main()
