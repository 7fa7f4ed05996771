"""Archives of topics under the commands that treat every snapshot alike, and under signals."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kafka_archives import Archives, partition_of
from services.kafka_client import Message
from test_kafka_archive import RECORDS, archives, numbered, topic  # noqa: F401
from test_s3_lock import days_left, locked, part  # noqa: F401
from test_spool import COMPLETE, entries, slow_store, spool, wait_for_line  # noqa: F401

pytestmark = pytest.mark.every_kafka

INDEPENDENT = Path(__file__).resolve().parents[1] / "engine/format/independent_topics.py"


def heavy(count, seed=1):
    """Records that do not compress."""
    source = random.Random(seed)
    return [Message(b"%d" % n, source.randbytes(1000), (), 1_650_000_000_000 + n) for n in range(count)]


def values(archives, snapshot, name, partition=0):  # noqa: F811
    return [record["value"] for record in archives.cat(snapshot, f"{name}/{partition}")]


def test_another_program_reads_the_same_records_by_the_format_alone(archives, topic):  # noqa: F811
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 0, RECORDS)
    archives.archive("prod", "--topics", topic)
    archives.client.produce_transaction(topic, 1, numbered(200))
    archives.client.delete_records(topic, 0, 2)
    archives.archive("prod", "--topics", topic)
    environment = {**os.environ, "BACKUP_ENCRYPTION_KEY": archives.drs.key}
    command = [sys.executable, INDEPENDENT, archives.drs.path, "latest", "--stream", "prod"]
    printed = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.splitlines()
    for number in (0, 1):
        found = [line for line in map(json.loads, printed) if line["partition"] == number]
        expected = archives.client.read(topic, number, 2 if number == 0 else 0)
        assert [line["offset"] for line in found] == [record.offset for record in expected]
        for line, record in zip(found, expected, strict=True):
            for field, data in (("key", record.key), ("value", record.value)):
                assert (None if line[field] is None else base64.b64decode(line[field])) == data
            assert line["timestamp_ms"] == record.timestamp_ms and len(line["headers"]) == len(record.headers)


def test_rules_and_holds_decide_which_archives_stay(archives, topic):  # noqa: F811
    archives.client.create_topic(topic)
    ids = []
    for run in range(4):
        archives.client.produce(topic, 0, heavy(50, run))
        ids.append(archives.archive("prod", "--topics", topic)["id"])
    archives.drs.run("hold", ids[1])
    archives.drs.run("forget", "prod", "--keep-last", "1", "--prune", "--undo", "0")
    assert [snapshot["id"] for snapshot in archives.drs.snapshots()] == [ids[1], ids[3]]
    archives.drs.run("verify", "--read-data")
    assert len(archives.cat(ids[1], f"{topic}/0")) == 100 and len(archives.cat("prod", f"{topic}/0")) == 200
    archives.drs.run("hold", "--release", ids[1])
    archives.drs.run("forget", ids[1])
    archives.drs.run("unforget", ids[1])
    [again] = [snapshot["id"] for snapshot in archives.drs.snapshots() if snapshot["id"] not in ids]
    assert len(archives.cat(again, f"{topic}/0")) == 100


def test_a_lost_index_is_made_again(archives, topic):  # noqa: F811
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(500))
    archives.archive("prod", "--topics", topic)
    archives.drs.remove_all("index")
    archives.drs.run("repair", "index")
    archives.drs.run("verify", "--read-data")
    archives.client.produce(topic, 0, numbered(10, 500))
    assert archives.archive("prod", "--topics", topic)["records_read"] == 10
    assert values(archives, "prod", topic) == [f"value {n}" for n in range(510)]


def test_what_an_archive_names_again_is_locked_as_long_as_what_it_stores(locked, kafka, topic):  # noqa: F811
    archives = Archives(locked, kafka)  # noqa: F811
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, heavy(300))
    archives.archive("prod", "--topics", topic, "--lock-days", "20")
    first = [name for name in locked.objects() if part(name) == "packs"]
    archives.client.produce(topic, 0, heavy(10, 2))
    archives.archive("prod", "--topics", topic, "--lock-days", "40")
    # The pack of the first records is locked anew; that of the first catalogue alone is no longer needed.
    assert max(days_left(locked, name)[1] for name in first) > 40
    assert len(archives.cat("prod", f"{topic}/0")) == 310


def test_a_killed_archive_that_waits_in_a_spool_is_committed_without_the_cluster(slow_store, spool, kafka, topic):  # noqa: F811
    repository, proxy = slow_store
    archives = Archives(repository, kafka)  # noqa: F811
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, heavy(3000))
    toxic = proxy.bandwidth(64, stream="upstream")
    process = repository.start(*archives.arguments("archive", "prod", "--topics", topic, "--spool", spool),
                               stderr=subprocess.PIPE)
    wait_for_line(process, COMPLETE)
    process.kill()
    proxy.remove(toxic)
    process.communicate()
    assert repository.snapshots() == []
    [committed] = repository.json("resume", "--spool", spool)["committed"]
    assert committed["stream"] == "prod" and entries(spool) == []
    assert len(archives.cat("prod", f"{topic}/0")) == 3000
    assert archives.archive("prod", "--topics", topic)["records_read"] == 0
    repository.run("verify", "--read-data")


def test_sigterm_commits_what_was_read_and_says_so(slow_store, kafka, topic):  # noqa: F811
    repository, proxy = slow_store
    archives = Archives(repository, kafka)  # noqa: F811
    archives.client.create_topic(topic)
    for seed in range(4):
        archives.client.produce(topic, 0, heavy(20_000, seed))
    toxic = proxy.bandwidth(1024, stream="upstream")
    process = repository.start(*archives.arguments("archive", "prod", "--topics", topic), stderr=subprocess.PIPE)
    while not any(name.startswith("packs/") for name in repository.objects()):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    proxy.remove(toxic)
    assert process.wait(repository.timeout_seconds) == 128 + signal.SIGTERM
    process.communicate()
    [snapshot] = repository.snapshots()
    assert snapshot["tags"] == {"partial": "signal"} and not snapshot["producer"]["seen"]
    through = partition_of(archives.show("prod"), topic)["to_offset"]
    assert 0 < through < 80_000
    last = archives.archive("prod", "--topics", topic)
    assert last["complete"] and last["records_read"] == 80_000 - through
    assert [record["offset"] for record in archives.cat("prod", f"{topic}/0")] == list(range(80_000))
