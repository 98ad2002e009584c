"""scripts/run, with the programs at hand instead of a build: whatever ends it ends everything.

The tree around it is a copy without what it does not look at; cmake and scripts/bootstrap do nothing.
"""

import os
import shutil
import signal
import subprocess
import time

import gwtest
from gwtest import free_port, get, wait_until

LIMIT = 40


class Run(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.runs = 0
        self.script = os.path.join(self.home.folder, "scripts", "run")
        os.makedirs(os.path.dirname(self.script))
        shutil.copy(os.path.join(gwtest.ROOT, "scripts", "run"), self.script)
        self.home.write("scripts/bootstrap", "#!/bin/sh\n", 0o755)
        self.home.write("stubs/cmake", "#!/bin/sh\n", 0o755)
        os.symlink(os.path.join(gwtest.ROOT, "ecosystem"),
                   os.path.join(self.home.folder, "ecosystem"))
        os.makedirs(os.path.join(self.home.folder, "build", "release"))
        os.symlink(gwtest.BIN, os.path.join(self.home.folder, "build", "release", "bin"))

    def start(self, *args):
        """Runs it in a session of its own, as a terminal would; its output goes to self.output."""
        self.port = free_port()
        self.runs += 1
        self.output = os.path.join(self.home.folder, f"output{self.runs}")
        path = os.path.join(self.home.folder, "stubs") + ":" + self.home.env["PATH"]
        with open(self.output, "w") as out:
            return subprocess.Popen(
                [self.script, *args], env={**self.home.env, "PATH": path, "PORT": str(self.port)},
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def said(self):
        with open(self.output, errors="replace") as file:
            return file.read()

    def finish(self, process):
        try:
            return process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"it goes on:\n{self.said()}") from None

    # Moments to wait for.

    def keeper_is_there(self):
        return any("gw-keeper" in text for text in self.home.left_processes().values())

    def supervisor_listens(self):
        return os.path.exists(os.path.join(self.home.path, "control.sock"))

    def serves(self):
        return "It serves" in self.said()

    def follows(self):
        return "Logs follow" in self.said()

    def end_by(self, number, moment, delay=0.0):
        process = self.start()
        wait_until(moment, LIMIT, moment.__name__)
        due = time.monotonic() + delay
        wait_until(lambda: time.monotonic() >= due)
        # Ctrl-C and the end of a terminal reach the whole process group, a kill only the script.
        if number == signal.SIGTERM:
            os.kill(process.pid, number)
        else:
            os.killpg(process.pid, number)
        code = self.finish(process)
        try:
            wait_until(lambda: not self.home.left_processes(), 5)
        except AssertionError:
            self.fail(f"{signal.Signals(number).name} {delay} s after {moment.__name__} leaves "
                      f"{self.home.left_processes()}:\n{self.said()}")
        self.assertFalse(self.supervisor_listens())
        return code

    def test_a_signal_while_it_starts_leaves_nothing(self):
        for delay in (0, 0.03, 0.1, 0.25, 0.5):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(delay=delay, number=number):
                    self.assertIn(self.end_by(number, self.keeper_is_there, delay),
                                  (0, 128 + number))

    def test_a_signal_at_a_moment_leaves_nothing(self):
        for moment in (self.supervisor_listens, self.serves, self.follows):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                with self.subTest(moment=moment.__name__, number=number):
                    self.assertIn(self.end_by(number, moment), (0, 128 + number))

    def test_detached_it_stays_until_stop(self):
        self.assertEqual(self.finish(self.start("--detach")), 0, self.said())
        self.assertEqual(get(self.port, "/api/vendors").status, 200)
        self.assertEqual(self.finish(self.start("--stop")), 0, self.said())
        wait_until(lambda: not self.home.left_processes(), 5)

    def test_wrong_usage(self):
        for args in (["--detach", "extra"], ["--no-such-option"], ["extra"]):
            self.assertEqual(self.finish(self.start(*args)), 2, args)
            self.assertIn("usage", self.said())
        self.assertEqual(self.home.left_processes(), {})


if __name__ == "__main__":
    gwtest.main()
