"""The commands that users of the Express stack know from its guide, with gwctl for pm2."""

import json
import os
import subprocess

import gwtest
from gwtest import demo_app, demo_gateway, free_port

gwtest.require("curl")


class Guide(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        file = self.home.write("ecosystem.json", {
            "apps": [demo_app()],
            "gateway": demo_gateway(self.port, instances=4, cache={"ttl": "300s"})})
        self.home.ok("start", file)
        self.home.wait_online("gateway", 4)
        self.home.wait_online("metricsd", 1)

    def shell(self, commands):
        """Runs them as the guide has them; returns what they print."""
        env = {**os.environ, "GWCTL_HOME": self.home.path, "URL": f"http://127.0.0.1:{self.port}",
               "PATH": f"{gwtest.BIN}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-ec", commands], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, 0)
        return done.stdout

    def test_health(self):
        self.assertEqual(json.loads(self.shell("curl -s $URL/health/live"))["status"], "alive")
        self.assertEqual(json.loads(self.shell("curl -s $URL/health/ready"))["status"], "ready")
        self.assertEqual(json.loads(self.shell("curl -s $URL/health/status"))["status"], "healthy")

    def test_cache(self):
        self.assertIn("X-Cache: MISS", self.shell("curl -si $URL/api/services"))
        self.assertIn("X-Cache: HIT", self.shell("curl -si $URL/api/services"))
        cache = json.loads(self.shell("curl -s $URL/api/monitoring/stats"))["cache"]
        self.assertTrue(cache["healthy"])
        self.assertEqual(cache["stats"], {"hits": 1, "misses": 1, "hitRate": "50.00%"})

    def test_load_balancing(self):
        self.shell("for i in {1..100}; do curl -s $URL/api/services > /dev/null & done; wait")
        lines = self.shell('gwctl logs --lines 200 --nostream | grep "Worker ID" | '
                           'grep -o "Worker ID [0-9]*" | sort | uniq -c')
        counts = {int(line.split()[3]): int(line.split()[0]) for line in lines.splitlines()}
        ids = {entry["pm_id"] for entry in self.home.processes("gateway")}
        self.assertLessEqual(counts.keys(), ids)
        self.assertGreaterEqual(len(counts), 3)  # by the kernel's hash of the connection
        self.assertEqual(sum(counts.values()), 100)


if __name__ == "__main__":
    gwtest.main()
