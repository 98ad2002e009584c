"""Commands that meet apps on their way: being stopped, deleted, scaled or reloaded by another one."""

import concurrent.futures
import os
import signal
import socket

import gwtest
from gwtest import demo_app, demo_gateway, free_port, get, restarts_of, wait_until

# Does not end on SIGTERM, so that a test can act in the meantime.
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""


class Stubborn(gwtest.Case):
    def start(self, **keys):
        self.home.write("app.py", STUBBORN)
        app = {"name": "app", "script": "app.py", "kill_timeout": "60s",
               "ready": {"log": "ready"}, **keys}
        self.home.ok("start", self.home.write("app.json", {"apps": [app]}))
        self.home.wait_online("app")
        self.addCleanup(self.end_all)

    def end_all(self):
        for pid, command in self.home.left_processes().items():
            if "app.py" in command:
                os.kill(pid, signal.SIGKILL)

    def begin(self, *args):
        """A command in the background, and its exit code and output when its processes end."""
        command = self.home.popen(*args)
        wait_until(lambda: "stopping" in self.home.states("app"))
        ending = [entry["pid"] for entry in self.home.processes("app")
                  if gwtest.state_of(entry) == "stopping"]

        def end():
            for pid in ending:
                os.kill(pid, signal.SIGKILL)
            out, err = command.communicate(timeout=20)
            return command.returncode, out + err
        return end


