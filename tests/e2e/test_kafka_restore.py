"""kafka restore, compare and offsets: an archive back into a real broker, proven, with its consumer groups."""

import json
import os
import random
import time

import pytest
from json_schemas import assert_valid
from kafka_archives import Archives, await_configs, content
from services.kafka import KafkaServer
from services.kafka_client import COMPACTED, Message
from test_kafka_archive import RECORDS, numbered, topic  # noqa: F401

pytestmark = pytest.mark.every_kafka


@pytest.fixture
def archives(drs, kafka):
    return Archives(drs, kafka)


def restore(archives, snapshot, *options, **settings):
    return archives.drs.json(*archives.arguments("restore", snapshot, *options), **settings)


def test_a_restored_topic_holds_what_was_archived(archives, topic):  # noqa: F811
    configs = {"retention.ms": "3153600000000", "segment.ms": "3600000"}
    archives.client.create_topic(topic, partitions=3, configs=configs)
    archives.client.produce(topic, 0, RECORDS)
    archives.client.produce_transaction(topic, 1, numbered(30))
    archives.client.produce_transaction(topic, 1, numbered(5), commit=False)
    archives.archive("prod", "--topics", topic)
    archives.client.produce(topic, 1, numbered(500, 30))
    archives.archive("prod", "--topics", topic)
    plan = restore(archives, "prod", "--rename", "{topic}.restored", "--dry-run")
    assert plan["conflicts"] == [] and plan["topics"][0]["records"] == 535
    assert 0 < plan["expected_seconds"] < 60
    slowly = restore(archives, "prod", "--rename", "{topic}.restored", "--dry-run", "--rate-limit", "1KiB")
    assert slowly["expected_seconds"] > plan["topics"][0]["payload_bytes"] / 1024
    assert f"{topic}.restored" not in archives.client.topics()
    report = restore(archives, "prod", "--rename", "{topic}.restored")
    assert report["proven"] and report["records"] == 535
    for partition in range(3):
        expected = content(archives.client, topic, partition)
        assert content(archives.client, f"{topic}.restored", partition) == expected
    await_configs(archives.client, f"{topic}.restored", archives.client.describe_configs(topic, own=True))
    # It exists now.
    refused = archives.fails(2, "restore", "prod", "--rename", "{topic}.restored")
    assert "it exists" in refused and "nothing was written" in refused and "incomplete" not in refused
    assert "it exists" in archives.fails(2, "restore", "prod")


def test_progress_tells_the_time_left_of_each_topic(archives, topic):  # noqa: F811
    for name, count in (("large", 2000), ("small", 20)):
        archives.client.create_topic(f"{topic}.{name}")
        archives.client.produce(f"{topic}.{name}", 0, numbered(count))
    archives.archive("prod", "--topics", f"{topic}.*")
    reader, writer = os.pipe()
    with open(reader, "rb") as lines:
        restore(archives, "prod", "--rename", "{topic}.r", "--rate-limit", "20KiB", "--progress-fd", writer,
                pass_fds=[writer])
        os.close(writer)
        said = [json.loads(line) for line in lines]
    for line in said:
        assert_valid(line)
    assert said[-1]["topics_total"] == said[-1]["topics_done"] == 2 and said[-1]["topics"] == []
    done = [line["topics_done"] for line in said]
    assert done[0] == 0 and done == sorted(done)
    assert said[-1]["bytes"] == said[-1]["total_bytes"]
    left = [one for line in said for one in line["topics"] if "remaining_seconds" in one]
    assert left and {one["topic"] for one in left} <= {f"{topic}.large.r", f"{topic}.small.r"}


def test_windows_of_offsets_and_of_time(archives, topic):  # noqa: F811
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(100))
    archives.archive("prod", "--topics", topic)
    report = restore(archives, "prod", "--rename", "{topic}.a", "--from-offset", f"{topic}/0=20",
                     "--until-offset", f"{topic}/0=50")
    assert report["records"] == 30
    assert content(archives.client, f"{topic}.a", 0) == content(archives.client, topic, 0)[20:50]
    report = restore(archives, "prod", "--rename", f"{topic}={topic}.b", "--since", "2022-04-15T05:20:00.050Z")
    assert content(archives.client, f"{topic}.b", 0) == content(archives.client, topic, 0)[100 - report["records"]:]
    archives.drs.run(*archives.arguments("compare", "prod", "--rename", "{topic}.a", "--from-offset", f"{topic}/0=20",
                                         "--until-offset", f"{topic}/0=50", "--records"))


