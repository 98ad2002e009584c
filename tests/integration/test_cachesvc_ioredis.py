"""The functions of docs/cache.md, as they stand there, with ioredis from npm.

What it needs is installed into tests/ioredis/node_modules from its lock file, once.
"""

import os
import re
import subprocess

import cachesvc
import gwtest

FOLDER = os.path.join(gwtest.ROOT, "tests", "ioredis")
DOCUMENT = os.path.join(gwtest.ROOT, "docs", "cache.md")


class Ioredis(cachesvc.Case):
    @classmethod
    def setUpClass(cls):
        gwtest.install_packages(FOLDER)

    def test_the_functions_of_the_document(self):
        cache = self.serve()
        with open(DOCUMENT) as document:
            code = re.search(r"```js\n(.*?)```", document.read(), re.S)[1]
        file = os.path.join(self.folder, "cache.js")
        with open(file, "w") as out:
            out.write(code)
        status, text = self.node("cases.js", file, cache.path)
        self.assertEqual(status, 0, text + cache.log())

    def test_replies_are_those_of_redis(self):
        redis = self.keep(cachesvc.start_redis(self.folder))
        theirs, ours = (self.node("smoke.js", server.path) for server in (redis, self.serve()))
        self.assertEqual(theirs[0], 0, theirs[1])
        self.assertEqual(ours, theirs)
        self.assertGreater(len(ours[1].splitlines()), 80)

    def node(self, script, *args):
        """The exit status and what it said."""
        done = subprocess.run(["node", os.path.join(FOLDER, script), *args],
                              env={**os.environ, "NODE_PATH": os.path.join(FOLDER, "node_modules")},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=120)
        return done.returncode, done.stdout


if __name__ == "__main__":
    gwtest.main()
