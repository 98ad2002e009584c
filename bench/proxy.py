"""Our gateway beside nginx and HAProxy, all proxying the same 2.3 KB JSON file.

One process of each on core 0; the origin and the load generator on core 1. The sides take turns
within each round, so that whatever else the machine does meets all of them. What counts is CPU time
per request, with all processes of a side summed: requests per second depend on the neighbours.
"""

import argparse
import json
import os
import subprocess
import sys

import measure
from measure import Failed, Servers, median

sys.path.insert(0, os.path.join(measure.ROOT, "ecosystem", "demo"))
sys.dont_write_bytecode = True
import app as demo  # noqa: E402  (the list that the demo serves)

SERVER_CPU, LOAD_CPU = 0, 1


def write_origin(servers):
    """The file that the origin serves; returns its text."""
    os.mkdir(os.path.join(servers.folder, "www"))
    body = json.dumps(demo.service_list(), separators=(",", ":"))
    with open(os.path.join(servers.folder, "www", "services.json"), "w") as file:
        file.write(body)
    return body


def start_sides(servers):
    """Starts origin and sides; returns {name: (url, pids)}."""
    names = ("origin", "gwctl", "nginx", "haproxy")
    values = {name: measure.free_port() for name in names}
    values["folder"] = servers.folder
    body = write_origin(servers)

    def config(name):
        return servers.config(name, values)
    commands = {
        "origin": ["nginx", "-p", servers.folder, "-c", config("nginx-origin.conf")],
        "gwctl": [os.path.join(measure.BIN, "gateway"), "--config", config("gateway.json")],
        "nginx": ["nginx", "-p", servers.folder, "-c", config("nginx-proxy.conf")],
        "haproxy": ["haproxy", "-db", "-f", config("haproxy.cfg")],
    }
    sides = {}
    for name in names:
        process = servers.start(name, commands[name], LOAD_CPU if name == "origin" else SERVER_CPU)
        url = f"http://127.0.0.1:{values[name]}/services.json"
        if servers.wait_for(url, name).decode() != body:
            raise Failed(f"{name} does not serve what the origin has")
        sides[name] = (url, [process.pid])
    del sides["origin"]
    return sides


def run_rounds(sides, rounds, seconds, connections):
    samples = {name: [] for name in sides}
    for url, pids in sides.values():
        measure.wrk(url, pids, 1, connections, LOAD_CPU)
    order = list(sides)
    for number in range(rounds):
        for name in order:
            url, pids = sides[name]
            samples[name].append(measure.wrk(url, pids, seconds, connections, LOAD_CPU))
            print(f"\rround {number + 1}/{rounds}: {name:8}", end="", file=sys.stderr, flush=True)
        order.append(order.pop(0))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return samples


def print_result(samples):
    rows = []
    for name, taken in samples.items():
        ratio = "1"
        if name != "gwctl":
            ratio = "{:.2f} ({:.2f} to {:.2f})".format(*measure.ratios(samples["gwctl"], taken))
        rows.append([name, f"{median(taken, lambda s: s.cpu_us):.2f}", ratio,
                     f"{median(taken, lambda s: s.per_second):,.0f}",
                     f"{median(taken, lambda s: s.percentiles_ms[50]):.2f} ms",
                     f"{median(taken, lambda s: s.percentiles_ms[99]):.2f} ms"])
    measure.print_table(["proxy", "CPU µs/request", "gwctl ÷ it, by CPU", "requests/s", "p50",
                         "p99"], rows)
    if measure.failures(samples):
        raise Failed(f"{measure.failures(samples)} requests failed")


def print_memory(servers):
    """Idle memory of our processes under supervision."""
    home = os.path.join(servers.folder, "home")
    env = {**os.environ, "GWCTL_HOME": home, "HOST": "127.0.0.1", "PORT": str(measure.free_port())}
    gwctl = os.path.join(measure.BIN, "gwctl")
    servers.callback(subprocess.run, [gwctl, "kill"], env=env, stdout=subprocess.DEVNULL)
    subprocess.run([gwctl, "start", os.path.join(measure.ROOT, "ecosystem", "demo.json")], env=env,
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listed = json.loads(subprocess.run([gwctl, "jlist"], env=env, check=True,
                                       stdout=subprocess.PIPE).stdout)
    workers = [entry["pid"] for entry in listed if entry["name"] == "gateway"]
    with open(os.path.join(home, "gwctl.pid")) as file:
        supervisor = int(file.read())
    print("Idle, under supervision, with two demo apps:\n")
    measure.print_memory({"gateway worker": workers[0], "supervisor": supervisor,
                          "keeper": measure.parents()[supervisor]})


def add_options(parser):
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--connections", type=int, default=64)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    add_options(parser)
    options = parser.parse_args()
    if os.cpu_count() < 2:
        raise Failed("two CPUs are needed: one for the proxy, one for the load")
    with Servers() as servers:
        sides = start_sides(servers)
        print(f"2.3 KB of JSON proxied over keep-alive, {options.connections} connections, "
              f"{options.rounds} interleaved rounds of {options.seconds} s; medians.")
        print(measure.machine() + "\n")
        print_result(run_rounds(sides, options.rounds, options.seconds, options.connections))
    # Apart from the others, which would share libraries with ours.
    with Servers() as servers:
        print_memory(servers)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench: {failure}")
