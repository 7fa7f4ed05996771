"""Peak memory of archives of topics and of restores: what is resident stays within --memory and 32 MiB for the program
itself, the client library included.

At full size with 2,000 partitions and 2.7 GB, with 4 GB that zstd packed some 25 times, and with 2 GB in the largest
records that the memory allows; else with a part of that.
"""

import os
import random
import subprocess
import time

import pytest
from kafka_archives import Archives
from kafka_filler import PACKED_BYTES, fill_topic
from services.kafka_client import Message
from test_memory import MIB, Gauge

FULL = os.environ.get("DRSTREAM_TEST_FULL") == "1"
MEMORY_MIB_MIN = 96
TOPIC_PARTITIONS = 100
TOPICS = 20 if FULL else 2
TOPIC_RECORDS = 400_000 if FULL else 50_000
PACKED_PARTITIONS = 4
PACKED_RECORDS = 4_000_000 if FULL else 240_000
PACKED_TIMES_MIN, PACKED_TIMES_MAX = 15, 60
CASES = [(96, 2), (256, 64), (1024, 2)] if FULL else [(96, 2)]
PACKED_CASES = [(MEMORY_MIB_MIN, threads) for threads in ((1, 2, 64) if FULL else (2, 64))]
LARGE_BYTES = MEMORY_MIB_MIN * MIB // 8  # the largest record that a restore writes within that memory
LARGE_PARTITIONS, LARGE_RECORDS = (16, 160) if FULL else (4, 12)
TIMEOUT_SECONDS = 1800


class TopicGauge(Gauge):
    """Archives topics, restores them under other names, and compares them."""

    def __init__(self, archives, memory_mib, threads):
        archives.drs.timeout_seconds = TIMEOUT_SECONDS
        super().__init__(archives.drs, memory_mib, threads)
        self.archives = archives

    def run(self, title, *words):
        process, err = self.start(*self.archives.arguments(title, "prod", *words), stdout=subprocess.DEVNULL)
        self.check(f"kafka {title}", process, err)

    def check_all(self, topics, records, restored):
        """`topics`: a glob. `restored`: what the names of the restored ones begin with."""
        self.run("archive", "--topics", topics)
        archive = self.archives.show("prod")
        assert sum(each["records"] for topic in archive["topics"] for each in topic["partitions"]) == records
        self.run("restore", "--rename", f"{restored}{{topic}}")
        self.run("compare", "--rename", f"{restored}{{topic}}")
        self.assert_bounded()


def delete_topics(kafka, beginning):
    client = kafka.client()
    for topic in client.topics():
        if topic.startswith(beginning):
            client.delete_topic(topic)


@pytest.fixture(scope="module")
def spread(kafka, seed):
    """The beginning of the names of topics with many partitions."""
    beginning = f"memory-{time.monotonic_ns()}-"
    for number in range(TOPICS):
        kafka.client().create_topic(f"{beginning}{number}", TOPIC_PARTITIONS)
        codecs = ("lz4", "none", "zstd", "snappy") if number % 2 else ("none", "gzip")
        fill_topic(kafka, f"{beginning}{number}", TOPIC_PARTITIONS, TOPIC_RECORDS, codecs, seed=seed + number)
    yield beginning
    delete_topics(kafka, beginning)


@pytest.fixture(scope="module")
def packed(kafka, seed):
    """A topic whose batches expand."""
    name = f"memory-packed-{time.monotonic_ns()}"
    kafka.client().create_topic(name, PACKED_PARTITIONS)
    fill_topic(kafka, name, PACKED_PARTITIONS, PACKED_RECORDS, ("zstd", "zstd"), "packed", seed)
    stored = sum(path.stat().st_size for number in range(PACKED_PARTITIONS)
                 for path in kafka.log_files(name, number, "log"))
    times = PACKED_RECORDS * PACKED_BYTES / stored
    print(f"packed {times:.0f} times")
    assert PACKED_TIMES_MIN < times < PACKED_TIMES_MAX
    yield name
    delete_topics(kafka, name)


@pytest.fixture(scope="module")
def large(kafka, seed):
    """A topic of records that are as large as the least memory allows."""
    name = f"memory-large-{time.monotonic_ns()}"
    client = kafka.client()
    client.create_topic(name, LARGE_PARTITIONS, configs={"max.message.bytes": 2 * LARGE_BYTES})
    for number in range(LARGE_RECORDS):
        value = random.Random(seed + number).randbytes(LARGE_BYTES)
        client.produce(name, number % LARGE_PARTITIONS, [Message(None, value)])
    yield name
    delete_topics(kafka, name)


@pytest.fixture
def restored(kafka):
    """The beginning of the names of restored topics; they are deleted afterwards."""
    beginning = f"restored-{time.monotonic_ns()}."
    yield beginning
    delete_topics(kafka, beginning)


@pytest.fixture
def archives(drs, kafka):
    return Archives(drs, kafka)


def test_less_memory_than_the_least_is_refused(archives):
    words = ("archive", "prod", "--topics", "*", "--memory", f"{MEMORY_MIB_MIN - 1}MiB")
    assert f"{MEMORY_MIB_MIN}" in archives.fails(2, *words)


@pytest.mark.parametrize("memory_mib, threads", CASES)
def test_peak_memory_stays_within_the_ceiling_with_many_partitions(archives, spread, restored, memory_mib, threads):
    TopicGauge(archives, memory_mib, threads).check_all(f"{spread}*", TOPICS * TOPIC_RECORDS, restored)


@pytest.mark.parametrize("memory_mib, threads", PACKED_CASES)
def test_peak_memory_stays_within_the_ceiling_where_batches_expand(archives, packed, restored, memory_mib, threads):
    TopicGauge(archives, memory_mib, threads).check_all(packed, PACKED_RECORDS, restored)


@pytest.mark.parametrize("threads", [1, 64] if FULL else [2])
def test_peak_memory_stays_within_the_ceiling_with_the_largest_records(archives, large, restored, threads):
    TopicGauge(archives, MEMORY_MIB_MIN, threads).check_all(large, LARGE_RECORDS, restored)
