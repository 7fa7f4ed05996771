"""Objects flipped, truncated, extended, swapped, deleted or taken from elsewhere: found, named, never restored.

A small repository with every kind of object that a push, a check and two keys leave behind is damaged in one way at a
time. Three promises are checked each time: scrub finds what it can (it has no key), verify --read-data finds it and
names it, and pull either fails or gives exactly the bytes that went in; with --allow-holes, outside of named holes.
"""

import hashlib
import json
import random

import pytest
from repository import sample_bytes

KINDS = ["config", "keys", "packs", "index", "manifests", "verified", "damaged"]
HINTS = ("verified", "damaged")  # without them nothing is lost: a bad one is a warning
FOUND = (4, 12, 13)
REFUSED = (4, 10, 12, 13)


class Specimen:
    """The repository under damage, and what each of its snapshots holds."""

    def __init__(self, repository, payload_bytes):
        self.repository = repository
        repository.variables["DRSTREAM_NO_CACHE"] = "1"
        repository.run("init")
        spare = repository.folder / "spare-key"
        spare.write_text("5" * 32 + "a" * 32)
        spare.chmod(0o600)
        repository.run("key", "add", "--new-key-file", spare)
        base = sample_bytes(payload_bytes, seed=5)
        self.contents = {}
        for stream, data in [("a", base), ("b", base[: payload_bytes // 2] + b"b" * 500), ("a", base + b"more" * 200)]:
            self.contents[repository.push(stream, data)["id"]] = data
        repository.run("sweep")
        self.leave_a_damage_mark()
        self.pristine = {name: repository.read_object(name) for name in repository.objects()}

    def leave_a_damage_mark(self):
        pack = self.of_kind("packs")[0]
        good = self.repository.read_object(pack)
        self.put(pack, good[:-1])
        self.repository.run("scrub", expect=4)
        self.put(pack, good)

    def of_kind(self, kind):
        return self.repository.names(kind)

    def put(self, name, data):
        self.repository.write_object(name, data)

    def restore(self):
        self.repository.put_back(self.pristine)

    def check_pull(self):
        for snapshot, data in self.contents.items():
            outcome = self.repository.run("pull", snapshot, "-q", expect=None)
            if outcome.code == 0:
                assert outcome.out == data, "pull wrote wrong bytes and exited 0"
            else:
                assert outcome.code in (16, *REFUSED), outcome.err  # 16: the snapshot is not there any more
                assert data.startswith(outcome.out), "pull wrote wrong bytes before it failed"
            self.check_holes(snapshot, data)

    def check_holes(self, snapshot, data):
        map_file = self.repository.folder / "holes.json"
        options = ["--allow-holes", "--holes", map_file, "--force", "-q"]
        outcome = self.repository.run("pull", snapshot, *options, expect=(0, 8, 16, *REFUSED))
        if outcome.code not in (0, 8):
            assert outcome.out == b"", "what is no hole ends a pull before it writes"
            return
        holes = json.loads(map_file.read_text())["holes"]
        left = bytearray(data)
        for hole in holes:
            begin, end = hole["offset_bytes"], hole["offset_bytes"] + hole["bytes"]
            left[begin:end] = bytes(end - begin)
        assert outcome.out == left, "pull wrote bytes that are neither of the stream nor of a hole"
        assert outcome.code == (8 if holes else 0)

    def check_verify(self, name, expect=FOUND):
        outcome = self.repository.run("verify", "--read-data", "--read-only", "--expect-head", expect=expect)
        assert name in outcome.out.decode() + outcome.err or (expect != 0 and outcome.code == 0), (name, outcome)
        return outcome

    def check_scrub(self, name, expect=4):
        outcome = self.repository.run("scrub", "--read-only", expect=expect)
        assert name in outcome.out.decode() + outcome.err or (expect != 0 and outcome.code == 0), (name, outcome)


@pytest.fixture(scope="module")
def specimen(make_repository, tmp_path_factory, full_run):
    return Specimen(make_repository(tmp_path_factory.mktemp("specimen")), 3_000 if full_run else 60_000)


@pytest.fixture(scope="module")
def foreign(make_repository, tmp_path_factory):
    """Another repository, of another key, with the same streams."""
    return Specimen(make_repository(tmp_path_factory.mktemp("foreign")), 60_000)


@pytest.fixture(autouse=True)
def pristine_again(specimen):
    yield
    specimen.restore()


def sampled(items, count, full_run, seed):
    return items if full_run or len(items) <= count else random.Random(seed).sample(items, count)


def test_the_specimen_is_whole_and_has_every_kind_of_object(specimen):
    for kind in KINDS:
        assert specimen.of_kind(kind), kind
    specimen.repository.run("verify", "--read-data", "--read-only", "--expect-head")
    specimen.repository.run("scrub", "--read-only")
    for snapshot, data in specimen.contents.items():
        assert specimen.repository.pull(snapshot) == data


# Fields of the envelope, both sides of where the digest begins, and the ends.
ENVELOPE_VERSION = 7
ENVELOPE_SUITE = 8
ENVELOPE_FLAGS = 10
NOTABLE_POSITIONS = [0, 6, 8, 12, 50, 77, 90, -40, -33, -32, -4, -1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found_by_scrub_and_verify(specimen, kind, full_run):
    bits = random.Random(kind)
    for name in sampled(specimen.of_kind(kind), 2, full_run, kind):
        data = specimen.pristine[name]
        positions = range(len(data))
        if not full_run:
            others = bits.sample(NOTABLE_POSITIONS, 4) + [bits.randrange(len(data)) for _ in range(2)]
            positions = [ENVELOPE_VERSION, *others]
        for position in positions:
            damaged = bytearray(data)
            damaged[position] ^= 1 << bits.randrange(8)
            specimen.put(name, damaged)
            # A mark proves nothing: it can only make drstream store known data again. Without a record of a sweep,
            # drstream reads known data again.
            specimen.check_scrub(name, expect=0 if kind in HINTS else 4)
            specimen.check_verify(name, expect=0 if kind in HINTS else FOUND)
            specimen.check_pull()
        specimen.put(name, data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["empty", "half", "one short", "one more", "twice"])
def test_a_changed_length_is_found_by_scrub_and_verify(specimen, kind, how):
    name = specimen.of_kind(kind)[0]
    data = specimen.pristine[name]
    changed = {
        "empty": b"",
        "half": data[: len(data) // 2],
        "one short": data[:-1],
        "one more": data + b"\0",
        "twice": data * 2,
    }
    specimen.put(name, changed[how])
    specimen.check_scrub(name, expect=0 if kind in HINTS else 4)
    specimen.check_verify(name, expect=0 if kind in HINTS else FOUND)
    specimen.check_pull()


@pytest.mark.parametrize("kind", ["keys", "packs", "index", "manifests"])
def test_objects_that_changed_places_are_found(specimen, kind):
    one, other = specimen.of_kind(kind)[:2]
    specimen.put(one, specimen.pristine[other])
    specimen.put(other, specimen.pristine[one])
    if kind in ("packs", "index"):
        specimen.check_scrub(one)
    if kind == "keys":
        # A slot's name says nothing: both still open, and nothing that depends on the name is lost.
        specimen.repository.run("verify", "--read-data", "--read-only", expect=(0, *FOUND))
    else:
        specimen.check_verify(one)
        specimen.check_verify(other)
    specimen.check_pull()


@pytest.mark.parametrize("kind, other_kind", [("manifests", "packs"), ("packs", "index"), ("index", "manifests")])
def test_an_object_of_another_kind_in_its_place_is_found(specimen, kind, other_kind):
    name = specimen.of_kind(kind)[0]
    specimen.put(name, specimen.pristine[specimen.of_kind(other_kind)[0]])
    specimen.check_scrub(name)
    specimen.check_verify(name)
    specimen.check_pull()


def test_a_deleted_pack_is_named_with_what_it_affects(specimen):
    for name in specimen.of_kind("packs"):
        specimen.repository.remove_object(name)
        outcome = specimen.check_verify(name, expect=4)
        assert "affects" in outcome.out.decode()
        specimen.check_pull()
        specimen.restore()


def test_a_deleted_manifest_is_a_suspected_deletion(specimen):
    for name in specimen.of_kind("manifests"):
        specimen.repository.remove_object(name)
        specimen.check_verify(name, expect=13)
        specimen.check_pull()
        specimen.restore()


def test_a_deleted_index_loses_nothing(specimen):
    for name in specimen.of_kind("index"):
        specimen.repository.remove_object(name)
    specimen.check_verify("index/", expect=(0, 4))
    for snapshot, data in specimen.contents.items():
        assert specimen.repository.pull(snapshot) == data


def test_without_config_there_is_no_repository_and_without_slots_no_key(specimen):
    specimen.repository.remove_all("config")
    specimen.repository.run("verify", expect=10)
    specimen.check_pull()
    specimen.restore()
    specimen.repository.remove_all("keys")
    specimen.repository.run("verify", expect=(4, 12))
    specimen.check_pull()


@pytest.mark.parametrize("kind", ["config", "keys", "packs", "index", "manifests"])
def test_an_object_of_another_repository_in_its_place_is_found(specimen, foreign, kind):
    taken = specimen.of_kind(kind)
    for name in taken:
        specimen.put(name, foreign.pristine[foreign.of_kind(kind)[0]])
    if kind in ("packs", "index"):
        specimen.check_scrub(taken[0])
    outcome = specimen.repository.run("verify", "--read-data", "--read-only", "--expect-head", expect=FOUND)
    if outcome.code != 12:
        assert taken[0] in outcome.out.decode() + outcome.err
    specimen.check_pull()


@pytest.mark.parametrize("kind", ["packs", "index", "manifests"])
def test_an_object_of_another_repository_beside_ours_is_found(specimen, foreign, kind):
    name = foreign.of_kind(kind)[0]
    specimen.put(name, foreign.pristine[name])
    # What of its repository a manifest says in clear, scrub can compare with the config.
    specimen.check_scrub(name, expect=(0, 4))
    specimen.check_verify(name)
    for snapshot, data in specimen.contents.items():
        assert specimen.repository.pull(snapshot) == data


def test_a_slot_of_another_repository_beside_ours_is_named_and_opens_nothing(specimen, foreign):
    name = foreign.of_kind("keys")[0]
    specimen.put(name, foreign.pristine[name])
    for check in (["scrub", "--read-only"], ["verify", "--read-data", "--read-only"]):
        outcome = specimen.repository.run(*check)
        assert name in outcome.out.decode() and "another repository" in outcome.out.decode()
    specimen.repository.run("list", env={"BACKUP_ENCRYPTION_KEY": foreign.repository.key}, expect=12)


def test_a_manifest_that_rots_blocks_its_stream_only_until_the_next_push(specimen):
    repository = specimen.repository
    rotten = repository.push("a", b"two")
    repository.flip(rotten["manifest"])
    repository.run("pull", "a", expect=4)
    for sequence, data in ((4, b"three"), (5, b"four")):
        assert repository.push("a", data)["sequence"] == sequence
        assert repository.pull("a") == data
    repository.run("verify", expect=4)
    numbers = [snapshot["sequence"] for snapshot in repository.snapshots() if snapshot["stream"] == "a"]
    assert numbers == [1, 2, 4, 5]


def test_what_cannot_be_read_under_condemned_stops_no_push_and_is_told(specimen):
    repository = specimen.repository
    data = next(iter(specimen.contents.values()))
    record = "condemned/" + "0123456789abcdef" * 2
    specimen.put(record, b"no record")
    pushed = repository.run("push", "c", "--json", input=data)
    assert record in pushed.err and "never remove it" in pushed.err
    assert [record in warning for warning in json.loads(pushed.out)["warnings"]] == [True]
    assert repository.pull("c") == data
    assert record in repository.run("verify", expect=FOUND).out.decode()


def test_a_manifest_under_another_name_is_no_snapshot(specimen):
    name = specimen.of_kind("manifests")[0]
    copy = name[:-32] + "0123456789abcdef" * 2
    specimen.put(copy, specimen.pristine[name])
    specimen.check_verify(copy)
    assert len(specimen.repository.snapshots()) == len(specimen.contents)


def test_a_config_that_is_damaged_is_damage_and_no_lower_one_counts_instead(specimen):
    good = specimen.pristine["config/00000001"]
    for number, bytes_there in ((9, good), (1, good[:100] + bytes([good[100] ^ 1]) + good[101:]), (1, b"")):
        name = f"config/{number:08}"
        specimen.put(name, bytes_there)
        for command in (["list"], ["pull", "a"], ["verify"], ["push", "a"]):
            outcome = specimen.repository.run(*command, input=b"more", expect=4)
            assert name in outcome.err and "put this object back" in outcome.err
        specimen.restore()
    for snapshot, data in specimen.contents.items():
        assert specimen.repository.pull(snapshot) == data


@pytest.mark.parametrize("field", [ENVELOPE_VERSION, ENVELOPE_SUITE, ENVELOPE_FLAGS])
@pytest.mark.parametrize("kind", ["config", "keys", "manifests"])
def test_a_newer_format_is_told_from_damage(specimen, kind, field):
    for name in specimen.of_kind(kind):
        body = bytearray(specimen.pristine[name][:-32])
        body[field] = 2
        specimen.put(name, bytes(body) + hashlib.sha256(body).digest())
    commands = [["pull", "a"], ["push", "a"]]
    if kind != "manifests":
        commands += [["list"], ["verify"], ["repair", "index"]]
    for command in commands:
        outcome = specimen.repository.run(*command, input=b"x", expect=14)
        assert "newer" in outcome.err
    assert len(specimen.of_kind("manifests")) == len(specimen.contents)
