"""Hits of our response cache beside nginx' proxy_cache and HAProxy's cache: the same 2.3 KB.

One worker of each on core 0, the load generator on core 1. Of us every process is counted: worker,
cachesvc, supervisor and keeper. The sides take turns within each round.
"""

import json
import os
import subprocess

import measure
import proxy
from measure import Failed, Servers


def start_gwctl(servers, values):
    file = os.path.join(servers.folder, "cache.json")
    with open(file, "w") as config:
        json.dump({"gateway": {
            "instances": 1, "listen": [{"address": f"127.0.0.1:{values['gwctl']}"}],
            "upstreams": {"origin": {"servers": [f"http://127.0.0.1:{values['origin']}"]}},
            "cache": {"ttl": "300s"}, "access_log": False,
            "routes": [{"path": "/*", "upstream": "origin"}]}}, config)
    home = os.path.join(servers.folder, "home")
    env = {**os.environ, "GWCTL_HOME": home}
    gwctl = os.path.join(measure.BIN, "gwctl")
    servers.callback(subprocess.run, [gwctl, "kill"], env=env, stdout=subprocess.DEVNULL)
    # Its processes inherit the core.
    done = subprocess.run(["taskset", "-c", str(proxy.SERVER_CPU), gwctl, "start", file], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"gwctl start: exit {done.returncode}\n{done.stdout}")
    with open(os.path.join(home, "gwctl.pid")) as pid:
        return [measure.parents()[int(pid.read())]]


def start_sides(servers):
    """Starts origin and sides; returns {name: (url, pids)}."""
    values = {name: measure.free_port() for name in ("origin", "gwctl", "nginx", "haproxy")}
    values["folder"] = servers.folder
    body = proxy.write_origin(servers)
    pids = {"gwctl": start_gwctl(servers, values)}
    servers.start("origin", ["nginx", "-p", servers.folder, "-c",
                             servers.config("nginx-origin.conf", values)], proxy.LOAD_CPU)
    for name, command in {
            "nginx": ["nginx", "-p", servers.folder, "-c", servers.config("nginx-cache.conf", values)],
            "haproxy": ["haproxy", "-db", "-f", servers.config("haproxy-cache.cfg", values)]}.items():
        pids[name] = [servers.start(name, command, proxy.SERVER_CPU).pid]
    sides = {}
    for name in pids:
        url = f"http://127.0.0.1:{values[name]}/services.json"
        if servers.wait_for(url, name).decode() != body:
            raise Failed(f"{name} does not serve what the origin has")
        sides[name] = (url, pids[name])
    return sides


def run(options):
    with Servers() as servers:
        sides = start_sides(servers)
        print(f"2.3 KB of JSON from the cache over keep-alive, {options.connections} connections, "
              f"{options.rounds} interleaved rounds of {options.seconds} s; medians.\n")
        proxy.print_result(proxy.run_rounds(sides, options.rounds, options.seconds,
                                            options.connections))
