"""A client of Kafka for tests: exact about records and offsets, and done with each call when it returns.

It is confluent-kafka from PyPI, whose wheel brings a librdkafka of its own, newer than Debian's.
"""

import importlib
import sys
import time
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from services.cache import install_once, run_installer

REQUIREMENTS = Path(__file__).with_name("confluent_kafka_requirements.txt")
DESTROY_BROKER = -137  # librdkafka has just learned that a broker has another address than the bootstrap one
CALL_SECONDS = 30
TRY_SECONDS = 2  # of a call that can be repeated
TRANSACTION_MS_MAX = 900_000  # what a broker allows
COMPACTED = {  # settings of a topic whose every batch ends a segment, which is then compacted at once
    "cleanup.policy": "compact", "segment.bytes": 100, "min.cleanable.dirty.ratio": 0.01,
}


class Message(NamedTuple):
    """A record to produce. None is Kafka's null, which differs from an empty value."""

    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int | None = None  # None: now


@dataclass(frozen=True)
class Record:
    """A record as it was read."""

    offset: int
    timestamp_ms: int
    timestamp_type: str | None  # as in message.timestamp.type: CreateTime or LogAppendTime
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def install():
    """The folder of the Python modules."""

    def make(folder):
        run_installer(sys.executable, "-m", "venv", folder)
        run_installer(folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes",
                      "--only-binary", ":all:", "-r", REQUIREMENTS)
        link = folder / "librdkafka/librdkafka.so.1"
        link.parent.mkdir()
        [library] = folder.glob("lib/python*/site-packages/confluent_kafka.libs/librdkafka-*.so.1")
        link.symlink_to(Path("..") / library.relative_to(folder))  # the folder is renamed

    version = REQUIREMENTS.read_text(encoding="utf-8").split()[0]
    folder = install_once(version.replace("==", "-"), make)
    return next(folder.glob("lib/python*/site-packages"))


def library_path():
    """The wheel's librdkafka under the name librdkafka.so.1. A program linked to Debian's runs with this one if
    LD_LIBRARY_PATH names the folder: neither gives versions to its symbols, and the loader looks for the file's name,
    not for the one recorded in it."""
    return install().parents[2] / "librdkafka/librdkafka.so.1"


@cache
def load(module="confluent_kafka"):
    """The module of confluent-kafka, installed if need be."""
    folder = str(install())
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(module)


def wait_for(done, otherwise, pause_seconds=0.05):
    """Returns once done() is true; raises TimeoutError with the text `otherwise`."""
    deadline = time.monotonic() + CALL_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(pause_seconds)


class Transaction:
    """Records of a transaction. While it is open, no record after its first one is `read_committed`."""

    def __init__(self, producer, offsets):
        self.offsets = offsets
        self._producer = producer

    def commit(self):
        self._producer.commit_transaction(CALL_SECONDS)

    def abort(self):
        self._producer.abort_transaction(CALL_SECONDS)


