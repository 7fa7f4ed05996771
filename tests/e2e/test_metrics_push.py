"""Metrics that jobs send to a Pushgateway."""

import re
import subprocess
import time

import pytest
from services.cache import Unavailable
from services.promtool import install as install_promtool
from services.pushgateway import PASSWORD, USER, Pushgateway


@pytest.fixture(scope="module")
def gateway(provide):
    with provide(Pushgateway) as server:
        yield server


def test_metrics_reach_a_pushgateway_and_a_failed_run_keeps_the_last_success(drs, gateway, missing):
    drs.variables["DRSTREAM_METRICS_PUSH"] = gateway.url + "/"
    name = "drstream_backup_run_last_success_timestamp_seconds"

    def value(family, text):
        [found] = re.findall(rf'^{family}\{{[^}}]*stream="pg/app"[^}}]*\}} (\S+)$', text, re.MULTILINE)
        return float(found)

    drs.run("push", "pg/app", "--exec", "--", "echo", "a dump")
    first = gateway.text()
    assert abs(time.time() - value(name, first)) < 60
    drs.run("push", "pg/app", "--exec", "--", "false", expect=3)
    second = gateway.text()
    assert value(name, second) == value(name, first) and value("drstream_backup_last_exit_code", second) == 3
    drs.run("verify")
    drs.run("status")
    drs.run("status", "--format", "nagios")
    drs.run("status", "pg/app")
    groups = [{key: label for key, label in group.items() if key != "instance"} for group in gateway.groups()]
    place = str(drs.path)
    assert all(group in groups for group in (
        {"job": "drstream", "repository": place, "stream": "pg/app"},
        {"job": "drstream", "repository": place, "command": "verify"},
        {"job": "drstream", "repository": place, "command": "status"}))  # fmt: skip
    assert value("drstream_backup_size_bytes", gateway.text()) == len("a dump\n")
    drs.run("status", "-r", drs.folder / "nowhere", expect=10)
    assert value("drstream_backup_size_bytes", gateway.text()) == len("a dump\n")
    try:
        promtool = install_promtool()
    except Unavailable as problem:
        missing(str(problem))
    ours = "".join(line for line in gateway.text().splitlines(keepends=True) if "drstream_" in line)
    checked = subprocess.run([promtool, "check", "metrics"], input=ours.encode(), capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_a_gateway_that_is_away_is_a_warning_and_credentials_are_refused(drs, gateway):
    begun = time.monotonic()
    away = drs.run("push", "pg/app", "--metrics-push", "http://127.0.0.1:1", "--exec", "--", "echo", "a dump")
    assert "no metrics were written: " in away.err and time.monotonic() - begun < 30
    wrong = drs.run("verify", "--metrics-push", gateway.url + "/none")
    assert "the Pushgateway answers 404" in wrong.err
    for words in (["verify"], ["status"]):
        refused = drs.run(*words, "--metrics-push", "http://user:word@127.0.0.1:1", expect=2)
        assert "word" not in refused.err.replace("password", "")


def test_a_gateway_with_tls_and_users_gets_metrics_from_those_it_knows(drs, provide, certificates):
    file = drs.folder / "credentials"
    file.write_text(f"{USER}:{PASSWORD}\n")
    file.chmod(0o600)
    with provide(Pushgateway, certificates) as gateway:
        known = ["--metrics-push", gateway.url, "--metrics-push-credentials", file]
        trusted = ["--ca-file", certificates.ca_file]
        stranger = drs.run("verify", "--metrics-push", gateway.url, *trusted)
        assert "the Pushgateway answers 401" in stranger.err
        assert "no metrics were written: " in drs.run("verify", *known).err, "its certificate is not known"
        assert gateway.groups() == []
        assert "no metrics were written" not in drs.run("verify", *known, *trusted).err
        assert [group["command"] for group in gateway.groups()] == ["verify"]
        file.write_text("no user\n")
        assert "is to hold one line USER:PASSWORD" in drs.run("verify", *known, *trusted).err
        file.write_text(f"{USER}:wrong\n")
        wrong = drs.run("verify", *known, *trusted)
        assert "the Pushgateway answers 401" in wrong.err and "wrong" not in wrong.err
    refused = drs.run("verify", "--metrics-push", "http://gateway", "--metrics-push-credentials", file, expect=2)
    assert "without TLS" in refused.err
