"""A restore into another cluster writes the very records that were archived: `kafka compare --records` says so, a
client says so, and so does what Kafka's own DumpLogSegments prints of both brokers' logs.

At full size 10 million records in 20 partitions, else 20,000; beside them, in topics of their own, all that a record
may be: nulls, headers, timestamps, transactions, records of 20 MiB, compaction, the topic of a schema registry.
"""

import itertools
import json
import os
import time

import pytest
from kafka_archives import Archives, await_configs, content
from kafka_filler import fill_topic
from kafka_logs import committed
from services.kafka import KafkaServer
from services.kafka_client import COMPACTED, Message
from test_kafka_archive import topic  # noqa: F401

MIB = 1 << 20
FULL = os.environ.get("DRSTREAM_TEST_FULL") == "1"
RECORDS = 10_000_000 if FULL else 20_000
PARTITIONS = 20
CODECS = ("lz4", "zstd", "gzip", "snappy", "none")
TIMEOUT_SECONDS = 3600 if FULL else 120

LONG_AGO = 946_684_800_000  # 2000-01-01
FAR_AHEAD = 4_102_444_800_000  # 2100-01-01
TIMESTAMPS = (-1, 1, LONG_AGO, None, FAR_AHEAD)
KEYS = (None, b"", b"k", b"\x00\xff\n")
VALUES = (None, b"", b"v", b"\x00\xff\xfe\r\nline", b"word " * 50)
HEADERS = (
    (),
    (("h", b"1"), ("h", b"2"), ("h", b"1")),
    (("null", None), ("empty", b""), ("", b"no name"), ("", None)),
    (("bytes", bytes(range(256))), ("name \N{SNOWMAN}", b"\n")),
)
LARGE_BYTES = (1 * MIB, 2 * MIB, 5 * MIB, 10 * MIB, 20 * MIB)
LARGE_MEMORY = "192MiB"  # an eighth of it is the largest record that a restore writes
SMALL_MEMORY, SMALL_MEMORY_RECORD_BYTES = "96MiB", 12 * MIB
TAKES_LARGE = {"max.message.bytes": 32 * MIB}


@pytest.fixture(scope="module")
def other_kafka(provide):
    with provide(KafkaServer) as server:
        yield server


class Pair:
    """An archive of one cluster, and another cluster that it is restored into."""

    def __init__(self, drs, kafka, other_kafka):
        drs.timeout_seconds = TIMEOUT_SECONDS
        self.drs = drs
        self.source = Archives(drs, kafka)
        self.target = Archives(drs, other_kafka)

    def archive_and_restore(self, topics, records, memory=LARGE_MEMORY):
        """`topics`: the number of partitions by name."""
        wanted = [word for topic in topics for word in ("--topics", topic)]
        started = time.monotonic()
        report = self.source.archive("prod", *wanted, "--memory", memory)
        assert report["complete"] and report["records"] == records
        archived = time.monotonic()
        restored = self.drs.json(*self.target.arguments("restore", "prod", "--memory", memory))
        assert restored["proven"] and restored["records"] == records
        print(f"{records} records: archived in {archived - started:.0f} s, restored in "
              f"{time.monotonic() - archived:.0f} s")
        compared = self.drs.json(*self.target.arguments("compare", "prod", "--records", "--memory", memory))
        assert compared["equal"] and (compared["records"], compared["extra_records"]) == (records, 0)
        assert len(compared["partitions"]) == sum(topics.values())

    def assert_logs_are_equal(self, topic, partitions):
        """Returns the number of records."""
        source = committed(self.source.kafka, topic, partitions)
        target = committed(self.target.kafka, topic, partitions)
        assert [content.told for content in target] == [content.told for content in source]
        # Offsets begin at 0 and have no gaps.
        assert [content.next_offset for content in target] == [content.records for content in target]
        return sum(content.records for content in target)

    def assert_clients_read_the_same(self, topic, partitions):
        for number in range(partitions):
            expected = content(self.source.client, topic, number)
            assert content(self.target.client, topic, number) == expected, f"{topic}/{number}"


@pytest.fixture
def pair(drs, kafka, other_kafka):
    return Pair(drs, kafka, other_kafka)


def test_logs_that_differ_are_told_apart(kafka, topic):
    first, second = Message(b"k", b"v", (("h", b"1"),), LONG_AGO), Message(b"l", b"w\nx", (), LONG_AGO)
    logs = [
        [first, second], [second, first], [first], [first, second, second],
        [first._replace(key=None), second], [first._replace(value=b""), second],
        [first._replace(headers=(("i", b"1"),)), second], [first._replace(timestamp_ms=LONG_AGO + 1), second],
        [first, second._replace(value=b"w\ny")],
    ]
    client = kafka.client()
    client.create_topic(topic, len(logs))
    for number, records in enumerate(logs):
        client.produce(topic, number, records)
    found = committed(kafka, topic, len(logs))
    assert [each.records for each in found] == [len(records) for records in logs]
    assert len({each.told for each in found}) == len(logs)


