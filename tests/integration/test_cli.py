"""What gwctl does with its words before, and without, a supervisor; and what it says in the end."""

import json
import os
import re
import socket
import subprocess
import threading

import gwtest
from gwtest import wait_until

SLEEPER = "import time\nprint('up', flush=True)\nwhile True: time.sleep(3600)\n"
NEED_ONE = (["restart", "api"], ["reload", "api"], ["stop", "api"], ["delete", "all"],
            ["scale", "api", "2"], ["describe", "api"], ["logs", "api"], ["logs"], ["start", "all"])


class Homes(gwtest.Case):
    """Only what brings something to run makes a home and starts a supervisor."""

    def nothing_was_made(self):
        self.assertFalse(os.path.exists(self.home.path))
        self.assertEqual(self.home.left_processes(), {})

    def test_looking_makes_no_home(self):
        file = self.home.write("apps.json", {"name": "api", "script": "api.py"})
        self.home.ok("check", file)
        self.assertIn("name", self.home.ok("list"))
        self.assertEqual(json.loads(self.home.ok("jlist")), [])
        self.assertIn("no supervisor runs", self.home.ok("kill"))
        self.assertEqual(self.home.gwctl("ping").returncode, 1)
        self.nothing_was_made()

    def test_acting_on_what_exists_starts_no_supervisor(self):
        file = self.home.write("apps.json", {"name": "api", "script": "api.py"})
        for args in (*NEED_ONE, ["stop", file], ["delete", file]):
            done = self.home.gwctl(*args)
            self.assertEqual(done.returncode, 1, args)
            self.assertEqual(done.stderr, f"gwctl: no supervisor runs in {self.home.path}; "
                                          "`gwctl start` starts one\n", args)
        self.nothing_was_made()

    def test_a_file_may_start_one(self):
        self.home.write("api.py", SLEEPER)
        file = self.home.write("apps.json", {"name": "api", "script": "api.py"})
        for command in ("restart", "reload"):
            self.home.ok(command, file)
            self.home.wait_online("api", 1)
            self.home.ok("kill")

    def test_check_needs_no_usable_home(self):
        file = self.home.write("apps.json", {"name": "api", "script": "api.py"})
        for home in ("/proc/no-home", "/" + "x" * 200):
            self.home.ok("check", file, env={"GWCTL_HOME": home})
        done = self.home.gwctl("list", env={"GWCTL_HOME": "/" + "x" * 200})
        self.assertEqual(done.returncode, 1)
        self.assertIn("too long", done.stderr)

    def test_a_relative_home(self):
        env = {"GWCTL_HOME": "home"}
        self.home.write("api.py", SLEEPER)
        self.home.ok("start", "api.py", env=env)
        self.assertEqual([entry["name"] for entry in self.home.jlist()], ["api"])
        self.home.ok("stop", "api", env=env)


