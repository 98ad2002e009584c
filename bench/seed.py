"""gwctl beside the stack it replaces: Express + ioredis + express-rate-limit under PM2 cluster.

`ab -c 100` with and without keep-alive against GET /api/services (2.3 KB, 20 ms in the "database").
Three sides take turns in each round, on the same CPUs, with the same two app processes and one
redis-server each where they use one:

  pm2           PM2 cluster; the app's own middleware caches in Redis and counts its limit there
  gwctl+app     the same app, unchanged, under gwctl and behind its gateway
  gwctl plain   the same app without its middleware: no cache and no limit anywhere

The gateway's own response cache is not used here. So gwctl+app shows what changing
nothing but the process manager costs or saves, and gwctl plain what every request costs when each
of them waits its 20 ms for the database.
"""

import argparse
import json
import os
import subprocess
import sys

import measure
from measure import Failed, Servers, median

FOLDER = os.path.join(measure.BENCH, "seed")
APP = os.path.join(FOLDER, "app.js")
PERCENTILES = (50, 66, 75, 80, 90, 95, 98, 99, 100)
INSTANCES = 2


def install():
    """The npm packages of the app and PM2."""
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=FOLDER,
                          stdout=sys.stderr)
    if done.returncode != 0:
        raise Failed(f"npm ci: exit {done.returncode}")


def start_redis(servers, name):
    port = measure.free_port()
    process = servers.start(name, ["redis-server", "--port", str(port), "--bind", "127.0.0.1",
                                   "--save", "", "--appendonly", "no", "--dir", servers.folder])
    return str(port), process.pid


def start_pm2(servers, app_env=None, name="pm2"):
    redis_port, redis_pid = start_redis(servers, f"redis-{name}")
    port = measure.free_port()
    home = os.path.join(servers.folder, name)
    env = {**os.environ, "PM2_HOME": home, "PM2_DISABLE_VERSION_CHECK": "true",
           "NODE_ENV": "production", "PORT": str(port), "REDIS_PORT": redis_port,
           **(app_env or {})}
    pm2 = os.path.join(FOLDER, "node_modules", ".bin", "pm2")
    servers.callback(subprocess.run, [pm2, "kill"], env=env, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)
    done = subprocess.run([pm2, "start", APP, "--name", "seed", "-i", str(INSTANCES)], env=env,
                          cwd=servers.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)
    if done.returncode != 0:
        raise Failed(f"pm2 start: exit {done.returncode}\n{done.stdout}")
    with open(os.path.join(home, "pm2.pid")) as file:
        daemon = int(file.read())
    return port, [daemon, redis_pid], daemon


def start_gwctl(servers, name, with_redis, cache=None):
    port = measure.free_port()
    home = os.path.join(servers.folder, name)
    app_env = {"NODE_ENV": "production"}
    pids = []
    if with_redis:
        app_env["REDIS_PORT"], redis_pid = start_redis(servers, f"redis-{name}")
        pids.append(redis_pid)
    file = os.path.join(servers.folder, f"{name}.json")
    with open(file, "w") as config:
        json.dump({"apps": [{"name": "seed", "script": APP, "instances": INSTANCES, "port": "auto",
                             "ready": {"http": "/healthz"}, "env": app_env}],
                   "gateway": {"instances": "max", "listen": [{"address": f"127.0.0.1:{port}"}],
                               "upstreams": {"seed": {"app": "seed"}},
                               "access_log": False, **({"cache": cache} if cache else {}),
                               "routes": [{"path": "/*", "upstream": "seed"}]}}, config)
    env = {name: value for name, value in os.environ.items() if name not in ("HOST", "PORT")}
    env["GWCTL_HOME"] = home
    gwctl = os.path.join(measure.BIN, "gwctl")
    servers.callback(subprocess.run, [gwctl, "kill"], env=env, stdout=subprocess.DEVNULL)
    done = subprocess.run([gwctl, "start", file], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed(f"gwctl start: exit {done.returncode}\n{done.stdout}")
    with open(os.path.join(home, "gwctl.pid")) as file:
        supervisor = int(file.read())
    # The keeper is the parent of everything.
    keeper = measure.parents()[supervisor]
    return port, [keeper, *pids], supervisor


def run_rounds(sides, rounds, requests, connections):
    samples = {(name, keep): [] for name in sides for keep in (True, False)}
    for url, pids in sides.values():
        measure.ab(url, pids, 1000, connections, True)
    order = list(sides)
    for number in range(rounds):
        for keep_alive in (True, False):
            for name in order:
                print(f"\rround {number + 1}/{rounds}: {name:12}", end="", file=sys.stderr,
                      flush=True)
                url, pids = sides[name]
                samples[name, keep_alive].append(
                    measure.ab(url, pids, requests, connections, keep_alive))
        order.append(order.pop(0))
    print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return samples


def print_result(sides, samples, keep_alive, connections):
    print(f"`ab -c {connections}{' -k' if keep_alive else ''}`, times in ms:\n")
    taken = {name: samples[name, keep_alive] for name in sides}
    rows = [["requests/s", *(f"{median(taken[name], lambda s: s.per_second):,.0f}"
                             for name in sides)],
            ["CPU µs/request", *(f"{median(taken[name], lambda s: s.cpu_us):,.0f}"
                                 for name in sides)],
            ["CPU, to pm2", *("{:.2f}".format(measure.ratios(taken[name], taken["pm2"])[0])
                              for name in sides)]]
    for percent in PERCENTILES:
        rows.append([f"{percent}%", *(
            f"{median(taken[name], lambda s, p=percent: s.percentiles_ms[p]):.0f}"
            for name in sides)])
    measure.print_table(["", *sides], rows)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench seed",
                                     description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=6000, help="of each run")
    parser.add_argument("--connections", type=int, default=100)
    options = parser.parse_args()
    install()
    with Servers() as servers:
        started = {"pm2": start_pm2(servers),
                   "gwctl+app": start_gwctl(servers, "with-redis", True),
                   "gwctl plain": start_gwctl(servers, "plain", False)}
        sides = {}
        for name, (port, pids, _) in started.items():
            url = f"http://127.0.0.1:{port}/api/services"
            servers.wait_for(url, name)
            sides[name] = (url, pids)
        print("\n".join(__doc__.splitlines()[2:]) + "\n")
        print(f"{options.rounds} interleaved rounds of {options.requests} requests; medians.")
        print(measure.machine() + "\n")
        samples = run_rounds(sides, options.rounds, options.requests, options.connections)
        for keep_alive in (True, False):
            print_result(sides, samples, keep_alive, options.connections)
        measure.print_memory({"PM2's daemon": started["pm2"][2],
                              "gwctl's supervisor": started["gwctl+app"][2]})
        if measure.failures(samples):
            raise Failed(f"{measure.failures(samples)} requests failed")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(f"bench: {failure}")
