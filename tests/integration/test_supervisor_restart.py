"""The supervisor and its keeper are killed: the apps do not notice."""

import os
import signal
import subprocess

import gwtest
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, wait_until


class SupervisorRestart(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.home.ok("start", self.home.write("demo.json", {"apps": [demo_app()],
                                                            "gateway": demo_gateway(self.port)}))
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)

    def keeper_pid(self):
        with open(f"/proc/{self.home.supervisor_pid()}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])

    def new_supervisor(self, old):
        def changed():
            try:
                pid = self.home.supervisor_pid()
            except (OSError, ValueError):
                return 0
            return pid if pid != old and gwtest.process_exists(pid) else 0
        return wait_until(changed, 15, "a new supervisor")

    def test_a_killed_supervisor_is_replaced_and_the_apps_stay(self):
        pids = self.home.pids("demo") + self.home.pids("gateway")
        client = Background(lambda: expect(get(self.port, "/api/vendors")))
        old = self.home.supervisor_pid()
        os.kill(old, signal.SIGKILL)
        self.new_supervisor(old)
        self.home.ok("ping")
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)
        done = client.done
        wait_until(lambda: client.done > done + 10, what="requests afterwards")
        self.assertEqual(client.stop(), [])
        self.assertEqual(self.home.pids("demo") + self.home.pids("gateway"), pids)
        self.assertTrue(all(map(gwtest.process_exists, pids)))

    def test_the_new_supervisor_still_rules(self):
        old = self.home.supervisor_pid()
        os.kill(old, signal.SIGKILL)
        self.new_supervisor(old)
        self.home.wait_online("demo", 2)
        victim = self.home.pids("demo")[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in self.home.pids("demo"), what="a new process")
        self.home.wait_online("demo", 2)
        self.home.ok("reload", "all")
        self.assertEqual(get(self.port, "/api/vendors").status, 200)

    def test_reloads_right_after_lose_nothing(self):
        clients = [Background(lambda: expect(get(self.port, "/api/services"))) for _ in range(4)]
        for _ in range(3):
            old = self.home.supervisor_pid()
            os.kill(old, signal.SIGKILL)
            self.new_supervisor(old)
            self.home.ok("reload", "demo")
        self.home.ok("reload", "gateway")
        self.assertEqual([client.stop() for client in clients], [[], [], [], []])
        self.assertEqual(self.home.counter("retries"), 0)

    def test_what_ends_meanwhile_is_noticed(self):
        old, keeper = self.home.supervisor_pid(), self.keeper_pid()
        victim = self.home.pids("demo")[0]
        os.kill(keeper, signal.SIGSTOP)
        os.kill(old, signal.SIGKILL)
        os.kill(victim, signal.SIGTERM)
        os.kill(keeper, signal.SIGCONT)
        self.new_supervisor(old)
        wait_until(lambda: victim not in self.home.pids("demo"), what="a new process")
        self.home.wait_online("demo", 2)
        self.assertIn(1, [gwtest.restarts_of(entry) for entry in self.home.processes("demo")])

    def test_output_written_meanwhile_is_in_the_log(self):
        script = self.home.write("talk.py", """
import os, time
while not os.path.exists("speak"):
    time.sleep(0.01)
for number in range(1000):
    print(number, flush=True)
open("spoken", "w").close()
time.sleep(3600)
""")
        self.home.ok("start", script, "--name", "talk")
        self.home.wait_online("talk", 1)
        pids = self.home.pids("talk")
        old, keeper = self.home.supervisor_pid(), self.keeper_pid()
        os.kill(keeper, signal.SIGSTOP)
        os.kill(old, signal.SIGKILL)
        self.home.write("speak", "")
        wait_until(lambda: os.path.exists(os.path.join(self.home.folder, "spoken")))
        os.kill(keeper, signal.SIGCONT)
        self.new_supervisor(old)
        self.home.wait_online("talk", 1)
        self.assertEqual(self.home.pids("talk"), pids)
        wait_until(lambda: self.home.read_log("talk-out*.log").split() ==
                   [str(number) for number in range(1000)], what="every line")

    def test_a_dead_keeper_is_replaced(self):
        pids = self.home.pids("demo") + self.home.pids("gateway")
        keeper = self.keeper_pid()
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: not gwtest.process_exists(keeper))

        def a_new_keeper():
            try:
                with open(f"/proc/{self.keeper_pid()}/cmdline", "rb") as file:
                    return b"gw-keeper" in file.read().split(b"\0")[0]
            except (OSError, ValueError):
                return False
        wait_until(a_new_keeper, 15, "a new keeper")
        self.home.wait_online("demo", 2)
        self.assertEqual(self.home.pids("demo") + self.home.pids("gateway"), pids)
        self.assertEqual(get(self.port, "/api/vendors").status, 200)
        # And the new keeper does its work.
        old = self.home.supervisor_pid()
        os.kill(old, signal.SIGKILL)
        self.new_supervisor(old)
        self.home.wait_online("demo", 2)
        self.assertEqual(self.home.pids("demo") + self.home.pids("gateway"), pids)


