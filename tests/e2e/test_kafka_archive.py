"""kafka archive and cat: topics of a real broker into the repository, and records out of it again."""

import threading
import time

import pytest
from kafka_archives import Archives, as_printed, partition_of
from kafka_filler import fill_topic
from services.kafka_client import COMPACTED, Message
from test_copy import from_env

pytestmark = pytest.mark.every_kafka

RECORDS = [
    Message(b"k1", b"v1", (), 1_600_000_000_000),
    Message(None, b"no key", (("h", b"1"), ("h", b"2"), ("h", b"1")), 1_600_000_000_500),
    Message(b"", b"", (("", b""), ("null", None)), 1_500_000_000_000),
    Message(b"tombstone", None, (), 1_700_000_000_000),
    Message(b"last", b"x" * 3000, (), 1_700_000_000_001),
]


@pytest.fixture
def archives(drs, kafka):
    return Archives(drs, kafka)


@pytest.fixture
def topic(kafka, request):
    """The name of a topic of this test alone."""
    return f"t-{request.node.name}-{time.monotonic_ns()}"[:200].replace("[", "-").replace("]", "")


def numbered(count, begin=0):
    return [Message(b"key-%d" % (n % 7), b"value %d" % n, (), 1_650_000_000_000 + n)
            for n in range(begin, begin + count)]


def test_records_come_out_as_a_client_reads_them(archives, topic):
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 0, RECORDS)
    archives.client.produce(topic, 1, numbered(2000), compression_codec="zstd")
    report = archives.archive("prod", "--topics", topic)
    assert report["complete"] and report["records_read"] == 2005 and report["content"] == "topics"
    assert report["producer"] == {"seen": True, "proof": "captured-ends"}
    for partition in (0, 1):
        expected = [as_printed(record) for record in archives.client.read(topic, partition)]
        assert archives.cat("prod", f"{topic}/{partition}") == expected
    # By offset, by time, and as bytes.
    window = archives.cat("prod", f"{topic}/1", "--from-offset", "1500", "--count", "3")
    assert [record["offset"] for record in window] == [1500, 1501, 1502]
    since = archives.cat("prod", f"{topic}/0", "--since", "2022-01-01")
    assert [record["key"] for record in since] == ["tombstone", "last"]
    raw = archives.drs.run("kafka", "cat", "prod", f"{topic}/0", "--format", "raw", "--count", "2").out
    assert raw == b"v1\nno key\n"
    # The other commands read such a snapshot, too.
    assert archives.drs.snapshots()[0]["content"] == "topics"
    archives.drs.run("verify", "--read-data")
    archives.drs.run("scrub")


def test_the_next_archive_reads_only_what_is_new(archives, topic):
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 0, numbered(500))
    first = archives.archive("prod", "--topics", topic)
    archives.client.produce(topic, 0, numbered(300, 500))
    archives.client.produce(topic, 1, numbered(10))
    second = archives.archive("prod", "--topics", topic)
    assert (first["records_read"], second["records_read"]) == (500, 310)
    assert second["records"] == 810 and second["topics"][0]["generation"] == 1
    third = archives.archive("prod", "--topics", topic)
    assert (third["records_read"], third["records"], third["warnings"]) == (0, 810, [])
    everything = [as_printed(record) for record in archives.client.read(topic, 0)]
    assert archives.cat("prod@latest", f"{topic}/0") == everything
    assert archives.cat(first["id"], f"{topic}/0") == everything[:500]
    # Each needs the data of those before it, whatever becomes of their snapshots.
    archives.drs.run("forget", first["id"], second["id"], "--prune", "--undo", "0")
    archives.drs.run("verify", "--read-data")
    assert archives.cat("prod", f"{topic}/0") == everything


def test_a_topic_that_was_created_again_is_a_new_generation(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(20))
    archives.archive("prod", "--topics", topic)
    archives.client.delete_topic(topic)
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(50, 1000))  # longer than before
    report = archives.archive("prod", "--topics", topic, "--history", "all")
    assert report["records_read"] == 50
    assert any("created again" in warning for warning in report["warnings"])
    generations = {entry["generation"]: entry["partitions"][0]["records"] for entry in report["topics"]}
    assert generations == {1: 20, 2: 50}
    assert archives.cat("prod", f"{topic}/0")[0]["value"] == "value 1000"
    # The history is inherited.
    assert len(archives.archive("prod", "--topics", topic)["topics"]) == 2
    narrower = archives.archive("prod", "--topics", topic, "--history", "live")
    assert len(narrower["topics"]) == 1 and any("keeps less" in warning for warning in narrower["warnings"])


