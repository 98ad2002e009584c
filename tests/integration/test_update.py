"""`gwctl update`: another supervisor takes over, and nobody notices."""

import os
import signal

import gwtest
import programs
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, wait_until

CRASHING = "#!/bin/sh\n[ \"$1\" = --version ] && echo gw-supervisor 9.9.9 && exit 0\nexit 3\n"


class Update(programs.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.home.ok("start", self.home.write("demo.json", {"apps": [demo_app()],
                                                            "gateway": demo_gateway(self.port)}))
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)
        self.version = self.home.ok("ping").split("version ")[1].strip(" )\n")

    def change_version(self, name, version):
        """Another build, as far as its version tells."""
        with open(os.path.join(self.bin, name), "rb") as file:
            self.replace(name, file.read().replace(self.version.encode(), version.encode()))

    def pids(self):
        return {app: self.home.pids(app) for app in ("demo", "gateway", "cachesvc", "metricsd")}

    def keeper_pid(self):
        with open(f"/proc/{self.home.supervisor_pid()}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])

    def test_another_version_takes_over_under_load(self):
        clients = [Background(lambda: expect(get(self.port, "/api/vendors"))) for _ in range(3)]
        before, old, keeper = self.pids(), self.home.supervisor_pid(), self.keeper_pid()
        inode = os.stat(f"/proc/{keeper}/exe").st_ino
        other = self.version[:-1] + ("9" if self.version[-1] != "9" else "8")
        self.change_version("gw-supervisor", other)
        self.change_version("gw-keeper", other)
        out = self.home.ok("update")
        self.assertIn(f"gw-supervisor {other} can be started", out)
        self.assertIn(f"the supervisor is version {other}", out)
        self.assertIn(f"version {other})", self.home.ok("ping"))
        self.assertNotEqual(self.home.supervisor_pid(), old)
        self.assertEqual(self.keeper_pid(), keeper)
        self.assertNotEqual(os.stat(f"/proc/{keeper}/exe").st_ino, inode)
        done = [client.done for client in clients]
        wait_until(lambda: all(c.done > d + 10 for c, d in zip(clients, done)), what="requests")
        self.assertEqual([client.stop() for client in clients], [[], [], []])
        self.assertEqual(self.pids(), before)
        self.assertEqual({state for app in before for state in self.home.states(app)}, {"online"})
        self.assertIn(f"supervisor update: gw-supervisor {other}", self.home.ok("events"))

    def test_the_new_one_rules(self):
        self.home.ok("update")
        victim = self.home.pids("demo")[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in self.home.pids("demo"), what="a new process")
        self.home.wait_online("demo", 2)
        self.home.ok("reload", "all")
        self.home.ok("update")
        self.home.kill_supervisor()
        self.assertEqual(get(self.port, "/api/vendors").status, 200)

    def test_a_program_that_does_not_start_changes_nothing(self):
        before, old = self.pids(), self.home.supervisor_pid()
        for name in ("gw-supervisor", "gw-keeper"):
            with open(os.path.join(self.bin, name), "rb") as file:
                good = file.read()
            for bad, why in ((b"\x7fELF no program", "does not start"),
                             (b"#!/bin/sh\nexit 3\n", "it exited with 3"),
                             (b"#!/bin/sh\nkill -9 $$\n", "signal 9"),
                             (b"#!/bin/sh\necho hello\n", 'it answers "hello"')):
                self.replace(name, bad)
                done = self.home.gwctl("update")
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assertIn(why, done.stderr)
                self.assertIn("nothing has changed", done.stderr)
            self.replace(name, good)
        self.assertEqual(self.home.supervisor_pid(), old)
        self.assertEqual(self.pids(), before)

    def test_one_that_dies_young_is_replaced_by_the_one_before(self):
        client = Background(lambda: expect(get(self.port, "/api/vendors")))
        before = self.pids()
        self.replace("gw-supervisor", CRASHING.encode())
        done = self.home.gwctl("update")
        self.assertEqual(done.returncode, 1)
        self.assertIn("has come back", done.stderr)
        self.assertIn(f"version {self.version})", self.home.ok("ping"))
        self.assertEqual(self.pids(), before)
        self.assertEqual(client.stop(), [])

    def test_one_that_cannot_go_on_with_what_is_there_changes_nothing(self):
        """Its snapshot or its state page is another one: it says so, and the old one comes back."""
        client = Background(lambda: expect(get(self.port, "/api/vendors")))
        before = self.pids()
        for folder, why in ((gwtest.NEXT, "snapshot: of version 1, this supervisor reads 2"),
                            (gwtest.NEXT + "-state", "state page: another version")):
            events, requests = self.home.ok("events", "--lines", "200"), self.home.counter("requests")
            self.take_from(folder, "gw-supervisor")
            done = self.home.gwctl("update")
            self.assertEqual(done.returncode, 1)
            self.assertIn("gw-supervisor 9.9.9 can be started", done.stdout)
            self.assertIn("has come back", done.stderr)
            self.assertIn(f"version {self.version})", self.home.ok("ping"))
            self.assertIn(f"what an earlier supervisor left cannot be taken over: {why}",
                          self.home.read_log("gwctl.log"))
            self.assertEqual(self.pids(), before)
            self.assertTrue(self.home.ok("events", "--lines", "200").startswith(events))
            self.assertGreaterEqual(self.home.counter("requests"), requests)
        self.assertEqual(client.stop(), [])

    def test_not_while_a_command_is_under_way(self):
        slow = {"name": "slow", "script": "sleep", "args": ["1000"], "interpreter": "none",
                "ready": {"exec": "test -e now", "timeout": "60s", "interval": "50ms"}}
        start = self.home.popen("start", self.home.write("slow.json", {"apps": [slow]}))
        wait_until(lambda: "slow" in self.home.ok("list"), what="the start of slow")
        done = self.home.gwctl("update")
        self.assertEqual(done.returncode, 1)
        self.assertIn("another command is under way", done.stderr)
        self.home.write("now", "")
        out, err = start.communicate(timeout=30)
        self.assertEqual(start.returncode, 0, out + err)
        self.home.ok("update")


if __name__ == "__main__":
    gwtest.main()
