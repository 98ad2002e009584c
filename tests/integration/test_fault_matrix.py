"""Every part, stopped, slow, without fds, and with a clock that jumps: docs/faults.md.

What is killed, and full disks, have their tests where the part has its own.
"""

import datetime
import os
import resource
import signal
import subprocess

import gwtest
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, wait_until

PARTS = ("supervisor", "keeper", "cachesvc", "metricsd", "gateway")
APPS = ("demo", "gateway", "cachesvc", "metricsd")
FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketime.so.1"


class Case(gwtest.Case):
    """A demo app that two clients ask all the time; none of their requests may fail."""

    def setUp(self):
        super().setUp()
        self.prepare()
        self.port = free_port()
        demo = demo_app(env={"LD_PRELOAD": ""})
        self.home.ok("start", self.home.write("demo.json", {
            "apps": [demo], "gateway": demo_gateway(self.port, cache={})}))
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)
        self.before = self.pids()
        self.clients = [Background(lambda: expect(get(self.port, "/api/vendors")))
                        for _ in range(2)]

    def prepare(self):
        pass

    def pids(self):
        return {app: self.home.pids(app) for app in APPS}

    def pid_of(self, part):
        supervisor = self.home.supervisor_pid()
        if part == "supervisor":
            return supervisor
        if part == "keeper":
            with open(f"/proc/{supervisor}/stat") as stat:
                return int(stat.read().rpartition(")")[2].split()[1])
        return self.before[part][0]

    def wait_answers(self, count=20):
        done = [client.done for client in self.clients]
        wait_until(lambda: all(client.done >= before + count
                               for client, before in zip(self.clients, done)), what="answers")

    def check_whole(self):
        """All is as it was, and obeys."""
        self.assertEqual(self.pids(), self.before)
        self.home.ok("reload", "demo")
        self.before = self.pids()
        self.wait_answers()

    def finish(self):
        self.assertEqual([client.stop() for client in self.clients], [[], []])


class Stopped(Case):
    def test_requests_go_on_and_it_goes_on_later(self):
        for part in PARTS:
            with self.subTest(part=part):
                pid = self.pid_of(part)
                os.kill(pid, signal.SIGSTOP)
                if part != "gateway":  # what it has in hand waits for it
                    self.wait_answers()
                os.kill(pid, signal.SIGCONT)
                self.check_whole()
        self.finish()


class Slow(Case):
    def test_by_turns_stopped_and_going(self):
        for part in PARTS:
            with self.subTest(part=part):
                pid = self.pid_of(part)
                for _ in range(5):
                    os.kill(pid, signal.SIGSTOP)
                    if part != "gateway":
                        self.wait_answers(5)
                    os.kill(pid, signal.SIGCONT)
                    self.wait_answers(5)
                self.check_whole()
        self.finish()


class OutOfFds(Case):
    def test_requests_go_on_and_so_does_it_when_there_are_some(self):
        for part in PARTS[:-1]:
            with self.subTest(part=part):
                pid = self.pid_of(part)
                limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
                none_left = 1 + max(map(int, os.listdir(f"/proc/{pid}/fd")))
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (none_left, limits[1]))
                self.wait_answers()
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
                self.check_whole()
        self.finish()


class ClockStep(Case):
    """Two days on, and back behind where it began. Python apps are left alone: libfaketime is of
    no use to them together with a sanitizer."""

    def prepare(self):
        library = FAKETIME.format(os.uname().machine)
        if not os.path.exists(library):
            self.skipTest("libfaketime is missing")
        program = os.path.join(gwtest.BIN, "gw-supervisor")
        needs = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        first = [line.split()[2] for line in needs.splitlines() if "libasan" in line]
        self.home.env.update({
            "LD_PRELOAD": ":".join([*first, library]), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": self.home.write("time", "+0"), "DONT_FAKE_MONOTONIC": "1"})

    def test_nobody_minds(self):
        for step in ("+2d", "-2d"):
            with self.subTest(step=step):
                self.home.write("time", step)
                self.wait_answers()
                day = datetime.date.today() + datetime.timedelta(days=int(step[:2]))
                self.home.ok("restart", "metricsd")
                self.assertIn(f"{day}T", self.home.read_log("gwctl.log").splitlines()[-1])
                self.before = self.pids()
                victim = self.before["demo"][0]
                os.kill(victim, signal.SIGKILL)
                wait_until(lambda: victim not in self.home.pids("demo"), what="another process")
                self.home.wait_online("demo", 2)
                for app in APPS[1:]:
                    self.assertEqual(self.home.pids(app), self.before[app])
                self.before = self.pids()
                self.check_whole()
        # What the killed process had in hand is all that may have failed.
        for client in self.clients:
            self.assertLessEqual(len(client.stop()), 2)


class Reload(Case):
    """A part is killed in each state of a reload, as the log tells of it."""
    STATES = ("demo#0: stopped -> starting", "demo#0: starting -> online",
              "demo#0: online -> draining", "demo#0: draining -> stopping", "demo: reloaded")

    def reload_until(self, line):
        before = self.home.read_log("gwctl.log").count(line)
        command = self.home.popen("reload", "demo")
        wait_until(lambda: self.home.read_log("gwctl.log").count(line) > before, what=line)
        return command

    def test_killed_in_each_state(self):
        for part in ("supervisor", "keeper", "cachesvc", "metricsd"):
            for state in self.STATES:
                with self.subTest(part=part, state=state):
                    self.check_killed(part, state)
        self.finish()

    def check_killed(self, part, state):
        old = self.home.supervisor_pid()
        self.before = self.pids()
        command = self.reload_until(state)
        pid = self.pid_of(part)
        os.kill(pid, signal.SIGKILL)
        if part in ("supervisor", "keeper"):
            wait_until(lambda: self.home.supervisor_pid() != old, what="a new supervisor")
        command.communicate(timeout=30)  # how it ended depends on who was there to say it
        for app in APPS:
            self.home.wait_online(app, len(self.before[app]))
        self.assertEqual(self.home.pids("gateway"), self.before["gateway"])
        self.wait_answers(5)


if __name__ == "__main__":
    gwtest.main()
