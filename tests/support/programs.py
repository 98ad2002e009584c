"""A home whose programs lie in a folder of the test, so that it can replace them by others."""

import os
import shutil

import gwtest

PROGRAMS = ("gwctl", "gw-exec", "gw-warm", "gw-keeper", "gw-supervisor", "gateway", "cachesvc", "metricsd")


class Case(gwtest.Case):
    def setUp(self):
        super().setUp()
        self.bin = os.path.join(self.home.folder, "bin")
        self.built = gwtest.BIN
        os.mkdir(self.bin)
        for name in PROGRAMS:
            shutil.copy(os.path.join(self.built, name), self.bin)
        self.addCleanup(setattr, gwtest, "BIN", gwtest.BIN)
        gwtest.BIN = self.bin
        self.addCleanup(self._end_home)  # before its programs are others again

    def replace(self, name, content):
        path = os.path.join(self.bin, name)
        with open(path + ".new", "wb") as file:
            file.write(content)
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)

    def take_from(self, folder, name):
        """The program of another build."""
        with open(os.path.join(folder, name), "rb") as file:
            self.replace(name, file.read())
