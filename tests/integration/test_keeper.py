"""gw-keeper and gw-exec by themselves, with a supervisor that does what the test says.

The supervisor is Supervisor.SCRIPT: it connects to the test, says how it was started, and then does
one command a line. So the test knows at each step how far it is, without waiting for a time.
"""

import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

from gwtest import BIN, process_exists, wait_until

KEEPER = os.path.join(BIN, "gw-keeper")
EXEC = os.path.join(BIN, "gw-exec")
LIMIT = 20

SCRIPT = r"""
import array, json, os, signal, socket, sys

test = socket.socket(socket.AF_UNIX)
test.connect(sys.argv[1])
lines = test.makefile("r")
names = os.environ["LISTEN_FDNAMES"].split(":")
assert int(os.environ["LISTEN_FDS"]) == len(names)
fds = dict(zip(names, range(3, 3 + len(names))))
keeper = socket.socket(fileno=fds["keeper"])
keeper.settimeout(15)

def send(text, *contents):
    files = []
    for content in contents:
        files.append(os.memfd_create("test"))
        os.write(files[-1], content.encode())
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))
    keeper.sendmsg([text.encode("latin-1")], [rights] if files else [])
    for file in files:
        os.close(file)

def listen(name, path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener.fileno()]))
    keeper.sendmsg([f"FDSTORE=1\nFDNAME={name}".encode()], [rights])

def orphans(count, code):
    '''Children of a child that has ended; each ends when it gets SIGTERM, or at once.'''
    reader, writer = os.pipe()
    if os.fork() == 0:
        for _ in range(count):
            pid = os.fork()
            if pid == 0:
                os.close(writer)
                if code is None:
                    signal.pause()
                os._exit(code)
            os.write(writer, b"%d\n" % pid)
        os._exit(0)
    os.wait()
    os.close(writer)
    with open(reader) as pids:
        return [int(line) for line in pids]

def child():
    pid = os.fork()
    if pid == 0:
        signal.pause()
    return pid

def end_on_term(code):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(code))

def read(name):
    os.lseek(fds[name], 0, os.SEEK_SET)
    return os.read(fds[name], 100).decode()

commands = dict(send=send, listen=listen, orphans=orphans, child=child, read=read,
                receive=lambda: keeper.recv(100).decode(), exit=os._exit, end_on_term=end_on_term)
answer = dict(pid=os.getpid(), names=names, listen_pid=int(os.environ["LISTEN_PID"]),
              args=sys.argv[2:], fds=[n for n in range(3, 40) if os.path.exists(f"/proc/self/fd/{n}")])
while True:
    test.sendall(json.dumps(answer).encode() + b"\n")
    line = lines.readline()
    if not line:
        os._exit(9)
    name, *arguments = json.loads(line)
    answer = commands[name](*arguments)
"""


class Supervisor:
    """The test's end of a running SCRIPT."""

    def __init__(self, listener):
        self.socket, _ = listener.accept()
        self.socket.settimeout(LIMIT)
        self.lines = self.socket.makefile("r")
        self.hello = json.loads(self.lines.readline())
        self.pid = self.hello["pid"]
        self.names = self.hello["names"]

    def tell(self, *command):
        """Gives a command whose answer never comes."""
        self.socket.sendall(json.dumps(command).encode() + b"\n")

    def do(self, *command):
        self.tell(*command)
        return json.loads(self.lines.readline())

    def store(self, name, content):
        self.do("send", f"FDSTORE=1\nFDNAME={name}", content)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def close(self):
        self.lines.close()
        self.socket.close()


class KeeperCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gwctl-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.listener.close)
        self.path = os.path.join(self.folder, "test.sock")
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.listener.settimeout(LIMIT)
        self.log = os.path.join(self.folder, "log")
        self.pids = set()  # of processes that may outlive the keeper
        self.keeper = None
        self.addCleanup(self.end)

    def end(self):
        if self.keeper:
            self.keeper.kill()
            self.keeper.wait(LIMIT)
        for pid in self.pids:
            if process_exists(pid):
                os.kill(pid, signal.SIGKILL)

    def run_keeper(self, *command, before=(), env=None):
        with open(self.log, "ab") as log:
            self.keeper = subprocess.Popen([*before, KEEPER, *command], stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, env=env, cwd=self.folder)

    def start(self, *args):
        self.run_keeper("--", sys.executable, "-c", SCRIPT, self.path, *args)
        return self.next_supervisor()

    def next_supervisor(self):
        supervisor = Supervisor(self.listener)
        self.addCleanup(supervisor.close)
        self.pids.add(supervisor.pid)
        return supervisor

    def logged(self, pattern):
        with open(self.log) as log:
            return re.findall(pattern, log.read())

    def wait_logged(self, pattern):
        return wait_until(lambda: self.logged(pattern), LIMIT, f"{pattern!r} in the log")

    def ended_with(self):
        return self.keeper.wait(LIMIT)


