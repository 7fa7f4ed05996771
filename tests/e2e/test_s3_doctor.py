"""`drstream doctor` checks a bucket and the connection to it, and leaves nothing behind; limits and counts of requests."""

import time

import pytest
from repository import sample_bytes
from services import faults
from services.http_client import Reply

STREAM = "pg/app"
DATA = sample_bytes(3_000_000)


def checks(repository, *options, expect=0):
    return {check["name"]: check for check in repository.json("doctor", *options, expect=expect)["checks"]}


def test_a_good_bucket_is_fit_and_left_as_it_was(s3):
    before = s3.objects()
    found = checks(s3)
    for name in ("latency", "clock-skew", "writing", "create-once", "checksums", "removing", "upload", "download",
                 "repository"):  # fmt: skip
        assert found[name]["state"] == "ok", found[name]
    https = s3.endpoint.startswith("https")
    assert found["connection"]["state"] == ("ok" if https else "notice")
    assert ("TLSv1.3" in found["connection"]["detail"]) == https
    assert found["versioning"]["state"] == found["object-lock"]["state"] == "notice"
    assert s3.objects() == before


def test_versioning_and_object_lock_are_seen(minio, new_s3_repository):
    repository = new_s3_repository(minio, bucket=minio.new_bucket(object_lock=True))
    found = checks(repository)
    assert found["versioning"]["state"] == found["object-lock"]["state"] == "ok"
    minio.client().default_retention(repository.bucket, "GOVERNANCE", 7)
    assert "GOVERNANCE 7 days by default" in checks(repository)["object-lock"]["detail"]


def dated(seconds):
    def shifted(exchange):
        reply = exchange.forward()
        headers = dict(reply.headers)
        headers["Date"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))
        exchange.send(Reply(reply.status, headers, reply.body))

    return shifted


@pytest.fixture
def behind(minio, new_s3_repository, fault_proxy):
    """A repository and the proxy before it."""
    proxy = fault_proxy(minio)
    repository = new_s3_repository(minio)
    repository.run("init")
    repository.endpoint = proxy.endpoint
    return repository, proxy


def test_a_server_that_replaces_objects_is_bad(behind):
    repository, proxy = behind

    def replaced(exchange):
        """As by a server that does not know If-None-Match."""
        path, _, _ = exchange.request.target.partition("?")
        exchange.send(repository.client.request("PUT", path, body=exchange.request.body))

    proxy.on(replaced, method="PUT", path="doctor/probe", times=None)
    found = checks(repository, expect=2)
    assert found["create-once"]["state"] == "bad" and "--single-writer" in found["create-once"]["detail"]


def test_a_server_that_keeps_wrong_bytes_is_bad(behind):
    repository, proxy = behind

    def kept(exchange):
        exchange.send(Reply(200, {}, b""))

    proxy.on(kept, method="PUT", path="doctor/checksum")
    assert checks(repository, expect=2)["checksums"]["state"] == "bad"


@pytest.mark.parametrize("seconds, state", [(-300, "notice"), (300, "notice"), (3600, "bad")])
def test_a_clock_that_differs_is_told(behind, seconds, state):
    repository, proxy = behind
    proxy.on(dated(seconds), method="HEAD", times=None)
    found = checks(repository, expect=2 if state == "bad" else 0)["clock-skew"]
    assert found["state"] == state
    assert ("ahead of" if seconds < 0 else "behind") in found["detail"]


def test_a_store_that_is_not_there_is_told_at_once(behind):
    repository, proxy = behind
    proxy.on(faults.lost_request(), times=None)
    assert checks(repository, expect=6)["connection"]["state"] == "bad"


def test_limits_hold_for_all_transfers_together(s3):
    data = sample_bytes(1_500_000)
    began = time.monotonic()
    pushed = s3.push(STREAM, data, "--limit-upload", "1MiB")
    assert time.monotonic() - began > 0.8 * pushed["requests"]["put"]["sent_bytes"] / (1 << 20)
    began = time.monotonic()
    assert s3.pull(STREAM, "--limit-download", "1MiB/s") == data
    assert time.monotonic() - began > 0.8 * pushed["written_bytes"] / (1 << 20)


def test_requests_are_counted_by_kind(behind):
    repository, proxy = behind
    proxy.on(faults.slow_down(), method="PUT", path="packs/")
    counts = repository.push(STREAM, DATA)["requests"]
    methods = [seen.method for seen in proxy.requests]
    assert counts["put"]["attempt_count"] == methods.count("PUT") == counts["put"]["request_count"] + 1
    reads = sum(counts[kind]["attempt_count"] for kind in ("list", "get", "stat"))
    assert reads == methods.count("GET") + methods.count("HEAD")  # a second look at what HEAD did not find is a GET
    assert counts["remove"]["attempt_count"] == methods.count("DELETE") == 1
    proxy.clear()
    pulled = repository.json("pull", STREAM, "-o", str(repository.folder / "out"))["requests"]
    assert sum(count["attempt_count"] for count in pulled.values()) == len(proxy.requests)
    assert "requests: put" in repository.text("push", STREAM, "--stats", input=DATA)