def every_case(dice):
    """A record for each choice of timestamp, key, value and headers, in a random order."""
    cases = [Message(key, value, headers, timestamp)
             for timestamp, key, value, headers in itertools.product(TIMESTAMPS, KEYS, VALUES, HEADERS)]
    dice.shuffle(cases)
    return cases


def test_many_records_of_all_sizes_and_codecs_are_the_same_in_another_cluster(pair, topic, dice):
    pair.source.client.create_topic(topic, PARTITIONS)
    started = time.monotonic()
    fill_topic(pair.source.kafka, topic, PARTITIONS, RECORDS, CODECS, seed=dice.randrange(10**6))
    print(f"produced in {time.monotonic() - started:.0f} s")
    pair.archive_and_restore({topic: PARTITIONS}, RECORDS, memory="256MiB")
    started = time.monotonic()
    assert pair.assert_logs_are_equal(topic, PARTITIONS) == RECORDS
    print(f"logs compared in {time.monotonic() - started:.0f} s")
    for kafka in (pair.source, pair.target):
        kafka.client.delete_topic(topic)  # 4 GB at full size


def test_every_kind_of_record_is_the_same_in_another_cluster(pair, topic, dice):
    large, stamped = f"{topic}-large", f"{topic}-stamped"
    topics = {topic: len(CODECS), large: len(CODECS), stamped: 1}
    client = pair.source.client
    for name, partitions in topics.items():
        configs = {large: TAKES_LARGE, stamped: {"message.timestamp.type": "LogAppendTime"}}.get(name)
        client.create_topic(name, partitions, configs=configs)
    cases = every_case(dice)
    for number, codec in enumerate(CODECS):
        client.produce(topic, number, cases, compression_codec=codec)
        size = LARGE_BYTES[number]
        value = dice.randbytes(size) if number % 2 else b"<>" * (size // 2)  # as hard, and as easy, as can be
        client.produce(large, number, [Message(b"before"), Message(None, value), Message(b"after")],
                       compression_codec=codec)
    client.produce(stamped, 0, cases)
    pair.archive_and_restore(topics, len(cases) * (len(CODECS) + 1) + 3 * len(CODECS))
    for name, partitions in topics.items():
        pair.assert_clients_read_the_same(name, partitions)
        assert pair.assert_logs_are_equal(name, partitions) > 0
        await_configs(pair.target.client, name, client.describe_configs(name, own=True))


def test_what_transactions_and_compaction_have_left_is_the_same_in_another_cluster(pair, topic, dice):
    compacted = f"{topic}-compacted"
    client = pair.source.client
    client.create_topic(topic, 2)
    client.create_topic(compacted, configs=COMPACTED)
    visible = 0
    kinds = ("plain", "committed", "aborted")
    for number in range(12):
        records = [Message(b"%d" % n, dice.randbytes(dice.randrange(300)).hex().encode())
                   for n in range(dice.randrange(1, 40))]
        kind = kinds[number] if number < len(kinds) else dice.choice(kinds)
        if kind == "plain":
            client.produce(topic, number % 2, records)
        else:
            client.produce_transaction(topic, number % 2, records, commit=kind == "committed")
        visible += 0 if kind == "aborted" else len(records)
    left_open = client.produce_transaction(topic, 0, [Message(b"open", b"not seen")] * 3, leave_open=True)
    client.produce(topic, 0, [Message(b"behind", b"not seen")] * 2)
    for _ in range(3):
        for key in range(7):
            value = None if key == 3 else b"%d" % dice.randrange(10**9)
            client.produce(compacted, 0, [Message(b"key-%d" % key, value)])
    left = client.wait_compacted(compacted, 0, 8)
    pair.archive_and_restore({topic: 2, compacted: 1}, visible + len(left))
    for name, partitions in ((topic, 2), (compacted, 1)):
        pair.assert_clients_read_the_same(name, partitions)
    assert pair.assert_logs_are_equal(topic, 2) == visible
    assert pair.assert_logs_are_equal(compacted, 1) == len(left)
    left_open.abort()


def schema_records(subjects):
    """As Schema Registry writes them: versions of subjects, one that is deleted, a configuration, a no-op. Also the
    schemas by id."""
    def key(**fields):
        return json.dumps(fields, separators=(",", ":")).encode()

    records = [Message(key(keytype="NOOP", magic=0), None),
               Message(key(keytype="CONFIG", subject=None, magic=0), b'{"compatibilityLevel":"BACKWARD"}')]
    schemas = {}
    for number in range(1, 3 * subjects + 1):
        subject, version = f"subject-{number % subjects}", 1 + (number - 1) // subjects
        schema = json.dumps({"type": "record", "name": f"r{number}", "fields": []})
        value = {"subject": subject, "version": version, "id": number, "schema": schema, "deleted": False}
        records.append(Message(key(keytype="SCHEMA", subject=subject, version=version, magic=1),
                               json.dumps(value).encode()))
        schemas[number] = schema
    # A version that is deleted for ever: its key gets no value.
    records.append(Message(key(keytype="SCHEMA", subject="subject-0", version=1, magic=1), None))
    del schemas[subjects]
    return records, schemas


def registry(client):
    """What a registry knows that reads this cluster's _schemas: schemas by id."""
    latest = {record.key: record.value for record in client.read("_schemas", 0)}
    values = [json.loads(value) for key, value in latest.items() if json.loads(key)["keytype"] == "SCHEMA" and value]
    return {value["id"]: value["schema"] for value in values}


def test_ids_of_schemas_resolve_against_what_is_restored_of_the_registry(pair, topic, dice):
    client = pair.source.client
    records, schemas = schema_records(subjects=5)
    client.create_topic("_schemas", configs={"cleanup.policy": "compact"})
    client.create_topic(topic)
    for record in records:  # the registry writes one after the other
        client.produce("_schemas", 0, [record])
    ids = [dice.choice(list(schemas)) for _ in range(500)]
    client.produce(topic, 0, [Message(None, b"\x00" + number.to_bytes(4, "big") + b"payload") for number in ids])
    try:
        everything = pair.source.archive("prod", "--topics", "*", "--dry-run")
        assert "_schemas" in [planned["topic"] for planned in everything["topics"]]
        pair.archive_and_restore({"_schemas": 1, topic: 1}, len(records) + len(ids))
        assert registry(pair.target.client) == registry(client) == schemas
        framed = [record.value for record in pair.target.client.read(topic, 0)]
        assert [value[0] for value in framed] == [0] * len(ids)
        assert [int.from_bytes(value[1:5], "big") for value in framed] == ids
        known = registry(pair.target.client)
        assert all(known[int.from_bytes(value[1:5], "big")] == schemas[number]
                   for value, number in zip(framed, ids, strict=True))
        pair.assert_clients_read_the_same("_schemas", 1)
        assert pair.assert_logs_are_equal("_schemas", 1) == len(records)
        await_configs(pair.target.client, "_schemas", {"cleanup.policy": "compact"})
    finally:
        for side in (pair.source, pair.target):  # a name that the next run needs
            if "_schemas" in side.client.topics():
                side.client.delete_topic("_schemas")


def test_a_record_that_the_memory_does_not_hold_is_refused_and_written_with_more(pair, topic, dice):
    fits, too_large = f"{topic}-fits", f"{topic}-too-large"
    for name, more_bytes in ((fits, 0), (too_large, 1)):
        pair.source.client.create_topic(name, configs=TAKES_LARGE)
        value = dice.randbytes(SMALL_MEMORY_RECORD_BYTES + more_bytes)
        pair.source.client.produce(name, 0, [Message(b"first", b"1"), Message(None, value), Message(b"last", b"2")])
    pair.archive_and_restore({fits: 1}, 3, memory=SMALL_MEMORY)
    report = pair.source.archive("prod", "--topics", too_large, "--memory", SMALL_MEMORY)
    assert report["records"] == 3
    said = pair.target.fails(2, "restore", "prod", "--memory", SMALL_MEMORY)
    assert f"a record of {SMALL_MEMORY_RECORD_BYTES + 1} bytes is larger than the queue" in said
    assert str(SMALL_MEMORY_RECORD_BYTES) in said and "--memory" in said and "--resume" in said
    restored = pair.drs.json(*pair.target.arguments("restore", "prod", "--resume", "--memory", LARGE_MEMORY))
    assert restored["proven"] and restored["records"] + restored["topics"][0]["records_there"] == 3
    pair.assert_clients_read_the_same(too_large, 1)


def test_a_topic_takes_back_what_is_larger_than_its_max_message_bytes_allows_now(pair, topic, dice):
    small, lowered = f"{topic}-small", f"{topic}-lowered"
    client = pair.source.client
    client.create_topic(small, configs={"max.message.bytes": 3000})
    client.create_topic(lowered, configs=TAKES_LARGE)
    for _ in range(50):  # batches of one
        client.produce(small, 0, [Message(b"k", dice.randbytes(2500))], compression_codec="none")
    client.produce(lowered, 0, [Message(b"k", dice.randbytes(2 * MIB))])
    client.alter_configs(lowered, {"max.message.bytes": 3000})
    pair.archive_and_restore({small: 1, lowered: 1}, 51)
    for name in (small, lowered):
        pair.assert_clients_read_the_same(name, 1)
        await_configs(pair.target.client, name, {"max.message.bytes": "3000"})
