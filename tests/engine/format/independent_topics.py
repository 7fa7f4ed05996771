#!/usr/bin/python3
"""Prints the records of an archive of Kafka topics, read as docs/FORMAT.md alone describes it.

usage: independent_topics.py REPOSITORY_DIR SNAPSHOT|latest [--stream NAME] [--topic NAME] [--partition N]
                             [--from-packs]

One JSON object a line: topic, generation, partition, offset, timestamp_ms, timestamp_type, key, value, headers. Keys,
values and names of headers are base64; null is null. Everything that a digest covers is checked before it is printed.
independent_reader.py opens the repository, independent_records.py reads record blocks; this file needs nothing else
besides. ArchiveReader takes the bytes of the streams, wherever they come from.
"""

import base64
import io
import json
import sys
from dataclasses import dataclass, field

import independent_reader as form
from independent_reader import Damaged, Reader, TooNew, WrongKey, check, check_known
from independent_records import (BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES, PRIME, RECORD_BYTES_MAX, digest_of, joined,
                                 read_record_block, record_hash, take_nullable, unzigzag)  # fmt: skip

CONTENT_TOPICS = 1
EXTENT_BYTES, CATALOGUE_EXTENT_BYTES = 120, 164
SEGMENT_TRAILER_BYTES, CATALOGUE_TRAILER_BYTES = 48, 64
GAP_CAUSE_MAX, STATE_MAX, SOURCE_MAX, SOURCE_DEFAULT = 4, 2, 5, 5
SECTION_TOPICS, SECTION_GROUPS, SECTION_CLUSTER = 1, 2, 3
OFFSET_MAX = (1 << 63) - 1


# Segment streams.


def read_digest(reader):
    digest = int.from_bytes(reader.raw(16), "little")
    check(digest < PRIME, f"{reader.what}: a digest of records is out of range")
    return digest


@dataclass
class BlockEntry:
    place: int
    count_bytes: int
    first_offset: int
    last_offset: int
    records: int
    least_ms: int
    greatest_ms: int
    digest: int


def read_block_entry(reader, end, following):
    place, count_bytes = end + reader.varint(), reader.varint()
    first = following + reader.varint()
    last, records = first + reader.varint(), reader.varint()
    least = unzigzag(reader.varint())
    entry = BlockEntry(place, count_bytes, first, last, records, least, least + reader.varint(), read_digest(reader))
    bytes_max = RECORD_BYTES_MAX if records == 1 else BLOCK_BYTES_MAX
    check(BLOCK_HEADER_BYTES <= count_bytes <= bytes_max and place + count_bytes < 1 << 64, "extent index: a place")
    check(last <= OFFSET_MAX and entry.greatest_ms <= OFFSET_MAX, "extent index: an offset or a timestamp")
    check(records > 0 and first + records - 1 <= last and (records > 1 or first == last), "extent index: records")
    check(records <= count_bytes, "extent index: more records than bytes")
    return entry


def read_extent_index(data):
    """The entries of the record blocks, and (from, count of offsets, cause) of the largest gaps."""
    reader = Reader(data, "extent index")
    entries, end, following = [], 0, 0
    count = reader.varint()
    check(count <= 4096, "extent index: count of blocks")
    for _ in range(count):
        entries.append(read_block_entry(reader, end, following))
        end, following = entries[-1].place + entries[-1].count_bytes, entries[-1].last_offset + 1
    gaps, end = [], 0
    count = reader.varint()
    check(count <= 256, "extent index: count of gaps")
    for _ in range(count):
        begin, offsets, cause = end + reader.varint(), reader.varint(), reader.u8()
        if cause > GAP_CAUSE_MAX:
            raise TooNew(f"extent index: cause of a gap {cause}")
        end = begin + offsets
        check(offsets > 0 and end <= OFFSET_MAX, "extent index: a gap")
        gaps.append((begin, offsets, cause))
    reader.finish()
    return entries, gaps


@dataclass
class Extent:
    topic: int
    partition: int
    begin: int
    end: int
    records: int
    payload_bytes: int
    least_ms: int
    greatest_ms: int
    missing_offsets: int
    gaps: int
    digest: int
    last_offset: int
    last_hash: int
    index_place: int
    index_bytes: int


