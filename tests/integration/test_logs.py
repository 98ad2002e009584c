"""What apps write arrives in their logs line by line: none lost, none torn, and `logs` shows it."""

import glob
import gzip
import json
import os
import re
import signal
import subprocess

import gwtest
from gwtest import wait_until

LINES = 10000

# Writes its lines in pieces that know nothing of line ends, as buffered output does.
WRITER = f"""
import os, sys, time
me = os.environ["NODE_APP_INSTANCE"]
def flood(fd, word):
    text = "".join(f"{{word}} {{me}} {{n}} " + "x" * (n % 300) + " end\\n" for n in range({LINES}))
    data = text.encode()
    piece = 997
    for at in range(0, len(data), piece):
        os.write(fd, data[at:at + piece])
flood(1, "out")
flood(2, "err")
os.write(1, b"last words without a newline")
while True: time.sleep(3600)
"""


class Logs(gwtest.Case):
    def start_writers(self, **keys):
        self.home.write("writer.py", WRITER)
        file = self.home.write("apps.json", {"apps": [{"name": "writer", "script": "writer.py",
                                                       "instances": 2, **keys}]})
        self.home.ok("start", file)

    def check_complete(self, text, word):
        seen = {"0": [], "1": []}
        for line in text.splitlines():
            whole = re.fullmatch(word + r" ([01]) (\d+) (x*) end", line)
            if not whole:
                self.assertEqual(line, "last words without a newline")
                continue
            number = int(whole[2])
            self.assertEqual(len(whole[3]), number % 300)
            seen[whole[1]].append(number)
        for instance in seen:
            self.assertEqual(seen[instance], list(range(LINES)), f"{word} of instance {instance}")

    def complete(self, pattern, word):
        return self.home.read_log(pattern).count(f"{word} ") >= 2 * LINES

    def test_merged_output_of_two_instances_is_line_exact(self):
        self.start_writers(merge_logs=True)
        wait_until(lambda: self.complete("writer-out.log", "out"), 60, "all lines of stdout")
        wait_until(lambda: self.complete("writer-error.log", "err"), 60, "all lines of stderr")
        self.home.ok("stop", "writer")
        out = self.home.read_log("writer-out.log")
        self.check_complete(out, "out")
        self.check_complete(self.home.read_log("writer-error.log"), "err")
        self.assertEqual(out.count("last words without a newline\n"), 2)

    def test_each_instance_has_its_own_file(self):
        self.start_writers()
        wait_until(lambda: self.complete("writer-error-*.log", "err"), 60, "all lines of stderr")
        files = sorted(name for name in os.listdir(os.path.join(self.home.path, "logs"))
                       if name.startswith("writer-out-"))
        self.assertEqual(len(files), 2)
        self.check_complete(self.home.read_log("writer-out-*.log"), "out")

    def test_a_file_of_the_apps_own_choice(self):
        path = os.path.join(self.home.folder, "own.log")
        self.home.write("hello.sh", "echo hello; exec sleep 3600\n")
        file = self.home.write("apps.json", {"apps": [{"name": "hello", "script": "hello.sh",
                                                       "out_file": path, "merge_logs": True}]})
        self.home.ok("start", file)
        wait_until(lambda: self.home.read_log(path) == "hello\n")


