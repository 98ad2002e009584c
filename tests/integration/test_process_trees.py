"""What an app starts belongs to it: ended with it, counted with it, whatever it does to get away."""

import os
import signal
import socket
import subprocess

import gwtest
from gwtest import free_port, process_exists, wait_until

# An app with a helper that leaves its parent, its session and its signals behind, and has the port.
FORKER = """
import os, signal, socket, sys, time

ESCAPES = {
    "child": [],
    "session": ["setsid"],
    "orphan": ["fork"],
    "daemon": ["setsid", "fork", "setsid"],
}

def note(name):
    with open(f"{name}.tmp", "w") as file:
        file.write(str(os.getpid()))
    os.rename(f"{name}.tmp", name)

def escape(how):
    for step in ESCAPES[how]:
        if step == "setsid":
            os.setsid()
        elif os.fork() > 0:
            os._exit(0)

if os.fork() == 0:
    escape(sys.argv[1])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(os.environ["PORT"])))
    listener.listen()
    ballast = bytearray(os.urandom(60 << 20))
    note("helper.pid")
    if len(sys.argv) > 2:
        while True:
            pass
    while True:
        time.sleep(3600)
while True:
    time.sleep(3600)
"""


class Case(gwtest.Case):
    def start(self, *args, **keys):
        """Starts the app and returns the pid of its helper."""
        self.port = free_port()
        self.pid_file = os.path.join(self.home.path, "helper.pid")
        app = {"name": "forker", "script": self.home.write("forker.py", FORKER), "args": list(args),
               "port": self.port, "cwd": self.home.path, "kill_timeout": "500ms", **keys}
        self.home.ok("start", self.home.write("forker.json", {"apps": [app]}))
        self.home.wait_online("forker")
        return self.helper()

    def helper(self):
        wait_until(lambda: os.path.exists(self.pid_file), what="the helper's pid")
        with open(self.pid_file) as file:
            return int(file.read())

    def expect_port_is_free(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", self.port))


class Stop(Case):
    def check_stop(self, how):
        helper = self.start(how)
        self.home.ok("stop", "forker")
        # At once: that it is stopped says that nothing is left.
        self.assertFalse(process_exists(helper), f"{how}: a process is left")
        self.expect_port_is_free()
        os.unlink(self.pid_file)

    def test_nothing_is_left_whatever_it_did_to_get_away(self):
        for how in ("child", "session", "orphan", "daemon"):
            with self.subTest(how):
                self.check_stop(how)
                self.home.ok("delete", "forker")

    def test_a_restart_finds_its_port_free(self):
        before = self.start("daemon")
        os.unlink(self.pid_file)
        self.home.ok("restart", "forker")
        self.home.wait_online("forker")
        self.assertNotEqual(self.helper(), before)
        self.assertFalse(process_exists(before))

    def test_a_crash_takes_all_of_it_along(self):
        before = self.start("daemon")
        os.unlink(self.pid_file)
        os.kill(self.home.pids("forker")[0], signal.SIGKILL)
        self.assertNotEqual(self.helper(), before)
        self.assertFalse(process_exists(before))

    def test_a_later_supervisor_ends_it_too(self):
        helper = self.start("daemon")
        self.home.kill_supervisor()
        self.home.wait_online("forker")
        self.assertTrue(process_exists(helper))
        self.home.ok("stop", "forker")
        self.assertFalse(process_exists(helper))
        self.expect_port_is_free()

    def test_strangers_live_on(self):
        # As like an orphan of the app as a stranger can be, but for whose it is.
        self.start("daemon")
        spawn = self.spawn_id()
        other = {**os.environ, "GWCTL_SPAWN": "0" * 15 + "1"}
        copied = {**os.environ, "GWCTL_SPAWN": spawn}
        strangers = [subprocess.Popen(["sleep", "100"], env=env, start_new_session=True)
                     for env in (other, copied)]
        try:
            self.home.ok("stop", "forker")
            for stranger in strangers:
                self.assertTrue(process_exists(stranger.pid))
        finally:
            for stranger in strangers:
                stranger.kill()
                stranger.wait()

    def spawn_id(self):
        with open(f"/proc/{self.home.pids('forker')[0]}/environ", "rb") as file:
            for variable in file.read().split(b"\0"):
                if variable.startswith(b"GWCTL_SPAWN="):
                    return variable.partition(b"=")[2].decode()
        self.fail("it has no GWCTL_SPAWN")


class Usage(Case):
    def test_memory_and_cpu_are_those_of_all_its_processes(self):
        self.start("daemon", "busy")
        self.assertGreater(self.home.processes("forker")[0]["monit"]["memory"], 60 << 20)
        self.assertRegex(self.home.ok("describe", "forker"),
                         r"processes +2 \(followed by session, parent, GWCTL_SPAWN\)")
        wait_until(lambda: self.home.processes("forker")[0]["monit"]["cpu"] > 10,
                   what="the helper's CPU time in the list")


if __name__ == "__main__":
    gwtest.main()
