"""metricsd: the real program on inherited memory that real writers fill."""

import os
import socket
import subprocess
import unittest

from gwtest import BIN, wait_until
from metricsd import Case, Connection


class Serving(Case):
    def test_serves_when_registered_and_ends_on_request(self):
        self.start()
        self.assertEqual(self.supervisor.registered, 1)
        self.assertEqual(self.request("/nothing")[0], 404)
        self.process.terminate()
        self.assertIn(b"STOPPING=1", self.told("STOPPING"))
        self.assertEqual(self.process.wait(20), 0)

    def test_idle_connections_do_not_hold_up_the_end(self):
        self.start()
        connection = Connection(self.path)
        connection.request("GET", "/nothing")
        self.assertEqual(connection.getresponse().read()[:1], b"{")
        self.process.terminate()
        self.assertEqual(self.process.wait(20), 0)
        connection.close()

    def test_errors_are_problems(self):
        self.start()
        status, fields, body = self.request("/api/monitoring/nothing")
        self.assertEqual((status, fields["content-type"], fields["cache-control"]),
                         (404, "application/problem+json", "no-store"))
        self.assertIn(b'"status":404', body)
        status, fields, body = self.request("/api/monitoring/nothing", "HEAD")
        self.assertEqual((status, body), (404, b""))

    def test_too_many_requests(self):
        self.start()
        connection = Connection(self.path)
        statuses = []

        def asked():
            connection.request("GET", "/nothing")
            response = connection.getresponse()
            response.read()
            statuses.append((response.status, response.headers["retry-after"]))
            return statuses[-1][0] == 429
        wait_until(asked)
        self.assertEqual(statuses[-1], (429, "1"))
        self.assertGreaterEqual(len(statuses), 40)
        connection.close()

    def test_bad_peers_end_only_their_connections(self):
        self.start()
        for bytes_ in (b"", b"\0" * 100, b"GET / HTTP/1.1\r\n", b"x" * 600000,
                       b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(20)
                sock.connect(self.path)
                try:
                    sock.sendall(bytes_)
                except OSError:
                    pass
        self.assertEqual(self.request("/nothing")[0], 404)

    def test_supervisor_comes_back(self):
        self.start()
        self.supervisor.die()
        self.assertEqual(self.request("/nothing")[0], 404)
        self.supervisor.listen()
        wait_until(lambda: self.supervisor.registered == 2)
        self.assertEqual(self.request("/nothing")[0], 404)

    def test_killed_and_back(self):
        self.start()
        self.kill()
        self.start()
        self.assertEqual(self.request("/nothing")[0], 404)

    def test_not_started_by_the_supervisor(self):
        self.start(without=("metrics",), ready=False)
        self.assertEqual(self.process.wait(20), 1)
        self.assertIn("not started by gw-supervisor", self.log())
        self.process = None


class Options(unittest.TestCase):
    def run_with(self, *args):
        done = subprocess.run([os.path.join(BIN, "metricsd"), *args], capture_output=True,
                              text=True, timeout=30, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_help_and_version(self):
        status, out, _ = self.run_with("--help")
        self.assertEqual((status, out[:15]), (0, "Usage: metricsd"))
        status, out, _ = self.run_with("--version")
        self.assertEqual((status, out.split()[0]), (0, "metricsd"))

    def test_unknown_option(self):
        self.assertEqual(self.run_with("--nothing")[0], 2)
        self.assertEqual(self.run_with("nothing")[0], 2)


if __name__ == "__main__":
    unittest.main()
