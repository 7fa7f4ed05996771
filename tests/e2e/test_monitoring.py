"""What people see of a night in Prometheus and Grafana: real ones of Debian read the metrics of real runs, evaluate the
rules of docs/monitoring, and answer what the dashboard asks."""

import json
import re
import shutil
import time
from pathlib import Path

import pytest
from repository import sample_bytes
from services import grafana_schema
from services.cache import Unavailable
from services.prometheus import NodeExporter, Prometheus

FOLDER = Path(__file__).resolve().parents[2] / "docs/monitoring"
DASHBOARD = FOLDER / "drstream.dashboard.json"
PATIENCE_SECONDS = 60


def panels():
    return json.loads(DASHBOARD.read_text())["panels"]


def expressions():
    """Every expression of the dashboard, with the title of its panel; its variables stand for everything."""
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], re.sub(r"\$(repository|stream)\b", ".*", target["expr"])


@pytest.fixture(params=grafana_schema.VERSIONS)
def grafana(request, missing):
    try:
        return grafana_schema.install_version(request.param)
    except Unavailable as problem:
        return missing(str(problem))


def test_grafana_reads_all_of_the_dashboard(grafana):
    assert grafana_schema.problems(grafana, DASHBOARD) == []


@pytest.mark.parametrize("right, wrong", [('"title": "Coverage"', '"titel": "Coverage"'),
                                          ('"schemaVersion": 39', '"schemaVersion": "39"'),
                                          ('"drawStyle": "line"', '"drawStyle": "lines"'),
                                          ('"calcs"', '"calc"')])  # fmt: skip
def test_a_mistake_in_the_dashboard_is_found(right, wrong, grafana, tmp_path):
    text = DASHBOARD.read_text()
    assert right in text
    (tmp_path / "wrong.json").write_text(text.replace(right, wrong, 1))
    assert len(grafana_schema.problems(grafana, tmp_path / "wrong.json")) == 1


def test_panels_do_not_overlap_and_have_names_of_their_own():
    places = [panel["gridPos"] for panel in panels()]
    cells = [(place["x"] + x, place["y"] + y) for place in places for x in range(place["w"]) for y in range(place["h"])]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in panels()}) == len({panel["title"] for panel in panels()}) == len(panels())


class Machine:
    """A database host with node_exporter; its jobs write metrics, and Prometheus reads them."""

    def __init__(self, repository, folder):
        self.repository, self.metrics = repository, folder

    def run(self, job, *arguments, **options):
        return self.repository.run(*arguments, "--metrics", self.metrics / f"{job}.prom", **options)

    def push(self, stream, seed):
        self.repository.run("push", stream, "--metrics", self.metrics / f"push-{stream.replace('/', '-')}.prom",
                            input=sample_bytes(400_000, seed=seed))  # fmt: skip

    def prove(self, code=0, **options):
        """The end of a night."""
        self.run("sweep", "sweep", "--budget", "45m", "--verified-within", "0s", expect=code, **options)
        self.run("status", "status", "--newest-within", "25h", "--verified-within", "30d", expect=code)


@pytest.fixture
def machine(drs, new_folder):
    return Machine(drs, new_folder("metrics"))


@pytest.fixture
def prometheus(machine, missing, tmp_path):
    shutil.copy(FOLDER / "drstream.rules.yml", tmp_path)
    try:
        with NodeExporter(tmp_path / "node", machine.metrics) as exporter:
            with Prometheus(tmp_path / "prometheus", exporter, tmp_path / "drstream.rules.yml") as server:
                yield server
    except Unavailable as problem:
        missing(str(problem))


def wait_for(what, is_so):
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def seen(prometheus, expression, value):
    return [found for _, found in prometheus.query(expression)] == [value]


