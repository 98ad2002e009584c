"""A real Prometheus with the files of ecosystem/monitoring, and what docs/metrics.md says.

The shipped files are used as they are, but for times and targets: with the fifteen seconds and five
minutes that they say a test would take as long.
"""

import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

from gwtest import ROOT, free_port, process_exists, require, wait_until

FOLDER = os.path.join(ROOT, "ecosystem", "monitoring")
DOCUMENT = os.path.join(ROOT, "docs", "metrics.md")


def shipped(name):
    with open(os.path.join(FOLDER, name)) as file:
        return file.read()


def changed(text, replacements):
    """The text with every match of a pattern replaced; that each has one is part of it."""
    for pattern, replacement in replacements.items():
        text, count = re.subn(pattern, lambda _: replacement, text, flags=re.M)
        if not count:
            raise AssertionError(f"nothing there is {pattern}")
    return text


def documented():
    """The families of docs/metrics.md: {name: (kind, {labels})}."""
    with open(DOCUMENT) as file:
        rows = re.findall(r"^\| `([a-z_]+)` \| ([a-z]+) \|([^|]*)\|", file.read(), re.M)
    return {name: (kind, set(re.findall(r"`([a-z_]+)`", labels))) for name, kind, labels in rows}


class Prometheus:
    """Scrapes targets ("127.0.0.1:5055") every 200 ms and evaluates the shipped rules as often.
    Alerts fire as soon as their expression holds."""

    def __init__(self, case, *targets):
        require("prometheus")
        self.folder = tempfile.TemporaryDirectory(prefix="gwctl-prometheus-")
        case.addCleanup(self.folder.cleanup)
        self._write("prometheus.yml", {r"\b15s\b": "200ms",
                                       r'\["localhost:5055"\]': json.dumps(targets)})
        self._write("alerts.yml", {r"\bfor: \w+": "for: 0s", r"\binterval: \w+": "interval: 200ms"})
        self.port = free_port()
        self.log = open(os.path.join(self.folder.name, "log"), "w+")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder.name}/prometheus.yml",
             f"--storage.tsdb.path={self.folder.name}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        case.addCleanup(self.close)
        wait_until(self._is_ready, 30, "Prometheus is ready")

    def _write(self, name, replacements):
        with open(os.path.join(self.folder.name, name), "w") as file:
            file.write(changed(shipped(name), replacements))

    def _is_ready(self):
        if not process_exists(self.process.pid):
            raise AssertionError(f"Prometheus ended: {self.said()}")
        try:
            return self._get("/-/ready")[0] == 200
        except OSError:
            return False

    def _get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def said(self):
        """Its log: warnings and errors only."""
        with open(self.log.name) as file:
            return file.read()

    def api(self, path, **parameters):
        """The data of an answer of /api/v1/..."""
        status, body = self._get(f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        answer = json.loads(body)
        if answer["status"] != "success":
            raise AssertionError(f"{path} {parameters}: {status} {answer['error']}")
        return answer["data"]

    def query(self, expression):
        """An instant vector now: [({labels}, value)]."""
        found = self.api("query", query=expression)["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def query_range(self, expression, start, end, step):
        """Series over a time (seconds since 1970): [({labels}, [(time, value)])]."""
        found = self.api("query_range", query=expression, start=start, end=end, step=step)["result"]
        return [(series["metric"], [(at, float(value)) for at, value in series["values"]])
                for series in found]

    def value(self, expression):
        """The one value of an expression; None when it has none."""
        found = self.query(expression)
        if len(found) > 1:
            raise AssertionError(f"{expression} has {len(found)} values: {found}")
        return found[0][1] if found else None

    def targets(self):
        """What is scraped: {target: (health, error)}."""
        return {target["scrapeUrl"].split("/")[2]: (target["health"], target["lastError"])
                for target in self.api("targets", state="active")["activeTargets"]}

    def kinds(self):
        """The families that were scraped and their kinds. Counters as their samples are called, in
        whichever format they came."""
        found = {}
        for name, entries in self.api("metadata").items():
            kind = "/".join(sorted({entry["type"] for entry in entries}))
            counted = kind == "counter" and not name.endswith("_total")
            found[name + "_total" if counted else name] = kind
        return found

    def alerts(self):
        """The alerts that fire: {name: [alert]}."""
        found = {}
        for alert in self.api("alerts")["alerts"]:
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert)
        return found

    def rules(self):
        """All rules, as Prometheus has read them."""
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]

    def wait_for(self, condition, limit=30.0, what="the condition"):
        """wait_until, and what Prometheus thinks when it does not come true."""
        try:
            return wait_until(condition, limit, what)
        except AssertionError:
            print(f"--- Prometheus\n{self.targets()}\n{sorted(self.alerts())}\n{self.said()}",
                  file=sys.stderr)
            raise

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
