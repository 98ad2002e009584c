"""A supervised gateway of two workers before an nginx with one small file, and its page of metrics."""

import http.client
import json
import os
import re
import socket
import subprocess

import measure
from measure import Failed


class Page(http.client.HTTPConnection):
    """The page, from metricsd's own socket."""

    def __init__(self, path):
        super().__init__("metrics", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def read(self, accept="text/plain"):
        self.request("GET", "/api/monitoring/metrics", headers={"Accept": accept})
        answer = self.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failed(f"the page: {answer.status}")
        return body.decode()


def count_series(page):
    return len(re.findall(r"^[^#\n]", page, re.M))


def sum_of(page, family):
    return sum(float(value) for value in re.findall(rf"^{family}(?:{{.*}})? (\S+)$", page, re.M))


def _start_origin(servers):
    port = measure.free_port()
    os.mkdir(os.path.join(servers.folder, "www"))
    with open(os.path.join(servers.folder, "www", "index.html"), "w") as page:
        page.write("x")
    values = {"origin": port, "folder": servers.folder}
    servers.start("origin", ["nginx", "-p", servers.folder, "-c",
                             servers.config("nginx-origin.conf", values)])
    servers.wait_for(f"http://127.0.0.1:{port}/index.html", "origin")
    return port


def start(servers, **keys):
    """With these keys of the gateway, whose only upstream is `origin`. Returns its port, the page
    and {name: [pid]}."""
    origin, gateway = _start_origin(servers), measure.free_port()
    file = os.path.join(servers.folder, "ecosystem.json")
    with open(file, "w") as config:
        json.dump({"gateway": {
            "instances": 2, "listen": [{"address": f"127.0.0.1:{gateway}"}],
            "upstreams": {"origin": {"servers": [f"http://127.0.0.1:{origin}"]}}, **keys}}, config)
    env = {**os.environ, "GWCTL_HOME": os.path.join(servers.folder, "home")}
    gwctl = os.path.join(measure.BIN, "gwctl")
    servers.callback(subprocess.run, [gwctl, "kill"], env=env, stdout=subprocess.DEVNULL)
    subprocess.run([gwctl, "start", file], env=env, check=True, stdout=subprocess.DEVNULL)
    listing = json.loads(subprocess.run([gwctl, "jlist"], env=env, check=True,
                                        stdout=subprocess.PIPE).stdout)
    pids = {name: [entry["pid"] for entry in listing if entry["name"] == name]
            for name in ("gateway", "metricsd")}
    return gateway, Page(os.path.join(env["GWCTL_HOME"], "metrics.sock")), pids