class LastWords(gwtest.Case):
    STARTS = 5

    def test_what_was_written_before_a_crash_is_there(self):
        # More than a read of the pipe takes, an unfinished line, and dead at once.
        self.home.write("crash.py", f"""
import os, signal
number = os.path.getsize("starts") if os.path.exists("starts") else 0
if number == {self.STARTS}:
    signal.pause()
with open("starts", "a") as file:
    file.write("x")
for at in range(3000):
    os.write(1, b"%d %d %s\\n" % (number, at, b"x" * (at % 90)))
os.write(2, b"why %d" % number)
os.write(1, b"last words of %d" % number)
os.kill(os.getpid(), signal.SIGKILL)
""")
        file = self.home.write("apps.json", {"apps": [{"name": "crash", "script": "crash.py",
                                                       "restart_delay": "10ms"}]})
        self.home.gwctl("start", file)  # which tells that it crashes
        expected = "".join(
            "".join(f"{number} {at} {'x' * (at % 90)}\n" for at in range(3000)) +
            f"last words of {number}\n" for number in range(self.STARTS))
        wait_until(lambda: f"why {self.STARTS - 1}\n" in self.home.read_log("crash-error.log"), 60)
        self.assertEqual(self.home.read_log("crash-out.log"), expected)
        self.assertEqual(self.home.read_log("crash-error.log"),
                         "".join(f"why {number}\n" for number in range(self.STARTS)))


class Flood(gwtest.Case):
    def test_the_line_of_another_app_arrives_meanwhile(self):
        self.home.write("flood.py", "import os\nline = b'x' * 99 + b'\\n'\n"
                        "while True: os.write(1, line * 650)\n")
        self.home.write("quiet.sh", "n=0\ntrap 'n=$((n + 1)); echo line $n' USR1\necho line 0\n"
                        "while :; do sleep 0.01; done\n")
        file = self.home.write("apps.json", {"apps": [
            {"name": "flood", "script": "flood.py",
             "log_rotate": {"size": "1M", "keep": 1, "compress": False}},
            {"name": "quiet", "script": "quiet.sh"}]})
        self.home.ok("start", file)
        logs = os.path.join(self.home.path, "logs")
        wait_until(lambda: glob.glob(os.path.join(logs, "flood-out.log.2*")), what="a flood")
        for number in range(10):
            wait_until(lambda n=number: f"line {n}\n" in self.home.read_log("quiet-out.log"))
            os.kill(self.home.pids("quiet")[0], signal.SIGUSR1)


class Forms(gwtest.Case):
    def start(self, **keys):
        self.home.write("hello.sh", "printf 'one\\ntwo \\377\\n'; printf half; echo bad >&2\n"
                        "exec sleep 3600\n")
        file = self.home.write("apps.json", {"apps": [{"name": "hello", "script": "hello.sh",
                                                       **keys}]})
        self.home.ok("start", file)
        wait_until(lambda: self.home.read_log("hello-error.log"))

    def test_a_date_before_each_line(self):
        self.start(log_date_format="YYYY-MM-DD HH:mm:ss.SSS", out_file="own.log")
        self.home.ok("stop", "hello")
        date = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}: "
        with open(os.path.join(self.home.folder, "own.log"), "rb") as file:
            self.assertRegex(file.read(), rb"\A%sone\n%stwo \xff\n%shalf\n\Z" % ((date,) * 3))

    def test_a_record_of_json_a_line(self):
        self.start(log_type="json")
        self.home.ok("stop", "hello")
        records = [json.loads(line) for line in self.home.read_log("hello-*.log").splitlines()]
        for record in records:
            self.assertRegex(record.pop("timestamp"), r"^\d{4}-\d\d-\d\dT")
        common = {"app_name": "hello", "process_id": 0}
        self.assertCountEqual(records, [
            {"type": "out", "message": "one", **common},
            {"type": "out", "message": "two \ufffd", **common},
            {"type": "out", "message": "half", **common},
            {"type": "err", "message": "bad", **common}])


class Combined(gwtest.Case):
    def test_both_streams_of_all_instances_in_a_second_file(self):
        self.home.write("both.sh", "echo out $NODE_APP_INSTANCE; echo err $NODE_APP_INSTANCE >&2\n"
                        "exec sleep 3600\n")
        file = self.home.write("apps.json", {"apps": [{
            "name": "both", "script": "both.sh", "instances": 2, "log_file": "all.log"}]})
        path = os.path.join(self.home.folder, "all.log")
        self.home.ok("start", file)
        wait_until(lambda: self.home.read_log(path).count("\n") == 4)
        self.assertEqual(sorted(self.home.read_log(path).splitlines()),
                         ["err 0", "err 1", "out 0", "out 1"])
        self.assertEqual(sorted(self.home.read_log("both-out-*.log").splitlines()),
                         ["out 0", "out 1"])
        self.assertIn(path, self.home.ok("describe", "both"))
        self.home.ok("flush", "both")
        self.assertEqual(self.home.read_log(path), "")


