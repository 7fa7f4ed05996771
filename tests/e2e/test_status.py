"""status: whether each stream has a good snapshot that is recent enough, for people, scripts and Nagios."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from services.cache import Unavailable
from services.promtool import install as install_promtool

DOCS = Path(__file__).resolve().parents[2] / "docs"
LONG_AGO = "2020-01-01"


@pytest.fixture
def pushed(drs):
    drs.run("push", "pg/app", "--exec", "--", "echo", "a dump")
    drs.run("push", "pg/old", "--time", LONG_AGO, "--exec", "--", "echo", "an old dump")
    return drs


def statuses(drs, *options, expect=0, **settings):
    report = drs.json("status", *options, expect=expect, **settings)
    assert report["exit_code"] == expect
    return {stream["stream"]: stream["status"] for stream in report["streams"]}


def test_each_stream_has_a_line_and_the_worst_decides_the_exit_code(pushed):
    assert statuses(pushed) == {"pg/app": "ok", "pg/old": "ok"}
    assert statuses(pushed, "--newest-within", "25h", expect=15) == {"pg/app": "ok", "pg/old": "late"}
    assert statuses(pushed, "pg/app", "--newest-within", "25h") == {"pg/app": "ok"}
    said = pushed.run("status", "--newest-within", "25h", expect=15).out.decode()
    assert "pg/old: the newest good snapshot is" in said and said.endswith("2 streams: 1 ok, 1 late\n")
    assert "nearest streams" in pushed.run("status", "pg/apq", expect=16).err


def test_a_stream_that_never_came_is_told(pushed):
    config = pushed.folder / "config.toml"
    config.write_text('[[expect]]\nstreams = ["pg/app", "kafka/prod"]\nnewest-within = "25h"\n'
                      '[[expect]]\nstreams = "pg/old"\nignore = true\n')
    config.chmod(0o600)
    expected = {"kafka/prod": "absent", "pg/app": "ok", "pg/old": "ignored"}
    assert statuses(pushed, "--config", config, expect=15) == expected
    assert statuses(pushed, "pg/", "--config", config) == {"pg/app": "ok", "pg/old": "ignored"}
    [first, second] = pushed.json("config", "check", "--config", config)["expectations"]
    assert first["newest_within_seconds"] == 90000 and second["ignored"]


def test_deletion_and_damage_are_told(pushed):
    manifests = sorted(pushed.path.glob("manifests/*"))
    kept = {path: path.read_bytes() for path in manifests}
    for path in manifests:
        path.unlink()
    assert statuses(pushed, expect=13) == {"pg/app": "lost", "pg/old": "lost"}
    for path, content in kept.items():
        path.write_bytes(content)
    manifests[0].chmod(0o600)
    manifests[0].write_bytes(kept[manifests[0]][:-1] + b"x")
    assert "damaged" in statuses(pushed, expect=4).values()
    manifests[0].write_bytes(kept[manifests[0]])
    pack = next(pushed.path.glob("packs/*/*"))
    content = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    pushed.run("scrub", expect=4)
    report = pushed.json("status", expect=4)
    assert report["packs_marked"] == 1
    assert "1 pack is marked as damaged" in pushed.run("status", expect=4).out.decode()


def test_nagios_gets_its_own_line_and_exit_codes(pushed):
    good = pushed.run("status", "--format", "nagios")
    assert good.out.startswith(b"DRSTREAM OK - 2 streams: 2 ok |") and good.out.count(b"\n") == 1
    late = pushed.run("status", "--format", "nagios", "--newest-within", "25h", expect=2)
    assert late.out.startswith(b"DRSTREAM CRITICAL - 2 streams: 1 ok, 1 late; pg/old: ")
    nowhere = pushed.run("status", "--format", "nagios", "-r", pushed.folder / "nowhere", expect=3)
    assert nowhere.out.startswith(b"DRSTREAM UNKNOWN - there is no repository")


def test_a_mistake_is_unknown_to_nagios_and_exit_2_to_others(pushed):
    both = pushed.run("status", "--format", "nagios", "--json", expect=3)
    assert both.out == b"DRSTREAM UNKNOWN - --format nagios and --json exclude each other: each is the whole of stdout\n"
    wrong = pushed.folder / "wrong.toml"
    wrong.write_text("nonsense = 1\n")
    wrong.chmod(0o600)
    for mistake in (["--metrics", "x.txt"], ["--newest-within", "x"], ["--nonsense"], ["--config", wrong]):
        for format_ in (["--format", "nagios"], ["--format=nagios"]):
            unknown = pushed.run("status", *format_, *mistake, expect=3)
            assert unknown.out.startswith(b"DRSTREAM UNKNOWN - ") and unknown.out.count(b"\n") == 1, mistake
            assert "error: " in unknown.err
        pushed.run("status", *mistake, expect=2)


def test_nagios_gets_the_figures_of_the_proof_where_it_was_looked_at(pushed):
    assert b"coverage" not in pushed.run("status", "--format", "nagios").out
    proven = pushed.run("status", "--format", "nagios", "--verified-within", "1d").out
    assert b" coverage=0.00%;;;0;100 overdue_packs=0;;;0 damaged_packs=0;;0;0" in proven
    pushed.run("sweep")
    assert b" coverage=100.00%;;;0;100 " in pushed.run("status", "--format", "nagios", "--verified-within", "1d").out


def test_nothing_at_all_misses_a_limit(drs):
    assert drs.text("status") == "no snapshots\n"
    drs.run("status", "--format", "nagios")
    for limit in ("--newest-within", "--verified-within"):
        assert drs.run("status", limit, "1d", expect=15).out.decode() == \
            "no snapshots: a limit was given and there is nothing that meets it\n"
        answer = drs.run("status", limit, "1d", "--format", "nagios", expect=2).out
        assert answer.startswith(b"DRSTREAM CRITICAL - 0 streams; no snapshots: a limit was given")
    assert drs.json("status", "--newest-within", "1d", expect=15)["problems"]


def test_quiet_prints_what_is_wrong_alone(pushed):
    assert pushed.run("status", "-q").out == b""
    late = pushed.run("status", "-q", "--newest-within", "25h", expect=15).out.decode()
    assert late.startswith("pg/old: the newest good snapshot is") and late.count("\n") == 1


def test_a_stream_that_is_ignored_has_no_age(pushed):
    config = pushed.folder / "config.toml"
    config.write_text('[[expect]]\nstreams = "pg/"\nignore = true\n')
    config.chmod(0o600)
    lines = pushed.text("status", "--config", config).splitlines()
    assert [line.split()[:3] for line in lines[1:3]] == [["pg/app", "ignored", "-"], ["pg/old", "ignored", "-"]]


@pytest.fixture(scope="module")
def promtool(missing):
    try:
        return install_promtool()
    except Unavailable as problem:
        return missing(str(problem))


def samples(text):
    """By name and stream."""
    found = re.findall(r'^(\w+)\{repository="[^"]*"(?:,stream="([^"]*)",database="[^"]*")?\} (\S+)$', text, re.MULTILINE)
    assert len(found) == sum(not line.startswith("#") for line in text.splitlines())
    return {(name, stream): float(value) for name, stream, value in found}


def test_metrics_are_as_prometheus_wants_them_and_a_failure_keeps_what_was_known(pushed, promtool):
    pushed.run("push", "pg/app", "--exec", "--", "echo", "another dump")
    file = pushed.folder / "metrics" / "status.prom"
    file.parent.mkdir()
    pushed.run("status", "--newest-within", "25h", "--metrics", file, expect=15)
    assert file.stat().st_mode & 0o777 == 0o644 and list(file.parent.iterdir()) == [file]
    checked = subprocess.run([promtool, "check", "metrics"], input=file.read_bytes(), capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    first = samples(file.read_text())
    assert time.time() - first["drstream_backup_last_success_timestamp_seconds", "pg/app"] < 60
    assert time.time() - first["backup_last_success_timestamp", "pg/old"] > 100 * 86400
    assert first["drstream_backup_size_bytes", "pg/app"] == len("another dump\n")
    assert first["drstream_backup_previous_size_bytes", "pg/app"] == len("a dump\n")
    assert first["drstream_backup_newest_within_seconds", "pg/old"] == 90000
    assert first["drstream_status_last_status", ""] == 1 and first["drstream_status_last_exit_code", ""] == 15
    assert first["drstream_backup_unproven", "pg/app"] == first["drstream_verify_structure_failed", ""] == 0
    pushed.path.rename(pushed.folder / "away")
    pushed.run("status", "--metrics", file, expect=10)
    assert samples(file.read_text()) == first | {("drstream_status_last_status", ""): 0,
                                                 ("drstream_status_last_exit_code", ""): 10}  # fmt: skip
    pushed.run("status", "--metrics", "status.txt", expect=2)
    (pushed.folder / "away").rename(pushed.path)
    assert "no metrics were written" in pushed.run("status", "--metrics", "/nowhere/status.prom").err


def test_the_alert_rules_fire_as_they_should(promtool, tmp_path):
    shutil.copy(DOCS / "monitoring" / "drstream.rules.yml", tmp_path)
    shutil.copy(Path(__file__).with_name("drstream.rules.test.yml"), tmp_path)
    done = subprocess.run([promtool, "test", "rules", "drstream.rules.test.yml"], cwd=tmp_path, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_run_says_how_it_went_and_remembers_earlier_ones(drs, promtool):
    file = drs.folder / "push.prom"

    def run(*words, expect):
        drs.run("push", "pg/app", "--metrics", file, "--exec", "--", *words, expect=expect)
        checked = subprocess.run([promtool, "check", "metrics"], input=file.read_bytes(), capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr
        return {line.split("{")[0] + ("-" + line.split('result="')[1].split('"')[0] if "result=" in line else ""):
                float(line.rsplit(" ", 1)[1]) for line in file.read_text().splitlines() if not line.startswith("#")}

    failed = run("false", expect=3)
    assert failed["drstream_backup_last_status"] == 0 and failed["drstream_backup_last_exit_code"] == 3
    assert failed["drstream_backup_run_last_success_timestamp_seconds"] == 0
    good = run("echo", "a dump", expect=0)
    assert good["drstream_backup_last_status"] == 1
    assert time.time() - good["drstream_backup_run_last_success_timestamp_seconds"] < 60
    again = run("false", expect=3)
    when = "drstream_backup_run_last_success_timestamp_seconds"
    assert again[when] == good[when] and again["drstream_backup_last_run_timestamp_seconds"] > good[when]
    assert again["drstream_backup_runs_total-failure"] == 2 and again["drstream_backup_runs_total-success"] == 1
    assert 'stream="pg/app"' in file.read_text() and f'repository="{drs.path}"' in file.read_text()
    for words, work in ((["pull", "pg/app", "-o", drs.folder / "out"], "restore"), (["verify"], "verify"),
                        (["scrub"], "scrub")):  # fmt: skip
        drs.run(*words, "--metrics", file)
        assert f"drstream_{work}_last_status{{" in file.read_text()
    assert "end in .prom" in drs.run("verify", "--metrics", "x.txt", expect=2).err
    assert "no metrics were written" in drs.run("verify", "--metrics", "/nowhere/x.prom").err