def test_compare_names_the_first_difference(archives, topic):  # noqa: F811
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, numbered(1000))
    archives.archive("prod", "--topics", topic)
    for name, records in (("same", numbered(1000)), ("more", numbered(1010)), ("fewer", numbered(990)),
                          ("other", [*numbered(700), Message(b"x", b"y"), *numbered(299, 701)])):
        archives.client.create_topic(f"{topic}.{name}")
        archives.client.produce(f"{topic}.{name}", 0, records)
    def compare(name, code):
        return archives.drs.json(*archives.arguments("compare", "prod", "--rename", f"{{topic}}.{name}"), expect=code)
    assert compare("same", 0)["equal"]
    assert compare("more", 0)["extra_records"] == 10
    [fewer] = compare("fewer", 8)["partitions"]
    assert fewer["records"] == 990 and "offset 990 is missing" in fewer["difference"]
    # A cluster that cannot be reached does not differ.
    for command in (["compare", "prod"], ["offsets", "prod", "--plan"]):
        archives.drs.run("kafka", *command, "--bootstrap", "127.0.0.1:1", expect=3)
    [other] = compare("other", 8)["partitions"]
    assert other["records"] == 700 and "offset 700 differs from the target's at offset 700" in other["difference"]


def test_a_topic_that_something_else_filled_is_not_taken_for_an_interrupted_restore(archives, topic):  # noqa: F811
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 0, numbered(100))
    archives.archive("prod", "--topics", topic)
    archives.client.create_topic(f"{topic}.x", partitions=2)
    archives.client.produce(f"{topic}.x", 0, numbered(5, 1000))
    refused = archives.fails(2, "restore", "prod", "--rename", "{topic}.x", "--resume")
    assert "not what an interrupted restore" in refused
    # Nor is one that holds records where the archive has none.
    archives.client.create_topic(f"{topic}.y", partitions=2)
    archives.client.produce(f"{topic}.y", 1, numbered(5))
    refused = archives.fails(2, "restore", "prod", "--rename", "{topic}.y", "--resume")
    assert "not what an interrupted restore" in refused


def test_brokers_that_learn_late_of_topics_and_their_configurations_do_not_matter(drs, provide, topic):  # noqa: F811
    with provide(KafkaServer, None, 3) as kafka:
        archives = Archives(drs, kafka)  # noqa: F811
        configs = {"message.timestamp.type": "LogAppendTime", "segment.ms": "7200000"}
        archives.client.create_topic(topic, partitions=10, configs=configs)
        archives.client.produce(topic, 0, numbered(10))
        archives.archive("prod", "--topics", topic)
        # Many at a time: the brokers are busy.
        restores = [drs.start(*archives.arguments("restore", "prod", "--rename", f"{topic}={topic}.{number}"))
                    for number in range(8)]
        for process in restores:
            error = process.communicate(timeout=drs.timeout_seconds)[1]
            assert process.returncode == 0, error.decode()
        for number in range(8):
            await_configs(archives.client, f"{topic}.{number}", configs)


def test_existing_topics_are_used_only_if_empty_and_alike(archives, topic):  # noqa: F811
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce(topic, 0, numbered(10))
    archives.archive("prod", "--topics", topic)
    def use(name, code=0):
        return archives.drs.run(*archives.arguments("restore", "prod", "--rename", f"{{topic}}.{name}",
                                                    "--existing-topics", "use"), expect=code).err
    archives.client.create_topic(f"{topic}.good", partitions=2, configs={"segment.ms": "7200000"})
    use("good")
    assert archives.client.describe_configs(f"{topic}.good", own=True) == {"segment.ms": "7200000"}
    assert "holds records" in use("good", 2)
    archives.client.create_topic(f"{topic}.three", partitions=3)
    assert "3 partitions, the archived one 2" in use("three", 2)
    archives.client.create_topic(f"{topic}.compacted", partitions=2, configs=COMPACTED)
    assert "compacted" in use("compacted", 2)


def test_existing_topics_that_would_not_keep_the_records_are_refused(archives, topic):  # noqa: F811
    day_ms = 86_400_000
    old_ms = int(time.time() * 1000) - 30 * day_ms
    archives.client.create_topic(topic, configs={"retention.ms": "-1"})
    archives.client.produce(topic, 0, [Message(b"k", b"v", (), old_ms + i) for i in range(10)])
    archives.archive("prod", "--topics", topic)
    unfit = {"message.timestamp.type": "LogAppendTime", "message.timestamp.before.max.ms": str(day_ms),
             "retention.ms": str(7 * day_ms)}
    for number, (config, value) in enumerate(unfit.items()):
        name = f"{topic}.{number}"
        archives.client.create_topic(name, configs={"retention.ms": "-1"} | {config: value})
        words = ["restore", "prod", "--rename", f"{{topic}}.{number}", "--existing-topics", "use"]
        assert config in archives.fails(2, *words)
        plan = archives.drs.json(*archives.arguments(*words, "--dry-run"), expect=2)
        assert config in plan["conflicts"][0]
        assert archives.client.ends(name, 0) == (0, 0)


def test_an_existing_topic_that_takes_small_batches_only_gets_such(archives, topic):  # noqa: F811
    dice = random.Random(7)
    archives.client.create_topic(topic)
    archives.client.produce(topic, 0, [Message(b"%d" % n, dice.randbytes(1000)) for n in range(500)])
    archives.archive("prod", "--topics", topic)
    archives.client.create_topic(f"{topic}.small", configs={"max.message.bytes": "20000"})
    report = restore(archives, "prod", "--rename", "{topic}.small", "--existing-topics", "use")
    assert report["proven"] and report["records"] == 500


