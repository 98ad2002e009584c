"""Instructions of a cached answer of 2.3 KB over keep-alive, and how many of them are for metrics and
the access log, by callgrind.

The worker is one of a whole gateway. It is built without link-time optimisation, so that what belongs
to which function can be told; "for" counts a function with all that it calls.
"""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys

import measure
import proxy
from measure import Failed, Servers

PROGRAMS = ("gwctl", "gw-supervisor", "gw-keeper", "gw-exec", "cachesvc", "metricsd")
WARM, REQUESTS = 500, 3000
# What is called from elsewhere. The ledger's function calls both parts, so the log's is within it.
LEDGER, LOG = r"on_request_over", r"access_log_\w+|on_turn_end"
ELSEWHERE = r"metrics_count_(?:cache|cache_wait|connection|retry|answer|failure|try_time)"


def build():
    """The programs with symbols; returns their folder."""
    folder = os.path.join(measure.ROOT, "build", "callgrind")
    for words in (["cmake", "-S", measure.ROOT, "-B", folder, "-G", "Ninja", "-DBUILD_TESTING=OFF",
                   "-DCMAKE_BUILD_TYPE=RelWithDebInfo"], ["cmake", "--build", folder]):
        if subprocess.run(words, stdout=sys.stderr).returncode != 0:
            raise Failed(f"{words[1]} failed")
    return os.path.join(folder, "bin")


def wrap(servers, programs):
    """A folder of programs whose gateway runs under callgrind."""
    folder = os.path.join(servers.folder, "bin")
    os.mkdir(folder)
    for name in PROGRAMS:
        shutil.copy(os.path.join(programs, name), folder)
    with open(os.path.join(folder, "gateway"), "w") as script:
        script.write("#!/bin/sh\nexec valgrind --tool=callgrind --instr-atstart=no -q "
                     f"--callgrind-out-file={servers.folder}/profile "
                     f"{programs}/gateway \"$@\"\n")
        os.fchmod(script.fileno(), 0o755)
    return folder


def start(servers, folder, access_log):
    origin, port = measure.free_port(), measure.free_port()
    proxy.write_origin(servers)
    servers.start("origin", ["nginx", "-p", servers.folder, "-c", servers.config(
        "nginx-origin.conf", {"origin": origin, "folder": servers.folder})])
    servers.wait_for(f"http://127.0.0.1:{origin}/services.json", "origin")
    file = os.path.join(servers.folder, "cost.json")
    with open(file, "w") as config:
        json.dump({"gateway": {
            "instances": 1, "listen": [{"address": f"127.0.0.1:{port}"}],
            "access_log": access_log, "cache": {"ttl": "600s"},
            "upstreams": {"origin": {"servers": [f"http://127.0.0.1:{origin}"]}},
            "routes": [{"path": "/*", "upstream": "origin"}]}}, config)
    env = {**os.environ, "GWCTL_HOME": os.path.join(servers.folder, "home")}
    gwctl = os.path.join(folder, "gwctl")
    servers.callback(subprocess.run, [gwctl, "kill"], env=env, stdout=subprocess.DEVNULL)
    subprocess.run([gwctl, "start", file], env=env, check=True, stdout=subprocess.DEVNULL)
    listing = json.loads(subprocess.run([gwctl, "jlist"], env=env, check=True,
                                        stdout=subprocess.PIPE).stdout)
    return port, next(entry["pid"] for entry in listing if entry["name"] == "gateway")


def ask(client, count):
    for _ in range(count):
        client.request("GET", "/services.json")
        answer = client.getresponse()
        answer.read()
        if answer.status != 200:
            raise Failed(f"answered {answer.status}")
    return answer.getheader("X-Cache")


def profile(servers, port, pid):
    client = http.client.HTTPConnection("127.0.0.1", port)
    ask(client, WARM)
    control = ["callgrind_control", str(pid)]
    subprocess.run([*control, "-i", "on"], check=True, stdout=subprocess.DEVNULL)
    if ask(client, REQUESTS) != "HIT":
        raise Failed("the answer does not come from the cache")
    subprocess.run([*control, "-i", "off"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*control, "-d"], check=True, stdout=subprocess.DEVNULL)
    dump = next(os.path.join(servers.folder, name) for name in sorted(os.listdir(servers.folder))
                if name.startswith("profile."))
    return subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", dump],
                          check=True, text=True, stdout=subprocess.PIPE).stdout


def count(text):
    """Instructions of a request: of all, for metrics, for the access log."""
    number = r"^\s*([\d,]+) \([ \d.]+%\)\s+"
    total = re.search(number + r"PROGRAM TOTALS", text, re.M)
    lines = re.findall(number + r"\S+:(\w+)(?:'\d+)? \[", text, re.M)

    def of(pattern):
        return sum(int(cost.replace(",", "")) for cost, name in lines
                   if re.fullmatch(pattern, name)) / REQUESTS
    log = of(LOG)
    # The clock is looked at when a request begins and, within the ledger, when it ends.
    metrics = of(LEDGER) - of(r"access_log_add") + of(ELSEWHERE) + of(r"clock_mono_us") / 2
    return int(total[1].replace(",", "")) / REQUESTS, metrics, log


def run(_options):
    programs = build()
    rows = []
    for access_log in (False, "text", "json"):
        with Servers() as servers:
            port, pid = start(servers, wrap(servers, programs), access_log)
            total, metrics, log = count(profile(servers, port, pid))
        rows.append([access_log or "off", f"{total:,.0f}", f"{metrics:,.0f}", f"{log:,.0f}",
                     f"{(metrics + log) / (total - metrics - log) * 100:.1f} %"])
    measure.print_table(["access log", "instructions/request", "for metrics", "for the access log",
                         "both ÷ the rest"], rows)
