"""1,000 apps on one supervisor that was started with room for 1,024 files.

Each app costs the supervisor about five fds: it raises its limit itself, and its apps have what it was
started with.
"""

import json
import resource
import subprocess

import measure
import supervisor_apps
from measure import Failed, Servers
from supervisor_sides import Gwctl

APPS, FILES = 1000, 1024


def listing(side):
    return json.loads(subprocess.run([side.program, "jlist"], env=side.env, check=True,
                                     stdout=subprocess.PIPE).stdout)


def check(processes):
    online = [process for process in processes if process["pm2_env"]["status"] == "online"]
    if len(online) != APPS:
        raise Failed(f"{len(online)} of {APPS} are online")
    for process in online:
        soft, _ = resource.prlimit(process["pid"], resource.RLIMIT_NOFILE)
        if soft != FILES:
            raise Failed(f"{process['name']} may open {soft} files")


def measure_all(side):
    rows = [["start", f"{side.command('start', side.file(APPS)):,.0f} ms"]]
    check(listing(side))
    rows.append(["jlist", f"{side.command('jlist'):,.0f} ms"])
    rows.append(["restart of one", f"{supervisor_apps.restart_one(side, 'app500')[0]:,.1f} ms"])
    rows.append(["memory of supervisor and keeper", f"{supervisor_apps.pss_mb(side):,.1f} MB"])
    rows.append(["stop of all", f"{side.command('stop', 'all'):,.0f} ms"])
    left = [process["pid"] for process in listing(side) if process["pid"]]
    if left:
        raise Failed(f"{len(left)} run on: {left[:5]}")
    return rows


def run(_options):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
    try:
        with Servers() as servers, Gwctl(servers.folder) as side:
            measure.print_table(["", "gwctl"], measure_all(side))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