def read_extent(reader):
    extent = Extent(*(reader.number(f) for f in "IIqqQQqqQI"), read_digest(reader), reader.i64(), read_digest(reader),
                    reader.u64(), reader.u32())  # fmt: skip
    offsets = extent.end - extent.begin
    check(0 <= extent.begin <= extent.end, "extent: its offsets")
    check(extent.records + extent.missing_offsets == offsets, "extent: missing offsets")
    check(extent.gaps <= extent.missing_offsets and (extent.gaps == 0) == (extent.missing_offsets == 0), "extent: gaps")
    check(extent.index_bytes >= 2 and extent.index_place + extent.index_bytes < 1 << 64, "extent: place of its index")
    of_records = (extent.payload_bytes, extent.least_ms, extent.greatest_ms, extent.digest, extent.last_offset,
                  extent.last_hash)  # fmt: skip
    if extent.records == 0:
        check(not any(of_records), "extent: it describes records and has none")
    else:
        check(extent.least_ms <= extent.greatest_ms, "extent: timestamps")
        check(extent.begin + extent.records - 1 <= extent.last_offset < extent.end, "extent: its last record")
    return extent


def read_trailer(last, stream_bytes, trailer_bytes, magic):
    """A reader behind the places, and the three places: of the first table, of the second, of the trailer."""
    what = f"trailer of a stream of {stream_bytes} bytes"
    check(len(last) == trailer_bytes, f"{what}: its length")
    reader = Reader(last, what)
    check(reader.raw(7) == magic, f"{what}: magic")
    check_known(reader.u8(), [1], f"{what}: version")
    places = reader.u64(), reader.u64(), reader.u64()
    check(places[2] == stream_bytes - trailer_bytes and places[0] <= places[1] <= places[2], f"{what}: places")
    return reader, places


@dataclass
class Segments:
    topics: list  # (name, id)
    extents: list


def read_segment_directory(end, stream_bytes):
    """`end`: the last bytes of the stream, from its tables on or from before."""
    reader, (topics_place, extents_place, end_place) = read_trailer(end[-SEGMENT_TRAILER_BYTES:], stream_bytes,
                                                                    SEGMENT_TRAILER_BYTES, b"drs-seg")  # fmt: skip
    first = stream_bytes - len(end)
    check(first <= topics_place, "segment directory: it ends early")
    tables = end[topics_place - first : end_place - first]
    check(form.xxh3(tables) == reader.raw(16), "segment directory: xxh3")
    table = Reader(tables[: extents_place - topics_place], "topic table")
    topics = [(table.string(249), table.raw(16)) for _ in range(table.count(19))]
    table.finish()
    check(all(name for name, _ in topics), "topic table: a name")
    table = Reader(tables[extents_place - topics_place :], "extent table")
    extents = [read_extent(table) for _ in range(table.count(EXTENT_BYTES))]
    table.finish()
    check(all(e.topic < len(topics) for e in extents), "extent table: topic of an extent")
    check(all(e.index_place + e.index_bytes <= topics_place for e in extents), "extent table: place of an index")
    return Segments(topics, extents)


# Catalogues.


@dataclass
class Window:
    stream: int
    begin: int
    end: int
    records: int
    digest: int
    extent: Extent


def read_extent_page(page, partition):
    check(len(page) % CATALOGUE_EXTENT_BYTES == 0, "extent page: its length")
    reader, windows, end = Reader(page, "extent page"), [], 0
    while reader.left():
        window = Window(*(reader.number(f) for f in "IqqQ"), read_digest(reader), read_extent(reader))
        extent = window.extent
        offsets = window.end - window.begin
        outside = extent.end - extent.begin - offsets
        check(window.stream > 0 and extent.partition == partition, "extent page: stream or partition")
        check(extent.begin <= window.begin <= window.end <= extent.end, "extent page: a window outside its extent")
        check(window.records <= min(offsets, extent.records), "extent page: records of a window")
        check(extent.records - window.records <= outside, "extent page: records of a window")
        check(window.records > 0 or window.digest == 0, "extent page: digest of a window")
        whole = window.begin == extent.begin and window.records == extent.records
        check(not whole or window.digest == extent.digest, "extent page: digest of a whole extent")
        check(window.begin >= end, "extent page: windows are not in order")
        end = window.end
        windows.append(window)
    return windows


@dataclass
class Partition:
    number: int
    state: int
    log_start: int
    last_stable: int
    high_watermark: int
    lost_offsets: int
    records: int
    begin: int
    end: int
    extents_place: int
    extents: int


@dataclass
class Topic:
    name: bytes
    generation: int
    id: bytes
    replication: int
    configs: list  # (name, value or None, source)
    partitions: list


@dataclass
class Catalogue:
    topics: list = field(default_factory=list)
    groups: dict = field(default_factory=dict)  # name -> [(topic, partition, offset, metadata)]
    cluster: dict = field(default_factory=dict)


def check_sorted(keys, what):
    check(all(a < b for a, b in zip(keys, keys[1:])), f"{what} are not sorted")


def topic_name(reader):
    name = reader.string(249)
    check(name, f"{reader.what}: a topic without a name")
    return name


