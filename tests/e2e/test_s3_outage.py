"""A store that goes away and comes back in the middle, credentials that expire, and what the operator is told when
something about the bucket is wrong.
"""

import os
import signal
import threading
import time

import pytest
from campaign_support import QUICK, STREAM, PeakMemory
from repository import random_key, sha256_hex
from services import faults
from services.minio import Minio

MIB = 1 << 20
DATA = os.urandom(12 * MIB)
PROGRAM_BYTES = 32 * MIB  # as in test_memory.py


@pytest.fixture
def own_minio(provide):
    """A server that a test may kill."""
    with provide(Minio) as server:
        yield server


def put_through(process, data):
    """Feeds a process started with a pipe as its input; what it printed."""
    out, err = process.communicate(data, timeout=120)
    return process.returncode, out, err.decode()


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came to this"
        time.sleep(0.02)


def in_the_middle(server, seen, act):
    """A thread that acts once `seen()` is true. `act` gets the server."""

    def watch():
        wait_for(seen)
        act(server)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def kill_and_restart(server):
    server.kill()
    time.sleep(1.5)
    server.start()


def packs(repository):
    try:
        return len([key for key in repository.client.list(repository.bucket) if "/packs/" in key])
    except OSError:
        return 0


def test_a_pull_outlives_a_server_that_is_killed_and_restarted(new_s3_repository, own_minio, toxiproxy):
    repository = new_s3_repository(own_minio)
    repository.run("init")
    repository.push(STREAM, DATA, *QUICK)
    with toxiproxy.proxy(own_minio.port) as wire:
        wire.bandwidth(6 * 1024)
        repository.endpoint = f"http://{wire.address}"
        process = repository.start("pull", STREAM, "-q")
        first = process.stdout.read(MIB)
        kill_and_restart(own_minio)
        rest = process.stdout.read()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert first + rest == DATA


def test_an_outage_that_lasts_too_long_is_told_with_the_endpoint_and_the_last_answer(
    new_s3_repository, own_minio, toxiproxy
):
    repository = new_s3_repository(own_minio)
    repository.run("init")
    repository.variables["DRSTREAM_STORE_TIMEOUT"] = "2s"
    process = repository.start("push", STREAM, *QUICK, "-q", stdin=-1)
    process.stdin.write(DATA[: 8 * MIB])  # more than one pack: the push is under way
    wait_for(lambda: packs(repository) > 0)
    own_minio.kill()
    code, _, err = put_through(process, DATA[8 * MIB :])
    assert code == 6, err
    assert f"127.0.0.1:{own_minio.port}" in err
    assert "--store-timeout 2 s" in err and "connect" in err.lower()
    own_minio.start()
    assert repository.snapshots() == []
    repository.push(STREAM, DATA, *QUICK)
    assert repository.pull(STREAM) == DATA


def test_a_push_outlives_a_server_that_is_killed_and_restarted_within_its_memory(new_s3_repository, own_minio, tmp_path):
    repository = new_s3_repository(own_minio)
    repository.run("init")
    path = tmp_path / "stream"
    path.write_bytes(os.urandom(160 * MIB))
    process = repository.start("push", STREAM, *QUICK, "-q", "--file", path, stderr=None)
    peak = PeakMemory(process)
    wait_for(lambda: packs(repository) > 0)
    kill_and_restart(own_minio)
    assert peak.wait() == 0
    assert peak.total_bytes < 96 * MIB + PROGRAM_BYTES
    pulled = repository.pull(STREAM)
    assert sha256_hex(pulled) == sha256_hex(path.read_bytes())


def test_a_signal_ends_a_push_that_waits_for_its_store(new_s3_repository, own_minio):
    repository = new_s3_repository(own_minio)
    repository.run("init")
    process = repository.start("push", STREAM, *QUICK, "-q", stdin=-1)
    process.stdin.write(DATA[: 8 * MIB])
    wait_for(lambda: packs(repository) > 0)
    own_minio.kill()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    code, _, err = put_through(process, b"")
    assert code == 128 + signal.SIGTERM, err


EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["arn:aws:s3:::*"]}]}'