def test_what_is_missing_is_said(archives, topic):
    compacted = f"{topic}-compacted"
    archives.client.create_topic(topic)
    archives.client.produce_transaction(topic, 0, numbered(10))
    archives.client.produce_transaction(topic, 0, numbered(5), commit=False)
    archives.client.produce(topic, 0, numbered(3))
    archives.client.create_topic(compacted, configs=COMPACTED)
    for record in 3 * numbered(7):
        archives.client.produce(compacted, 0, [record])
    left = archives.client.wait_compacted(compacted, 0, 8)
    report = archives.archive("prod", "--topics", topic, "--topics", compacted)
    assert report["records_read"] == 13 + len(left)
    [shown] = archives.show("prod", "--topic", topic)["topics"]
    assert shown["partitions"][0]["missing_offsets"] == 7  # 5 records and 2 markers
    assert {gap["cause"] for gap in shown["partitions"][0]["gaps"]} == {"transaction"}
    [shown] = archives.show("prod", "--topic", compacted)["topics"]
    assert shown["partitions"][0]["gaps"] and {"name": "cleanup.policy", "value": "compact", "origin": "topic"} in \
        shown["configs"]
    assert [record["offset"] for record in archives.cat("prod", f"{compacted}/0")] == [r.offset for r in left]


def test_an_open_transaction_ends_a_partition(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(4))
    transaction = archives.client.produce_transaction(topic, 0, numbered(2), leave_open=True)
    report = archives.archive("prod", "--topics", topic)
    assert report["records_read"] == 4 and any("open transaction" in warning for warning in report["warnings"])
    transaction.commit()
    assert archives.archive("prod", "--topics", topic)["records_read"] == 2


def test_a_producer_that_goes_on_is_no_open_transaction(archives, topic):
    archives.client.create_topic(topic)
    producing = threading.Thread(target=fill_topic, args=(archives.kafka, topic, 1, 1_500_000, ("lz4",)))
    producing.start()
    moved = set()
    while producing.is_alive():
        report = archives.archive("prod", "--topics", topic, "--budget", "1KiB")
        assert not any("open transaction" in warning for warning in report["warnings"])
        moved.add(partition_of(report, topic)["high_watermark"])
    producing.join()
    assert len(moved) > 3


def test_records_of_an_open_transaction_are_not_waited_for(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(4))
    transaction = archives.client.produce_transaction(topic, 0, numbered(2), leave_open=True)
    assert archives.archive("prod", "--topics", topic, "--read-uncommitted")["records_read"] == 6
    assert "give --read-uncommitted again" in archives.fails(2, "archive", "prod", "--topics", topic)
    # The last record of a committed one may come to lie above the last stable offset, too: it is not asked for then.
    assert archives.archive("other", "--topics", topic)["records_read"] == 4
    transaction.commit()
    assert archives.archive("prod", "--topics", topic, "--read-uncommitted")["records_read"] == 0
    assert archives.archive("other", "--topics", topic)["records_read"] == 2


def test_retention_between_two_archives_is_counted(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(100))
    archives.archive("prod", "--topics", topic)
    archives.client.produce(topic, 0, numbered(100, 100))
    archives.client.delete_records(topic, 0, 150)
    report = archives.archive("prod", "--topics", topic)
    partition = partition_of(report, topic)
    assert partition["lost_offsets"] == 50
    assert (partition["from_offset"], partition["to_offset"], partition["records"]) == (150, 200, 50)
    assert any("retention deleted 50 offsets" in warning for warning in report["warnings"])
    # Retention takes a part of what is archived: with history it stays.
    archives.archive("kept", "--topics", topic, "--history", "all")
    archives.client.delete_records(topic, 0, 180)
    assert partition_of(archives.archive("prod", "--topics", topic), topic)["records"] == 20
    assert partition_of(archives.archive("kept", "--topics", topic), topic)["records"] == 50
    assert [r["offset"] for r in archives.cat("prod", f"{topic}/0")] == list(range(180, 200))


def test_groups_are_archived(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(10))
    archives.client.commit_group(f"{topic}-group", {(topic, 0): 4})
    archives.archive("prod", "--topics", topic)
    assert archives.show("prod")["groups"] == [
        {"group": f"{topic}-group", "offsets": [{"topic": topic, "partition": 0, "offset": 4}]}]