class BothKilled(gwtest.Case):
    """Keeper and supervisor are killed in one instant: nobody has the apps."""

    STUBBORN = "trap '' TERM; echo $$; while :; do sleep 0.1; done"

    def start(self, script="exec sleep 1000"):
        self.file = self.home.write("apps.json", {"apps": [
            {"name": "app", "script": self.home.write("app.sh", script), "instances": 2}]})
        self.home.ok("start", self.file)
        return self.home.pids("app")

    def kill_both(self):
        supervisor = self.home.supervisor_pid()
        with open(f"/proc/{supervisor}/stat") as stat:
            keeper = int(stat.read().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGSTOP)
        os.kill(keeper, signal.SIGKILL)
        os.kill(supervisor, signal.SIGKILL)
        for pid in (keeper, supervisor):
            wait_until(lambda: not gwtest.process_exists(pid), what="the end of both")

    def test_the_next_start_ends_them_first(self):
        old = self.start()
        self.kill_both()
        self.assertTrue(all(map(gwtest.process_exists, old)))
        done = self.home.gwctl("start", self.file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 processes that an earlier supervisor had left ended first", done.stderr)
        self.assertFalse(any(map(gwtest.process_exists, old)))
        new = self.home.pids("app")
        self.assertEqual(gwtest.processes_with("GWCTL_APP", "app").keys() &
                         self.home.left_processes().keys(), set(new))
        self.assertIn("supervisor leftovers: 2 ended", self.home.ok("events"))

    def test_those_that_do_not_want_to(self):
        old = self.start(self.STUBBORN)
        self.kill_both()
        self.home.ok("start", self.file)
        self.assertFalse(any(map(gwtest.process_exists, old)))

    def test_kill_ends_them(self):
        old = self.start()
        self.kill_both()
        self.assertIn("2 processes that one had left ended", self.home.ok("kill"))
        self.assertFalse(any(map(gwtest.process_exists, old)))
        self.assertNotIn("left", self.home.ok("kill"))

    def test_strangers_and_those_of_other_homes_stay(self):
        self.start()
        self.kill_both()
        shell = subprocess.Popen(["sleep", "1000"], env=self.home.env)
        other = subprocess.Popen(["sleep", "1000"], env={
            "PATH": os.environ["PATH"], "GWCTL_HOME": self.home.path + "2", "GWCTL_SPAWN": "1"})
        try:
            self.home.ok("kill")
            self.assertEqual((shell.poll(), other.poll()), (None, None))
        finally:
            for process in (shell, other):
                process.kill()
                process.wait()

    def test_who_is_itself_of_an_app_may_start_the_next_one(self):
        self.start()
        self.kill_both()
        done = self.home.gwctl("start", self.file, env={"GWCTL_SPAWN": "1", "GWCTL_APP": "app"})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(f"/proc/{self.home.supervisor_pid()}/environ") as environ:
            self.assertNotIn("GWCTL_SPAWN", environ.read())

    def test_kill_returns_when_the_keeper_has_gone(self):
        self.start()
        supervisor = self.home.supervisor_pid()
        with open(f"/proc/{supervisor}/stat") as stat:
            keeper = int(stat.read().rpartition(")")[2].split()[1])
        self.home.ok("kill")
        self.assertFalse(gwtest.process_exists(keeper))


if __name__ == "__main__":
    gwtest.main()
