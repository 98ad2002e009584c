"""metricsd as the supervisor keeps it: what it inherits and hears, and that nobody waits for it."""

import http.client
import os
import re
import signal
import socket

import gwtest
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, wait_until


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, limit):
        super().__init__("localhost", timeout=limit)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def memory_of(pid):
    """The pages that a process has mapped, as {name: (inode, may it write)}."""
    found = {}
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            words = line.split()
            if "memfd:gwctl-" in line:
                name = line.rpartition("memfd:gwctl-")[2].split()[0]
                found[name] = (words[4], "w" in words[1])
    return found


class Supervised(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()

    def start(self, **parts):
        self.home.ok("start", self.write(**parts))
        self.home.wait_online("gateway", 2)
        self.home.wait_online("metricsd", 1)

    def write(self, **parts):
        return self.home.write("demo.json", {"apps": [demo_app()],
                                             "gateway": demo_gateway(self.port), **parts})

    def metrics(self, limit=10.0):
        connection = UnixConnection(os.path.join(self.home.path, "metrics.sock"), limit)
        try:
            connection.request("GET", "/api/monitoring/metrics")
            answer = connection.getresponse()
            self.assertEqual(answer.status, 200)
            return answer.read().decode()
        finally:
            connection.close()

    def value(self, series):
        """Of a series, as it stands there; None: there is none."""
        found = re.search(rf"^{re.escape(series)} (\S+)$", self.metrics(), re.MULTILINE)
        return float(found.group(1)) if found else None

    def wait_value(self, series, value):
        wait_until(lambda: self.value(series) == value, what=f"{series} {value}")

    def restarts(self, app, reason):
        number = self.home.processes(app)[0]["pm_id"]
        return f'gwctl_process_restarts_total{{app="{app}",id="{number}",reason="{reason}"}}'

    # --- whether there is one --------------------------------------------------------------------

    def test_a_file_with_a_gateway_has_one(self):
        self.start()
        entry = self.home.processes("metricsd")[0]
        self.assertEqual(entry["gwctl"]["endpoint"], "metrics.sock")
        self.assertEqual(entry["gwctl"]["ready_by"], "notify")
        self.assertIn("gwctl_build_info", self.metrics())

    def test_false_is_none(self):
        self.home.ok("start", self.write(metricsd=False))
        self.home.wait_online("gateway", 2)
        self.assertEqual(self.home.processes("metricsd"), [])
        self.assertFalse(os.path.exists(os.path.join(self.home.path, "metrics.sock")))
        self.assertEqual(get(self.port, "/api/vendors").status, 200)

    def test_apps_alone_have_none(self):
        self.home.ok("start", self.home.write("apps.json", {"apps": [demo_app()]}))
        self.assertEqual({entry["name"] for entry in self.home.jlist()}, {"demo"})

    def test_one_without_a_gateway(self):
        self.home.ok("start", self.home.write("apps.json", {"apps": [demo_app()], "metricsd": {}}))
        self.home.wait_online("demo", 2)
        self.wait_value(self.restarts("demo", "crash"), 0)
        second = self.home.gwctl("start", self.home.write("second.json", {"metricsd": {}}))
        self.assertEqual(second.returncode, 1)
        self.assertIn("this home has a metricsd already", second.stderr)

    # --- what it has -----------------------------------------------------------------------------

    def test_all_have_the_same_memory(self):
        self.start()
        metricsd = self.home.pids("metricsd")[0]
        wait_until(lambda: "cache" in memory_of(metricsd))  # cachesvc has written its header
        of_metricsd = memory_of(metricsd)
        of_workers = [memory_of(pid) for pid in self.home.pids("gateway")]
        self.assertIn("history", of_metricsd)
        self.assertTrue(of_metricsd["metrics"][1])
        self.assertFalse(of_metricsd["cache"][1], "only cachesvc may write there")
        for of_worker in of_workers:
            for page in ("state", "cache"):
                self.assertEqual(of_worker[page][0], of_metricsd[page][0], page)
            self.assertNotIn("history", of_worker)

    def test_what_outlives_whom(self):
        self.start()
        victim = self.home.pids("metricsd")[0]
        before = memory_of(victim)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: self.home.pids("metricsd")[0] not in (0, victim), what="a new metricsd")
        self.home.wait_online("metricsd", 1)
        self.assertEqual(memory_of(self.home.pids("metricsd")[0]), before)
        self.home.kill_supervisor()
        self.home.ok("restart", "metricsd")
        self.home.wait_online("metricsd", 1)
        self.assertEqual(memory_of(self.home.pids("metricsd")[0]), before)

    def test_deleted_and_started_again(self):
        self.start()
        before = memory_of(self.home.pids("metricsd")[0])
        self.home.ok("delete", "metricsd")
        self.assertFalse(os.path.exists(os.path.join(self.home.path, "metrics.sock")))
        self.home.ok("start", os.path.join(self.home.folder, "demo.json"))
        self.home.wait_online("metricsd", 1)
        after = memory_of(self.home.pids("metricsd")[0])
        self.assertEqual(after["metrics"], before["metrics"])
        self.assertNotEqual(after["history"], before["history"])

    # --- what it hears ---------------------------------------------------------------------------

    def test_it_hears_of_processes_also_from_the_next_supervisor(self):
        self.start()
        pid = self.home.pids("metricsd")[0]
        series = self.restarts("demo", "crash")
        self.wait_value(series, 0)
        for count in (1, 2):
            victim = self.home.pids("demo")[0]
            os.kill(victim, signal.SIGKILL)
            self.wait_value(series, count)
            self.home.wait_online("demo", 2)
            self.home.kill_supervisor()
        self.wait_value(series, 2)
        self.assertEqual(self.home.pids("metricsd"), [pid])

    def test_it_hears_of_lines_that_the_disk_does_not_take(self):
        self.home.write("talker.py", """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
while True:
    os.write(1, b"one\\ntwo\\nthree\\n")
    signal.sigwait([signal.SIGUSR1])
""")
        self.home.ok("start", self.home.write("apps.json", {"metricsd": {}, "apps": [{
            "name": "talker", "script": "talker.py", "out_file": "/dev/full"}]}))
        series = (f'gwctl_process_log_lines_lost_total{{app="talker",'
                  f'id="{self.home.processes("talker")[0]["pm_id"]}"}}')
        self.wait_value(series, 3)
        self.home.kill_supervisor()
        os.kill(self.home.pids("talker")[0], signal.SIGUSR1)
        self.wait_value(series, 6)
        self.home.ok("restart", "talker")
        self.wait_value(series, 9)
        self.assertRegex(self.home.ok("describe", "talker"), r"lost lines +9\n")

    def test_it_hears_of_caps(self):
        app = {"name": "app", "script": self.home.write("app.sh", "exec sleep 1000")}

        def start(**keys):
            self.home.ok("start", self.home.write("apps.json", {"metricsd": {},
                                                                "apps": [{**app, **keys}]}))
        start(max_memory_restart="200M")
        series = (f'gwctl_process_memory_limit_bytes{{app="app",'
                  f'id="{self.home.processes("app")[0]["pm_id"]}"}}')
        self.wait_value(series, 200 << 20)
        start(max_memory_restart="300M")
        self.wait_value(series, 300 << 20)

    def test_it_hears_of_endpoints(self):
        self.start()
        self.wait_value('gwctl_upstream_endpoints{upstream="demo"}', 2)
        self.home.ok("scale", "demo", "+1")
        self.wait_value('gwctl_upstream_endpoints{upstream="demo"}', 3)

    def test_it_hears_of_a_new_configuration(self):
        self.start()
        pid = self.home.pids("metricsd")[0]
        gateway = demo_gateway(self.port, upstreams={"other": {"app": "demo"}},
                               routes=[{"id": "all", "path": "/*", "upstream": "other"}])
        self.assertIsNone(self.value('gwctl_upstream_endpoints{upstream="other"}'))
        self.home.ok("start", self.write(gateway=gateway))  # reloads what has changed
        self.wait_value('gwctl_upstream_endpoints{upstream="other"}', 2)
        self.assertEqual(self.home.pids("metricsd"), [pid])

    # --- nobody waits for it ---------------------------------------------------------------------

    def test_a_stopped_one_holds_nobody_up(self):
        self.start()
        pid = self.home.pids("metricsd")[0]
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        client = Background(lambda: expect(get(self.port, "/api/vendors")))
        self.home.ok("reload", "demo")
        self.home.ok("reload", "gateway")
        self.home.ok("scale", "demo", "+1")
        self.home.kill_supervisor()
        self.home.ok("reload", "demo")
        self.assertEqual(client.stop(), [])
        self.assertEqual(self.home.pids("metricsd"), [pid])
        os.kill(pid, signal.SIGCONT)
        self.wait_value('gwctl_upstream_endpoints{upstream="demo"}', 3)

    def test_a_scraper_waits_for_the_next_one(self):
        self.start()
        scraper = Background(self.metrics)
        for _ in range(3):
            done = scraper.done
            self.home.ok("restart", "metricsd")
            wait_until(lambda done=done: scraper.done > done + 3, what="scrapes afterwards")
        self.assertEqual([f for f in scraper.stop() if "Refused" in f or "NotFound" in f], [])


if __name__ == "__main__":
    gwtest.main()