class Descriptors(KeeperCase):
    def test_first_start(self):
        first = self.start("--some", "argument")
        self.assertEqual(first.names, ["keeper"])
        self.assertEqual(first.hello["listen_pid"], first.pid)
        self.assertEqual(first.hello["args"], ["--some", "argument"])
        # 3 is the keeper's; the next one is the connection to the test. Nothing else came along.
        self.assertEqual(first.hello["fds"], [3, 4])

    def test_stored_ones_come_back_after_kill_9(self):
        first = self.start()
        for i in range(40):
            first.store(f"socket.{i}", f"content {i}")
        first.store("socket.7", "replaced")
        first.do("send", "FDSTOREREMOVE=1\nFDNAME=socket.9")
        first.do("send", "FDSTOREREMOVE=1\nFDNAME=never-there")
        first.kill()
        second = self.next_supervisor()
        self.assertNotEqual(first.pid, second.pid)
        self.assertEqual(set(second.names),
                         {f"socket.{i}" for i in range(40)} - {"socket.9"} | {"keeper"})
        self.assertEqual(len(second.names), len(set(second.names)))
        for i in set(range(40)) - {7, 9}:
            self.assertEqual(second.do("read", f"socket.{i}"), f"content {i}")
        self.assertEqual(second.do("read", "socket.7"), "replaced")
        self.assertFalse(self.logged("malformed"))
        # The next generation is handed them in another order and from other numbers.
        second.store("last", "of all")
        second.kill()
        third = self.next_supervisor()
        self.assertEqual(set(third.names), set(second.names) | {"last"})
        self.assertEqual(third.do("read", "last"), "of all")
        self.assertEqual(third.do("read", "socket.39"), "content 39")

    def test_malformed_packets_are_ignored(self):
        first = self.start()
        bad = [
            ("FDSTORE=1\nFDNAME=none",),                        # without an fd
            ("FDSTORE=1\nFDNAME=two", "a", "b"),
            ("FDSTORE=1\nFDNAME=", "a"),
            ("FDSTORE=1\nFDNAME=with:colon", "a"),
            ("FDSTORE=1\nFDNAME=with space", "a"),
            ("FDSTORE=1\nFDNAME=\u00e9", "a"),
            ("FDSTORE=1\nFDNAME=nul\0", "a"),
            ("FDSTORE=1\nFDNAME=" + "x" * 256, "a"),
            ("FDSTORE=1\nFDNAME=" + "x" * 5000, "a"),
            ("FDSTORE=2\nFDNAME=version", "a"),
            ("FDNAME=order\nFDSTORE=1", "a"),
            ("FDSTOREREMOVE=1\nFDNAME=good", "a"),              # with an fd
            ("EXIT 1 0",),
            ("\n",),
            ("FDSTORE=1\nFDNAME=ten", *"abcdefghij"),
        ]
        first.store("good", "stays")
        for packet in bad:
            first.do("send", *packet)
        first.store("x" * 255, "longest")
        first.do("send", "FDSTORE=1\nFDNAME=newline\n", "at the end")
        first.kill()
        second = self.next_supervisor()
        self.assertEqual(set(second.names), {"good", "x" * 255, "newline", "keeper"})
        self.assertEqual(second.do("read", "good"), "stays")
        self.assertEqual(len(self.logged("malformed")), len(bad))

    def test_adopts_the_fds_of_the_supervisor_it_replaces(self):
        for name in ("a", "b", "c"):
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(f"file {name}")
        shell = 'LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=a:keeper:c exec "$@" 3<a 4<b 5<c 9</dev/null'
        self.run_keeper("--adopt", "--", sys.executable, "-c", SCRIPT, self.path,
                        before=("sh", "-c", shell, "sh"))
        first = self.next_supervisor()
        self.assertEqual(set(first.names), {"a", "c", "keeper"})
        self.assertEqual(first.do("read", "a"), "file a")
        self.assertEqual(first.do("read", "c"), "file c")
        self.assertEqual(first.hello["fds"], [3, 4, 5, 6])
        first.store("d", "new")  # the pair is a working one
        first.kill()
        self.assertEqual(set(self.next_supervisor().names), {"a", "c", "d", "keeper"})

    def test_without_adopt_nothing_is_taken(self):
        shell = 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=a exec "$@" 3</dev/null'
        self.run_keeper("--", sys.executable, "-c", SCRIPT, self.path,
                        before=("sh", "-c", shell, "sh"))
        first = self.next_supervisor()
        self.assertEqual(first.names, ["keeper"])
        self.assertEqual(first.hello["fds"], [3, 4])


