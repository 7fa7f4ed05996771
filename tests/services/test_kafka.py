"""The real Kafka broker and its client behave as the tests of topics require."""

import subprocess
import sys
import time
import uuid

import pytest

from services.kafka import KafkaServer
from services.kafka_client import COMPACTED, KafkaClient, Message, library_path, load, wait_for
from services.kafka_security import token

pytestmark = pytest.mark.every_kafka

LONG_AGO = 946_684_800_000  # 2000-01-01
FAR_AHEAD = 253_402_300_799_000  # 9999-12-31


@pytest.fixture(scope="module")
def client(kafka):
    return kafka.client()


@pytest.fixture
def topic(client):
    return new_topic(client)


def new_topic(client, **arguments):
    name = f"topic-{uuid.uuid4().hex[:12]}"
    client.create_topic(name, **arguments)
    return name


def values(records):
    return [record.value for record in records]


def numbered(*numbers):
    return [Message(b"key %d" % number, b"value %d" % number) for number in numbers]


def test_kafka_keeps_records_exactly(client):
    topic = new_topic(client, configs={"message.timestamp.after.max.ms": 2**63 - 1})
    headers = (("trace", b"1"), ("trace", b""), ("none", None), ("bytes", b"\x00\xff"))
    sent = [
        Message(None, b"", headers, LONG_AGO),
        Message(b"", None, (), LONG_AGO + 1),
        Message(b"\x00key", b"value", (("trace", b"1"),), FAR_AHEAD),
    ]
    assert client.produce(topic, 0, sent) == [0, 1, 2]
    read = client.read(topic, 0)
    assert [(record.key, record.value, tuple(record.headers), record.timestamp_ms) for record in read] == sent
    assert [(record.offset, record.timestamp_type) for record in read] == [(n, "CreateTime") for n in range(3)]
    assert client.read(topic, 0, from_offset=2) == read[2:]
    assert client.read(topic, 0, from_offset=3) == []


def test_kafka_takes_many_records_in_each_codec(client, topic):
    sent = numbered(*range(20_000))
    for codec in ("gzip", "snappy", "lz4", "zstd"):
        first = client.ends(topic, 0)[1]
        assert client.produce(topic, 0, sent, compression_codec=codec) == list(range(first, first + len(sent)))
    assert values(client.read(topic, 0)) == [message.value for message in sent] * 4


def test_kafka_says_when_it_set_the_timestamps(client):
    topic = new_topic(client, configs={"message.timestamp.type": "LogAppendTime"})
    client.produce(topic, 0, [Message(value=b"x", timestamp_ms=LONG_AGO)])
    [record] = client.read(topic, 0)
    assert record.timestamp_type == "LogAppendTime" and record.timestamp_ms > LONG_AGO


def test_kafka_hides_what_was_not_committed(client, topic):
    assert client.produce_transaction(topic, 0, numbered(1, 2)).offsets == [0, 1]  # and a marker at 2
    client.produce_transaction(topic, 0, numbered(3), commit=False)
    opened = client.produce_transaction(topic, 0, numbered(4), leave_open=True)
    assert opened.offsets == [5]
    assert client.produce(topic, 0, numbered(5)) == [6]
    assert [record.offset for record in client.read(topic, 0)] == [0, 1]
    assert [record.offset for record in client.read(topic, 0, isolation="read_uncommitted")] == [0, 1, 3, 5, 6]
    assert (client.ends(topic, 0), client.last_stable(topic, 0)) == ((0, 7), 5)
    opened.commit()
    assert [record.offset for record in client.read(topic, 0)] == [0, 1, 5, 6]


def test_kafka_compacts_topics_within_seconds(client):
    topic = new_topic(client, configs=COMPACTED)
    for value in (b"old", b"older than the last", b"last"):
        client.produce(topic, 0, [Message(b"key", value)])
        client.produce(topic, 0, [Message(value, b"once")])
    client.produce(topic, 0, numbered(1))  # ends the segment before it
    found = client.wait_compacted(topic, 0, records_max=5)
    assert [(record.offset, record.key) for record in found] == [
        (1, b"old"), (3, b"older than the last"), (4, b"key"), (5, b"last"), (6, b"key 1")]


def test_kafka_deletes_records_before_an_offset(client, topic):
    client.produce(topic, 0, numbered(*range(10)))
    client.delete_records(topic, 0, 4)
    assert client.ends(topic, 0) == (4, 10)
    assert [record.offset for record in client.read(topic, 0)] == list(range(4, 10))


def test_kafka_retention_moves_the_start_of_a_log(client):
    topic = new_topic(client, configs={"retention.bytes": 1, "segment.bytes": 100})
    for number in range(3):
        client.produce(topic, 0, numbered(number))
    wait_for(lambda: client.ends(topic, 0)[0] == 2, "retention does not delete all but the last segment")
    assert values(client.read(topic, 0)) == [b"value 2"]


def test_kafka_changes_and_deletes_topics(client):
    topic = new_topic(client, partitions=3, configs={"retention.ms": 1000})
    assert client.topics()[topic] == 3
    assert client.describe_configs(topic, own=True) == {"retention.ms": "1000"}
    assert client.describe_configs(topic)["cleanup.policy"] == "delete"
    client.alter_configs(topic, {"retention.ms": None, "segment.ms": 5000})
    assert client.describe_configs(topic, own=True) == {"segment.ms": "5000"}
    client.delete_topic(topic)
    assert topic not in client.topics()


