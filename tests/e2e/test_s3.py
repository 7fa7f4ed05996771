"""What a user can do with a local repository, done with one in a bucket of a real S3 server."""

import pytest
from repository import sample_bytes, sha256_hex

STREAM = "pg/app"
DATA = sample_bytes(9_000_000)


def test_a_stream_comes_back_as_it_went_in(s3):
    pushed = s3.push(STREAM, DATA)
    assert pushed["sha256"] == sha256_hex(DATA)
    assert s3.pull(STREAM) == DATA
    assert s3.pull(STREAM, "--offset", "4000001", "--length", "1MiB") == DATA[4_000_001 : 4_000_001 + (1 << 20)]
    assert [snapshot["stream"] for snapshot in s3.snapshots()] == [STREAM]


def test_what_is_known_is_not_stored_again(s3):
    s3.push(STREAM, DATA)
    before = s3.objects()
    again = s3.push(STREAM, DATA)
    assert again["new_bytes"] == 0
    assert sum(len(s3.read_object(name)) for name in s3.objects().keys() - before.keys()) < len(DATA) / 50


@pytest.mark.parametrize("command", [["verify"], ["verify", "--read-data"], ["scrub"], ["doctor"], ["stats"],
                                     ["repair", "index"], ["key", "test"], ["key", "list"]])  # fmt: skip
def test_every_command_works(s3, command):
    s3.push(STREAM, DATA)
    s3.run(*command)
    assert s3.pull(STREAM) == DATA


def test_init_refuses_a_prefix_within_a_repository(s3):
    before = s3.objects()
    for inside in ["packs", "new/deep/"]:
        err = s3.run("init", "-r", f"{s3.path}/{inside}", expect=2).err
        assert f"lies in the repository {s3.path}" in err
    assert s3.objects() == before
    s3.run("init", "-r", f"{s3.path}-beside")


def test_init_refuses_a_prefix_around_a_repository(minio, new_s3_repository):
    s3 = new_s3_repository(minio, bucket=minio.new_bucket())
    inner = f"s3://{s3.bucket}/host/a"
    s3.run("init", "-r", inner)
    for around in ["", "/", "/host"]:
        err = s3.run("init", "-r", f"s3://{s3.bucket}{around}", expect=2).err
        assert "holds the repository" in err and "choose another prefix" in err
    s3.run("init", "-r", inner, expect=2)  # its own
    s3.run("init", "-r", f"s3://{s3.bucket}/host/b")
