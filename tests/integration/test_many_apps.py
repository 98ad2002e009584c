"""Hundreds of apps on one supervisor that was started with little room for files."""

import resource

import gwtest
from gwtest import process_exists

APPS, FILES = 300, 256


class ManyApps(gwtest.Case):
    def write(self, count):
        apps = [{"name": f"app{number}", "script": "sleep", "args": ["100000"]}
                for number in range(count)]
        return self.home.write("many.json", {"apps": apps})

    def start(self, count, hard=None):
        """With so few files that they last for a few apps only."""
        if hard is None:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return self.home.gwctl(
            "start", self.write(count),
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard)))

    def test_all_of_them_are_started_listed_restarted_and_stopped(self):
        done = self.start(APPS)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        processes = self.home.jlist()
        pids = {process["name"]: process["pid"] for process in processes}
        self.assertEqual(len(pids), APPS)
        self.assertEqual({process["pm2_env"]["status"] for process in processes}, {"online"})
        for name in ("app0", f"app{APPS - 1}"):
            self.assertEqual(resource.prlimit(pids[name], resource.RLIMIT_NOFILE)[0], FILES)
        self.home.ok("restart", "app150")
        after = {process["name"]: process["pid"] for process in self.home.jlist()}
        self.assertNotEqual(after.pop("app150"), pids.pop("app150"))
        self.assertEqual(after, pids)
        self.home.ok("stop", "all")
        self.assertEqual([pid for pid in pids.values() if process_exists(pid)], [])

    def test_no_more_room_is_told(self):
        done = self.start(100, hard=FILES)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the supervisor has {FILES} files open", done.stderr)
        self.assertIn("ulimit -Hn", done.stderr)


if __name__ == "__main__":
    gwtest.main()
