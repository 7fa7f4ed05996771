"""Digests of Kafka records, and record blocks, written from docs/FORMAT.md alone. See independent_topics.py."""

import struct
from dataclasses import dataclass, field

import independent_reader as form
import xxhash
from independent_reader import Reader, check, check_known

PRIME = (1 << 127) - 1
BASE = int.from_bytes(form.sha256(b"drstream record digest")[:16], "little") % PRIME
COLUMNS = 11
BLOCK_HEADER_BYTES, BLOCK_BYTES_MAX, RECORD_BYTES_MAX = 96, 16 * 65534, 1 << 30
TIMESTAMP_TYPE_MAX = 2


# Digests.


@dataclass
class Record:
    offset: int
    timestamp_ms: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: list = field(default_factory=list)  # (name, value or None)


def nullable(data):
    return struct.pack("<I", 0) if data is None else struct.pack("<I", len(data) + 1) + data


def record_row(record):
    row = struct.pack("<q", record.timestamp_ms) + nullable(record.key) + nullable(record.value)
    row += struct.pack("<I", len(record.headers))
    for name, value in record.headers:
        row += struct.pack("<I", len(name)) + name + nullable(value)
    return row


def record_hash(record):
    return xxhash.xxh3_128_intdigest(record_row(record)) % PRIME


def joined(digest, following, count):
    """The digest of a sequence with `digest`, and after it `count` records with the digest `following`."""
    return (digest * pow(BASE, count, PRIME) + following) % PRIME


def digest_of(records):
    digest = 0
    for record in records:
        digest = joined(digest, record_hash(record), 1)
    return digest


# Record blocks.


def signed(number):
    """The i64 with the low 64 bits of `number`."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def unzigzag(coded):
    return coded >> 1 ^ -(coded & 1)


@dataclass
class RecordBlock:
    topic: int
    partition: int
    first_offset: int
    last_offset: int
    least_ms: int
    greatest_ms: int
    records: list


def read_runs(column, count, what):
    """Pairs of numbers whose second ones, which are not 0, sum to `count`."""
    runs, total = [], 0
    while column.left():
        runs.append((column.varint(), column.varint()))
        check(runs[-1][1] > 0, f"{what}: an empty run")
        total += runs[-1][1]
    check(total == count, f"{what}: runs of {total} records, expected {count}")
    return runs


def read_offsets(column, first, last, count):
    offsets, following = [], first
    for place, (skipped, run) in enumerate(read_runs(column, count, "record block: offsets")):
        check((skipped == 0) == (place == 0), "record block: a run of offsets that is not as long as it could be")
        following += skipped
        check(following + run - 1 <= last, "record block: an offset behind the last")
        offsets += range(following, following + run)
        following += run
    check(offsets[-1] == last, "record block: the last offset")
    return offsets


def read_types(column, count):
    types = []
    for kind, run in read_runs(column, count, "record block: types of timestamps"):
        check(kind <= TIMESTAMP_TYPE_MAX, f"record block: type of a timestamp {kind}")
        check(not types or types[-1] != kind, "record block: a run of types that is not as long as it could be")
        types += [kind] * run
    return types


def take_nullable(column, length):
    return None if length == 0 else column.raw(length - 1)


def read_block_header(data):
    reader = Reader(data[:BLOCK_HEADER_BYTES], "record block")
    count_bytes, layout, zero, columns = reader.u32(), reader.u8(), reader.u8(), reader.u16()
    check_known(layout, [1], "record block: layout")
    check(zero == 0 and columns == COLUMNS, "record block: count of columns")
    topic, partition, first, last, count = reader.u32(), reader.u32(), reader.i64(), reader.i64(), reader.u32()
    block = RecordBlock(topic, partition, first, last, reader.i64(), reader.i64(), [])
    lengths = [reader.u32() for _ in range(COLUMNS)]
    check(count > 0, "record block: no records")
    check(count_bytes <= (RECORD_BYTES_MAX if count == 1 else BLOCK_BYTES_MAX), "record block: its length")
    check(BLOCK_HEADER_BYTES + sum(lengths) == count_bytes, "record block: lengths of columns do not sum")
    check(0 <= first and first + count - 1 <= last and (count > 1 or first == last), "record block: offsets")
    check(block.least_ms <= block.greatest_ms, "record block: timestamps")
    check(all(lengths[i] >= count for i in (1, 3, 4, 5)), "record block: columns that are too short for its records")
    return block, count, count_bytes, lengths


def read_record_block(data):
    block, count, count_bytes, lengths = read_block_header(data)
    reader = Reader(data[BLOCK_HEADER_BYTES:], "record block")
    check(len(data) == count_bytes, "record block: its length")
    columns = [Reader(reader.raw(length), f"record block: column {i}") for i, length in enumerate(lengths)]
    runs, times, types, key_lengths, value_lengths, counts, header_lengths, names, header_values, keys, values = columns
    offsets = read_offsets(runs, block.first_offset, block.last_offset, count)
    timestamp = 0
    for offset, kind in zip(offsets, read_types(types, count)):
        timestamp = signed(timestamp + unzigzag(times.varint()))
        record = Record(offset, timestamp, kind, take_nullable(keys, key_lengths.varint()),
                        take_nullable(values, value_lengths.varint()))  # fmt: skip
        for _ in range(counts.varint()):
            name = names.raw(header_lengths.varint())
            record.headers.append((name, take_nullable(header_values, header_lengths.varint())))
        block.records.append(record)
    for column in columns:
        column.finish()
    timestamps = [record.timestamp_ms for record in block.records]
    check((min(timestamps), max(timestamps)) == (block.least_ms, block.greatest_ms), "record block: timestamps")
    return block
