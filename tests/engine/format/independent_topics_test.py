"""The independent reader finds the records of the golden archive of topics, and no others if a bit is wrong."""

import io
import json
import pathlib

import independent_reader as form
import independent_records
import independent_topics as topics

GOLDEN = pathlib.Path(__file__).parents[2] / "golden/v1-topics"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
STREAMS = [(GOLDEN / stream["label"]).read_bytes() for stream in EXPECTED["streams"]]


def hex_or_none(text):
    return None if text is None else bytes.fromhex(text)


def expected_record(record):
    headers = [(bytes.fromhex(name), hex_or_none(value)) for name, value in record["headers"]]
    return independent_records.Record(record["offset"], record["timestamp_ms"], record["timestamp_type"],
                                      hex_or_none(record["key"]), hex_or_none(record["value"]), headers)  # fmt: skip


def partitions(archive):
    return {(topic.name.decode(), partition.number): (topic, partition)
            for topic in archive.catalogue.topics for partition in topic.partitions}  # fmt: skip


def read_all(streams):
    archive = topics.ArchiveReader(streams)
    return {key: list(archive.records(*found)) for key, found in partitions(archive).items()}


def test_the_golden_streams_have_their_digests():
    for stream, data in zip(EXPECTED["streams"], STREAMS):
        assert (len(data), form.sha256(data).hex()) == (stream["bytes"], stream["sha256"])


def test_each_partition_gives_its_records_and_their_digest():
    found = read_all(STREAMS)
    assert len(found) == len(EXPECTED["partitions"])
    for expected in EXPECTED["partitions"]:
        records = found[expected["topic"], expected["partition"]]
        assert records == [expected_record(record) for record in expected["records"]]
        assert independent_records.digest_of(records).to_bytes(16, "little").hex() == expected["digest"]


def test_the_catalogue_describes_topics_groups_and_cluster():
    catalogue = topics.ArchiveReader(STREAMS).catalogue
    assert [(topic.name, topic.generation, topic.replication) for topic in catalogue.topics] == [(b"audit", 2, 1),
                                                                                               (b"orders", 1, 3)]
    assert catalogue.topics[1].configs == [(b"cleanup.policy", b"compact", 1), (b"retention.ms", b"", 2),
                                           (b"secret", None, 0)]  # fmt: skip
    assert catalogue.groups == {b"billing": [(b"orders", 0, 13, b"caf\xe9"), (b"orders", 7, 45, b"")], b"idle": []}
    assert catalogue.cluster["id"] == b"MkU3OEVBNTcwNTJENDM2Qg"
    assert catalogue.cluster["history"] == b"live"


def test_the_digest_of_parts_follows_from_theirs():
    records = [record for records in read_all(STREAMS).values() for record in records]
    for cut in range(len(records) + 1):
        parts = independent_records.digest_of(records[:cut]), independent_records.digest_of(records[cut:])
        assert independent_records.joined(*parts, len(records) - cut) == independent_records.digest_of(records)


def of_producers(found):
    """What the producers chose of all records: not the offset, not the type of the timestamp."""
    return {key: [independent_records.record_row(record) for record in records] for key, records in found.items()}


def test_a_flipped_bit_changes_nothing_that_a_producer_chose():
    expected, refused, total = of_producers(read_all(STREAMS)), 0, 0
    for number, stream in enumerate(STREAMS):
        for at in range(len(stream)):
            changed = stream[:at] + bytes([stream[at] ^ (1 << at % 8)]) + stream[at + 1 :]
            total += 1
            try:
                assert of_producers(read_all(STREAMS[:number] + [changed] + STREAMS[number + 1 :])) == expected
            except (form.Damaged, form.TooNew):
                refused += 1
    assert refused > 0.99 * total


def test_prints_a_record_a_line():
    archive = topics.ArchiveReader(STREAMS)
    out = io.StringIO()
    topics.print_records(archive, *partitions(archive)["audit", 0], out)
    line = json.loads(out.getvalue())
    assert (line["topic"], line["generation"], line["partition"], line["offset"]) == ("audit", 2, 0, 3)
    assert (line["key"], line["timestamp_ms"], line["timestamp_type"], line["headers"]) == (None, -1, 0, [])
