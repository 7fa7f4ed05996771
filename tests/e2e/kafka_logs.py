"""What the logs of brokers hold, as Kafka's own DumpLogSegments prints them. Nothing of a log is held in memory."""

import hashlib
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

# Of a batch, and of a record. Its text goes on with key and payload, which may hold line feeds.
BATCH = re.compile(rb"baseOffset: .* producerId: (-?\d+) .* isTransactional: (true|false) isControl: (true|false) ")
RECORD = re.compile(rb"\| offset: (\d+) (?:CreateTime|LogAppendTime|NoTimestampType): (.*) sequence: -?\d+ ")
ABORTED = re.compile(rb"version: \d+ producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) ")


@dataclass
class Content:
    """Of one partition: its records that a consumer of committed records sees."""

    records: int = 0
    next_offset: int = 0  # after the last of them
    digest: object = field(default_factory=hashlib.sha256)

    @property
    def told(self):
        """What does not depend on offsets: how many, and the digest of timestamps, sizes, names of headers, keys and
        values, in their order."""
        return self.records, self.digest.hexdigest()


def _dump(kafka, files, *options):
    """The lines of all files, each with the name of the folder, which is that of the partition."""
    command = kafka.log_dumper("--files", ",".join(map(str, files)), *options)
    where = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for line in process.stdout:
            if line.startswith(b"Dumping "):
                where = Path(line[len(b"Dumping "):].decode().strip()).parent.name
            elif not line.startswith(b"Log starting offset: "):
                yield where, line
        error = process.stderr.read().decode()
    assert process.returncode == 0, error


def _aborted(kafka, files):
    """By partition, the transactions that were aborted: producer, first and last offset."""
    found = {}
    for where, line in _dump(kafka, files) if files else []:
        if match := ABORTED.match(line):
            found.setdefault(where, []).append(tuple(map(int, match.groups())))
    return found


class _Reader:
    """Takes the lines of one partition."""

    def __init__(self, aborted, end):
        self.content = Content()
        self._aborted = aborted
        self._end = end  # the last stable offset
        self._producer = None  # of the transaction that the batch belongs to
        self._control = False
        self._taken = False  # whether the last record counts

    def take(self, line):
        if line.startswith(b"| offset: "):
            self._take_record(line)
        elif line.startswith(b"baseOffset: "):
            producer, transactional, control = BATCH.match(line).groups()
            self._producer = int(producer) if transactional == b"true" else None
            self._control = control == b"true"
            self._taken = False
        elif self._taken:  # the text of a record goes on
            self.content.digest.update(line)

    def _take_record(self, line):
        match = RECORD.match(line)
        offset = int(match[1])
        dropped = self._producer is not None and any(
            producer == self._producer and first <= offset <= last for producer, first, last in self._aborted)
        self._taken = not (self._control or dropped or offset >= self._end)
        if self._taken:
            self.content.records += 1
            self.content.next_offset = offset + 1
            self.content.digest.update(match[2])
            self.content.digest.update(line[match.end():])


def committed(kafka, topic, partitions):
    """The Content of each partition of a topic, in the order of their numbers."""
    client = kafka.client()
    names = [f"{topic}-{number}" for number in range(partitions)]
    lists = [file for number in range(partitions) for file in kafka.log_files(topic, number, "txnindex")]
    aborted = _aborted(kafka, lists)
    readers = {name: _Reader(aborted.get(name, []), client.last_stable(topic, number))
               for number, name in enumerate(names)}
    files = [file for number in range(partitions) for file in kafka.log_files(topic, number, "log")]
    for where, line in _dump(kafka, files, "--print-data-log", "--deep-iteration"):
        readers[where].take(line)
    return [readers[name].content for name in names]