class Leaving(KeeperCase):
    """A supervisor that leaves: its successor comes when a client wants it."""

    LEFT = 79

    def leave(self):
        first = self.start()
        self.control = os.path.join(self.folder, "control.sock")
        first.do("listen", "control", self.control)
        first.store("a", "kept")
        self.child = first.do("child")
        self.pids.add(self.child)
        first.tell("exit", self.LEFT)
        self.wait_logged("left its apps running")

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(self.control)

    def test_a_client_brings_the_next_one(self):
        self.leave()
        os.kill(self.child, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{self.child}"), LIMIT, "the child is reaped")
        self.connect()
        second = self.next_supervisor()
        self.assertEqual(set(second.names), {"a", "control", "keeper"})
        self.assertEqual(second.do("read", "a"), "kept")
        self.assertEqual(second.do("receive"), f"EXIT {self.child} 9")
        self.assertEqual(len(self.logged("a client wants")), 1)
        # It is looked after like any other.
        second.kill()
        self.assertEqual(self.next_supervisor().do("read", "a"), "kept")

    def test_the_keeper_was_asked_to_end(self):
        first = self.start()
        self.control = os.path.join(self.folder, "control.sock")
        first.do("listen", "control", self.control)
        first.do("end_on_term", self.LEFT)
        first.tell("receive")
        self.keeper.terminate()
        self.wait_logged("left its apps running")
        self.connect()
        self.next_supervisor()
        self.assertIsNone(self.keeper.poll())

    def test_a_keeper_that_was_left_ends_when_it_is_asked_to(self):
        self.leave()
        self.keeper.terminate()
        self.assertEqual(self.ended_with(), 0)

    def test_one_that_nobody_could_call_is_restarted(self):
        self.start().tell("exit", self.LEFT)
        self.next_supervisor()


class Update(KeeperCase):
    """The keeper ends the supervisor and executes itself anew."""

    def setUp(self):
        super().setUp()
        # What it starts is looked for beside the supervisor: so this one lies beside a keeper.
        self.program = os.path.join(self.folder, "supervisor")
        self.replace("gw-keeper", KEEPER)
        self.use_script(SCRIPT)

    def replace(self, name, path):
        shutil.copy(path, os.path.join(self.folder, name + ".new"))
        os.rename(os.path.join(self.folder, name + ".new"), os.path.join(self.folder, name))

    def use_script(self, script):
        text = os.path.join(self.folder, "text")
        with open(text, "w") as file:
            file.write(f"#!{sys.executable}\n{script}")
        os.chmod(text, 0o755)
        self.replace("supervisor", text)

    def start_program(self):
        self.run_keeper("--", self.program, self.path, "argument")
        return self.next_supervisor()

    def update(self, supervisor):
        supervisor.tell("send", "UPDATE=1")
        return self.next_supervisor()

    def test_the_new_one_gets_what_was_kept(self):
        first = self.start_program()
        first.store("a", "kept")
        second = self.update(first)
        self.assertFalse(process_exists(first.pid))
        self.assertEqual(set(second.names), {"a", "keeper"})
        self.assertEqual(second.do("read", "a"), "kept")
        self.assertEqual(second.hello["args"], ["argument"])
        self.assertEqual(second.hello["fds"], [3, 4, 5])
        self.assertIsNone(self.keeper.poll())
        third = self.update(second)
        self.assertEqual(third.do("read", "a"), "kept")

    def test_exits_of_the_time_between_are_told(self):
        first = self.start_program()
        child = first.do("child")
        self.pids.add(child)
        second = self.update(first)
        os.kill(child, signal.SIGKILL)
        self.assertEqual(second.do("receive"), f"EXIT {child} 9")

    def test_exits_that_nobody_has_read_are_told(self):
        first = self.start_program()
        pid = first.do("orphans", 1, 7)[0]
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), LIMIT, "the orphan is reaped")
        second = self.update(first)
        self.assertEqual(second.do("receive"), f"EXIT {pid} {7 << 8}")

    def test_a_keeper_that_cannot_be_executed(self):
        first = self.start_program()
        first.store("a", "kept")
        os.unlink(os.path.join(self.folder, "gw-keeper"))
        second = self.update(first)
        self.assertEqual(second.do("read", "a"), "kept")
        self.assertTrue(self.logged("the old keeper goes on"))

    def test_a_supervisor_that_dies_young(self):
        python = os.path.realpath(sys.executable)
        self.replace("supervisor", python)
        self.run_keeper("--", self.program, "-c", SCRIPT, self.path)
        first = self.next_supervisor()
        first.store("a", "kept")
        self.replace("supervisor", shutil.which("false"))
        second = self.update(first)
        self.assertEqual(second.do("read", "a"), "kept")
        self.assertTrue(self.logged("the one before it comes back"))
        second.kill()  # and it stays that one
        third = self.next_supervisor()
        self.replace("supervisor", python)  # until another update
        fourth = self.update(third)
        self.assertEqual(os.stat(f"/proc/{fourth.pid}/exe").st_ino, os.stat(self.program).st_ino)