def read_config(reader):
    name, value, source = reader.string(), take_nullable(reader, reader.u32()), reader.u8()
    if source > SOURCE_MAX:
        raise TooNew(f"{reader.what}: source of a configuration {source}")
    check(name and source != SOURCE_DEFAULT, f"{reader.what}: a configuration")
    return name, value, source


def read_partition(reader, pages_end):
    partition = Partition(*(reader.number(f) for f in "IBqqqQQqqQI"))
    if partition.state > STATE_MAX:
        raise TooNew(f"{reader.what}: state of a partition {partition.state}")
    check(0 <= partition.begin <= partition.end, f"{reader.what}: offsets of a partition")
    check(partition.records <= partition.end - partition.begin, f"{reader.what}: records of a partition")
    check(partition.records == 0 or partition.extents > 0, f"{reader.what}: a partition without extents")
    page_end = partition.extents_place + CATALOGUE_EXTENT_BYTES * partition.extents
    check(page_end <= pages_end, f"{reader.what}: place of an extent page")
    return partition


def read_topic(reader, pages_end):
    topic = Topic(topic_name(reader), reader.u32(), reader.raw(16), reader.u16(), [], [])
    check(topic.generation > 0, f"{reader.what}: generation of a topic")
    topic.configs = [read_config(reader) for _ in range(reader.count(8))]
    topic.partitions = [read_partition(reader, pages_end) for _ in range(reader.count(73))]
    check_sorted([name for name, *_ in topic.configs], f"{reader.what}: configurations")
    check_sorted([partition.number for partition in topic.partitions], f"{reader.what}: partitions")
    return topic


def read_topics(data, pages_end):
    reader = Reader(data, "catalogue: topics")
    topics = [read_topic(reader, pages_end) for _ in range(reader.count(33))]
    reader.finish()
    check_sorted([(topic.name, topic.generation) for topic in topics], "catalogue: topics")
    return topics


def read_groups(data):
    reader, groups = Reader(data, "catalogue: groups"), []
    for _ in range(reader.count(6)):
        name = reader.string()
        offsets = [(topic_name(reader), reader.u32(), reader.i64(), reader.string()) for _ in range(reader.count(17))]
        check_sorted([offset[:2] for offset in offsets], "catalogue: offsets of a group")
        groups.append((name, offsets))
    reader.finish()
    check(groups, "catalogue: a section of groups without any")
    check_sorted([name for name, _ in groups], "catalogue: groups")
    return dict(groups)


def read_cluster(data):
    reader = Reader(data, "catalogue: cluster")
    names = ["id", "client", "brokers", "captured_ns", "groups_ns", "read_uncommitted", "history"]
    cluster = dict(zip(names, (reader.string(), reader.string(), reader.u32(), reader.i64(), reader.i64(), reader.u8(),
                               reader.string())))  # fmt: skip
    reader.finish()
    check(cluster["read_uncommitted"] <= 1, "catalogue: flag of uncommitted records")
    return cluster


def read_catalogue(end, stream_bytes):
    """`end`: the last bytes of the stream, from its sections on or from before."""
    reader, (sections_place, table_place, end_place) = read_trailer(end[-CATALOGUE_TRAILER_BYTES:], stream_bytes,
                                                                    CATALOGUE_TRAILER_BYTES, b"drs-cat")  # fmt: skip
    count = reader.u32()
    check(reader.raw(12) == bytes(12), "catalogue: reserved bytes of its trailer")
    first = stream_bytes - len(end)
    check(first <= sections_place, "catalogue: it ends early")
    check(end_place - table_place == 24 * count, "catalogue: count of sections")
    check(form.xxh3(end[sections_place - first : end_place - first]) == reader.raw(16), "catalogue: xxh3")
    table = Reader(end[table_place - first : end_place - first], "catalogue: table of sections")
    sections, place, before = {}, sections_place, 0
    for _ in range(count):
        kind, zeros, stated, size = table.u16(), table.raw(6), table.u64(), table.u64()
        check(kind > before and zeros == bytes(6), "catalogue: sections are not sorted")
        check(stated == place and place + size <= table_place, "catalogue: place of a section")
        sections[kind] = end[place - first : place - first + size]
        place, before = place + size, kind
    check(place == table_place, "catalogue: sections do not end at their table")
    check(SECTION_TOPICS in sections and SECTION_CLUSTER in sections, "catalogue: a section is missing")
    catalogue = Catalogue(read_topics(sections[SECTION_TOPICS], sections_place))
    if SECTION_GROUPS in sections:
        catalogue.groups = read_groups(sections[SECTION_GROUPS])
    catalogue.cluster = read_cluster(sections[SECTION_CLUSTER])
    return catalogue


# An archive.