class KafkaClient:
    """`settings`: of librdkafka. `segment_bytes`: how the cluster calls the setting segment.bytes of small segments."""

    def __init__(self, settings, segment_bytes="segment.bytes"):
        self._segment_bytes = segment_bytes
        self._errors = []
        self._settings = {**settings, "error_cb": self._errors.append, "log_level": 0}
        self._kafka, self._admin_module = load(), load("confluent_kafka.admin")
        self._admin = self._admin_module.AdminClient(dict(self._settings))
        self._producers = {}
        self._open = []  # keeps the producers of open transactions alive

    def errors(self):
        """The errors that no call reports, such as refused credentials: where they are, a call only takes too long."""
        self._admin.poll(0)
        return self._errors

    def topics(self, timeout_seconds=CALL_SECONDS):
        """The number of partitions by topic, without Kafka's own topics."""
        found = self._admin.list_topics(timeout=timeout_seconds).topics
        return {name: len(topic.partitions) for name, topic in found.items() if not name.startswith("__")}

    def brokers(self, timeout_seconds=CALL_SECONDS):
        """The ids of the brokers that are there."""
        return set(self._admin.list_topics(timeout=timeout_seconds).brokers)

    def create_topic(self, name, partitions=1, replication=1, configs=None):
        configs = {self._segment_bytes if key == "segment.bytes" else key: str(value)
                   for key, value in (configs or {}).items()}
        topic = self._admin_module.NewTopic(name, partitions, replication, config=configs)
        try:
            self._admin.create_topics([topic], request_timeout=CALL_SECONDS)[name].result()
        except self._kafka.KafkaException as problem:
            if problem.args[0].code() != DESTROY_BROKER:
                raise
            if name not in self.topics():
                self._admin.create_topics([topic], request_timeout=CALL_SECONDS)[name].result()
        wait_for(lambda: self._has_leaders(name, partitions), f"{name} has no leaders")

    def delete_topic(self, name):
        self._admin.delete_topics([name], request_timeout=CALL_SECONDS)[name].result()
        wait_for(lambda: name not in self.topics(), f"{name} is still there")

    def describe_configs(self, topic, own=False):
        """The settings of a topic by name; `own`: only those which differ from the broker's."""
        resource = self._topic_resource(topic)
        entries = self._admin.describe_configs([resource])[resource].result()
        source = self._admin_module.ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return {name: entry.value for name, entry in entries.items() if not own or entry.source == source}

    def alter_configs(self, topic, configs):
        """Sets these settings of a topic, and no others; None returns one to the broker's."""
        wanted = {name: None if value is None else str(value) for name, value in configs.items()}
        kind = self._admin_module.AlterConfigOpType
        entries = [
            self._admin_module.ConfigEntry(name, value,
                                           incremental_operation=kind.DELETE if value is None else kind.SET)
            for name, value in wanted.items()
        ]
        resource = self._topic_resource(topic, incremental_configs=entries)
        self._admin.incremental_alter_configs([resource])[resource].result()

        def told():  # the controller answers before the broker knows
            found = self.describe_configs(topic, own=True)
            return all(found.get(name) == value for name, value in wanted.items())

        wait_for(told, f"{topic} does not have its new configuration")

    def allow(self, principal, operation, kind, name):
        """Permits a principal such as "User:alice" an operation such as "READ" on a "TOPIC" or "GROUP"."""
        admin = self._admin_module
        binding = admin.AclBinding(
            admin.ResourceType[kind], name, admin.ResourcePatternType.LITERAL, principal, "*",
            admin.AclOperation[operation], admin.AclPermissionType.ALLOW)
        self._admin.create_acls([binding])[binding].result()

    def produce(self, topic, partition, records, **settings):
        """The offsets of these records (Message or tuples), all stored; settings of librdkafka with _ for each dot."""
        return self._send(self._producer(**settings), topic, partition, records)

    def produce_transaction(self, topic, partition, records, commit=True, leave_open=False):
        """A Transaction with these records: committed, aborted, or left open for up to 15 minutes."""
        producer = self._kafka.Producer({**self._settings, "transactional.id": uuid.uuid4().hex,
                                         "transaction.timeout.ms": TRANSACTION_MS_MAX})
        producer.init_transactions(CALL_SECONDS)
        producer.begin_transaction()
        transaction = Transaction(producer, self._send(producer, topic, partition, records))
        if leave_open:
            self._open.append(transaction)
        elif commit:
            transaction.commit()
        else:
            transaction.abort()
        return transaction

    def read(self, topic, partition, from_offset=0, isolation="read_committed"):
        """All records up to the end, which for "read_committed" is the first open transaction."""
        start = max(from_offset, self.ends(topic, partition)[0])
        consumer = self._kafka.Consumer({
            **self._settings, "group.id": "drstream-test-reader", "enable.auto.commit": False, "check.crcs": True,
            "enable.partition.eof": True, "auto.offset.reset": "error", "isolation.level": isolation,
            "fetch.wait.max.ms": 50,  # the end shows when a fetch returns without records
        })
        try:
            consumer.assign([self._kafka.TopicPartition(topic, partition, start)])
            return self._read_to_end(consumer)
        finally:
            consumer.close()

    def delete_records(self, topic, partition, before_offset):
        place = self._kafka.TopicPartition(topic, partition, before_offset)
        self._until_ready(lambda: self._admin.delete_records([place], request_timeout=TRY_SECONDS)[place].result())

    def ends(self, topic, partition):
        """The start of the log and its high watermark."""
        spec = self._admin_module.OffsetSpec
        return self._offset(topic, partition, spec.earliest()), self._offset(topic, partition, spec.latest())

    def last_stable(self, topic, partition):
        """The last stable offset: that of the first record of an open transaction, or the high watermark."""
        level = self._kafka.IsolationLevel.READ_COMMITTED
        return self._offset(topic, partition, self._admin_module.OffsetSpec.latest(), isolation_level=level)

    def commit_group(self, group, offsets, metadata=""):
        """Sets {(topic, partition): offset} of a group without members, all with this metadata."""
        places = [self._kafka.TopicPartition(*place, offset, metadata) for place, offset in offsets.items()]
        wanted = self._kafka.ConsumerGroupTopicPartitions(group, places)

        def commit():
            done = self._admin.alter_consumer_group_offsets([wanted])[group].result()
            for place in done.topic_partitions:
                if place.error:
                    raise self._kafka.KafkaException(place.error)

        self._until_ready(commit)

    def group_offsets(self, group):
        """{(topic, partition): offset} of all that a group has committed."""
        wanted = self._kafka.ConsumerGroupTopicPartitions(group)
        found = self._admin.list_consumer_group_offsets([wanted])[group].result().topic_partitions
        return {(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

    def group_metadata(self, group):
        """{(topic, partition): text} of what a group has stored beside its offsets."""
        wanted = self._kafka.ConsumerGroupTopicPartitions(group)
        found = self._admin.list_consumer_group_offsets([wanted])[group].result().topic_partitions
        return {(place.topic, place.partition): place.metadata for place in found if place.metadata}

    def wait_compacted(self, topic, partition, records_max):
        """The records, once compaction has left no more than these. The topic needs settings such as COMPACTED.
        The last batch is never compacted: what the last call of `produce` stored, if it fits into one."""
        found = []

        def few():
            found[:] = self.read(topic, partition)
            return len(found) <= records_max

        wait_for(few, f"{topic} still has more than {records_max} records", 0.2)
        return found

    def _topic_resource(self, topic, **more):
        return self._admin_module.ConfigResource(self._admin_module.ConfigResource.Type.TOPIC, topic, **more)

    def _has_leaders(self, name, partitions):
        topic = self._admin.list_topics(timeout=CALL_SECONDS).topics.get(name)
        return topic and len(topic.partitions) == partitions and all(p.leader >= 0 for p in topic.partitions.values())

    def _offset(self, topic, partition, spec, **options):
        place = self._kafka.TopicPartition(topic, partition)
        return self._until_ready(lambda: self._admin.list_offsets(
            {place: spec}, request_timeout=TRY_SECONDS, **options)[place].result().offset)

    def _until_ready(self, ask):
        """The answer of a partition's leader, or a group's coordinator. The client does not notice by itself that a
        killed one was replaced; a new one still loads."""
        deadline = time.monotonic() + CALL_SECONDS
        while True:
            try:
                return ask()
            except self._kafka.KafkaException as problem:
                errors = self._kafka.KafkaError
                not_yet = problem.args[0].code() in (errors._TIMED_OUT, errors.COORDINATOR_LOAD_IN_PROGRESS,
                                                     errors.NOT_COORDINATOR, errors._NOENT)  # no leader yet
                if time.monotonic() > deadline or not (not_yet or problem.args[0].retriable()):
                    raise
                time.sleep(0.05)

    def _producer(self, **settings):
        key = tuple(sorted(settings.items()))
        if key not in self._producers:
            more = {name.replace("_", "."): value for name, value in settings.items()}
            self._producers[key] = self._kafka.Producer({
                "enable.idempotence": True, "message.max.bytes": 100_000_000, **self._settings, **more})
        return self._producers[key]

    def _send(self, producer, topic, partition, records):
        deliveries = {}
        count = 0
        for count, record in enumerate(records, 1):
            message = Message(*record)
            if message.timestamp_ms == 0:
                raise ValueError("librdkafka takes the timestamp 0 for now")
            arguments = {
                "partition": partition, "headers": list(message.headers), "timestamp": message.timestamp_ms or 0,
                "on_delivery": lambda error, sent, index=count: deliveries.update({index: (error, sent)}),
            }
            self._enqueue(producer, topic, message, arguments)
        if producer.flush(CALL_SECONDS):
            raise TimeoutError(f"{topic} [{partition}] took {len(deliveries)} of {count} records")
        for error, _ in deliveries.values():
            if error:
                raise self._kafka.KafkaException(error)
        return [deliveries[index][1].offset() for index in range(1, count + 1)]

    @staticmethod
    def _enqueue(producer, topic, message, arguments):
        while True:
            try:
                producer.produce(topic, message.value, message.key, **arguments)
                producer.poll(0)
                return
            except BufferError:  # the queue is full
                producer.poll(1)

    def _read_to_end(self, consumer):
        records = []
        while True:
            message = consumer.poll(CALL_SECONDS)
            if message is None:
                raise TimeoutError(f"nothing after {len(records)} records, nor the end")
            if message.error():
                if message.error().code() == self._kafka.KafkaError._PARTITION_EOF:
                    return records
                raise self._kafka.KafkaException(message.error())
            kind, timestamp_ms = message.timestamp()
            kinds = {self._kafka.TIMESTAMP_CREATE_TIME: "CreateTime",
                     self._kafka.TIMESTAMP_LOG_APPEND_TIME: "LogAppendTime"}
            records.append(Record(message.offset(), timestamp_ms, kinds.get(kind), message.key(), message.value(),
                                  message.headers() or []))
