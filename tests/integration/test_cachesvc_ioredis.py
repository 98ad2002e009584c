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
        done = subprocess.run(["node", os.path.join(FOLDER, "cases.js"), file, cache.path],
                              env={**os.environ, "NODE_PATH": os.path.join(FOLDER, "node_modules")},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + cache.log())


if __name__ == "__main__":
    gwtest.main()
