"""Object Lock: every object of a snapshot stays locked for --lock-days from its commit."""

import datetime

import pytest
from repository import sample_bytes

STREAM = "pg/app"
DATA = sample_bytes(6_000_000)
UTC = datetime.timezone.utc
LOCKED = ("config", "keys", "packs", "index", "manifests")


@pytest.fixture
def locked(minio, new_s3_repository):
    """A repository in a bucket with Object Lock."""
    repository = new_s3_repository(minio, bucket=minio.new_bucket(object_lock=True))
    repository.run("init", "--lock-days", "20")
    return repository


def days_left(repository, name):
    """Days for which an object is locked, and how."""
    mode, until = repository.client.retention(repository.bucket, f"{repository.prefix}/{name}")
    until = datetime.datetime.fromisoformat(until.replace("Z", "+00:00"))
    return mode, (until - datetime.datetime.now(UTC)).total_seconds() / 86400


def part(name):
    return name.partition("/")[0]


def test_what_a_push_stores_and_reuses_is_locked_for_the_days_asked(locked):
    locked.push(STREAM, DATA, "--lock-days", "20")
    first = locked.objects()
    for name in first:
        if part(name) in LOCKED:
            mode, days = days_left(locked, name)
            assert mode == "GOVERNANCE" and 20 < days < 23, (name, days)
    # Later, with a longer time: the locks of reused objects are extended.
    pushed = locked.push(STREAM, DATA, "--lock-days", "40")
    assert pushed["requests"]["retain"]["request_count"] == sum(part(name) in LOCKED[:-1] for name in first)
    for name in locked.objects():
        if part(name) in LOCKED and not (part(name) == "manifests" and name in first):
            assert 40 < days_left(locked, name)[1] < 46, name


def test_what_is_locked_long_enough_costs_one_small_request(locked):
    locked.push(STREAM, DATA, "--lock-days", "20")
    again = locked.push(STREAM, DATA, "--lock-days", "20")
    assert "retain" not in again["requests"]
    assert again["requests"]["put"]["request_count"] <= 5  # session, pack with the recipe, index, manifest


def test_what_waits_in_a_spool_is_locked_before_the_snapshot_exists(locked):
    """What is reused is locked by the push, after everything else has left the spool."""
    locked.push(STREAM, DATA, "--lock-days", "20")
    first = locked.objects()
    pushed = locked.push(STREAM, DATA, "--lock-days", "40", "--spool", locked.folder / "spool")
    assert pushed["requests"]["retain"]["request_count"] == sum(part(name) in LOCKED[:-1] for name in first)
    for name in locked.objects():
        if part(name) in LOCKED and not (part(name) == "manifests" and name in first):
            assert 40 < days_left(locked, name)[1] < 46, name


def test_session_objects_are_not_locked(locked, fault_proxy, minio):
    proxy = fault_proxy(minio)
    locked.endpoint = proxy.endpoint
    locked.push(STREAM, DATA, "--lock-days", "20")
    assert [seen.status for seen in proxy.requests if seen.method == "DELETE"] == [204]
    session = next(seen.target for seen in proxy.requests if seen.method == "DELETE")
    versions = [version for version in locked.client.list_versions(locked.bucket) if session.endswith(version.key)]
    body = next(version for version in versions if not version.is_delete_marker)
    assert locked.client.delete(locked.bucket, body.key, body.version_id).status == 204


def test_no_version_of_a_locked_object_can_be_deleted_even_by_root(locked):
    locked.push(STREAM, DATA, "--lock-days", "20", "--lock-mode", "compliance")
    for version in locked.client.list_versions(locked.bucket):
        name = version.key.removeprefix(f"{locked.prefix}/")
        if version.is_delete_marker or part(name) not in ("packs", "manifests", "index"):
            continue
        reply = locked.client.request("DELETE", f"/{locked.bucket}/{version.key}", {"versionId": version.version_id},
                                      {"x-amz-bypass-governance-retention": "true"})
        assert reply.status >= 400, name
    assert locked.pull(STREAM) == DATA


def test_a_writer_with_the_printed_policy_can_lock_but_not_for_ever(locked, minio):
    policy = locked.text("policy", "s3", "--role", "writer", "--lock-days", "20")
    locked.push(STREAM, DATA, "--lock-days", "10")
    owner, locked.client = locked.client, minio.user(policy)
    locked.push(STREAM, DATA[:-9], "--lock-days", "20")
    assert locked.pull(STREAM) == DATA[:-9]
    assert locked.run("push", STREAM, "--lock-days", "4000", input=DATA, expect=5)
    assert locked.run("push", STREAM, "--lock-days", "20", "--lock-mode", "compliance", input=DATA, expect=5)
    locked.client = owner
    assert all(days_left(locked, name)[1] < 23 for name in locked.objects() if part(name) in LOCKED)


def test_a_bucket_without_object_lock_is_told_before_the_stream_is_read(s3):
    outcome = s3.run("push", STREAM, "--lock-days", "20", input=DATA, expect=2)
    assert "has no Object Lock" in outcome.err
    assert s3.snapshots() == []
    assert not any(name.startswith("packs/") for name in s3.objects())


@pytest.mark.local_only("a directory")
def test_a_directory_locks_nothing(drs):
    assert "needs a repository in S3" in drs.run("push", STREAM, "--lock-days", "20", input=DATA, expect=2).err


def test_a_default_retention_of_the_bucket_is_only_ever_extended(locked):
    locked.client.default_retention(locked.bucket, "GOVERNANCE", 30)
    locked.push(STREAM, DATA)
    first = {name for name in locked.objects() if part(name) == "packs"}
    again = locked.push(STREAM, DATA, "--lock-days", "10")
    assert "retain" not in again["requests"]
    assert all(days_left(locked, name)[1] > 29 for name in first)


def test_storage_class_tags_and_server_encryption_reach_the_objects_they_are_for(minio, new_s3_repository):
    repository = new_s3_repository(minio)
    options = ("--storage-class", "REDUCED_REDUNDANCY", "--object-tag", "team=db", "--object-tag", "cost=a b")
    repository.run("init", *options)
    repository.push(STREAM, DATA, *options)
    for name in repository.objects():
        path = f"{repository.prefix}/{name}"
        storage_class = repository.client.head(repository.bucket, path).headers.get("x-amz-storage-class")
        assert storage_class == ("REDUCED_REDUNDANCY" if part(name) == "packs" else None), name
        tags = repository.client.request("GET", f"/{repository.bucket}/{path}", {"tagging": ""}).body
        assert b"<Key>team</Key><Value>db</Value>" in tags and b"<Value>a b</Value>" in tags, name
    assert "restored" in repository.run("push", STREAM, "--storage-class", "GLACIER", input=DATA, expect=2).err
    # MinIO has no key to encrypt with, and says so.
    assert repository.run("push", STREAM, "--sse", "AES256", input=DATA, expect=None).code != 0
