"""A gateway worker and its supervisor's side of the control socket, played by this test."""

import os
import signal
import subprocess
import threading
import unittest

import gateway_worker
from gateway_alone import OK, Client, answering, field
from gwtest import BIN, wait_until


class SupervisedWorker(gateway_worker.Case):
    def test_serves_what_it_is_told(self):
        one, two = self.app(answering(OK)), self.app(answering(OK))
        self.sets = {"api": [self.endpoint(one, 3)]}
        self.start()
        self.assertEqual(self.fetch()[0], 200)
        self.push({"api": [self.endpoint(two, 4)]})
        wait_until(one.connections[0].gone.is_set, what="the end of the idle connection")
        for _ in range(4):
            self.assertEqual(self.fetch()[0], 200)
        self.assertEqual((len(one.requests), len(two.requests)), (1, 4))
        self.push({"api": []})
        self.assertEqual(self.fetch()[0], 503)
        self.assertEqual(self.fetch("/health/ready")[0], 503)
        wait_until(lambda: self.requests(7) == 7, what="the count of requests")
        self.assertGreater(self.page.column(7)["heartbeat"], 0)

    def test_counts_what_a_removed_endpoint_still_does(self):
        released = threading.Event()

        def script(connection):
            while connection.request():
                released.wait(20)
                connection.send(OK)

        old, new = self.app(script), self.app(answering(OK))
        self.sets = {"api": [self.endpoint(old, 5)]}
        self.start()
        with Client(self.port) as client:
            client.get()
            wait_until(lambda: old.requests, what="the upstream request")
            column = self.page.column(7)
            self.assertEqual((column["in_flight"], column["connections"]), (1, 1))
            self.push({"api": [self.endpoint(new, 6)]})
            self.assertEqual(self.fetch()[0], 200)
            self.assertEqual(self.page.column(7)["endpoints"][5:7], (1, 0))
            released.set()
            self.assertEqual(client.answer()[0], 200)
            wait_until(lambda: self.page.column(7)["endpoints"][5] == 0, what="the end of the use")
        wait_until(old.connections[0].gone.is_set, what="the end of the old connection")
        wait_until(lambda: self.page.column(7)["connections"] == 0, what="no connection")

    def test_works_on_without_a_supervisor_and_comes_back(self):
        one = self.app(answering(OK))
        self.sets = {"api": [self.endpoint(one, 0)]}
        self.start()
        self.supervisor.die()
        self.assertEqual(self.fetch()[0], 200)
        self.column = 9
        self.supervisor.listen()
        wait_until(lambda: self.supervisor.registered == 2, what="the second registration")
        wait_until(lambda: self.requests(9) == 0 and self.page.column(9)["heartbeat"],
                   what="the new column")
        self.assertEqual(self.fetch()[0], 200)
        wait_until(lambda: self.requests(9) == 1, what="the count in the new column")
        self.assertEqual(self.requests(7), 1)
        self.push({"api": []})
        self.assertEqual(self.fetch()[0], 503)

    def test_waits_for_a_supervisor_that_is_not_there_yet(self):
        self.supervisor.die()
        self.start(ready=False)
        self.supervisor.listen()
        self.assertTrue(self.notify.recv(4096).startswith(b"READY=1"))
        self.assertEqual(self.fetch("/health/live")[0], 200)

    def test_a_message_it_does_not_understand_ends_the_connection(self):
        self.start()
        for line in (b"no json\n", b'{"cmd":"endpoints","args":{"generation":9,"upstreams":'
                     b'{"api":[{"name":"x","address":"127.0.0.1:1","index":5000}]}}}\n',
                     b'{"cmd":"slot_take","args":{"name":"slot.1.0"}}\n'):
            with self.subTest(line):
                before = self.supervisor.registered
                self.supervisor.current.sendall(line)
                wait_until(lambda: self.supervisor.registered > before, what="a new registration")
        before = self.supervisor.registered
        self.supervisor.push("unheard_of", {})
        self.push({"api": []})
        self.assertEqual(self.supervisor.registered, before)

    def test_accepts_for_another_slot_and_gives_it_back(self):
        self.start()
        other = self.listening()
        port = other.getsockname()[1]
        self.supervisor.push("slot_take", {"name": "slot.1.0"}, other.fileno())
        self.assertEqual(self.fetch("/health/live", port)[0], 200)
        self.supervisor.push("slot_give", {"name": "slot.1.0"})
        self.push({"api": []})  # it has been handled when this is acknowledged
        with Client(port) as client:
            client.get("/health/live")
            sock, _ = other.accept()  # nobody else took it
            sock.close()
        self.assertEqual(self.fetch("/health/live")[0], 200)

    def test_drain_leaves_the_slot_to_its_successor(self):
        self.start()
        with Client(self.port) as client:
            client.get("/health/live")
            client.answer()
            self.process.send_signal(signal.SIGTERM)
            self.assertTrue(self.notify.recv(4096).startswith(b"STOPPING=1"))
            with Client(self.port) as waiting:
                waiting.get("/health/live")
                client.get("/health/ready")
                answer = client.answer()
                self.assertEqual(answer[0], 503)
                self.assertEqual(field(answer[1], "connection"), [b"close"])
                self.assertEqual(self.process.wait(20), 0)
                self.start()
                self.assertEqual(waiting.answer()[0], 200)

    def test_without_its_surroundings_it_does_not_start(self):
        for env in ({}, {"GWCTL_HOME": self.folder}):
            done = subprocess.run([os.path.join(BIN, "gateway")], capture_output=True, text=True,
                                  env={"PATH": os.environ["PATH"], **env}, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn("gateway --help", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