class FullDisk(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.disk = os.path.join(self.home.folder, "disk")
        os.mkdir(self.disk)
        if os.geteuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=1m", "none", self.disk],
                stderr=subprocess.DEVNULL, check=False).returncode != 0:
            self.skipTest("a small disk takes a mount, and that root")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)

    def test_lines_are_dropped_and_counted_and_the_app_goes_on(self):
        self.home.write("flood.py", """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
for n in range(40000):
    os.write(1, b"line %d %s\\n" % (n, b"x" * 90))
os.write(2, b"done\\n")
signal.sigwait([signal.SIGUSR1])
os.write(1, b"there is room\\n")
signal.pause()
""")
        log = os.path.join(self.disk, "out.log")
        file = self.home.write("apps.json", {"apps": [{
            "name": "flood", "script": "flood.py", "out_file": log, "log_rotate": False}]})
        self.home.ok("start", file)
        # All was written, four times what the disk holds: nobody blocked it.
        wait_until(lambda: self.home.read_log("flood-error.log") == "done\n", 60)
        wait_until(lambda: "lines lost" in self.home.read_log("gwctl.log"))
        self.home.ok("flush", "flood")
        os.kill(self.home.pids("flood")[0], signal.SIGUSR1)
        wait_until(lambda: "there is room\n" in self.home.read_log(log))
        lost = re.search(r"(\d+) lines were lost", self.home.read_log("gwctl.log"))
        self.assertGreater(int(lost[1]), 20000)
        self.assertLess(int(lost[1]), 40000)


class Rotation(gwtest.Case):
    def old_files(self):
        return sorted(glob.glob(os.path.join(self.home.path, "logs", "writer-out.log.2*")))

    def text(self):
        """Old files and the new one, in their order; "" when one was renamed meanwhile, or has its
        last name not yet."""
        text = b""
        try:
            for path in self.old_files():
                if path.endswith(".new"):
                    return ""
                opened = gzip.open(path) if path.endswith(".gz") else open(path, "rb")
                with opened as file:
                    text += file.read()
        except FileNotFoundError:
            return ""
        return text.decode() + self.home.read_log("writer-out.log")

    def is_complete(self, *instances):
        text = self.text()
        return all(text.count(f"out {me} {LINES - 1} ") == 1 for me in instances)

    def start(self, instances, **rotation):
        self.home.write("writer.py", WRITER)
        file = self.home.write("apps.json", {"apps": [{
            "name": "writer", "script": "writer.py", "instances": instances,
            "merge_logs": True, "log_rotate": rotation}]})
        self.home.ok("start", file)

    def test_no_line_is_lost_doubled_or_torn(self):
        self.start(2, size="200K", keep=1000)
        wait_until(lambda: self.is_complete(0, 1), 60, "all lines")
        wait_until(lambda: all(path.endswith(".gz") for path in self.old_files()), 60, "gzip")
        self.assertGreater(len(self.old_files()), 10)
        Logs.check_complete(self, self.text(), "out")

    def test_only_so_many_are_kept(self):
        self.start(1, size="100K", keep=3)
        wait_until(lambda: self.is_complete(0), 60, "the newest lines")
        wait_until(lambda: len(self.old_files()) == 3
                   and all(path.endswith(".gz") for path in self.old_files()), 60, "3 old files")

    def test_a_ceiling_for_all_files_of_the_app(self):
        self.start(1, size="100K", compress=False, max_total="900K")
        wait_until(lambda: self.is_complete(0), 60, "the newest lines")
        wait_until(lambda: 0 < sum(map(os.path.getsize, self.old_files())) <= 450 * 1024 + 1, 60)


