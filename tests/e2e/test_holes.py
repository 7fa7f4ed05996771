"""pull --allow-holes: what damage has left, with a map of what it took, and never a byte that is neither."""

import json
import os
import random
import stat
import subprocess
import threading

import pytest
from json_schemas import assert_valid, documents_in, jsonschema
from repository import sample_bytes, sha256_hex

STREAM = "pg/app"
SIZE = 6_000_000
DATA = sample_bytes(SIZE)


@pytest.fixture
def pushed(drs):
    """The first half and the second half lie in packs of their own; a third push holds all of it."""
    drs.push("first", DATA[: SIZE // 2])
    drs.push("second", DATA[SIZE // 2 :])
    drs.push(STREAM, DATA)
    return drs


def ranges_of(map_document):
    return [(hole["offset_bytes"], hole["offset_bytes"] + hole["bytes"]) for hole in map_document["holes"]]


class Holes:
    """One pull into a file, and the map that it wrote."""

    def __init__(self, drs, *options, selector=STREAM, expect=8, size=SIZE):
        folder = drs.folder / f"holes{len(list(drs.folder.glob('holes*')))}"
        folder.mkdir()
        self.output, self.map_file = folder / "output", folder / "map.json"
        self.outcome = drs.run("--json", "pull", selector, "-o", self.output, "--allow-holes", "--holes", self.map_file,
                               *options, expect=expect)
        self.data = self.output.read_bytes()
        self.map = json.loads(self.map_file.read_text())
        self.answer = json.loads(self.outcome.out)
        self.ranges = ranges_of(self.map)
        assert self.map["schema"] == "drstream.holes/1" and self.map["snapshot"] == self.answer["id"]
        assert self.map["stream_bytes"] == size
        assert self.answer["hole_count"] == len(self.ranges)
        assert self.answer["holes_bytes"] == self.map["holes_bytes"] == sum(end - begin for begin, end in self.ranges)
        assert self.answer["bytes"] == len(self.data)
        if jsonschema is not None:
            assert_valid(self.map)
        assert [path.name for path in folder.iterdir() if ".part" in path.name] == []


def filled(data, ranges, begin=0, end=None):
    """Bytes `begin` to `end` of a stream, zeros where it has holes."""
    out = bytearray(data)
    for first, last in ranges:
        out[first:last] = bytes(last - first)
    return bytes(out[begin:end])


def joined(ranges):
    out = []
    for begin, end in sorted(ranges):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((begin, end))
    return out


def affected(drs, snapshot):
    """The ranges of a snapshot that verify reports as damaged."""
    report = drs.json("verify", "--read-data", "--read-only", expect=4)
    ranges = []
    for finding in report["findings"]:
        assert finding["affected_count"] == len(finding["affected"]), "too many ranges for this test"
        ranges += [(entry["offset_bytes"], entry["offset_bytes"] + entry["bytes"])
                   for entry in finding["affected"] if entry["snapshot"] == snapshot]
    return joined(ranges)


def two_large_packs(drs):
    objects = drs.objects()
    return sorted(drs.names("packs"), key=objects.get)[-2:]


def test_an_intact_snapshot_is_restored_as_always(pushed):
    run = Holes(pushed, expect=0)
    assert run.data == DATA
    assert run.map["holes"] == [] and run.map["sha256"] == sha256_hex(DATA)
    assert run.answer["whole"] and run.answer["exit_code"] == 0 and run.answer["sha256"] == sha256_hex(DATA)
    assert "hole" not in run.outcome.err


@pytest.mark.every_store
def test_a_rotten_block_is_a_hole_of_zeros_and_the_rest_is_there(pushed):
    pack = pushed.largest_pack()
    pushed.flip(pack)
    run = Holes(pushed)
    assert run.ranges and run.answer["holes_bytes"] <= 1 << 20
    assert run.data == filled(DATA, run.ranges)
    for hole in run.map["holes"]:
        assert hole["reason"] == "damaged" and hole["block_kind"] == "data" and hole["object"] == pack
        assert hole["output_offset_bytes"] == hole["offset_bytes"]
    assert joined(run.ranges) == affected(pushed, run.answer["id"])
    assert not run.answer["whole"] and "sha256" not in run.answer and run.map["sha256"] == sha256_hex(DATA)
    begin, end = run.ranges[0]
    assert f"hole: bytes {begin} to {end} of the stream: damaged data in {pack}" in run.outcome.err
    assert "the SHA-256 of the stream was not compared" in run.outcome.err
    assert stat.S_IMODE(run.output.stat().st_mode) & 0o077 == 0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("threads", [1, 4])
def test_several_holes_are_exactly_what_verify_reports(pushed, seed, threads):
    dice = random.Random(seed)
    for pack in two_large_packs(pushed):
        for _ in range(dice.randrange(1, 4)):
            pushed.flip(pack, dice.randrange(200, pushed.objects()[pack] - 200))
    run = Holes(pushed, "--threads", threads, expect=(0, 8))
    assert run.data == filled(DATA, run.ranges)
    if run.outcome.code == 0:
        assert run.ranges == []  # only the tables of the packs were hit, of which the index has a copy
    else:
        assert joined(run.ranges) == affected(pushed, run.answer["id"])


@pytest.mark.every_store
def test_a_missing_pack_is_a_hole_and_named(pushed):
    pack = two_large_packs(pushed)[0]
    pushed.remove_object(pack)
    run = Holes(pushed)
    assert run.data == filled(DATA, run.ranges)
    assert {hole["object"] for hole in run.map["holes"]} == {pack}
    assert {hole["reason"] for hole in run.map["holes"]} == {"missing"}
    assert run.answer["holes_bytes"] > SIZE // 3
    assert joined(run.ranges) == affected(pushed, run.answer["id"])


def test_a_lost_recipe_is_a_hole_of_all_that_it_describes(drs):
    drs.push(STREAM, DATA)
    before = set(drs.names("packs"))
    again = drs.push(STREAM, DATA)
    (recipe,) = set(drs.names("packs")) - before
    drs.remove_object(recipe)
    run = Holes(drs)
    assert run.answer["id"] == again["id"]
    assert run.data == bytes(SIZE) and run.ranges == [(0, SIZE)]
    assert run.map["holes"][0]["block_kind"] == "recipe" and run.map["holes"][0]["reason"] == "missing"


def test_a_hole_ends_where_other_copies_of_the_chunks_begin(pushed):
    pushed.remove_object(two_large_packs(pushed)[0])
    lost = Holes(pushed)
    middle = (lost.ranges[0][0] + lost.ranges[-1][1]) // 2
    pushed.run("scrub", expect=None)
    pushed.run("verify", "--read-data", expect=4)
    pushed.push("half", DATA[:middle])
    less = Holes(pushed)
    assert less.data == filled(DATA, less.ranges)
    assert 0 < less.answer["holes_bytes"] < lost.answer["holes_bytes"]
    assert less.data[: middle - 100_000] == DATA[: middle - 100_000]
    pushed.push("all", DATA)
    whole = Holes(pushed, expect=0)
    assert whole.data == DATA and whole.answer["whole"]


@pytest.mark.parametrize("offset, length", [(0, 2_000_000), (1_234_567, 3_000_000), (5_999_000, 1000), (2_999_999, 2)])
def test_a_range_has_the_holes_that_lie_in_it(pushed, offset, length):
    pushed.remove_object(two_large_packs(pushed)[0])
    pushed.flip(two_large_packs(pushed)[-1])
    whole = Holes(pushed)
    part = Holes(pushed, "--offset", offset, "--length", length, expect=(0, 8))
    inside = [(max(begin, offset), min(end, offset + length)) for begin, end in whole.ranges]
    assert part.ranges == [(begin, end) for begin, end in inside if begin < end]
    assert part.data == filled(DATA, whole.ranges, offset, offset + length)
    assert part.map["offset_bytes"] == offset and part.map["bytes"] == length
    assert part.outcome.code == (8 if part.ranges else 0)
    for hole in part.map["holes"]:
        assert hole["output_offset_bytes"] == hole["offset_bytes"] - offset


def test_holes_can_be_left_out_and_the_map_says_where(pushed):
    for pack in two_large_packs(pushed):
        pushed.flip(pack)
    run = Holes(pushed, "--omit-holes")
    assert run.map["fill"] == "omitted" and run.ranges
    rebuilt = bytearray(run.data)
    for hole in run.map["holes"]:  # in the order of the stream, so each finds the ones before it filled in
        rebuilt[hole["offset_bytes"] : hole["offset_bytes"]] = bytes(hole["bytes"])
    assert bytes(rebuilt) == filled(DATA, run.ranges)
    left_out = 0
    for hole in run.map["holes"]:
        assert hole["output_offset_bytes"] == hole["offset_bytes"] - left_out
        left_out += hole["bytes"]
    assert "left out of the output" in run.outcome.err


def test_a_file_that_existed_reads_as_zeros_in_the_holes(pushed, tmp_path):
    target = tmp_path / "app.dump"
    target.write_bytes(b"\xff" * (SIZE + 5000))
    pushed.flip(pushed.largest_pack())
    pushed.run("pull", STREAM, "-o", target, "--allow-holes", expect=2)
    pushed.run("pull", STREAM, "-o", target, "--allow-holes", "--force", "--holes", tmp_path / "map", expect=8)
    ranges = ranges_of(json.loads((tmp_path / "map").read_text()))
    assert target.read_bytes() == filled(DATA, ranges)


def test_stdout_gets_the_same_and_stderr_says_that_a_reader_cannot_tell(pushed, tmp_path):
    pushed.flip(pushed.largest_pack())
    expected = Holes(pushed)
    outcome = pushed.run("pull", STREAM, "--allow-holes", expect=8)
    assert outcome.out == expected.data
    assert "cannot tell holes from data" in outcome.err and "hole: bytes" in outcome.err
    answer = pushed.run("pull", STREAM, "--allow-holes", "--json", "-q", expect=8)
    assert answer.out == expected.data
    (document,) = [d for d in documents_in(answer.err.encode()) if d.get("schema") == "drstream.pull/1"]
    assert document["exit_code"] == 8 and document["holes_bytes"] == expected.answer["holes_bytes"]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    outcome = pushed.run("pull", STREAM, "-o", fifo, "--allow-holes", expect=8)
    reader.join()
    assert got == [expected.data] and "cannot tell holes from data" in outcome.err


def test_many_holes_are_told_in_few_lines_and_listed_in_the_map(drs):
    """Every other piece is stored a second time, so that a lost pack leaves a hole for each of the others."""
    pieces = [random.Random(i).randbytes(100_000) for i in range(60)]
    data = b"".join(pieces)
    drs.push(STREAM, data)
    drs.push(STREAM, data)  # its recipe lies in another pack
    drs.remove_object(drs.largest_pack())
    drs.run("verify", expect=4)
    drs.push("others", b"".join(pieces[::2]))
    run = Holes(drs, size=len(data))
    assert len(run.ranges) > 20
    assert run.data == filled(data, run.ranges)
    assert len([line for line in run.outcome.err.splitlines() if "hole: bytes" in line]) == 20
    assert f"and {len(run.ranges) - 20} more holes; {run.map_file} lists them all" in run.outcome.err


REFUSED = [
    (["--allow-holes", "--exec", "--", "cat"], "exclude each other"),
    (["--omit-holes", "-o", "{folder}/out"], "--omit-holes needs --allow-holes"),
    (["--holes", "{folder}/map", "-o", "{folder}/out"], "--holes needs --allow-holes"),
    (["--allow-holes", "--holes", "-"], "not stdout"),
    (["--allow-holes", "--holes", "{folder}/out", "-o", "{folder}/./out"], "are both"),
    (["--allow-holes", "--holes", "{folder}", "-o", "{folder}/out"], "not a regular file"),
    (["--allow-holes", "--holes", "{folder}/there", "-o", "{folder}/out"], "--force"),
    (["--allow-holes", "--holes", "{folder}/none/map", "-o", "{folder}/out"], "none"),
]


@pytest.mark.parametrize("options, text", REFUSED)
def test_what_is_refused_writes_nothing(pushed, tmp_path, options, text):
    (tmp_path / "there").write_text("precious")
    pushed.flip(pushed.largest_pack())
    before = sorted(path.name for path in tmp_path.iterdir())
    outcome = pushed.run("pull", STREAM, *[option.format(folder=tmp_path) for option in options], expect=2)
    assert text in outcome.err
    assert outcome.out == b"" and sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "there").read_text() == "precious"


def test_force_replaces_an_old_map(pushed, tmp_path):
    (tmp_path / "map").write_text("old" * 100_000)
    pushed.flip(pushed.largest_pack())
    outcome = pushed.run("pull", STREAM, "--allow-holes", "--holes", tmp_path / "map", "--force", "-o", "-", expect=8)
    ranges = ranges_of(json.loads((tmp_path / "map").read_text()))
    assert outcome.out == filled(DATA, ranges)


def test_a_reader_that_goes_away_leaves_no_map(pushed, tmp_path):
    pushed.flip(pushed.largest_pack())
    process = pushed.start("pull", STREAM, "--allow-holes", "--holes", tmp_path / "map", stderr=subprocess.DEVNULL)
    process.stdout.read(1000)
    process.stdout.close()
    assert process.wait(60) == 8
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == []


def test_without_the_option_damage_still_ends_the_pull_and_the_next_step_names_it(pushed, tmp_path):
    pushed.flip(pushed.largest_pack())
    outcome = pushed.run("pull", STREAM, "-o", tmp_path / "out", expect=4)
    assert "--allow-holes" in outcome.err and not (tmp_path / "out").exists()


@pytest.mark.local_only("damages a file")
def test_a_damaged_manifest_is_no_hole(pushed, tmp_path):
    snapshot = pushed.json("show", STREAM)
    pushed.flip(snapshot["manifest"])
    pushed.run("pull", snapshot["id"], "-o", tmp_path / "out", "--allow-holes", expect=(4, 16))
    assert not (tmp_path / "out").exists()