@pytest.mark.local_only("it damages a file")
def test_a_good_night_alerts_nobody_and_rot_does(machine, prometheus):
    for seed in range(4):
        machine.push(f"pg/{seed % 2}", seed)
    machine.prove()
    wait_for("the night is seen", lambda: seen(prometheus, "drstream_verify_coverage_ratio", 1))
    wait_for("every rule is evaluated", lambda: all(rule["health"] == "ok" for rule in prometheus.rules()))
    assert len(prometheus.rules()) == (FOLDER / "drstream.rules.yml").read_text().count("- alert:")
    time.sleep(2)  # four evaluations
    assert {rule["name"] for rule in prometheus.rules() if rule["state"] != "inactive"} == set()

    pack = machine.repository.largest_pack()
    machine.repository.flip(pack, 3000)
    machine.prove(code=4)
    wait_for("the damage is seen", lambda: seen(prometheus, "drstream_repo_damaged_packs", 1))
    wait_for("alerts fire", lambda: {"DrstreamDamage", "DrstreamSweepFailed"} <= prometheus.firing())
    assert prometheus.firing() == {"DrstreamDamage", "DrstreamSweepFailed", "DrstreamSnapshotsIncomplete"}
    [(_, coverage)] = prometheus.query("drstream_verify_coverage_ratio")
    assert 0 < coverage < 1
    if coverage < 0.9:  # for three days, then it is an alert
        assert "pending" in {rule["state"] for rule in prometheus.rules() if rule["name"] == "DrstreamCoverageLow"}

    machine.repository.flip(pack, 3000)
    machine.prove()
    wait_for("the alerts end", lambda: prometheus.firing() == set())


@pytest.mark.local_only("the copy is in a folder")
def test_every_panel_shows_something_of_a_night(machine, prometheus, new_repository):
    for seed in range(4):
        machine.push(f"pg/{seed % 2}", seed)
    machine.run("sweep", "sweep")
    machine.repository.run("sweep", "--level", "rebuild")
    machine.run("forget", "forget", "--keep-daily", "7", "--prune")
    machine.run("prune", "prune")
    machine.run("verify", "verify")
    machine.run("scrub", "scrub")
    machine.run("restore", "pull", "pg/0", "-o", machine.repository.folder / "restored")
    copy = new_repository("copy", key=machine.repository.key)
    copy.run("init")
    copy.run("copy", "--from-repository", machine.repository.path, "--metrics", machine.metrics / "copy.prom")
    machine.run("status", "status", "--newest-within", "25h", "--verified-within", "30d")
    wait_for("the night is seen", lambda: seen(prometheus, "drstream_status_last_status", 1))
    wait_for("all files are read", lambda: seen(prometheus, "drstream_copy_last_status", 1))
    empty = [(title, text) for title, text in expressions() if not prometheus.query(text)]
    assert empty == []
    shown = dict(expressions())
    assert prometheus.query(shown["Late streams"]) == [({}, 0)]
    assert [value for _, value in prometheus.query(shown["Coverage"])] == [1]
    [ages] = [text for title, text in expressions() if title == "Age against its limit"]
    assert all(0 <= value < 0.1 for _, value in prometheus.query(ages)) and len(prometheus.query(ages)) == 2
    works = {labels["work"] for labels, _ in prometheus.query(shown["Last runs"])}
    assert works == {"backup", "forget", "prune", "copy", "sweep", "verify", "scrub", "restore"}


@pytest.mark.local_only("its streams are in a folder")
def test_a_stream_that_is_late_is_told_and_shown(machine, prometheus):
    machine.push("pg/0", 1)
    machine.repository.run("push", "pg/old", "--time", "2020-01-01", "--exec", "--", "echo", "a dump")
    machine.run("sweep", "sweep")
    machine.run("status", "status", "--newest-within", "25h", expect=15)
    wait_for("the stream is late", lambda: prometheus.firing() == {"DrstreamBackupLate"})
    [late] = [text for title, text in expressions() if title == "Late streams"]
    assert prometheus.query(late) == [({}, 1)]
    machine.metrics.joinpath("status.prom").write_text("no metrics\n")
    wait_for("the file is bad", lambda: "DrstreamMetricsUnreadable" in prometheus.firing())
