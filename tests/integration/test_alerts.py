"""The files of ecosystem/monitoring: promtool finds them right, each alert has a test and each
panel an expression that Prometheus can read, and all of them name what docs/metrics.md names.
"""

import json
import os
import re
import subprocess
import tempfile
import unittest

import gwtest
import prometheus

# What is no metric in an expression: operators that are words, and what the scrape adds.
WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}
OF_PROMETHEUS = {"up": {"job", "instance"}}
EXPRESS_PANELS = ["Request rate", "Response time", "Error rate", "Cache hit rate",
                  "Circuit breakers", "Memory", "Active connections"]


def load_yaml(name):
    try:
        import yaml
    except ImportError:
        raise unittest.SkipTest("python3-yaml is missing") from None
    return yaml.safe_load(prometheus.shipped(name))


def load_json(name):
    return json.loads(prometheus.shipped(name))


def rules(kind):
    """The shipped rules of a kind ("alert" or "record") by name."""
    groups = load_yaml("alerts.yml")["groups"]
    return {rule[kind]: rule for group in groups for rule in group["rules"] if kind in rule}


def panels():
    return [panel for panel in load_json("grafana-dashboard.json")["panels"]
            if panel["type"] != "row"]


def dashboard_expressions():
    """Every expression of the dashboard, its variables replaced as Grafana does."""
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    for variable in load_json("grafana-dashboard.json")["templating"]["list"]:
        if labels := re.fullmatch(r"label_values\((.*), \w+\)", variable.get("definition", "")):
            found.append(labels[1])
    return [expr.replace("$__rate_interval", "1m").replace("$job", "gwctl")
            .replace("$instance", ".*") for expr in found]


def metrics_of(expression):
    """What an expression asks for, as [(metric, {labels of its matchers})]. Not in it: strings,
    functions, what follows `by` and the like."""
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', expression)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\[[^]]*\]", " ", bare)
    found = re.findall(r"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*(\{[^}]*\})?(?![^{]*\})", bare)
    return [(name, set(re.findall(r"(\w+)\s*[=!]", matchers))) for name, matchers in found
            if name not in WORDS]


def known():
    """Every name that may be asked for, with the labels it may have."""
    names = {**OF_PROMETHEUS, **{name: {"job"} for name in rules("record")}}
    for name, (kind, labels) in prometheus.documented().items():
        labels = labels | {"job", "instance"}
        names[name] = labels
        if kind in ("summary", "histogram"):
            names[name + "_sum"] = names[name + "_count"] = labels - {"quantile"}
        if kind == "histogram":
            names[name + "_bucket"] = labels | {"le"}
    return names


def document_expressions():
    """The examples of docs/metrics.md. One that goes on is indented."""
    with open(prometheus.DOCUMENT) as file:
        blocks = "".join(re.findall(r"```promql\n(.*?)```", file.read(), re.S))
    return re.split(r"\n(?! )", re.sub(r"\s*#.*", "", blocks).strip())


class Case(unittest.TestCase):
    def promtool(self, *args):
        gwtest.require("promtool")
        done = subprocess.run(["promtool", *args], cwd=prometheus.FOLDER, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout)

    def check_syntax(self, expressions):
        found = [{"record": f"expression:{number}", "expr": expression}
                 for number, expression in enumerate(expressions)]
        with tempfile.TemporaryDirectory(prefix="gwctl-rules-") as folder:
            path = os.path.join(folder, "expressions.json")
            with open(path, "w") as file:
                json.dump({"groups": [{"name": "expressions", "rules": found}]}, file)
            self.promtool("check", "rules", "--lint=none", path)

    def check_names(self, expressions):
        names = known()
        for expression in expressions:
            asked = metrics_of(expression)
            self.assertTrue(asked, f"{expression} asks for nothing")
            for name, labels in asked:
                self.assertTrue(name in names, f"{name} is not in docs/metrics.md: {expression}")
                self.assertLessEqual(labels, names[name], expression)


