"""start, list, stop, restart, scale, delete, kill: what they do, what they print, how they exit."""

import json
import os
import signal
import socket

import gwtest
from gwtest import demo_app, demo_gateway, free_port, get, wait_until

SLEEPER = "import signal, time\nprint('up', flush=True)\nwhile True: time.sleep(3600)\n"


class Commands(gwtest.Case):
    def start_demo(self, **keys):
        self.port = free_port()
        file = self.home.write("demo.json", {"apps": [demo_app(**keys)],
                                             "gateway": demo_gateway(self.port)})
        self.home.ok("start", file)
        return file

    def test_a_file_from_start_to_kill(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway", 2)
        self.assertEqual(get(self.port, "/api/services").status, 200)
        self.assertEqual(get(self.port, "/health/live").status, 200)
        self.assertEqual(get(self.port, "/health/ready").status, 200)

        table = self.home.ok("list")
        for word in ("demo", "gateway", "online"):
            self.assertIn(word, table)

        self.home.ok("kill")
        wait_until(lambda: not self.home.left_processes(), 5)  # a sanitizer's last look takes a moment
        self.assertFalse(os.path.exists(os.path.join(self.home.path, "control.sock")))
        with self.assertRaises(OSError):
            get(self.port, "/health/live")

    def test_jlist_has_the_known_shape(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        for entry in self.home.jlist():
            self.assertIsInstance(entry["pid"], int)
            self.assertIsInstance(entry["pm_id"], int)
            self.assertIn("memory", entry["monit"])
            self.assertIn("cpu", entry["monit"])
            self.assertEqual(entry["pm2_env"]["status"], "online")
            self.assertEqual(gwtest.restarts_of(entry), 0)
            self.assertEqual(gwtest.state_of(entry), "online")
            self.assertTrue(gwtest.process_exists(entry["pid"]))
        by = {entry["name"]: entry["gwctl"]["ready_by"] for entry in self.home.jlist()}
        self.assertEqual(by["demo"], "http")
        endpoints = {entry["gwctl"]["endpoint"] for entry in self.home.processes("demo")}
        self.assertEqual(len(endpoints), 2)
        get(self.port, "/api/vendors")
        # A worker counts an answer when the last byte was handed over: a moment after we have it.
        wait_until(lambda: self.home.counter("requests") >= 1)

    def test_start_touches_nothing_that_runs_unchanged(self):
        file = self.start_demo()
        self.home.wait_online("demo", 2)
        before = self.home.pids("demo") + self.home.pids("gateway")
        self.home.ok("start", file)
        self.assertEqual(self.home.pids("demo") + self.home.pids("gateway"), before)

    def test_stop_and_start_again(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        pids = self.home.pids("demo")
        self.home.ok("stop", "demo")
        self.assertEqual(self.home.states("demo"), ["stopped", "stopped"])
        self.assertFalse(any(map(gwtest.process_exists, pids)))
        self.assertIn(get(self.port, "/api/vendors").status, (502, 503))
        self.home.ok("start", "demo")
        self.home.wait_online("demo", 2)
        self.assertEqual(get(self.port, "/api/vendors").status, 200)

    def test_restart_gives_new_processes(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        old = self.home.pids("demo")
        self.home.ok("restart", "demo")
        self.home.wait_online("demo", 2)
        self.assertFalse(set(old) & set(self.home.pids("demo")))

    def test_one_process_by_its_id(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        first, second = self.home.processes("demo")
        self.home.ok("stop", first["pm_id"])
        self.assertEqual(self.home.states("demo"), ["stopped", "online"])
        self.assertEqual(self.home.pids("demo")[1], second["pid"])

    def test_scale_up_and_down(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        before = set(self.home.pids("demo"))
        self.home.ok("scale", "demo", "4")
        self.home.wait_online("demo", 4)
        self.assertTrue(before < set(self.home.pids("demo")))
        self.home.ok("scale", "demo", "1")
        wait_until(lambda: len(self.home.processes("demo")) == 1)
        self.assertTrue(set(self.home.pids("demo")) < before)
        self.assertEqual(get(self.port, "/api/vendors").status, 200)
        self.home.ok("scale", "gateway", "1")
        wait_until(lambda: len(self.home.processes("gateway")) == 1)
        self.assertEqual(get(self.port, "/api/vendors").status, 200)
        self.home.ok("scale", "gateway", "3")
        self.home.wait_online("gateway", 3)
        self.assertEqual(get(self.port, "/api/vendors").status, 200)

    def test_delete_forgets(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        pids = self.home.pids("demo")
        self.home.ok("delete", "demo")
        self.assertEqual(self.home.processes("demo"), [])
        wait_until(lambda: not any(map(gwtest.process_exists, pids)))
        self.home.ok("delete", "all")
        self.assertEqual(self.home.jlist(), [])

    def test_describe(self):
        self.start_demo()
        self.home.wait_online("demo", 2)
        text = self.home.ok("describe", "demo")
        self.assertIn("app.py", text)
        self.assertIn(str(self.home.pids("demo")[0]), text)
        self.assertEqual(self.home.gwctl("describe", "nobody").returncode, 1)

    def test_nothing_shows_the_password_of_redis(self):
        file = self.home.write("redis.json", {"cachesvc": {"memory": "16M", "redis": {
            "host": "unix:/nowhere", "username": "app", "password": "hush-of-the-file"}}})
        wrong = self.home.write("wrong.json", {"cachesvc": {"redis": [
            {"password": "hush-of-the-file"}]}})
        env = {"REDIS_PASSWORD": "hush-of-the-environment"}
        shown = [self.home.ok("check", file, env=env), self.home.ok("start", file, env=env),
                 self.home.gwctl("reload", wrong, env=env).stderr]
        self.home.wait_online("cachesvc", 1)
        shown += [self.home.ok(*words) for words in
                  (["list"], ["jlist"], ["describe", "cachesvc"], ["logs", "--nostream"])]
        shown.append(self.home.read_log("*"))
        self.assertIn("cachesvc", shown[-1])
        self.assertNotIn("hush", "".join(shown))


class Scripts(gwtest.Case):
    def test_a_script_with_name_instances_and_arguments(self):
        script = self.home.write("args.py", "import os, sys, time\n"
                                 "print('args', os.environ['NODE_APP_INSTANCE'], sys.argv[1:], "
                                 "flush=True)\ntime.sleep(3600)\n")
        self.home.ok("start", script, "--name", "tool", "-i", "2", "--", "--deep", "a b")
        self.home.wait_online("tool", 2)
        wait_until(lambda: self.home.read_log("tool-out*.log").count("args") == 2)
        lines = sorted(self.home.read_log("tool-out*.log").splitlines())
        self.assertEqual(lines, ["args 0 ['--deep', 'a b']", "args 1 ['--deep', 'a b']"])

    def test_interpreter_by_shebang_and_by_option(self):
        shebang = self.home.write("tool", "#!/bin/sh\necho shebang\nexec sleep 3600\n", 0o755)
        self.home.ok("start", shebang, "--name", "by-shebang")
        plain = self.home.write("plain.txt", "echo option; exec sleep 3600\n")
        self.home.ok("start", plain, "--name", "by-option", "--interpreter", "sh")
        self.home.wait_online("by-shebang", 1)
        self.home.wait_online("by-option", 1)
        wait_until(lambda: "shebang" in self.home.read_log("by-shebang-out*.log"))
        wait_until(lambda: "option" in self.home.read_log("by-option-out*.log"))


class Faults(gwtest.Case):
    """What is wrong with one app must not reach the others."""

    def test_a_broken_file_starts_nothing(self):
        good = self.home.write("good.py", SLEEPER)
        self.home.ok("start", good, "--name", "good")
        self.home.wait_online("good", 1)
        pid = self.home.pids("good")
        file = self.home.write("broken.json", '{\n  "apps": [\n    { "name": "one", "script": '
                               '"good.py" },\n    { "name": "two", "script": "good.py",\n'
                               '      "instnaces": 2,\n      "kill_timeout": "soon" }\n  ]\n}\n')
        done = self.home.gwctl("start", file)
        self.assertEqual(done.returncode, 1)
        # Both errors, each with its line and column, and what was probably meant.
        self.assertRegex(done.stderr, r"broken\.json:5:\d+: .*instnaces.*instances")
        self.assertRegex(done.stderr, r"broken\.json:6:\d+: .*kill_timeout")
        self.assertEqual([entry["name"] for entry in self.home.jlist()], ["good"])
        self.assertEqual(self.home.pids("good"), pid)

    def test_a_file_that_is_not_json(self):
        file = self.home.write("broken.json", '{ "apps": [ { "name": \'x\' } ] }')
        done = self.home.gwctl("start", file)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"broken\.json:1:\d+: ")

    def errored_beside_good(self, wrong, reason):
        good = self.home.write("good.py", SLEEPER)
        file = self.home.write("mixed.json", {"apps": [{"name": "wrong", **wrong},
                                                       {"name": "good", "script": good}]})
        self.assertEqual(self.home.gwctl("start", file).returncode, 1)
        self.home.wait_online("good", 1)
        wait_until(lambda: self.home.states("wrong") == ["errored"], what="wrong is errored")
        self.assertRegex(gwtest.reason_of(self.home.processes("wrong")[0]), reason)
        self.assertRegex(self.home.ok("list"), reason)

    def test_a_missing_script(self):
        self.errored_beside_good({"script": "./nowhere.py"}, "nowhere.py")

    def test_an_unreadable_cwd(self):
        good = self.home.write("here.py", SLEEPER)
        self.errored_beside_good({"script": good, "cwd": "./no-such-folder"}, "no-such-folder")

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.errored_beside_good({"script": gwtest.DEMO, "port": port}, str(port))

    def test_a_listener_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            file = self.home.write("demo.json", {"apps": [demo_app()],
                                                 "gateway": demo_gateway(port)})
            self.assertEqual(self.home.gwctl("start", file).returncode, 1)
            self.home.wait_online("demo", 2)
            self.assertEqual(set(self.home.states("gateway")), {"errored"})
            self.assertRegex(self.home.ok("list"), str(port))


class ExitCodes(gwtest.Case):
    def test_usage_errors_are_2(self):
        for args in (["no-such-command"], ["start"], ["scale", "x"], ["list", "--no-such-option"]):
            done = self.home.gwctl(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertTrue(done.stderr.strip(), args)

    def test_an_unknown_selector_is_1(self):
        self.home.ok("start", self.home.write("good.py", SLEEPER))
        for command in ("stop", "restart", "reload", "delete"):
            done = self.home.gwctl(command, "nobody")
            self.assertEqual(done.returncode, 1, command)
            self.assertIn("nobody", done.stderr)

    def test_help_and_version_need_no_supervisor(self):
        self.assertIn("reload", self.home.ok("--help"))
        self.assertRegex(self.home.ok("--version"), r"\d+\.\d+\.\d+")
        self.assertEqual(self.home.left_processes(), {})

    def test_ping_asks_and_starts_nothing(self):
        self.assertEqual(self.home.gwctl("ping").returncode, 1)
        self.assertEqual(self.home.left_processes(), {})
        self.home.ok("start", self.home.write("one.py", SLEEPER))
        self.assertIn(str(self.home.supervisor_pid()), self.home.ok("ping"))

    def test_commands_at_the_same_time_start_one_supervisor(self):
        scripts = [self.home.write(f"app{n}.py", SLEEPER) for n in range(4)]
        several = [self.home.popen("start", script) for script in scripts]
        for process in several:
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual(sorted(entry["name"] for entry in self.home.jlist()),
                         ["app0", "app1", "app2", "app3"])

        # Those that came second go by themselves.
        def daemons():
            return [pid for pid, text in self.home.left_processes().items()
                    if "gw-supervisor" in text]
        wait_until(lambda: len(daemons()) == 2, what="one supervisor and its keeper")
        self.assertIn(self.home.supervisor_pid(), daemons())

    def test_check_reads_and_starts_nothing(self):
        file = self.home.write("demo.json", {"apps": [demo_app()]})
        self.assertEqual(self.home.gwctl("check", file).returncode, 0)
        bad = self.home.write("bad.json", '{ "apps": [ { "nmae": "x" } ] }')
        self.assertEqual(self.home.gwctl("check", bad).returncode, 1)
        self.assertEqual(self.home.left_processes(), {})

    def test_a_supervisor_that_got_sigterm_leaves_nothing(self):
        script = self.home.write("good.py", SLEEPER)
        self.home.ok("start", script, "--name", "good")
        self.home.wait_online("good", 1)
        os.kill(self.home.supervisor_pid(), signal.SIGTERM)
        wait_until(lambda: not self.home.left_processes(), 15, "the end of every process")

    def test_jlist_is_one_line_of_json(self):
        out = self.home.ok("jlist")
        self.assertEqual(out.count("\n"), 1)
        self.assertEqual(json.loads(out), [])


if __name__ == "__main__":
    gwtest.main()
