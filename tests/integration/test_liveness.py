"""Processes that live but do not work any more: seen by a probe or by their silence, and restarted."""

import os
import signal

import gwtest
from gwtest import state_of, wait_until

# Answers 200 (a POST takes a while), but at /healthz 503 as long as there is a file sick-N for its
# instance N.
PATIENT = """
import http.server, os, time
sick = "sick-" + os.environ["NODE_APP_INSTANCE"]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ill = self.path == "/healthz" and os.path.exists(sick)
        self.send_response(503 if ill else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def do_POST(self):
        time.sleep(.1)
        self.do_GET()
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.serve_forever()
"""

# Says READY=1 and WATCHDOG=1 every 50 ms, until there is a file named silent; it takes that away.
GUARDED = """
import os, socket, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
notify.send(b"READY=1")
print("every", os.environ["WATCHDOG_USEC"], flush=True)
while not os.path.exists("silent"):
    notify.send(b"WATCHDOG=1")
    time.sleep(.05)
os.unlink("silent")
time.sleep(3600)
"""

FAST = {"interval": "50ms", "timeout": "1s", "failures": 2}


class Liveness(gwtest.Case):
    def start(self, script, **keys):
        self.home.write("app.py", script)
        keys = {"name": "app", "script": "app.py", "kill_timeout": "300ms", "min_uptime": 0, **keys}
        self.home.ok("start", self.home.write("apps.json", {"apps": [keys]}))

    def entry(self, slot=0):
        return self.home.processes("app")[slot]

    def make_sick(self, slot=0):
        return self.home.write(f"sick-{slot}", "")

    def wait_restarts(self, slot=0, **counts):
        def reached():
            return gwtest.restart_reasons(self.entry(slot)) == counts
        wait_until(reached, 20, f"restarts {counts}")

    def wait_well(self):
        self.home.wait_online("app")

    def test_one_that_answers_with_errors_is_restarted_and_so_is_its_successor(self):
        self.start(PATIENT, port="auto", health={"http": "/healthz", **FAST})
        for count in (1, 2):
            sick = self.make_sick()
            self.wait_restarts(health=count)
            os.unlink(sick)
            self.wait_well()
        ended = self.entry()["gwctl"]["exits"][-1]
        self.assertEqual(ended["cause"], "health")
        self.assertEqual(ended["why"], "unhealthy 2 times in a row: HTTP 503")

    def test_a_stopped_one_is_killed_and_replaced(self):
        self.start(PATIENT, port="auto", health={"http": "/healthz", **FAST, "timeout": "300ms"})
        old = self.entry()["pid"]
        os.kill(old, signal.SIGSTOP)
        self.wait_restarts(health=1)
        self.wait_well()
        self.assertFalse(gwtest.process_exists(old))
        self.assertEqual(self.entry()["gwctl"]["exits"][-1]["signal"], signal.SIGKILL)

    def test_a_command_says_it_and_restarts_end_in_errored(self):
        self.start("import time\nprint('up', flush=True)\ntime.sleep(3600)\n", min_uptime="1h",
                   max_restarts=2, ready={"log": "up"},
                   exp_backoff_restart_delay="10ms",
                   health={"exec": "test ! -e sick-0", **FAST})
        self.make_sick()
        wait_until(lambda: state_of(self.entry()) == "errored", 20, "errored")
        self.assertEqual(gwtest.restart_reasons(self.entry()), {"health": 1})

    def test_a_new_supervisor_goes_on_looking(self):
        self.start(PATIENT, port="auto", health={"http": "/healthz", **FAST})
        self.home.kill_supervisor()
        sick = self.make_sick()
        self.wait_restarts(health=1)
        os.unlink(sick)

    def test_nobody_looks_before_start_delay(self):
        self.make_sick()
        self.start(PATIENT, port="auto", health={"http": "/healthz", **FAST, "interval": 1,
                                                 "start_delay": "1h"})
        pid = self.entry()["pid"]
        self.home.ok("restart", "app")  # a whole life under the same rule
        self.assertNotEqual(self.entry()["pid"], pid)
        self.assertEqual(gwtest.restart_reasons(self.entry()), {"manual": 1})

    def test_silence_is_death(self):
        self.start(GUARDED, watchdog="500ms")
        self.home.wait_online("app", 1)
        self.assertIn("every 500000", self.home.read_log("app-out*.log"))
        for count in (1, 2):
            self.home.write("silent", "")
            self.wait_restarts(hung=count)
            self.wait_well()
        self.assertEqual(self.entry()["gwctl"]["exits"][-1]["why"], "no WATCHDOG=1 for 500 ms")

    def test_a_watched_one_that_is_stopped_is_restarted(self):
        self.start(GUARDED, watchdog="500ms")
        self.home.wait_online("app", 1)
        os.kill(self.entry()["pid"], signal.SIGSTOP)
        self.wait_restarts(hung=1)

    def test_the_gateway_does_without_it_first(self):
        port = gwtest.free_port()
        self.home.write("app.py", PATIENT)
        self.home.ok("start", self.home.write("apps.json", {
            "apps": [{"name": "app", "script": "app.py", "port": "auto", "instances": 2,
                      "min_uptime": 0, "health": {"http": "/healthz", **FAST}}],
            "gateway": {"instances": 1, "listen": [{"address": f"127.0.0.1:{port}"}],
                        "upstreams": {"app": {"app": "app"}},
                        "routes": [{"path": "/*", "upstream": "app"}]}}))
        self.home.wait_online("app", 2)
        # Which nobody may send twice: one that is cut off has failed.
        post = lambda: gwtest.expect(gwtest.request(port, "POST", "/"))
        clients = [gwtest.Background(post) for _ in range(4)]
        sick = self.make_sick(1)
        self.wait_restarts(slot=1, health=1)
        os.unlink(sick)
        self.wait_well()
        self.assertEqual([client.stop() for client in clients], [[]] * 4)
        self.assertGreater(sum(client.done for client in clients), 0)


if __name__ == "__main__":
    gwtest.main()
