"""Something that is no store answers in its place: an ingress without a backend, a page, a cache that ignores Range, a wrong
endpoint. That says nothing about stored objects.
"""

import threading
import time

import pytest
from campaign_support import QUICK, STREAM
from repository import sample_bytes
from services import faults

DATA = sample_bytes(3_000_000)
SECOND = sample_bytes(1_200_000, seed=9)


@pytest.fixture(params=["s3", "gcs"])
def behind(request, fault_proxy):
    """A repository with one snapshot, and the proxy before it."""
    server = request.getfixturevalue("minio" if request.param == "s3" else "fake_gcs")
    repository = request.getfixturevalue(f"new_{request.param}_repository")(server)
    repository.run("init")
    repository.push(STREAM, DATA, *QUICK)
    proxy = fault_proxy(server)
    repository.endpoint = proxy.endpoint
    return repository, proxy


def for_seconds(proxy, fault, seconds, **which):
    """Answers so from now on, for a while."""
    proxy.on(fault, times=None, **which)
    timer = threading.Timer(seconds, proxy.clear)
    timer.start()
    return timer


def test_a_push_while_an_ingress_has_no_backend_goes_on_where_the_last_one_ended(behind):
    repository, proxy = behind
    timer = for_seconds(proxy, faults.ingress_404(), 0.8)
    second = repository.push(STREAM, SECOND, *QUICK)
    timer.join()
    assert second["sequence"] == 2
    assert repository.pull(STREAM) == SECOND
    repository.run("verify")


def test_a_list_while_an_ingress_has_no_backend_is_not_empty(behind):
    repository, proxy = behind
    timer = for_seconds(proxy, faults.ingress_404(), 0.8)
    assert len(repository.snapshots()) == 1
    timer.join()
    proxy.on(faults.ingress_404(), times=None)
    outcome = repository.run("list", "--store-timeout", "1s", expect=6)
    assert "answered 404" in outcome.err and str(proxy.port) in outcome.err


@pytest.mark.parametrize("what", ["packs", "config"])
def test_a_pull_while_an_ingress_has_no_backend_finds_everything(behind, what):
    repository, proxy = behind
    proxy.on(faults.ingress_404(), method="GET", path=what, times=4)
    assert repository.pull(STREAM) == DATA
    assert proxy.spoiled() == ["ingress_404"] * 4


def test_a_page_that_answers_puts_stores_nothing_and_the_push_knows(behind):
    repository, proxy = behind
    before = repository.objects()
    proxy.on(faults.block_page(), method="PUT" if repository.scheme == "s3" else "POST", nth=2, times=3)
    repository.push(STREAM, SECOND, *QUICK)
    assert proxy.spoiled() == ["block_page"] * 3
    proxy.clear()
    assert any(name.startswith("packs/") for name in repository.objects().keys() - before.keys())
    assert repository.pull(STREAM) == SECOND
    repository.run("verify", "--read-data")


def test_a_server_that_ignores_range_is_slow_and_right(behind):
    repository, proxy = behind
    client = repository.client if repository.scheme == "s3" else None
    is_get = "/packs" if repository.scheme == "s3" else "download.*packs"
    proxy.on(faults.whole_object(client), method="GET", path=is_get + "(?!.*list-type)", times=None)
    assert repository.pull(STREAM) == DATA
    assert repository.pull(STREAM, "--offset", "2000001", "--length", "9999") == DATA[2_000_001:2_010_000]
    assert "whole_object" in proxy.spoiled()
    repository.run("verify", "--read-data")


def test_resume_keeps_what_was_recorded_while_nothing_says_that_it_is_lost(
        new_s3_repository, minio, fault_proxy, tmp_path):
    repository = new_s3_repository(minio)
    repository.run("init")
    repository.push(STREAM, DATA, *QUICK)
    proxy = fault_proxy(minio)
    repository.endpoint = proxy.endpoint
    spool = tmp_path / "spool"
    briefly = ["--store-timeout", "1s"]
    proxy.on(faults.internal_error(), method="PUT", path="/manifests/", times=None)
    repository.run("push", STREAM, "--spool", spool, *QUICK, *briefly, input=SECOND, expect=6)
    proxy.clear()
    proxy.on(faults.ingress_404(), path="packs|manifests|condemned|index", times=None)
    outcome = repository.run("resume", "--spool", spool, *briefly, expect=6)
    assert [path for path in spool.iterdir() if path.name != "lock"], outcome.err
    proxy.clear()
    repository.run("resume", "--spool", spool)
    assert repository.pull(STREAM) == SECOND


