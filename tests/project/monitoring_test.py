"""What docs/ says of metrics and alerts: each metric is written, and each alert is tested."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs/monitoring/drstream.rules.yml"
DASHBOARD = ROOT / "docs/monitoring/drstream.dashboard.json"
RULE_TESTS = ROOT / "tests/e2e/drstream.rules.test.yml"

# What node_exporter itself says of the machine, and kube-state-metrics of jobs.
OF_OTHERS = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes", "node_textfile_scrape_error",
             "kube_job_failed"}  # fmt: skip
METRIC = re.compile(r"(?<![\w\"])(?:drstream|backup|node|kube)_\w+")


def sources():
    return "\n".join(path.read_text() for path in sorted((ROOT / "tools").rglob("*.cc")))


def families(code):
    """The names that code gives to its metrics, those of status and those that a run of each command has."""
    named = set(re.findall(r'MetricFamily\s+\w+\{\s*"(\w+)"', code))
    constants = dict(re.findall(r'string_view (k\w+) = "(\w+)"', code))
    of_runs = {rest or constants[constant]
               for rest, constant in re.findall(r'run_name\(run, (?:"(\w+)"|(k\w+))\)', code)}  # fmt: skip
    works = set(re.findall(r'add_run_metrics\(\*\w+, "(\w+)"\)', code))
    return named | {f"drstream_{work}_{rest}" for work in works for rest in of_runs}


def expressions(text):
    return re.findall(r"^    expr: (.+)$", text, re.M)


def metrics_of(expression):
    """The metrics of an expression of Prometheus; what stands in quotes is no metric."""
    return set(METRIC.findall(re.sub(r'"[^"]*"', '""', expression)))


def test_the_code_names_metrics():
    found = families(sources())
    assert {"drstream_backup_size_bytes", "backup_size_bytes", "drstream_sweep_last_exit_code"} <= found
    assert not any(name.startswith(("node_", "kube_")) for name in found)


def test_every_metric_of_the_rules_is_written():
    rules = RULES.read_text()
    assert len(expressions(rules)) == rules.count("- alert: ") > 10
    named = set().union(*map(metrics_of, expressions(rules)))
    assert named - families(sources()) - OF_OTHERS == set()
    texts = set(re.findall(r"(?<![\w/])drstream_\w+", re.sub(r"^    expr: .*$", "", rules, flags=re.M)))
    assert texts - families(sources()) == set()


def test_every_metric_of_the_dashboard_is_written():
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [variable["query"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    named = set().union(*map(metrics_of, asked))
    assert named - families(sources()) == set() and len(named) > 15


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_alert_and_metric_of_a_page_is_there(page):
    text = page.read_text()
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text()))
    assert set(re.findall(r"`(Drstream\w+)`", text)) - alerts == set()
    named = set(re.findall(r"`((?:drstream|node|kube)_\w+)`", text))
    assert named - families(sources()) - OF_OTHERS == set()


def test_a_metric_that_is_not_written_is_found():
    assert metrics_of('time() - drstream_nothing{a="drstream_x"} > 5') == {"drstream_nothing"}
    assert "drstream_nothing" not in families(sources())


@pytest.mark.parametrize("alert", re.findall(r"- alert: (\w+)", RULES.read_text()))
def test_every_alert_is_tested_to_fire_and_to_be_silent(alert):
    """Silent: at another time, or for another series beside one that makes it fire."""
    tests = [line for line in RULE_TESTS.read_text().splitlines() if f'alertname="{alert}"' in line]
    assert any("value: 0}" not in line for line in tests), "nothing makes it fire"
    assert any("value: 0}" in line or "count by (" in line for line in tests), "nothing leaves it silent"


def test_the_page_lists_every_metric_of_status():
    page = (ROOT / "docs/NIGHTLY.md").read_text()
    table = page.split("| metric, each with `drstream_` before it | says |\n")[1].split("\n\n")[0]
    listed = {f"drstream_{name}" for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    status = (ROOT / "tools/commands/status_results.cc").read_text()
    written = {name for name in families(status) if name.startswith("drstream_")}
    assert listed == written and len(written) > 10
