"""`gwctl check` as people run it: the findings of tests/conf on stderr, the exit code, no supervisor.

The findings themselves are golden files, which tests/unit/common/test_conf_golden.c keeps.
"""

import glob
import os

import gwtest

CONF = os.path.join(gwtest.ROOT, "tests", "conf")


class Check(gwtest.Case):
    maxDiff = None

    def check(self, path, **kwargs):
        return self.home.gwctl("check", path, **kwargs)

    def test_every_golden_file(self):
        paths = sorted(glob.glob(os.path.join(CONF, "*.json")))
        self.assertGreater(len(paths), 10)
        for path in paths:
            with self.subTest(path=path), open(path[:-len(".json")] + ".out") as file:
                expected = file.read()
                done = self.check(os.path.basename(path), cwd=CONF, env={"SET": "3"})
                self.assertEqual(done.stderr.replace(CONF, "/srv"), expected)
                self.assertEqual(done.returncode, 1 if expected else 0)
                self.assertEqual(done.stdout.endswith(": ok\n"), not expected)
        self.assertEqual(self.home.left_processes(), {})

    def test_the_example_files_are_right(self):
        for path in glob.glob(os.path.join(gwtest.ROOT, "ecosystem", "*.json")):
            with self.subTest(path=path):
                done = self.check(path)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_file_that_is_not_there(self):
        done = self.check("nowhere.json")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere.json", done.stderr)


if __name__ == "__main__":
    gwtest.main()