def test_a_new_topic_takes_every_timestamp_and_what_retention_deletes_is_said(drs, provide, topic):  # noqa: F811
    """A broker that limits the timestamps of new topics, as those of 4.0 and later do."""
    limits = {"log.message.timestamp.before.max.ms": "1000", "log.message.timestamp.after.max.ms": "1000"}
    with provide(KafkaServer, None, 1, limits) as server:
        archives = Archives(drs, server)
        now_ms = int(time.time() * 1000)
        times = [now_ms - 10**10, now_ms, now_ms + 10**10]
        free = {"message.timestamp.before.max.ms": str(2**63 - 1), "message.timestamp.after.max.ms": str(2**63 - 1)}
        archives.client.create_topic(topic, configs=free | {"retention.ms": str(10**9)})
        archives.client.produce(topic, 0, [Message(b"k", b"v", (), time_ms) for time_ms in times])
        archives.archive("prod", "--topics", topic)
        plan = archives.drs.json(*archives.arguments("restore", "prod", "--rename", "{topic}.r", "--dry-run"))
        assert "retention.ms of 11 days" in plan["remarks"][0]
        assert restore(archives, "prod", "--rename", "{topic}.r")["proven"]


def test_groups_continue_where_they_were(archives, topic):  # noqa: F811
    archives.client.create_topic(topic, partitions=2)
    archives.client.produce_transaction(topic, 0, numbered(10))
    archives.client.produce_transaction(topic, 0, numbered(20, 10))
    group = f"{topic}-group"
    archives.client.commit_group(group, {(topic, 0): 15, (topic, 1): 0}, "of the source")
    archives.archive("prod", "--topics", topic)
    restore(archives, "prod", "--rename", "{topic}.r")
    words = ["offsets", "prod", "--rename", "{topic}.r", "--groups", group]
    plan = archives.drs.json(*archives.arguments(*words, "--plan"))
    assert [offset["offset"] for offset in plan["groups"][0]["offsets"]] == [14, 0]  # one marker lies before
    file = archives.drs.folder / "before.json"
    archives.drs.run(*archives.arguments(*words, "--apply", file))
    assert archives.client.group_offsets(group)[(f"{topic}.r", 0)] == 14
    assert archives.client.group_metadata(group)[(f"{topic}.r", 0)] == "of the source"
    assert archives.client.read(f"{topic}.r", 0)[14].value == archives.client.read(topic, 0, 15)[0].value
    assert "no group" in archives.fails(2, "offsets", "prod", "--groups", f"{group}x", "--apply", f"{file}.x")
    assert "name another file" in archives.fails(2, *words, "--apply", file)
    archives.client.commit_group(group, {(f"{topic}.r", 0): 30})
    archives.drs.run(*archives.arguments("offsets", "prod", "--undo", file))
    assert archives.client.group_offsets(group) == {(topic, 0): 15, (topic, 1): 0}
    # Once more: none of the offsets is left.
    archives.drs.run(*archives.arguments("offsets", "prod", "--undo", file))
    # What the group had at the target comes back as it was.
    archives.client.commit_group(group, {(f"{topic}.r", 0): 3}, "of the target")
    again = archives.drs.folder / "again.json"
    archives.drs.run(*archives.arguments(*words, "--apply", again))
    archives.drs.run(*archives.arguments("offsets", "prod", "--undo", again))
    assert archives.client.group_offsets(group)[(f"{topic}.r", 0)] == 3
    assert archives.client.group_metadata(group)[(f"{topic}.r", 0)] == "of the target"
    # Another topic than the restored one.
    archives.client.create_topic(f"{topic}.x", partitions=2)
    archives.client.produce(f"{topic}.x", 0, numbered(40, 500))
    assert "does not hold what was restored" in archives.fails(
        8, "offsets", "prod", "--rename", "{topic}.x", "--groups", group, "--plan")


@pytest.mark.parametrize("groups", [
    {"schema": 5, "groups": []}, {"groups": "all"}, {"groups": [{"group": "g", "offsets": 7}]},
    {"groups": [{"group": "g", "offsets": [{"topic": "t", "partition": 2**32, "offset": 1}]}]},
    {"groups": [{"group": "g", "offsets": [{"topic": "t", "partition": 0, "offset": 2**63}]}]}])
def test_a_file_that_is_none_of_saved_offsets_is_refused(drs, groups):
    file = drs.folder / "saved.json"
    file.write_text(json.dumps({"schema": "drstream.kafka-offsets-undo/1", **groups}))
    refused = drs.run("kafka", "offsets", "prod", "--undo", file, "--bootstrap", "127.0.0.1:1", expect=2).err
    assert "is no file of" in refused