class Rules(Case):
    def test_the_configurations_are_right(self):
        self.promtool("check", "config", "prometheus.yml")
        self.promtool("check", "config", "cloudwatch-scrape.yml")

    def test_the_rules_are_right(self):
        self.promtool("check", "rules", "--lint=all", "--lint-fatal", "alerts.yml")

    def test_the_alerts_fire_when_they_should(self):
        self.promtool("test", "rules", "alerts_test.yml")

    def test_each_alert_has_a_case_that_fires_and_one_that_does_not(self):
        fires, silent = set(), set()
        for group in load_yaml("alerts_test.yml")["tests"]:
            for case in group["promql_expr_test"]:
                labels = " ".join(sample["labels"] for sample in case["exp_samples"])
                fires |= set(re.findall(r'alertname="(\w+)", alertstate="firing"', labels))
                if asked := re.search(r'alertname=~?"([^"]*)"', case["expr"]):
                    silent |= {name for name in rules("alert")
                               if not labels and re.fullmatch(asked[1], name)}
        self.assertEqual(fires, set(rules("alert")))
        self.assertEqual(silent, set(rules("alert")))

    def test_each_alert_says_what_to_do(self):
        readme = prometheus.shipped("README.md")
        for name, rule in rules("alert").items():
            self.assertEqual(set(rule["annotations"]), {"summary", "description"}, name)
            self.assertRegex(readme, rf"\| `{name}` \|.*\| {rule['labels']['severity']} \|")

    def test_each_recording_rule_is_used(self):
        asked = {name for rule in rules("alert").values() for name, _ in metrics_of(rule["expr"])}
        self.assertLessEqual(set(rules("record")), asked)

    def test_they_ask_for_metrics_that_there_are(self):
        self.check_names(rule["expr"] for kind in ("alert", "record")
                         for rule in rules(kind).values())


class Dashboard(Case):
    def test_it_can_be_imported_anywhere(self):
        board = load_json("grafana-dashboard.json")
        self.assertIsInstance(board["schemaVersion"], int)
        self.assertIsNone(board["id"])
        self.assertIsNone(board["uid"])
        variables = board["templating"]["list"]
        self.assertEqual([variable["name"] for variable in variables],
                         ["datasource", "job", "instance"])
        self.assertEqual(variables[0]["type"], "datasource")
        for part in [*panels(), *variables[1:],
                     *(target for panel in panels() for target in panel["targets"])]:
            self.assertEqual(part["datasource"], {"type": "prometheus", "uid": "${datasource}"})

    def test_its_panels_have_their_places(self):
        board = load_json("grafana-dashboard.json")
        numbers = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))
        taken = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells

    def test_the_first_panels_are_those_of_the_express_stack(self):
        titles = [panel["title"] for panel in panels()]
        self.assertEqual(titles[:len(EXPRESS_PANELS)], EXPRESS_PANELS)

    def test_prometheus_can_read_its_expressions(self):
        self.check_syntax(dashboard_expressions())

    def test_it_asks_for_metrics_that_there_are(self):
        self.check_names(dashboard_expressions())

    def test_it_shows_the_job_and_gateway_that_were_chosen(self):
        for panel in panels():
            for target in panel["targets"]:
                expression = target["expr"]
                chosen = expression.count('{job=~"$job", instance=~"$instance"')
                self.assertEqual(chosen, len(metrics_of(expression)), expression)


class Document(Case):
    def test_its_examples_are_right(self):
        self.assertGreater(len(document_expressions()), 10)
        self.check_syntax(document_expressions())
        self.check_names(document_expressions())


class CloudWatch(Case):
    KINDS = {"counter", "gauge", "summary"}  # that the agent takes

    def test_it_selects_metrics_that_there_are(self):
        logs = load_json("cloudwatch-agent.json")["logs"]["metrics_collected"]["prometheus"]
        self.assertTrue(logs["prometheus_config_path"].endswith("/cloudwatch-scrape.yml"))
        kinds = prometheus.documented()
        for declaration in logs["emf_processor"]["metric_declaration"]:
            for selector in declaration["metric_selectors"]:
                chosen = {name: labels for name, labels in known().items()
                          if re.search(selector, name)}
                self.assertTrue(chosen, f"{selector} selects nothing")
                for name, labels in chosen.items():
                    self.assertLessEqual(set(sum(declaration["dimensions"], [])), labels, selector)
                    family = re.sub("_(sum|count)$", "", name)
                    self.assertIn(kinds[name if name in kinds else family][0], self.KINDS, selector)


if __name__ == "__main__":
    gwtest.main()