class Words(gwtest.Case):
    """What a word is: a file, a known app, a program, or a mistake."""

    def refused(self, code, *args, **kwargs):
        done = self.home.gwctl(*args, **kwargs)
        self.assertEqual(done.returncode, code, f"{args}: {done.stdout}{done.stderr}")
        return done.stderr

    def names(self):
        return sorted(entry["name"] for entry in self.home.jlist())

    def test_an_unknown_name_is_no_new_app(self):
        self.assertIn("sevrer", self.refused(1, "start", "sevrer"))
        self.assertFalse(os.path.exists(self.home.path))
        self.home.write("server.py", SLEEPER)
        self.home.ok("start", "server.py")
        text = self.refused(1, "start", "sevrer")
        self.assertIn('did you mean "server"?', text)
        text = self.refused(1, "start", "server", "b", "c")
        self.assertRegex(text, r"gwctl: b: no app")
        self.refused(1, "start", "./nowhere.py")
        self.refused(1, "start", "nowhere.json")
        self.assertEqual(self.names(), ["server"])

    def test_a_program_of_path(self):
        self.home.ok("start", "sleep", "--", "3600")
        self.home.wait_online("sleep", 1)

    def test_an_app_named_like_a_file(self):
        self.home.write("a.py", SLEEPER)
        self.home.ok("start", "a.py", "--name", "a.json")
        self.home.ok("restart", "a.json")
        self.home.wait_online("a.json", 1)
        self.assertIn("a.json", self.refused(1, "stop", "./a.json"))
        self.home.ok("stop", "a.json")

    def test_names_that_would_read_as_something_else(self):
        self.home.write("a.py", SLEEPER)
        for name in ("-a", ".a", "${HOME}"):
            self.assertIn(name, self.refused(1, "start", "a.py", f"--name={name}"))
        self.assertEqual(self.names(), [])

    def test_options_of_a_script_alone(self):
        self.home.write("api.py", SLEEPER)
        file = self.home.write("apps.json", {"name": "api", "script": "api.py"})
        self.home.ok("start", file)
        for options in (["--name", "x"], ["-i", "2"], ["--interpreter", "sh"], ["--port", "1"],
                        ["--cwd", "/"], ["--wait-ready"], ["--", "word"]):
            for word in (file, "api"):
                self.assertIn("SCRIPT", self.refused(2, "start", word, *options))
        self.refused(2, "start", file, "api")
        self.refused(2, "stop", "--", "api")
        self.refused(2, "start", "api.py", "word")
        self.assertEqual(self.names(), ["api"])

    def test_all_files_are_read_before_the_first_is_sent(self):
        self.home.write("api.py", SLEEPER)
        good = self.home.write("good.json", {"name": "good", "script": "api.py"})
        bad = self.home.write("bad.json", {"name": "bad", "scirpt": "api.py"})
        self.assertIn("bad.json:3:3", self.refused(1, "start", good, bad))
        self.assertFalse(os.path.exists(self.home.path))
        also = self.home.write("also.json", {"name": "also", "script": "api.py"})
        self.home.ok("start", good, also)
        self.assertEqual(self.names(), ["also", "good"])
        self.assertIn("bad.json", self.refused(1, "stop", good, bad))
        self.home.ok("stop", good, also)
        self.assertEqual(self.home.states("good") + self.home.states("also"), ["stopped"] * 2)

    def test_words_are_taken_as_they_stand(self):
        self.home.write("pa$$.sh", 'echo "$1 $2 $(pwd)"; exec sleep 3600\n')
        os.mkdir(os.path.join(self.home.folder, "c${HOME}"))
        self.home.ok("start", "pa$$.sh", "--name", "dollar", "--cwd", "c${HOME}", "--",
                     "pa$$word", "c${HOME}")
        wait_until(lambda: self.home.read_log("dollar-out*.log"))
        self.assertEqual(self.home.read_log("dollar-out*.log"),
                         f"pa$$word c${{HOME}} {self.home.folder}/c${{HOME}}\n")

    def test_many_words(self):
        self.home.write("a.py", SLEEPER)
        self.home.ok("start", "a.py")
        self.home.ok("stop", *["a"] * 300)
        self.assertEqual(self.home.states("a"), ["stopped"])

    def test_a_request_that_is_too_large(self):
        self.home.write("a.py", SLEEPER)
        file = self.home.write("a.json", {"name": "a", "script": "a.py", "args": ["${BIG}"] * 100})
        text = self.refused(1, "start", file, env={"BIG": "x" * 100000})
        self.assertRegex(text, r"gwctl: the request is too large: 10 MB, at most 8 MB\n$")

    def test_what_is_not_utf8(self):
        self.home.write("a.py", SLEEPER)
        self.home.ok("start", "a.py")
        self.assertIn("not UTF-8", self.refused(1, "stop", "\udcff"))
        self.home.ok("restart", self.home.write("b.json", {"name": "b", "script": "a.py"}),
                     env={"STRANGE": "\udcff"})


