"""What proves that a process is ready, and that nothing else does: in the order of docs/configuration.md."""


import gwtest
from gwtest import free_port, state_of, wait_until

# A server that binds its port only when the file `bind` is there, answers 503 until `fine` is, and
# writes "now it works" and READY=1 when told to by files of these names.
SERVER = """
import http.server, os, socket, sys, threading, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if os.path.exists("fine") else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass

def when(name, action):
    def wait():
        while not os.path.exists(name):
            time.sleep(0.01)
        action()
    threading.Thread(target=wait).start()

def notify():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])

def serve():
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()

when("bind", serve)
when("say", lambda: print("and now it works", flush=True))
when("notify", notify)
print("started", flush=True)
"""

NODE = """
const fs = require('fs');
const timer = setInterval(() => {
    if (!fs.existsSync('send')) return;
    clearInterval(timer);
    process.send({ type: 'log', text: 'ready' });
    process.send('steady');
    process.send('x'.repeat(1000000));
    process.send('ready');
}, 10);
setInterval(() => {}, 1000);
"""


class Readiness(gwtest.Case):
    def start(self, script=SERVER, name="app.py", **keys):
        self.home.write(name, script)
        app = {"name": "app", "script": name, "port": "auto", **keys}
        self.starting = self.home.popen("start", self.home.write("app.json", {"apps": [app]}))
        self.addCleanup(self.starting.communicate)
        wait_until(lambda: self.home.gwctl("ping").returncode == 0)
        wait_until(lambda: self.home.pids("app") and self.home.pids("app")[0] > 0)

    def touch(self, *names):
        for name in names:
            self.home.write(name, "")

    def proof(self):
        self.home.wait_online("app", 1)
        self.assertEqual(self.starting.wait(10), 0)
        return self.home.processes("app")[0]["gwctl"]["ready_by"]

    def expect_starting(self):
        self.assertEqual(self.home.states("app"), ["starting"])

    def listens(self):
        def listening():
            endpoint = self.home.processes("app")[0]["gwctl"]["endpoint"]
            try:
                return gwtest.get(int(endpoint.rpartition(":")[2]))
            except OSError:
                return None
        wait_until(listening)

    def test_http(self):
        self.start(ready={"http": "/", "interval": "10ms"})
        self.touch("bind", "notify", "say")
        self.listens()
        self.expect_starting()
        self.touch("fine")
        self.assertEqual(self.proof(), "http")

    def test_tcp(self):
        self.start(ready={"tcp": True, "interval": "10ms"})
        self.touch("notify")
        self.expect_starting()
        self.touch("bind")
        self.assertEqual(self.proof(), "tcp")

    def test_exec(self):
        self.start(ready={"exec": "test -e fine", "interval": "10ms"})
        self.touch("bind", "notify")
        self.listens()
        self.expect_starting()
        self.touch("fine")
        self.assertEqual(self.proof(), "exec")

    def test_log(self):
        self.start(ready={"log": "now it works"})
        self.touch("bind", "notify")
        self.listens()
        self.expect_starting()
        self.touch("say")
        self.assertEqual(self.proof(), "log")

    def test_notify(self):
        self.start(wait_ready=True)
        self.touch("bind")
        self.listens()
        self.expect_starting()
        self.touch("notify")
        self.assertEqual(self.proof(), "notify")

    def test_notify_counts_unasked(self):
        self.start()
        self.touch("notify")
        self.assertEqual(self.proof(), "notify")

    def test_port(self):
        self.start()
        self.touch("say")
        self.expect_starting()
        self.touch("bind")
        self.assertEqual(self.proof(), "port")

    def test_alive(self):
        self.home.ok("start", self.home.write("app.json", {"apps": [
            {"name": "app", "script": "sleep", "args": ["3600"], "interpreter": "none"}]}))
        self.assertEqual(self.home.processes("app")[0]["gwctl"]["ready_by"], "500 ms alive")

    def test_node_ipc(self):
        gwtest.require("node")
        self.start(NODE, "app.js", wait_ready=True, port=free_port())
        self.expect_starting()
        self.touch("send")
        self.assertEqual(self.proof(), "ipc")

    def test_too_late(self):
        self.home.write("app.py", SERVER)
        done = self.home.gwctl("start", self.home.write("app.json", {"apps": [
            {"name": "app", "script": "app.py", "port": "auto", "autorestart": False,
             "ready": {"http": "/", "timeout": "300ms", "interval": "10ms"}}]}))
        self.assertEqual(done.returncode, 1)
        self.assertIn("not ready after 300 ms", done.stdout + done.stderr)
        self.assertNotEqual(state_of(self.home.processes("app")[0]), "online")


if __name__ == "__main__":
    gwtest.main()