@pytest.mark.parametrize("command", ["push", "pull"])
def test_credentials_that_expire_in_the_middle_are_renewed(
    new_s3_repository, minio, fault_proxy, metadata_server, command
):
    repository = new_s3_repository(minio)
    repository.run("init")
    if command == "pull":
        repository.push(STREAM, DATA, *QUICK)
    old, new = (minio.client().assume_role(EVERYTHING) for _ in range(2))
    metadata_server.credentials = (old.access_key, old.secret_key, old.session_token)
    proxy = fault_proxy(minio)
    refused = []

    def old_ones_expired(exchange):
        if exchange.request.headers.get("x-amz-security-token") != old.session_token:
            return exchange.send(exchange.forward())
        refused.append(exchange.request.target)
        metadata_server.credentials = (new.access_key, new.secret_key, new.session_token)
        return faults.expired_token()(exchange)

    proxy.on(old_ones_expired, nth=8, times=None)
    repository.endpoint = proxy.endpoint
    repository.variables |= {
        "AWS_ACCESS_KEY_ID": None,
        "AWS_SECRET_ACCESS_KEY": None,
        "AWS_SESSION_TOKEN": None,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": metadata_server.container_url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": metadata_server.container_token,
    }
    if command == "push":
        repository.push(STREAM, DATA, *QUICK)
    assert repository.pull(STREAM) == DATA
    assert refused


def told(repository, *arguments, expect, input=b"some data"):
    """The one message of a command that fails."""
    err = repository.run(*arguments, expect=expect, input=input).err
    assert err.count("error:") == 1, err
    return err


def test_a_missing_bucket_is_told(new_s3_repository, minio):
    repository = new_s3_repository(minio, bucket="no-such-bucket")
    for arguments in (["init"], ["push", STREAM], ["pull", STREAM], ["scrub"]):
        assert "bucket no-such-bucket does not exist there: create it" in told(repository, *arguments, expect=10)


def test_missing_permissions_are_told(new_s3_repository, minio):
    repository = new_s3_repository(minio)
    repository.run("init")
    reader = minio.restricted(repository.bucket, "s3:ListBucket", "s3:GetObject")
    repository.client = reader
    err = told(repository, "push", STREAM, expect=5)
    assert "AccessDenied" in err and "may not put here" in err and "policy" in err
    repository.client = minio.restricted(repository.bucket, "s3:GetObject")
    assert "may not list here" in told(repository, "list", expect=5)


def test_a_wrong_secret_is_told(new_s3_repository, minio):
    repository = new_s3_repository(minio)
    repository.variables["AWS_SECRET_ACCESS_KEY"] = "wrong"
    err = told(repository, "init", expect=5)
    assert "the access key or its secret is wrong" in err
    assert "next step: check the credentials" in err and "disk" not in err


def test_a_wrong_region_is_told(new_s3_repository, minio, fault_proxy):
    repository = new_s3_repository(minio)
    proxy = fault_proxy(minio)
    body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>"
    proxy.on(faults.answer(400, "", body=body), times=None)  # a MinIO without a region takes any
    repository.endpoint = proxy.endpoint
    err = told(repository, "init", expect=2)
    assert "is in region eu-central-1, and us-east-1 was asked: set --region" in err


def test_a_wrong_clock_is_told(new_s3_repository, minio, fault_proxy):
    repository = new_s3_repository(minio)
    proxy = fault_proxy(minio)
    proxy.on(faults.answer(403, "RequestTimeTooSkewed", Date="Sun, 06 Nov 1994 08:49:37 GMT"), times=None)
    repository.endpoint = proxy.endpoint
    err = told(repository, "init", expect=5)
    assert "s ahead of the store's" in err and "NTP" in err


@pytest.mark.parametrize("status, code", [(507, "XMinioStorageFull"), (400, "XMinioAdminBucketQuotaExceeded")])
def test_a_full_bucket_is_told(new_s3_repository, minio, fault_proxy, status, code):
    repository = new_s3_repository(minio)
    repository.run("init")
    proxy = fault_proxy(minio)
    proxy.on(faults.answer(status, code), "PUT", "/packs/", times=None)
    repository.endpoint = proxy.endpoint
    err = told(repository, "push", STREAM, expect=5)
    assert code in err and "full" in err and "free space" in err
    assert repository.snapshots() == []


def test_a_name_that_does_not_resolve_is_told(new_s3_repository, minio):
    repository = new_s3_repository(minio)
    repository.endpoint = "http://no-such-host.invalid:9000"
    repository.variables["DRSTREAM_STORE_TIMEOUT"] = "1s"
    assert "no-such-host.invalid" in told(repository, "init", expect=6)


def test_a_server_without_conditional_writes_needs_a_single_writer(new_s3_repository, minio, fault_proxy):
    repository = new_s3_repository(minio, key=random_key())
    proxy = fault_proxy(minio)
    proxy.on(faults.unconditional(minio.client()), "PUT", times=None)
    repository.endpoint = proxy.endpoint
    assert "--single-writer" in told(repository, "init", expect=2)
    assert not repository.exists()
    repository.variables["DRSTREAM_SINGLE_WRITER"] = "1"
    for arguments in (["init"], ["push", STREAM], ["scrub"]):
        assert "--single-writer" in repository.run(*arguments, input=DATA[:MIB]).err
    assert repository.pull(STREAM) == DATA[:MIB]