class Reading(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.home.write("count.sh", "for n in 1 2 3 4 5 6 7 8 9; do echo line $n; done\n"
                        "trap 'echo more' USR1\nwhile :; do sleep 0.05; done\n")
        file = self.home.write("apps.json", {"apps": [{"name": "count", "script": "count.sh"}]})
        self.home.ok("start", file)
        wait_until(lambda: "line 9" in self.home.read_log("count-out*.log"))

    def test_the_last_lines(self):
        text = self.home.ok("logs", "count", "--lines", "3", "--nostream")
        self.assertEqual(re.findall(r"line \d", text), ["line 7", "line 8", "line 9"])

    def test_an_unknown_name_is_noticed_before_any_output(self):
        done = self.home.gwctl("logs", "count", "cuont", "--nostream")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertIn('cuont: no such app or id; did you mean "count"?', done.stderr)

    def test_bytes_as_they_were(self):
        self.home.write("bytes.sh", "printf 'a\\000b\\r\\n\\377 \\000\\n'\n"
                        "echo error >&2\nexec sleep 3600\n")
        self.home.ok("start", "bytes.sh")
        wait_until(lambda: self.home.read_log("bytes-out*.log").count("\n") == 2)
        raw = [os.path.join(gwtest.BIN, "gwctl"), "logs", "bytes", "--raw", "--nostream"]

        def read(*options):
            return subprocess.run([*raw, *options], env=self.home.env, check=True,
                                  stdout=subprocess.PIPE).stdout
        self.assertEqual(read("--out"), b"a\0b\r\n\xff \0\n")
        wait_until(lambda: read("--err") == b"error\n")
        self.assertEqual(read("--out", "--err"), read())
        self.assertEqual(read(), b"a\0b\r\n\xff \0\nerror\n")

    def test_flush_empties_the_logs_of_the_selected(self):
        self.home.write("other.sh", "echo other\nexec sleep 3600\n")
        self.home.ok("start", "other.sh")
        wait_until(lambda: self.home.read_log("other-out.log") == "other\n")
        self.home.ok("flush", "count")
        self.assertEqual(self.home.read_log("count-out.log"), "")
        self.assertEqual(self.home.read_log("other-out.log"), "other\n")
        os.kill(self.home.pids("count")[0], signal.SIGUSR1)
        wait_until(lambda: self.home.read_log("count-out.log") == "more\n")
        self.home.ok("flush")
        self.assertEqual(self.home.read_log("other-out.log"), "")
        refused = self.home.gwctl("flush", "nobody")
        self.assertEqual(refused.returncode, 1)

    def test_logs_that_somebody_renamed_are_opened_anew(self):
        log = os.path.join(self.home.path, "logs", "count-out.log")

        def by_signal():
            with open(os.path.join(self.home.path, "gwctl.pid"), encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGUSR2)

        for number, reopen in enumerate((lambda: self.home.ok("reloadLogs"), by_signal)):
            os.rename(log, f"{log}.{number}")
            reopen()
            wait_until(lambda: os.path.exists(log))
            os.kill(self.home.pids("count")[0], signal.SIGUSR1)
            wait_until(lambda: self.home.read_log("count-out.log") == "more\n")

    def test_following(self):
        reader = self.home.popen("logs", "count", "-f", "--lines", "1")
        self.addCleanup(reader.stdout.close)
        self.addCleanup(reader.stderr.close)
        self.addCleanup(reader.wait)
        self.addCleanup(reader.terminate)
        self.assertIn("line 9", reader.stdout.readline())
        os.kill(self.home.pids("count")[0], signal.SIGUSR1)
        self.assertIn("more", reader.stdout.readline())


if __name__ == "__main__":
    gwtest.main()
