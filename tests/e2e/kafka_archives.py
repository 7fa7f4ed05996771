"""Archives of topics as the tests make and read them."""

import json

from services.kafka_client import wait_for


class Archives:
    """The commands of `drstream kafka` on one repository and one cluster."""

    def __init__(self, drs, kafka):
        self.drs = drs
        self.kafka = kafka
        self.client = kafka.client()

    def arguments(self, *words):
        return ["kafka", *words, "--bootstrap", self.kafka.bootstrap]

    def archive(self, name, *options, **settings):
        """What --json says."""
        return self.drs.json(*self.arguments("archive", name, *options), **settings)

    def fails(self, code, *words):
        """What a command of `drstream kafka` that fails says."""
        return self.drs.run(*self.arguments(*words), expect=code).err

    def cat(self, snapshot, partition, *options):
        """The records, as JSON objects."""
        out = self.drs.run("kafka", "cat", snapshot, partition, *options).out
        return [json.loads(line) for line in out.splitlines()]

    def show(self, snapshot, *options):
        return self.drs.json("show", snapshot, *options)["archive"]


def as_printed(record):
    """A record that a client has read, as `drstream kafka cat` prints it. Keys and values are text."""
    def text(data):
        return None if data is None else data.decode()
    types = {"CreateTime": "create", "LogAppendTime": "log-append", None: "none"}
    return {
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "timestamp_type": types[record.timestamp_type],
        "key": text(record.key),
        "value": text(record.value),
        "headers": [{"name": name, "value": text(value)} for name, value in record.headers],
    }


def partition_of(document, topic, number=0):
    """What an archive's JSON says of one partition."""
    [found] = [entry for entry in document["topics"] if entry["topic"] == topic]
    return found["partitions"][number]


def content(client, name, partition):
    """What a restore keeps of the records of a partition."""
    return [(r.timestamp_ms, r.key, r.value, r.headers) for r in client.read(name, partition)]


def await_configs(client, topic, expected):
    """Brokers apply what was set a moment later."""
    found = {}

    def alike():
        found.clear()
        found.update(client.describe_configs(topic, own=True))
        return found == expected

    wait_for(alike, f"{topic} is not configured as {expected}")
