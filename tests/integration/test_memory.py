"""Memory caps: a process that leaks is replaced without a lost request, one that explodes is killed."""

import os

import gwtest
from gwtest import Background, demo_app, demo_gateway, expect, free_port, get, wait_until

# Two processes that share 100 MB and have next to nothing for themselves.
SHARER = """
import mmap, os, time
PIECE = 1 << 20
shared = mmap.mmap(-1, 100 * PIECE)
ask, answer = os.pipe(), os.pipe()
parent = os.fork() > 0
for at in range(0, len(shared), PIECE):
    # In turns, so that there is never more than a piece that only one of them has.
    if parent:
        shared[at:at + PIECE] = b"x" * PIECE
        os.write(ask[1], b".")
        os.read(answer[0], 1)
    else:
        os.read(ask[0], 1)
        sum(shared[at:at + PIECE:mmap.PAGESIZE])
        os.write(answer[1], b".")
if parent:
    open("shared", "w").close()
while True:
    time.sleep(3600)
"""

# Its child grows, not itself.
GROWER = """
import os, time
if os.fork() == 0 and not os.path.exists("grown"):
    open("grown", "w").close()
    ballast = os.urandom(200 << 20)
while True:
    time.sleep(3600)
"""


class Memory(gwtest.Case):
    def start_script(self, text, **keys):
        app = {"name": "app", "script": self.home.write("app.py", text), "cwd": self.home.path, **keys}
        self.home.ok("start", self.home.write("app.json", {"apps": [app]}))

    def reasons(self, name):
        return [gwtest.restart_reasons(entry) for entry in self.home.processes(name)]

    def test_a_leak_is_ended_by_a_reload_that_loses_nothing(self):
        port = free_port()
        app = demo_app(instances=2, max_memory_restart="70M", max_memory_kill="1G")
        self.home.ok("start", self.home.write("demo.json", {"apps": [app],
                                                            "gateway": demo_gateway(port)}))
        self.home.wait_online("demo", 2)
        self.home.wait_online("gateway")
        before = {entry["pm_id"]: entry["pid"] for entry in self.home.processes("demo")}
        clients = [Background(lambda: expect(get(port, "/api/vendors"))) for _ in range(4)]
        leaking = self.home.processes("demo")[0]
        own = int(leaking["gwctl"]["endpoint"].rpartition(":")[2])
        for _ in range(8):
            expect(get(own, "/leak"))
        wait_until(lambda: {"memory": 1} in self.reasons("demo"), what="a restart for memory")
        wait_until(lambda: len(self.home.processes("demo")) == 2, what="the old process to go")
        for client in clients:
            self.assertEqual(client.stop(), [])
            self.assertGreater(client.done, 0)
        after = {entry["pm_id"]: entry["pid"] for entry in self.home.processes("demo")}
        changed = [number for number in before if after[number] != before[number]]
        self.assertEqual(changed, [leaking["pm_id"]])
        self.assertIn("process memory", self.home.ok("events"))

    def test_one_that_cannot_overlap_is_restarted(self):
        port = free_port()
        app = demo_app(instances=1, port=port, max_memory_restart="70M", max_memory_kill="1G")
        self.home.ok("start", self.home.write("demo.json", {"apps": [app]}))
        self.home.wait_online("demo")
        for _ in range(8):
            try:
                expect(get(port, "/leak"))
            except OSError:  # it is above its cap already
                break
        wait_until(lambda: self.reasons("demo") == [{"memory": 1}], what="a restart for memory")
        self.home.wait_online("demo")

    def test_a_tree_above_the_hard_cap_is_killed(self):
        self.start_script(GROWER, max_memory_kill="75M", restart_delay="10ms")
        wait_until(lambda: self.reasons("app") == [{"memory": 1}], what="the kill for memory")
        self.home.wait_online("app")
        self.assertIn("the limit is 75 MB", self.home.read_log("gwctl.log"))

    def test_what_is_shared_does_not_count(self):
        self.start_script(SHARER, max_memory_restart="60M")
        wait_until(lambda: os.path.exists(os.path.join(self.home.path, "shared")))
        # Resident it is far above. A look that finds it so asks for its private memory: another
        # app, started later and above its cap, tells that such a look is over.
        self.assertGreater(self.home.processes("app")[0]["monit"]["memory"], 100 << 20)
        other = {"name": "other", "script": self.home.write("other.py", GROWER),
                 "cwd": self.home.path, "max_memory_restart": "50M", "restart_delay": "10ms"}
        self.home.ok("start", self.home.write("other.json", {"apps": [other]}))
        wait_until(lambda: self.reasons("other") == [{"memory": 1}], what="the kill for memory")
        self.assertEqual(self.reasons("app"), [{}])


if __name__ == "__main__":
    gwtest.main()
