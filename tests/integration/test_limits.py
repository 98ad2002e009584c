"""What an app may use, as its settings say: seen in the process itself; errors say which setting."""

import os

import gwtest

SLEEPER = "import time\nwhile True: time.sleep(3600)\n"


class Limits(gwtest.Case):
    def write(self, **keys):
        app = {"name": "app", "script": self.home.write("app.py", SLEEPER), **keys}
        return self.home.write("app.json", {"apps": [app]})

    def read_proc(self, name):
        with open(f"/proc/{self.home.pids('app')[0]}/{name}") as file:
            return file.read()

    def limit(self, name):
        line = next(line for line in self.read_proc("limits").splitlines() if line.startswith(name))
        return line[len(name):].split()[:2]

    def status(self, name):
        return next(line.split()[1] for line in self.read_proc("status").splitlines()
                    if line.startswith(name + ":"))

    def test_a_process_has_what_its_app_says(self):
        cpu = str(max(os.sched_getaffinity(0)))
        self.home.ok("start", self.write(
            nofile=123, limit_nproc=4567, core=0, nice=4, oom_score_adj=321, cpu=cpu,
            no_new_privileges=True))
        self.home.wait_online("app")
        self.assertEqual(self.limit("Max open files"), ["123", "123"])
        self.assertEqual(self.limit("Max processes"), ["4567", "4567"])
        self.assertEqual(self.limit("Max core file size"), ["0", "0"])
        self.assertEqual(self.read_proc("oom_score_adj").strip(), "321")
        self.assertEqual(self.status("Cpus_allowed_list"), cpu)
        self.assertEqual(self.status("NoNewPrivs"), "1")
        niceness = int(self.read_proc("stat").rpartition(")")[2].split()[16])
        self.assertEqual(niceness, os.nice(0) + 4)

    def test_without_settings_it_has_what_the_supervisor_has(self):
        self.home.ok("start", self.write())
        self.home.wait_online("app")
        for name in ("limits", "oom_score_adj"):
            with open(f"/proc/self/{name}") as file:
                self.assertEqual(self.read_proc(name), file.read())
        self.assertEqual(self.status("NoNewPrivs"), "0")

    def test_what_cannot_be_had_says_which_setting(self):
        done = self.home.gwctl("start", self.write(cpu="1023"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("app#0: cpu 1023: no such CPU may be used", done.stderr)


if __name__ == "__main__":
    gwtest.main()