def check_gaps(extent, gaps, offsets):
    check(len(gaps) == min(extent.gaps, 256), "extent: count of gaps in its index")
    inside = all(extent.begin <= begin and begin + count <= extent.end for begin, count, _ in gaps)
    check(inside, "extent: a gap outside")
    check(all(not begin <= offset < begin + count for begin, count, _ in gaps for offset in offsets),
          "extent: a record in a gap")
    missing = sum(count for _, count, _ in gaps)
    check(missing == extent.missing_offsets or len(gaps) < extent.gaps, "extent: gaps do not sum")


class ArchiveReader:
    """An archive, given its streams in the order of the manifest. `streams` needs only a length and indexing."""

    def __init__(self, streams):
        self.streams, self.directories = streams, {}
        self.catalogue = read_catalogue(streams[0], len(streams[0]))

    def windows(self, partition):
        end = partition.extents_place + CATALOGUE_EXTENT_BYTES * partition.extents
        windows = read_extent_page(self.streams[0][partition.extents_place : end], partition.number)
        check(sum(window.records for window in windows) == partition.records, "catalogue: records of a partition")
        inside = all(partition.begin <= w.begin and w.end <= partition.end for w in windows)
        check(inside, "catalogue: a window outside of its partition")
        return windows

    def directory(self, number):
        if number not in self.directories:
            check(number < len(self.streams), f"catalogue: stream {number}")
            self.directories[number] = read_segment_directory(self.streams[number], len(self.streams[number]))
        return self.directories[number]

    def extent_records(self, number, extent):
        """All records of an extent of a stream, after comparing them with its index."""
        stream = self.streams[number]
        entries, gaps = read_extent_index(stream[extent.index_place : extent.index_place + extent.index_bytes])
        records, digest = [], 0
        for entry in entries:
            block = read_record_block(stream[entry.place : entry.place + entry.count_bytes])
            found = (block.first_offset, block.last_offset, len(block.records), block.least_ms, block.greatest_ms,
                     digest_of(block.records))  # fmt: skip
            check(found == (entry.first_offset, entry.last_offset, entry.records, entry.least_ms, entry.greatest_ms,
                            entry.digest), "a record block differs from its entry in the extent index")
            check((block.topic, block.partition) == (extent.topic, extent.partition), "record block: its partition")
            records += block.records
            digest = joined(digest, entry.digest, entry.records)
        check((len(records), digest) == (extent.records, extent.digest), "extent: its records")
        check_gaps(extent, gaps, [record.offset for record in records])
        check(not records or (records[-1].offset, record_hash(records[-1])) == (extent.last_offset, extent.last_hash),
              "extent: its last record")  # fmt: skip
        return records

    def records(self, topic, partition):
        """Yields the records of a partition (of a Topic and its Partition), window by window, each checked first."""
        for window in self.windows(partition):
            directory = self.directory(window.stream)
            check(window.extent in directory.extents, "catalogue: an extent that its stream does not have")
            check(directory.topics[window.extent.topic][0] == topic.name, "catalogue: an extent of another topic")
            records = [record for record in self.extent_records(window.stream, window.extent)
                       if window.begin <= record.offset < window.end]  # fmt: skip
            check(len(records) == window.records, "catalogue: count of a window's records")
            check(digest_of(records) == window.digest, "catalogue: digest of a window's records")
            yield from records


def read_streams(repository, manifest):
    """The bytes of each stream of a snapshot of topics."""
    if manifest.content != CONTENT_TOPICS:
        raise LookupError(f"snapshot of content {manifest.content}: no archive of topics")
    streams = []
    for stream in manifest.streams:
        out = io.BytesIO()
        repository.write_stream(stream, out)
        streams.append(out.getvalue())
    return streams


def json_text(data):
    return None if data is None else base64.b64encode(data).decode()


def print_records(archive, topic, partition, out):
    for record in archive.records(topic, partition):
        headers = [[json_text(name), json_text(value)] for name, value in record.headers]
        line = {"topic": topic.name.decode("latin-1"), "generation": topic.generation, "partition": partition.number,
                "offset": record.offset, "timestamp_ms": record.timestamp_ms, "timestamp_type": record.timestamp_type,
                "key": json_text(record.key), "value": json_text(record.value), "headers": headers}  # fmt: skip
        print(json.dumps(line), file=out)


def main(store=form.Folder):
    parser = form.command_line(__doc__)
    parser.add_argument("--topic")
    parser.add_argument("--partition", type=int)
    arguments = parser.parse_args()
    try:
        archive = ArchiveReader(read_streams(*form.open_snapshot(arguments, store)))
        for topic in archive.catalogue.topics:
            if arguments.topic in (None, topic.name.decode("latin-1")):
                for partition in topic.partitions:
                    if arguments.partition in (None, partition.number):
                        print_records(archive, topic, partition, sys.stdout)
    except (Damaged, TooNew, WrongKey, LookupError, OSError) as problem:
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