def test_wrong_names_and_choices(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(10))
    assert "no topic 'absent'" in archives.fails(3, "archive", "prod", "--topics", "absent")
    assert "no topic of the cluster matches" in archives.fails(3, "archive", "prod", "--topics", "re:no-[0-9]+")
    assert "drstream copy" in archives.fails(2, "archive", "prod", "--topics", topic, "--also", "/x")
    assert "--topics is missing" in archives.fails(2, "archive", "prod")
    assert archives.drs.snapshots() == []
    archives.archive("prod", "--topics", topic)
    assert "kafka archive prod" in archives.drs.run("push", "prod", input=b"x", expect=2).err
    assert "archive of topics" in archives.drs.run("pull", "prod", expect=2).err
    archives.drs.push("bytes", b"x")
    assert "under another name" in archives.fails(2, "archive", "bytes", "--topics", topic)
    assert "not topics" in archives.drs.run("kafka", "cat", "bytes", "t/0", expect=2).err
    assert "partitions 0 to 0" in archives.drs.run("kafka", "cat", "prod", f"{topic}/7", expect=2).err
    unreachable = archives.drs.run("kafka", "archive", "prod", "--topics", topic, "--bootstrap", "127.0.0.1:1",
                                   "--kafka-config", "socket.connection.setup.timeout.ms=1000", expect=3)
    assert "127.0.0.1:1" in unreachable.err


def test_a_budget_and_a_signal_commit_what_was_read(archives, topic):
    archives.client.create_topic(topic, partitions=3)
    for partition in range(3):
        archives.client.produce(topic, partition, [Message(None, b"%d" % n * 200, (), 1) for n in range(20_000)])
    first = archives.archive("prod", "--topics", topic, "--budget", "1MiB")
    assert not first["complete"] and 0 < first["records_read"] < 60_000 and first["tags"] == {"partial": "budget"}
    assert first["producer"] == {"seen": False, "proof": "none"}
    text = archives.drs.run(*archives.arguments("archive", "prod", "--topics", topic, "--budget", "1MiB")).out.decode()
    assert f"{topic}/2 through " in text
    last = archives.archive("prod", "--topics", topic)
    assert last["complete"] and last["records"] == 60_000
    for partition in range(3):
        assert [r["offset"] for r in archives.cat("prod", f"{topic}/{partition}")] == list(range(20_000))


def test_a_dry_run_reads_and_stores_nothing(archives, topic):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(10))
    plan = archives.archive("prod", "--topics", topic, "--dry-run")
    assert plan["offsets_to_read"] == 10
    assert archives.drs.snapshots() == []


@pytest.mark.parametrize("with_same_keys", [True, False])
def test_a_damaged_archive_is_healed_from_a_replica_and_from_a_copy(archives, topic, new_repository, with_same_keys):
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(3000))
    archives.archive("prod", "--topics", topic)
    records = archives.cat("prod", f"{topic}/0")
    drs, other = archives.drs, new_repository("other")
    of = ["--replica-of", drs.path] if with_same_keys else []
    other.run("init", *of, env=from_env(drs) if of else None)
    other.run("copy", "--from-repository", drs.path, env=from_env(drs))
    pack = drs.largest_pack()
    drs.flip(pack, 200)  # in its first block, of records
    drs.run("scrub", expect=4)
    assert "archive prod again" in drs.text("repair", "packs", expect=4)
    healed = drs.json("repair", "packs", "--from-repository", other.path, env=from_env(other))
    assert [entry["outcome"] for entry in healed["damaged_packs"]] == ["condemned"]
    assert healed["blocks_copied" if with_same_keys else "blocks_restored"] == 1
    drs.run("verify", "--read-data")
    assert archives.cat("prod", f"{topic}/0") == records


def test_a_copy_and_a_replica_hold_the_same_records(archives, topic, new_repository):
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 0, numbered(300))
    archives.archive("prod", "--topics", topic)
    archives.client.produce(topic, 1, numbered(200))
    archives.archive("prod", "--topics", topic)
    copy, replica = new_repository("copy"), new_repository("replica")
    copy.run("init")
    replica.run("init", "--replica-of", archives.drs.path, env=from_env(archives.drs))
    for target in (copy, replica):
        for copied in (2, 0):  # the second time both are there
            report = target.json("copy", "--from-repository", archives.drs.path, env=from_env(archives.drs))
            assert report["copied"] == copied
        target.run("verify", "--read-data")
        there = Archives(target, archives.kafka)
        for partition in range(2):
            assert there.cat("prod", f"{topic}/{partition}") == archives.cat("prod", f"{topic}/{partition}")