class Exits(KeeperCase):
    def exit_packet(self, supervisor):
        word, pid, status = supervisor.do("receive").split()
        self.assertEqual(word, "EXIT")
        return int(pid), int(status)

    def test_orphans_are_reaped_and_reported(self):
        first = self.start()
        (quick,) = first.do("orphans", 1, 7)
        self.assertEqual(self.exit_packet(first), (quick, 7 << 8))
        (slow,) = first.do("orphans", 1, None)
        os.kill(slow, signal.SIGKILL)
        self.assertEqual(self.exit_packet(first), (slow, signal.SIGKILL))
        self.assertFalse(os.path.exists(f"/proc/{quick}") or os.path.exists(f"/proc/{slow}"))

    def test_a_dead_supervisors_child_is_reported_to_the_next(self):
        first = self.start()
        app = first.do("child")
        self.pids.add(app)
        first.kill()
        second = self.next_supervisor()
        self.assertTrue(process_exists(app))
        os.kill(app, signal.SIGTERM)
        self.assertEqual(self.exit_packet(second), (app, signal.SIGTERM))

    def test_a_supervisors_death_loses_no_exit(self):
        first = self.start()
        (orphan,) = first.do("orphans", 1, 3)
        wait_until(lambda: not os.path.exists(f"/proc/{orphan}"), LIMIT, "reaping")
        first.kill()  # it has not read the packet
        self.assertEqual(self.exit_packet(self.next_supervisor()), (orphan, 3 << 8))

    def test_a_full_socket_loses_no_exit(self):
        count = 900  # several times what a socket's queue takes
        first = self.start()
        orphans = first.do("orphans", count, 0)
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in orphans), LIMIT,
                   "reaping of all")
        reported = [self.exit_packet(first) for _ in range(count)]
        self.assertEqual(sorted(reported), sorted((pid, 0) for pid in orphans))
        first.store("still", "working")
        first.kill()
        self.assertIn("still", self.next_supervisor().names)


