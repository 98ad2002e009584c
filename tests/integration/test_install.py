"""`cmake --install` with a prefix gives programs that work from there."""

import os
import re
import subprocess
import tempfile
import unittest

import gwtest

PROGRAMS = ("gwctl", "gw-supervisor", "gw-keeper", "gw-exec", "gw-warm", "gateway", "cachesvc", "metricsd")


class Install(gwtest.Case):
    def test_the_installed_programs_work(self):
        gwtest.require("cmake")
        build = os.path.dirname(gwtest.BIN)
        if not os.path.exists(os.path.join(build, "cmake_install.cmake")):
            raise unittest.SkipTest("GWCTL_BIN is not in a build folder")
        with tempfile.TemporaryDirectory(prefix="gwctl-install-") as prefix:
            subprocess.run(["cmake", "--install", build, "--prefix", prefix], check=True,
                           stdout=subprocess.DEVNULL)
            binaries = os.path.join(prefix, "bin")
            self.assertEqual(sorted(os.listdir(binaries)), sorted(PROGRAMS))
            for file in ("gwctl/ecosystem/demo.json", "gwctl/ecosystem/monitoring/alerts.yml",
                         "doc/gwctl/README.md"):
                self.assertTrue(os.path.exists(os.path.join(prefix, "share", file)), file)
            self.check_links(os.path.join(prefix, "share/doc/gwctl/README.md"))
            self.start_from(binaries, os.path.join(prefix, "share/gwctl/ecosystem/demo.json"))

    def check_links(self, document):
        """What a document links to was installed too."""
        with open(document) as file:
            links = re.findall(r"\]\((?!https?:)([^)#]+)", file.read())
        self.assertIn("docs/configuration.md", links)
        for link in links:
            path = os.path.join(os.path.dirname(document), link)
            self.assertTrue(os.path.exists(path), path)

    def start_from(self, binaries, file):
        """The installed gwctl finds its fellow programs beside it."""
        def gwctl(*args):
            return subprocess.run([os.path.join(binaries, "gwctl"), *args], env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        port = gwtest.free_port()
        env = {**self.home.env, "PORT": str(port)}
        self.assertRegex(gwctl("--version").stdout, r"\d+\.\d+\.\d+")
        started = gwctl("start", file)
        try:
            self.assertEqual(started.returncode, 0, started.stdout)
            self.assertEqual(gwtest.get(port, "/api/vendors").status, 200)
            running = self.home.left_processes().values()
            self.assertTrue(any(text.startswith(os.path.join(binaries, "gateway"))
                                for text in running), running)
        finally:
            self.assertEqual(gwctl("kill").returncode, 0)


if __name__ == "__main__":
    gwtest.main()
