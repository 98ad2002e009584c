"""What a process may do, and what clients of control.sock cannot do to it."""

import json
import os
import socket
import unittest

import gwtest
from gwtest import demo_app, demo_gateway, free_port, get, wait_until

SIDECARS = ("gateway", "cachesvc", "metricsd")


class Programs(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.home.ok("start", self.home.write("demo.json", {"apps": [demo_app()],
                                                            "gateway": demo_gateway(self.port)}))
        self.home.wait_online("demo", 2)

    def status(self, pid):
        with open(f"/proc/{pid}/status") as status:
            lines = status.read().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def test_what_reads_foreign_bytes_executes_nothing(self):
        for name in SIDECARS:
            for pid in self.home.pids(name):
                status = self.status(pid)
                self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"), name)

    def test_apps_are_not_restricted(self):
        for pid in self.home.pids("demo"):
            # as this test is: it may be run within a sandbox itself
            self.assertEqual(self.status(pid)["Seccomp"], self.status("self")["Seccomp"])


class Environment(gwtest.Case):
    def test_an_app_sees_the_documented_variables_of_ours_and_no_other(self):
        script = self.home.write("show.py", "import json, os, time\n"
                                            "json.dump(dict(os.environ), open('new', 'w'))\n"
                                            "os.rename('new', 'environment')\ntime.sleep(1000)\n")
        self.home.ok("start", script, "--name", "show",
                     env={"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "x",
                          "NODE_CHANNEL_FD": "3", "GWCTL_SPAWN": "old", "GWCTL_APP": "old"})
        path = os.path.join(self.home.folder, "environment")
        wait_until(lambda: os.path.exists(path), what="the app's environment")
        with open(path) as file:
            environment = json.load(file)
        prefixes = ("GWCTL_", "LISTEN_", "NOTIFY_", "NODE_APP", "NODE_CHANNEL", "PM2_")
        ours = {name for name in environment if name.startswith(prefixes)}
        self.assertEqual(ours, {"GWCTL_HOME", "GWCTL_APP", "GWCTL_ID", "GWCTL_SPAWN",
                                "NOTIFY_SOCKET", "NODE_APP_INSTANCE"})
        self.assertEqual(environment["GWCTL_APP"], "show")
        self.assertNotEqual(environment["GWCTL_SPAWN"], "old")


class Group(gwtest.Case):
    """GWCTL_GROUP: its members may do what the owner may."""

    def start(self, group):
        return self.home.gwctl("start", self.home.write("app.sh", "exec sleep 1000"), "--name",
                               "app", env={"GWCTL_GROUP": group})

    def mode(self, name):
        return os.stat(os.path.join(self.home.path, name)).st_mode & 0o777

    def test_it_is_let_in_and_nothing_else_is_opened(self):
        self.assertEqual(self.start(str(os.getgid())).returncode, 0)
        self.assertEqual((self.mode("."), self.mode("control.sock")), (0o750, 0o660))
        self.assertEqual((self.mode("logs"), self.mode("run")), (0o700, 0o700))
        self.home.kill_supervisor()
        self.assertEqual(self.mode("control.sock"), 0o660)
        with open(f"/proc/{self.home.pids('app')[0]}/environ") as environ:
            self.assertNotIn("GWCTL_GROUP", environ.read())

    def test_one_that_there_is_not(self):
        done = self.start("no-such-group")
        self.assertEqual(done.returncode, 1)
        self.assertIn('GWCTL_GROUP: there is no group "no-such-group"', done.stderr)
        self.assertEqual(self.home.left_processes(), {})

    def ping_as(self, uid, gid, groups):
        """The exit code of a client: 0 it was answered, 2 it could not connect, 3 it was cut off."""
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.setgroups(groups)
                os.setgid(gid)
                os.setuid(uid)
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(20)
                client.connect(os.path.join(self.home.path, "control.sock"))
                code = 3
                client.sendall(b'{"id":1,"cmd":"ping"}\n')
                code = 0 if b'"ok":true' in client.recv(1000) else 3
            except PermissionError:
                code = 2
            except (BrokenPipeError, ConnectionResetError):
                pass
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_members_and_others(self):
        os.chmod(self.home.folder, 0o755)
        self.assertEqual(self.start("54321").returncode, 0)
        self.assertEqual(self.ping_as(65534, 54321, []), 0)
        self.assertEqual(self.ping_as(65534, 65534, [54320, 54321, 54322]), 0)
        self.assertEqual(self.ping_as(65534, 65534, [54320]), 2)
        # Also where the modes of the files would let everybody in.
        os.chmod(self.home.path, 0o755)
        os.chmod(os.path.join(self.home.path, "control.sock"), 0o666)
        self.assertEqual(self.ping_as(65534, 65534, [54320]), 3)


class ControlClients(gwtest.Case):
    """Whatever one client does, the others are answered, and the supervisor stays as small."""

    def setUp(self):
        super().setUp()
        self.home.ok("start", self.home.write("app.sh", "exec sleep 1000"), "--name", "app")
        self.pids = self.home.pids("app")
        self.supervisor = self.home.supervisor_pid()

    def tearDown(self):
        self.assertEqual(self.home.pids("app"), self.pids)
        self.assertEqual(self.home.supervisor_pid(), self.supervisor)

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.settimeout(20)
        client.connect(os.path.join(self.home.path, "control.sock"))
        return client

    def ended(self, client):
        """The supervisor has closed the connection; true once it has."""
        try:
            while client.recv(1 << 16):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
        return True

    def test_the_folder_and_its_sockets_are_the_owners(self):
        self.assertEqual(os.stat(self.home.path).st_mode & 0o777, 0o700)
        for name in ("control.sock", "run/notify.sock"):
            self.assertEqual(os.stat(os.path.join(self.home.path, name)).st_mode & 0o777, 0o600)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to be somebody else")
    def test_another_user_is_cut_off(self):
        os.chmod(self.home.folder, 0o755)
        os.chmod(self.home.path, 0o755)
        path = os.path.join(self.home.path, "control.sock")
        os.chmod(path, 0o666)
        pid = os.fork()
        if pid == 0:
            answer = None
            try:
                os.setgid(65534)
                os.setuid(65534)
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(20)
                client.connect(path)
                client.sendall(b'{"id":1,"cmd":"ping"}\n')
                answer = client.recv(100)
            except (BrokenPipeError, ConnectionResetError):
                answer = b""
            finally:
                os._exit(0 if answer == b"" else 1)
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertIn("a foreign user", self.home.read_log("gwctl.log"))

    def test_silent_ones_make_room(self):
        clients = [self.connect() for _ in range(64)]
        clients[0].sendall(b'{"id":1,"cmd":"ping"}\n')
        self.assertIn(b'"ok":true', clients[0].recv(1000))
        for client in clients[1:]:
            client.sendall(b'{"id":1,')
        # Who has come just now has a second to say something.
        wait_until(lambda: self.home.gwctl("ping").returncode == 0, what="room for one more")
        self.assertIn("makes room", self.home.read_log("gwctl.log"))
        for client in clients[1:]:
            client.setblocking(False)
        self.assertEqual(sum(self.has_ended(client) for client in clients[1:]), 1)

    def has_ended(self, client):
        try:
            return client.recv(1) == b""
        except BlockingIOError:
            return False

    def test_those_that_wait_for_something_keep_their_place(self):
        clients = [self.connect() for _ in range(64)]
        for client in clients:
            client.sendall(b'{"id":1,"cmd":"events","args":{"follow":true}}\n')
            self.assertIn(b'"ok":true', client.recv(1 << 16))
        done = self.home.gwctl("ping")
        self.assertEqual(done.returncode, 1)
        self.assertIn("too many clients", done.stderr)
        for client in clients:
            client.close()
        wait_until(lambda: self.home.gwctl("ping").returncode == 0, what="room again")

    def test_malformed_lines_end_their_connection(self):
        for line in (b"hello\n", b"[]\n", b'{"id":1\n', b"\xff\xfe\n", b"\0\n",
                     b"[" * 100000 + b"\n", b'"' + b"x" * 100000 + b'"\n'):
            client = self.connect()
            client.sendall(line)
            self.assertTrue(self.ended(client), line[:20])
        self.home.ok("ping")

    def test_a_line_without_an_end(self):
        client = self.connect()
        try:
            for _ in range(20):
                client.sendall(b"x" * (1 << 20))
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertTrue(self.ended(client))
        self.assertIn("line too long", self.home.read_log("gwctl.log"))

    def test_slow_and_half_closed_ones(self):
        clients = [self.connect() for _ in range(50)]
        for client in clients:
            client.sendall(b'{"id":1,')
        self.home.ok("ping")
        for client in clients[:25]:
            client.sendall(b'"cmd":"ping"}\n')
            self.assertIn(b'"ok":true', client.recv(1000))
        for client in clients:
            client.shutdown(socket.SHUT_WR)
            self.assertTrue(self.ended(client))

    def test_one_that_never_reads_is_cut_off(self):
        client = self.connect()
        client.setblocking(False)
        request = b'{"id":1,"cmd":"list"}\n' * 100

        def cut_off():
            try:
                client.send(request)
            except BlockingIOError:
                pass
            except (BrokenPipeError, ConnectionResetError):
                return True
            return "is cut off" in self.home.read_log("gwctl.log")
        wait_until(cut_off, 30, "the end of one that does not read")
        self.home.ok("ping")


class ClientsAtTheEnd(gwtest.Case):
    def test_one_that_reads_late_gets_its_answers(self):
        self.home.ok("start", self.home.write("app.sh", "exec sleep 1000"), "--name", "app")
        path = os.path.join(self.home.path, "control.sock")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(path)
            client.sendall(b'{"id":1,"cmd":"list"}\n' * 1000)  # more than the socket takes
            client.sendall(b'{"id":2,"cmd":"ping"}\n')
            kill = self.home.popen("kill")
            wait_until(lambda: not os.path.exists(path), what="the end")
            answers = b"".join(iter(lambda: client.recv(1 << 16), b""))
        kill.communicate(timeout=20)
        self.assertEqual(answers.count(b'"processes":['), 1000)
        self.assertIn(b'"id":2', answers)


if __name__ == "__main__":
    gwtest.main()