class LifeOfSupervisors(KeeperCase):
    def test_exit_0_ends_the_keeper(self):
        self.start().tell("exit", 0)
        self.assertEqual(self.ended_with(), 0)

    def test_exit_78_ends_the_keeper(self):
        self.start().tell("exit", 78)
        self.assertEqual(self.ended_with(), 78)

    def test_another_exit_does_not(self):
        self.start().tell("exit", 1)
        self.next_supervisor().tell("exit", 77)
        self.next_supervisor().tell("exit", 0)
        self.assertEqual(self.ended_with(), 0)
        self.assertEqual(self.logged(r"exited with (\d+)"), ["1", "77"])

    def test_signals_are_forwarded(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            supervisor = self.start()
            supervisor.do("end_on_term", 0)
            self.keeper.send_signal(number)
            self.assertEqual(self.ended_with(), 0)
            self.assertFalse(process_exists(supervisor.pid))

    def test_after_sigterm_no_supervisor_is_started(self):
        supervisor = self.start()
        supervisor.do("end_on_term", 5)
        self.keeper.send_signal(signal.SIGTERM)
        self.assertEqual(self.ended_with(), 1)
        self.assertFalse(self.logged("a new one starts"))

    def test_short_lives_are_restarted_slower_and_slower(self):
        self.run_keeper("--", "false")
        self.wait_logged("starts in 400 ms")
        self.assertEqual(self.logged(r"starts in (\d+) ms")[:3], ["100", "200", "400"])
        self.keeper.send_signal(signal.SIGTERM)  # while none runs, or one that dies anyway
        self.assertIn(self.ended_with(), (0, 1))

    def test_a_supervisor_that_cannot_be_executed(self):
        self.run_keeper("--", "/nowhere/gw-supervisor")
        self.wait_logged("/nowhere/gw-supervisor: No such file or directory")
        self.assertEqual(self.ended_with(), 1)

    def test_the_supervisor_sees_the_keepers_end(self):
        supervisor = self.start()
        self.keeper.kill()
        self.keeper.wait(LIMIT)
        self.assertEqual(supervisor.do("receive"), "")

    def test_usage(self):
        for command in ([], ["--"], ["--adopt", "--"], ["true"], ["--adopt", "true"]):
            done = subprocess.run([KEEPER, *command], capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.returncode, 2)
            self.assertIn("usage:", done.stderr)


class Exec(unittest.TestCase):
    def run_exec(self, *command, env=None, listen=0):
        """Exit code, standard output, and what came by the status fd."""
        reader, writer = os.pipe()
        null = os.open("/dev/null", os.O_RDONLY)
        target = 3 + listen
        redirect = "".join(f" {3 + n}<&0" for n in range(listen)) + f" {target}>&$status"
        try:
            done = subprocess.run(
                ["bash", "-c", f'status=$1; shift; exec "$@"{redirect}', "bash", str(writer), EXEC,
                 "--status-fd", str(target), *command],
                stdin=null, capture_output=True, text=True, timeout=LIMIT, pass_fds=(writer,),
                extra_groups=[12, 13] if os.geteuid() == 0 else None,  # none of them may stay
                env={**os.environ, **(env or {})})
        finally:
            os.close(writer)
            os.close(null)
        with open(reader) as status:
            return done.returncode, done.stdout, status.read()

    def failure(self, *command):
        code, out, status = self.run_exec(*command)
        self.assertEqual((code, out), (127, ""))
        self.assertTrue(status.endswith("\n") and status.count("\n") == 1, status)
        return status.strip()

    def test_executes_by_path(self):
        self.assertEqual(self.run_exec("--", "echo", "-n", "--cwd"), (0, "--cwd", ""))
        self.assertEqual(self.run_exec("--", "sh", "-c", "exit 3"), (3, "", ""))

    def test_passes_listening_fds_and_nothing_else(self):
        script = """echo $$ $LISTEN_PID
            for fd in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$fd && echo $fd; done; exit 0"""
        code, out, status = self.run_exec("--listen", "2", "--", "sh", "-c", script, listen=2)
        pids, *fds = out.splitlines()
        self.assertEqual((code, status), (0, ""))
        self.assertEqual(*pids.split())
        self.assertEqual(fds, ["3", "4"])
        _, out, _ = self.run_exec("--", "sh", "-c", "echo ${LISTEN_PID-none}")
        self.assertEqual(out, "none\n")

    def test_settings(self):
        code, out, status = self.run_exec(
            "--cwd", "/usr", "--umask", "027", "--nofile", "77", "--no-new-privs", "--", "sh", "-c",
            "pwd; umask; ulimit -n; ulimit -Hn; grep NoNewPrivs /proc/self/status")
        self.assertEqual((code, status), (0, ""))
        self.assertEqual(out.split(), ["/usr", "0027", "77", "77", "NoNewPrivs:", "1"])

    def test_a_soft_limit_alone(self):
        code, out, status = self.run_exec("--nofile-soft", "77", "--", "sh", "-c",
                                          "ulimit -n; ulimit -Hn")
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.assertEqual((code, status, out.split()), (0, "", ["77", str(hard)]))

    def test_limits(self):
        cpu = str(min(os.sched_getaffinity(0)))
        code, out, status = self.run_exec(
            "--nproc", "5000", "--core", "0", "--nice", "3", "--oom-score-adj", "500", "--cpu", cpu,
            "--", "bash", "-c", "ulimit -u; ulimit -c; nice; cat /proc/self/oom_score_adj; "
            "grep Cpus_allowed_list /proc/self/status")
        self.assertEqual((code, status), (0, ""))
        self.assertEqual(out.split(), ["5000", "0", str(3 + os.nice(0)), "500",
                                       "Cpus_allowed_list:", cpu])

    def test_signals_are_as_if_new(self):
        # Python ignores SIGPIPE, and subprocess would reset it: so ignore more, by a shell.
        done = subprocess.run(
            ["bash", "-c", 'trap "" TERM HUP USR1; exec "$@" 9>/dev/null', "bash", EXEC,
             "--status-fd", "9", "--", "grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"],
            capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual([int(line.split()[1], 16) for line in done.stdout.splitlines()], [0, 0])

    def test_privileges(self):
        script = "id -u; id -g; id -G; echo $HOME $USER $LOGNAME"
        if os.geteuid() != 0:
            self.assertEqual(self.failure("--uid", "root", "--", "true"),
                             "setgid: Operation not permitted")
            own = str(os.geteuid()), "--gid", str(os.getegid())
            self.assertEqual(self.run_exec("--uid", *own, "--", "id", "-u")[1], f"{own[0]}\n")
            return
        _, out, status = self.run_exec("--uid", "daemon", "--", "sh", "-c", script)
        self.assertEqual((out, status), ("1\n1\n1\n/usr/sbin daemon daemon\n", ""))
        _, out, _ = self.run_exec("--uid", "1", "--gid", "nogroup", "--", "sh", "-c", script)
        self.assertEqual(out, "1\n65534\n65534\n/usr/sbin daemon daemon\n")
        _, out, _ = self.run_exec("--uid", "54321", "--gid", "7", "--", "sh", "-c", "id -u; id -G")
        self.assertEqual(out, "54321\n7\n")
        _, out, _ = self.run_exec("--", "id", "-G")
        self.assertEqual(out, "0 12 13\n")
        _, out, _ = self.run_exec("--gid", "7", "--", "sh", "-c", "id -u; id -G")
        self.assertEqual(out, "0\n7\n")

    def test_failures(self):
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
            file.write("#!/nowhere/python\n")
            file.flush()
            self.assertEqual(self.failure("--", file.name),
                             f"script {file.name}: Permission denied")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad-first-line")
            with open(path, "w") as script:
                script.write("#!/nowhere/python\n")
            os.chmod(path, 0o700)
            self.assertEqual(self.failure("--", path),
                             f"script {path}: its interpreter (first line) does not exist")
        for command, message in (
                (("--cwd", "/nowhere", "--", "true"), "cwd /nowhere: No such file or directory"),
                (("--cwd", "/etc/passwd", "--", "true"), "cwd /etc/passwd: Not a directory"),
                (("--", "/nowhere/x"), "script /nowhere/x: No such file or directory"),
                (("--", "no-such-program-here"),
                 "script no-such-program-here: No such file or directory"),
                (("--", "/etc"), "script /etc: Permission denied"),
                (("--umask", "9", "--", "true"), "umask 9: not a number in range"),
                (("--nofile", "-1", "--", "true"), "nofile -1: not a number in range"),
                (("--core", "x", "--", "true"), "core x: not a number in range"),
                (("--nice", "many", "--", "true"), "nice many: not a number in range"),
                (("--cpu", "1-", "--", "true"), "cpu 1-: not a list of CPUs"),
                (("--cpu", "1023", "--", "true"), "cpu 1023: no such CPU may be used"),
                (("--oom-score-adj", "1001", "--", "true"),
                 "oom_score_adj 1001: Invalid argument"),
                (("--uid", "no-such-user", "--", "true"), "uid no-such-user: no such user"),
                (("--gid", "no-such-group", "--", "true"), "gid no-such-group: no such group"),
                (("--uid", "54321", "--", "true"),
                 "uid 54321: has no passwd entry, so that a gid is needed")):
            self.assertEqual(self.failure(*command), message)

    def test_usage(self):
        for command in (["--", "true"], ["--status-fd", "9"], ["--status-fd", "4", "--listen", "2",
                                                               "--", "true"], ["--unknown"]):
            done = subprocess.run([EXEC, *command], capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.returncode, 127)
            self.assertTrue(done.stderr)


if __name__ == "__main__":
    unittest.main()