class Overlap(Stubborn):
    def test_a_start_during_a_stop_is_told_to_both(self):
        self.start()
        stop = self.home.popen("stop", "app")
        wait_until(lambda: self.home.states("app") == ["stopping"])
        old = self.home.pids("app")[0]
        start = self.home.popen("start", "app")
        _, text = stop.communicate(timeout=20)
        self.assertEqual(stop.returncode, 1)
        self.assertIn("somebody started it again", text)
        os.kill(old, signal.SIGKILL)
        start.communicate(timeout=20)
        self.assertEqual(start.returncode, 0)
        self.home.wait_online("app", 1)

    def test_an_app_that_is_being_deleted_cannot_be_started(self):
        self.start()
        end = self.begin("delete", "app")
        for command in ("start", "restart", "reload"):
            done = self.home.gwctl(command, "app")
            self.assertEqual(done.returncode, 1)
            self.assertIn("being deleted", done.stderr)
        done = self.home.gwctl("scale", "app", "3")
        self.assertIn("being deleted", done.stderr)
        self.assertEqual(end()[0], 0)
        self.assertEqual(self.home.processes("app"), [])

    def test_slots_on_their_way_out_stay_so(self):
        self.start(instances=3)
        end = self.begin("scale", "app", "1")
        self.home.ok("start", "app")
        done = self.home.gwctl("reload", "app")
        self.assertEqual(done.returncode, 1)
        self.assertIn("being scaled down", done.stderr)
        self.assertEqual(end()[0], 0)
        self.home.wait_online("app", 1)
        self.home.ok("scale", "app", "2")
        self.home.wait_online("app", 2)

    def test_a_reload_brings_back_a_stopped_process(self):
        self.home.ok("start", self.home.write("demo.json", {"apps": [demo_app()]}))
        self.home.ok("stop", "1")
        self.home.ok("reload", "demo")
        self.home.wait_online("demo", 2)
        old = self.home.supervisor_pid()
        self.home.ok("ping")
        self.assertEqual(self.home.supervisor_pid(), old)

    def test_what_does_not_run_is_deleted_at_once(self):
        for app in ({"name": "gone", "script": "/nowhere/app.sh"},
                    {"name": "gone", "script": "sh", "interpreter": "none", "args": ["-c", "exit 1"],
                     "wait_ready": True}):
            with self.subTest(app=app):
                self.home.gwctl("start", self.home.write("gone.json", {"apps": [app]}))
                pid = self.home.supervisor_pid()
                self.home.ok("delete", "gone")
                self.assertEqual(self.home.jlist(), [])
                self.assertEqual(self.home.supervisor_pid(), pid)

    def test_numbers_that_are_none(self):
        self.start()
        for number in ("0", "-1", "257", "+99999999999999999999", "-99999999999999999999", "two"):
            done = self.home.gwctl("scale", "app", "--", number) if number[0] == "-" else \
                self.home.gwctl("scale", "app", number)
            self.assertIn(done.returncode, (1, 2), number)

    def test_stop_of_one_process_waits_for_no_reload(self):
        self.home.ok("start", self.home.write("demo.json", {
            "apps": [demo_app(reload={"min_ready": "20s"})]}))
        reload = self.home.popen("reload", "demo")
        wait_until(lambda: len(self.home.processes("demo")) == 3)
        done = self.home.gwctl("stop", "0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("a reload is under way", done.stderr)
        self.home.ok("stop", "demo")
        reload.communicate(timeout=20)
        self.assertEqual(reload.returncode, 1)


class Settings(gwtest.Case):
    def apply(self, command, *apps):
        return self.home.gwctl(command, self.home.write("apps.json", {"apps": list(apps)}))

    def test_another_number_of_instances_is_followed(self):
        self.apply("start", demo_app(instances=2))
        before = self.home.pids("demo")
        for command, count in (("start", 3), ("reload", 4), ("restart", 1), ("start", 2)):
            with self.subTest(command=command):
                done = self.apply(command, demo_app(instances=count))
                self.assertEqual(done.returncode, 0, done.stderr)
                wait_until(lambda count=count: len(self.home.processes("demo")) == count)
                self.home.wait_online("demo", count)
            if command == "start" and count == 3:  # and nothing that ran was touched
                self.assertEqual(self.home.pids("demo")[:2], before)

    def test_who_scaled_by_hand_keeps_it(self):
        self.apply("start", demo_app(instances=1))
        self.home.ok("scale", "demo", "3")
        self.home.ok("reload", "demo")
        self.assertEqual(self.apply("start", demo_app(instances=1)).returncode, 0)
        self.home.wait_online("demo", 3)

    def test_the_environment_of_the_command_is_the_apps(self):
        self.home.write("show.sh", 'echo "it is $COLOUR, $SHAPE"; exec sleep 3600')
        app = {"name": "show", "script": "show.sh", "env": {"SHAPE": "round"}}
        file = self.home.write("show.json", {"apps": [app]})
        self.home.ok("start", file, env={"COLOUR": "red", "SHAPE": "square"})
        self.home.ok("reload", file, env={"COLOUR": "blue"})
        os.kill(self.home.supervisor_pid(), signal.SIGKILL)
        wait_until(lambda: self.home.gwctl("ping").returncode == 0)
        self.home.ok("restart", "show")
        self.assertEqual(self.home.read_log("show-out*.log").splitlines(),
                         ["it is red, round", "it is blue, round", "it is blue, round"])

    def test_a_script_beside_the_file_that_is_missing(self):
        done = self.apply("start", {"name": "missing", "script": "nope.sh"}, demo_app(instances=1))
        self.assertEqual(done.returncode, 1)
        self.assertIn("nope.sh: No such file or directory", done.stderr)
        self.assertEqual(self.home.states("missing"), ["errored"])
        self.home.wait_online("demo", 1)


class Death(Stubborn):
    """The supervisor dies in the middle of something."""

    def kill_supervisor(self):
        old = self.home.supervisor_pid()
        os.kill(old, signal.SIGKILL)

        def another():
            try:
                return self.home.supervisor_pid() != old and self.home.gwctl("ping").returncode == 0
            except (OSError, ValueError):
                return False
        wait_until(another, 20)

    def test_a_restart_goes_on(self):
        self.start()
        before = self.home.pids("app")[0]
        restart = self.home.popen("restart", "app")
        wait_until(lambda: self.home.states("app") == ["stopping"])
        self.kill_supervisor()
        restart.communicate(timeout=20)
        self.assertEqual(restart.returncode, 1)
        self.assertEqual(self.home.states("app"), ["stopping"])
        os.kill(before, signal.SIGKILL)
        self.home.wait_online("app", 1)
        self.assertNotEqual(self.home.pids("app"), [before])

    def test_no_process_is_forgotten(self):
        self.home.write("app.sh", "trap '' TERM; while :; do sleep 1; done")
        self.home.ok("start", self.home.write("app.json", {"apps": [
            {"name": "app", "script": "app.sh", "kill_timeout": "1s"}]}))
        for _ in range(4):
            scale = self.home.popen("scale", "app", "60")
            wait_until(lambda: len(self.home.left_processes()) > 30 or scale.poll() is not None)
            self.kill_supervisor()
            scale.communicate(timeout=30)
            known = set(self.home.pids("app"))
            wait_until(lambda known=known: not {
                pid for pid, command in self.home.left_processes().items()
                if "app.sh" in command} - known, 10, "no unknown process")
            self.home.ok("scale", "app", "1")

    def test_apps_of_a_dead_keeper_are_stopped_at_once(self):
        self.home.ok("start", self.home.write("app.json", {"apps": [
            {"name": "app", "script": "sleep", "args": ["3600"], "interpreter": "none",
             "instances": 20}]}))
        self.kill_supervisor()  # now they are the keeper's children
        with open(f"/proc/{self.home.supervisor_pid()}/stat") as stat:
            keeper = int(stat.read().rpartition(")")[2].split()[1])
        os.kill(keeper, signal.SIGKILL)  # and now nobody's
        wait_until(lambda: self.home.gwctl("ping").returncode == 0)
        victim = self.home.pids("app")[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: victim not in self.home.pids("app"))
        self.home.wait_online("app", 20)
        self.assertEqual(sum(map(restarts_of, self.home.processes("app"))), 1)
        self.home.ok("kill", limit=10)
        wait_until(lambda: not self.home.left_processes())


class Listeners(gwtest.Case):
    """The gateway's sockets follow its settings, and outlive whoever holds them."""

    def apply(self, command, *ports, **keys):
        file = self.home.write("demo.json", {
            "apps": [demo_app(instances=1)],
            "gateway": demo_gateway(ports[0], listen=[{"address": f"127.0.0.1:{port}"}
                                                      for port in ports], **keys)})
        return self.home.gwctl(command, file)

    def serves(self, port):
        try:
            return get(port, "/api/vendors", limit=5).status == 200
        except (ConnectionRefusedError, ConnectionResetError):
            return False

    def test_other_addresses(self):
        one, two, three = free_port(), free_port(), free_port()
        self.assertEqual(self.apply("start", one).returncode, 0)
        for command, ports in (("reload", (one, two)), ("reload", (three,)), ("start", (two, one)),
                               ("restart", (one, three))):
            with self.subTest(ports=ports):
                done = self.apply(command, *ports)
                self.assertEqual(done.returncode, 0, done.stderr)
                wait_until(lambda ports=ports: [self.serves(port) for port in (one, two, three)] ==
                           [port in ports for port in (one, two, three)])

    def test_an_address_in_use_changes_nothing(self):
        port = free_port()
        self.apply("start", port)
        before = self.home.pids("gateway")
        with socket.create_server(("127.0.0.1", 0)) as other:
            done = self.apply("reload", port, other.getsockname()[1])
        self.assertEqual(done.returncode, 1)
        self.assertIn("in use", done.stderr)
        self.assertEqual(self.home.pids("gateway"), before)
        self.assertTrue(self.serves(port))
        self.home.ok("reload", "gateway")
        self.assertTrue(self.serves(port))

    def test_stopped_and_deleted_it_refuses(self):
        port = free_port()
        self.apply("start", port)
        self.home.ok("stop", "gateway")
        wait_until(lambda: not self.serves(port))
        self.home.ok("start", "gateway")
        self.assertTrue(self.serves(port))
        self.home.ok("delete", "gateway")
        wait_until(lambda: not self.serves(port))
        self.assertEqual(self.apply("start", port).returncode, 0)
        self.assertTrue(self.serves(port))

    def test_sockets_survive_the_supervisor_and_then_the_keeper(self):
        port = free_port()
        self.apply("start", port)
        for victim in ("supervisor", "keeper"):
            old = pid = self.home.supervisor_pid()
            if victim == "keeper":
                with open(f"/proc/{pid}/stat") as stat:
                    pid = int(stat.read().rpartition(")")[2].split()[1])
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda old=old: self.home.supervisor_pid() != old and
                       self.home.gwctl("ping").returncode == 0, 20)
        self.home.wait_online("gateway", 2)
        self.home.ok("reload", "gateway")
        self.home.ok("scale", "gateway", "3")
        self.home.ok("restart", "gateway")
        self.assertTrue(all(self.serves(port) for _ in range(10)))

    def test_requests_of_a_draining_worker_survive_the_supervisor(self):
        port = free_port()
        self.apply("start", port)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            asked = [pool.submit(get, port, "/slow?ms=2000") for _ in range(6)]
            wait_until(lambda: sum(entry["gwctl"].get("counters", {}).get("in_flight", 0)
                                   for entry in self.home.processes("gateway")) == 6)
            scale = self.home.popen("scale", "gateway", "1")
            wait_until(lambda: "stopping" in self.home.states("gateway"))
            os.kill(self.home.supervisor_pid(), signal.SIGKILL)
            self.assertEqual({future.result().status for future in asked}, {200})
        scale.communicate(timeout=20)


class Hung(gwtest.Case):
    def test_all_workers_stopped(self):
        port = free_port()
        self.home.ok("start", self.home.write("demo.json", {
            "apps": [demo_app(instances=1)], "gateway": demo_gateway(port)}))
        self.home.wait_online("gateway", 2)
        for pid in self.home.pids("gateway"):
            os.kill(pid, signal.SIGSTOP)
        self.assertEqual(get(port, "/api/vendors", limit=5).status, 200)
        self.home.wait_online("gateway", 2)


if __name__ == "__main__":
    gwtest.main()