def test_a_push_that_waits_for_its_store_says_so(new_s3_repository, minio, fault_proxy):
    repository = new_s3_repository(minio)
    repository.run("init")
    proxy = fault_proxy(minio)
    repository.endpoint = proxy.endpoint
    proxy.on(faults.delay(1.0), method="PUT", path="/packs/")
    stats = repository.push(STREAM, SECOND, *QUICK)["stats"]
    assert stats["bottleneck"] == "store", stats
    assert stats["wait_ns"]["store"] > 700_000_000


def test_encryption_that_the_server_cannot_do_is_told(new_s3_repository, minio):
    repository = new_s3_repository(minio)  # it has no KMS
    err = repository.run("init", "--sse", "aws:kms", expect=2).err
    assert "--sse aws:kms" in err and "--single-writer" not in err


@pytest.fixture
def without_checksums(minio, fault_proxy):
    """A server that refuses the checksum header of a PUT."""
    proxy = fault_proxy(minio)
    body = (b"<Error><Code>InvalidArgument</Code><Message>Unsupported header 'x-amz-checksum-sha256' received for this "
            b"API call.</Message></Error>")
    refused = faults.answer(400, "", body=body)

    def unless_left_out(exchange):
        if "x-amz-checksum-sha256" in exchange.request.headers:
            return refused(exchange)
        return exchange.send(exchange.forward())

    proxy.on(unless_left_out, method="PUT", times=None)
    return proxy


def test_a_checksum_header_that_is_refused_is_left_out_and_doctor_tells(new_s3_repository, minio, without_checksums):
    repository = new_s3_repository(minio)
    repository.endpoint = without_checksums.endpoint
    repository.run("init")
    repository.push(STREAM, DATA, *QUICK)
    assert repository.pull(STREAM) == DATA
    found = {check["name"]: check for check in repository.json("doctor")["checks"]}
    assert found["checksum-header"]["state"] == "notice"
    assert found["checksums"]["state"] == "ok"


def test_locks_are_set_where_the_checksum_header_is_refused(new_s3_repository, minio, without_checksums):
    repository = new_s3_repository(minio, bucket=minio.new_bucket(object_lock=True))
    repository.endpoint = without_checksums.endpoint
    repository.run("init", "--lock-days", "20")
    first = repository.push(STREAM, DATA, *QUICK, "--lock-days", "20")
    assert "retain" not in first["requests"]
    again = repository.push(STREAM, DATA, *QUICK, "--lock-days", "40")
    assert again["requests"]["retain"]["request_count"] > 0
    pack = f"{repository.prefix}/{repository.largest_pack()}"
    assert repository.client.retention(repository.bucket, pack)[0] == "GOVERNANCE"


def test_doctor_tells_a_server_that_is_no_store(behind):
    repository, proxy = behind
    proxy.on(faults.ingress_404(), times=None)
    checks = {check["name"]: check for check in repository.json("doctor", expect=6)["checks"]}
    assert checks["connection"]["state"] == "bad", checks["connection"]
    assert "answered 404" in checks["connection"]["detail"]


def test_a_wrong_endpoint_fails_within_seconds(new_s3_repository, minio, full_run):
    if not full_run:
        pytest.skip("takes 10 s; RequestEngineTest holds the same")
    wrong = ["http://127.0.0.1:1", "http://no-such-host.invalid", f"https://127.0.0.1:{minio.port}"]
    repositories = [new_s3_repository(minio, name=f"wrong{number}") for number in range(len(wrong))]
    started = time.monotonic()
    running = []
    for repository, endpoint in zip(repositories, wrong):
        repository.endpoint = endpoint
        running.append(repository.start("list"))
    for process, endpoint in zip(running, wrong):
        _, err = process.communicate(timeout=60)
        assert process.returncode == 6, err
        assert endpoint in err.decode() and "is the endpoint right" in err.decode()
    assert time.monotonic() - started < 30  # of the 15 minutes of --store-timeout