def test_kafka_keeps_the_offsets_of_groups(client):
    topic, group = new_topic(client, partitions=3), f"group-{uuid.uuid4().hex[:12]}"
    client.commit_group(group, {(topic, 0): 7, (topic, 2): 1})
    assert client.group_offsets(group) == {(topic, 0): 7, (topic, 2): 1}


def test_kafka_finds_its_data_after_a_restart(provide):
    with provide(KafkaServer) as kafka:
        client = kafka.client()
        topic = new_topic(client)
        client.produce(topic, 0, numbered(1, 2))
        client.produce_transaction(topic, 0, numbered(3), commit=False)
        for first_free, end in ((4, kafka.kill), (5, kafka.stop)):
            end()
            kafka.start()
            client = kafka.client()
            assert values(client.read(topic, 0))[:2] == [b"value 1", b"value 2"]
            assert client.produce(topic, 0, numbered(4)) == [first_free]


def test_kafka_with_three_brokers_survives_one(provide):
    with provide(KafkaServer, None, 3) as kafka:
        client = kafka.client()
        topic = new_topic(client, partitions=3, replication=3)
        for partition in range(3):
            client.produce(topic, partition, numbered(partition))
        kafka.brokers[1].kill()
        for partition in range(3):
            assert values(client.read(topic, partition)) == [b"value %d" % partition]
            assert client.produce(topic, partition, numbered(9)) == [1]
        kafka.start()
        kafka.kill()  # quicker than to stop all


@pytest.mark.parametrize("listener, user, intruder, reasons", [
    ("SCRAM", "alice", "mallory", {"_AUTHENTICATION"}),
    ("SCRAM_SSL", "alice", "mallory", {"_AUTHENTICATION"}),
    ("MTLS", "bob", None, {"_SSL", "_TRANSPORT"}),  # whether its reason arrives before the connection's end
    ("OAUTH", "alice", None, {"_AUTHENTICATION"}),
    ("OAUTH_SSL", "bob", None, {"_AUTHENTICATION"}),
])
def test_kafka_admits_only_users_with_credentials(kafka_secured, listener, user, intruder, reasons):
    owner, topic = kafka_secured.client(), new_topic(kafka_secured.client())
    principal = "User:CN=bob" if listener == "MTLS" else f"User:{user}"
    for operation in ("READ", "WRITE"):
        owner.allow(principal, operation, "TOPIC", topic)
    assert kafka_secured.client(listener, user).produce(topic, 0, numbered(1)) == [0]
    assert reasons & refused(kafka_secured.client(listener, intruder))


def refused(client):
    """The names of the reasons that a client is given."""
    with pytest.raises(load().KafkaException):
        client.topics(timeout_seconds=1)
    return {error.name() for error in client.errors()}


def test_a_paused_broker_answers_later(provide):
    with provide(KafkaServer) as kafka:
        client = kafka.client()
        topic = new_topic(client)
        kafka.pause()
        try:
            with pytest.raises(load().KafkaException):
                kafka.client().topics(timeout_seconds=1)
        finally:
            kafka.unpause()
        assert topic in client.topics()


def test_kafkas_own_tools_read_the_log_of_a_broker(kafka, client, topic):
    client.produce(topic, 0, [Message(b"a key", b"a value", (("h", b"1"),), LONG_AGO)])
    [segment] = kafka.log_files(topic, 0, "log")
    command = kafka.log_dumper("--print-data-log", "--files", segment)
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"CreateTime: {LONG_AGO} keySize: 5 valueSize: 7 " in printed
    assert "headerKeys: [h] key: a key payload: a value\n" in printed


def test_kafka_checks_tokens(kafka_secured):
    def bearer(seconds):
        settings = kafka_secured.client_settings("OAUTH", "alice")
        del settings["enable.sasl.oauthbearer.unsecure.jwt"]
        return KafkaClient({**settings, "oauth_cb": lambda _: (token("alice", seconds), time.time() + 60)})

    assert isinstance(bearer(seconds=60).topics(), dict)
    assert "_AUTHENTICATION" in refused(bearer(seconds=-60))


def test_kafka_over_tls_asks_for_no_credentials(kafka_secured):
    assert isinstance(kafka_secured.client("SSL").topics(), dict)
    another = kafka_secured.security.client_certificates.ca_file
    assert "_SSL" in refused(kafka_secured.client("SSL", ssl_ca_location=str(another)))


def test_kafka_denies_what_a_user_is_not_permitted(kafka_secured):
    topic = new_topic(kafka_secured.client())
    kafka_secured.client().produce(topic, 0, numbered(1))
    alice = kafka_secured.client("SCRAM", "alice")
    assert topic not in alice.topics()
    kafka_secured.client().allow("User:alice", "DESCRIBE", "TOPIC", topic)
    kafka_secured.client().allow("User:alice", "READ", "GROUP", "*")  # else the client may name the group first
    kafka = load()
    with pytest.raises(kafka.KafkaException) as denied:
        alice.read(topic, 0)
    assert denied.value.args[0].code() == kafka.KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_program_can_run_with_the_librdkafka_of_the_client(client):
    script = "import ctypes; print(ctypes.CDLL('librdkafka.so.1').rd_kafka_version())"
    done = subprocess.run([sys.executable, "-c", script], env={"LD_LIBRARY_PATH": str(library_path().parent)},
                          capture_output=True, text=True, check=True)
    assert int(done.stdout) == load().libversion()[1]
