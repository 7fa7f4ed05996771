"""drstream with Kafka 4, and with a librdkafka that is newer than the one it was linked with.

In campaigns, every test that is marked every_kafka runs with each version of both.
"""

import pytest
from kafka_archives import Archives, as_printed, content
from services.kafka_client import Message, library_path, load
from test_kafka_archive import RECORDS, numbered, topic  # noqa: F401

AHEAD = Message(b"ahead", b"v", (), 253_402_300_799_000)  # 9999-12-31
TAKES_AHEAD = {"message.timestamp.after.max.ms": 2**63 - 1}  # Kafka 4 takes one hour where a topic does not say so

newer_librdkafka = pytest.mark.parametrize("librdkafka", ["newer_librdkafka"], indirect=True)


@pytest.fixture
def archives(drs, kafka):
    return Archives(drs, kafka)


def there_and_back(archives, topic):  # noqa: F811
    """Two archives of a new topic, restored and compared, with a group that continues in the restored one."""
    client, group = archives.client, f"{topic}-group"
    client.create_topic(topic, partitions=2, configs=TAKES_AHEAD)
    client.produce(topic, 0, [*RECORDS, AHEAD])
    client.produce_transaction(topic, 1, numbered(30))
    assert archives.archive("prod", "--topics", topic)["records_read"] == 36
    client.produce(topic, 1, numbered(300, 30))
    client.commit_group(group, {(topic, 0): 4, (topic, 1): 50})
    assert archives.archive("prod", "--topics", topic)["records_read"] == 300
    for partition in (0, 1):
        expected = [as_printed(record) for record in client.read(topic, partition)]
        assert archives.cat("prod", f"{topic}/{partition}") == expected
    renamed = ["--rename", "{topic}.r"]
    restored = archives.drs.json(*archives.arguments("restore", "prod", *renamed))
    assert restored["proven"] and restored["records"] == 336
    for partition in (0, 1):
        assert content(client, f"{topic}.r", partition) == content(client, topic, partition)
    assert client.describe_configs(f"{topic}.r", own=True) == client.describe_configs(topic, own=True)
    archives.drs.run(*archives.arguments("compare", "prod", *renamed, "--records"))
    offsets = ["offsets", "prod", *renamed, "--groups", group]
    plan = archives.drs.json(*archives.arguments(*offsets, "--plan"))
    assert [offset["offset"] for offset in plan["groups"][0]["offsets"]] == [4, 49]  # one marker lies before
    archives.drs.run(*archives.arguments(*offsets, "--apply", archives.drs.folder / "before.json"))
    assert client.group_offsets(group)[(f"{topic}.r", 1)] == 49


def test_topics_of_kafka_4_are_archived_and_restored(drs, kafka_4, topic):  # noqa: F811
    archives = Archives(drs, kafka_4)
    there_and_back(archives, topic)
    archives.client.create_topic(f"{topic}.x")
    with pytest.raises(load().KafkaException, match="INVALID_TIMESTAMP"):  # where nothing lifts the limit
        archives.client.produce(f"{topic}.x", 0, [AHEAD])


@newer_librdkafka
def test_topics_are_archived_and_restored_with_a_newer_librdkafka(archives, topic):  # noqa: F811
    there_and_back(archives, topic)
    assert archives.show("prod")["cluster"]["client"] == f"librdkafka {load().libversion()[0]}"


@newer_librdkafka
def test_a_topic_that_was_created_again_with_the_same_records_is_known_by_its_id(archives, topic):  # noqa: F811
    for generation, count in ((1, 20), (2, 50)):
        archives.client.create_topic(topic)
        archives.client.produce(topic, 0, numbered(count))
        report = archives.archive("prod", "--topics", topic)
        assert (report["records_read"], report["topics"][0]["generation"]) == (count, generation)
        archives.client.delete_topic(topic)
    assert any("another id" in warning for warning in report["warnings"])


def test_either_librdkafka_continues_the_archive_of_the_other(archives, topic):  # noqa: F811
    newer = {"LD_LIBRARY_PATH": str(library_path().parent)}
    archives.client.create_topic(topic)
    for number, environment in enumerate((None, newer, None, newer)):
        archives.client.produce(topic, 0, numbered(10, 10 * number))
        report = archives.archive("prod", "--topics", topic, env=environment)
        assert (report["records_read"], report["topics"][0]["generation"], report["warnings"]) == (10, 1, [])