class Supervisor(gwtest.Case):
    """A listener in the supervisor's place: what is sent, and how its answers are shown."""

    def serve(self, *answers):
        os.makedirs(self.home.path)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(self.home.path, "control.sock"))
        listener.listen()
        self.requests = []

        def run():
            for answer in answers:
                connection, _ = listener.accept()
                with connection, connection.makefile("rw") as stream:
                    self.requests.append(json.loads(stream.readline()))
                    stream.write(json.dumps({"id": 1, **answer}) + "\n")
            listener.close()
        self.thread = threading.Thread(target=run)
        self.thread.start()

    def end(self):
        self.thread.join(10)
        os.unlink(os.path.join(self.home.path, "control.sock"))

    def test_an_error_is_shown_whole(self):
        lines = [f"app{n}: " + "x" * 100 for n in range(50)]
        self.serve({"ok": False, "error": "\n".join(lines)})
        done = self.home.gwctl("stop", "all")
        self.end()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "".join(f"gwctl: {line}\n" for line in lines))

    def test_the_environment_travels_with_a_document(self):
        file = self.home.write("a.json", {"name": "a", "script": "/bin/true"})
        own = {"LISTEN_FDS": "1", "LISTEN_PID": "1", "NOTIFY_SOCKET": "/x", "GWCTL_APP": "x",
               "GWCTL_ID": "1", "NODE_CHANNEL_FD": "3", "NODE_CHANNEL_SERIALIZATION_MODE": "json",
               "_": "/bin/x"}
        for command in ("start", "restart", "reload"):
            self.serve({"ok": True})
            self.home.ok(command, file, env={**own, "MINE": "a=b c", "GWCTL_OTHER": "1",
                                             "NOTIFY_SOCKETS": "1", "STRANGE": "\udcff"})
            self.end()
            os.rmdir(self.home.path)
            sent = self.requests[0]["args"]
            self.assertEqual(self.requests[0]["cmd"], command)
            self.assertEqual(sent["document"]["apps"][0]["name"], "a")
            environment = dict(entry.split("=", 1) for entry in sent["environment"])
            expected = {**self.home.env, "MINE": "a=b c", "GWCTL_OTHER": "1", "NOTIFY_SOCKETS": "1"}
            del expected["GWCTL_HOME"]
            expected.pop("_", None)
            self.assertEqual(environment, expected)

    def test_names_need_no_environment(self):
        self.serve({"ok": True})
        self.home.ok("restart", "a")
        self.end()
        self.assertEqual(self.requests[0]["args"], {"selectors": ["a"]})

    def lines_of_list(self, columns, *processes):
        self.serve({"ok": True, "processes": list(processes)})
        text = self.home.ok("list", env={"COLUMNS": str(columns)})
        self.end()
        os.rmdir(self.home.path)
        return text.splitlines()

    def test_a_table_fits_its_width(self):
        reason = "the script /srv/app/" + "long/" * 30 + "x.py is not there, and neither is its folder"
        entry = {"pm_id": 1, "name": "a-name-of-some-length-and-more", "pid": 0, "monit": {},
                 "pm2_env": {"status": "errored", "exec_mode": "fork_mode"},
                 "gwctl": {"reason": reason, "endpoint": ""}}
        for columns in (200, 80, 45, 30, 20):
            lines = self.lines_of_list(columns, entry)
            self.assertLessEqual(max(map(len, lines)), columns, lines)
            notes = [line[4:] for line in lines if line.startswith("    ")]
            self.assertEqual("".join(notes).replace(" ", ""), reason.replace(" ", ""))
        self.assertIn("a-name", lines[1])
        self.assertIn("…", lines[1])


class Output(gwtest.Case):
    def test_a_full_device_is_an_error(self):
        for args in (["list"], ["--help"], ["help", "list"], ["--version"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([os.path.join(gwtest.BIN, "gwctl"), *args], stdout=full,
                                      stderr=subprocess.PIPE, env=self.home.env, text=True)
            self.assertEqual(done.returncode, 1, args)
            self.assertEqual(done.stderr, "gwctl: standard output: No space left on device\n")

    def test_help(self):
        self.assertEqual(self.home.ok("help"), self.home.ok("--help"))
        self.assertEqual(self.home.ok("help", "reload"), self.home.ok("reload", "--help"))
        self.assertEqual(self.home.gwctl("help", "relaod").returncode, 2)
        commands = re.findall(r"^  ([a-z]+)  ", self.home.ok("help"), re.MULTILINE)
        self.assertGreater(len(commands), 10)
        for command in commands:
            usage, _, sentence = self.home.ok("help", command).splitlines()[:3]
            self.assertNotRegex(usage, r"\s$")
            self.assertRegex(sentence, r"[^.?][.?]$")
        self.assertIn("[OPTIONS]", self.home.ok("help", "logs"))


if __name__ == "__main__":
    gwtest.main()
