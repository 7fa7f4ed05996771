"""What an old reader does with what a later version may write: every row of the table in docs/FORMAT.md, "What an unknown
means", set in a repository that is otherwise valid, sealed and digested again. Both readers must agree: drstream, and the
independent one."""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from repository import sample_bytes

FORMAT_TESTS = Path(__file__).resolve().parents[1] / "engine/format"
sys.path.insert(0, str(FORMAT_TESTS))

import independent_reader as form  # noqa: E402
import independent_writer as writer  # noqa: E402

pytestmark = pytest.mark.local_only("objects are replaced by hand, on one store")
OK, USAGE, DAMAGE, TOO_NEW = 0, 2, 4, 14
VERSION_AT = 7  # in an envelope
DATA = sample_bytes(100_000)


class Stored:
    """A repository with one snapshot, taken apart: its objects, its keys, and the bodies of its documents."""

    def __init__(self, drs):
        self.drs = drs
        self.objects = {name: drs.read_object(name) for name in drs.objects() if not name.startswith("sessions/")}
        repository = form.Repository(form.Folder(drs.path))
        repository.unlock({form.RAW_KEY: bytes.fromhex(drs.key)})
        self.keys = repository.keys
        (self.config,), (self.manifest,), (self.slot,), (self.pack,), (self.index,) = (
            [name for name in self.objects if form.kind_of_name(name) == kind]
            for kind in ("config", "manifest", "slot", "pack", "index"))  # fmt: skip

    def body(self, kind, name):
        return form.open_document(self.keys, kind, name, self.objects[name])

    def document(self, kind, name, body=None, **fields):
        """That document with another body or with other fields around it, as a change of the repository."""
        return {name: writer.document(self.keys, kind, name, self.body(kind, name) if body is None else body, **fields)}

    def config_with(self, at, value, name=None):
        body = writer.with_bytes(self.body(form.CONFIG, self.config), at, value)
        return self.document(form.CONFIG, name or self.config, body)

    def manifest_with(self, producer=None, content=None):
        body = self.body(form.MANIFEST, self.manifest)
        reader = form.Reader(body, "manifest")
        reader.string(), reader.raw(24), reader.string(), reader.raw(32 + 24), reader.string(), reader.string()
        reader.raw(32)
        if producer is not None:
            body = writer.with_bytes(body, reader.at, bytes([producer]))
        reader.u8(), reader.string(), reader.raw(4), reader.string(), reader.string()
        if content is not None:
            body = writer.with_bytes(body, reader.at, bytes([content]))
        return self.document(form.MANIFEST, self.manifest, body)

    def slot_with(self, at, value, replace):
        slot = writer.changed_slot(self.keys, self.objects[self.slot], at, value)
        return {writer.slot_name(slot): slot} | ({self.slot: None} if replace else {})

    def pack_with(self, at, value):
        """With another byte in the first record of its table, and no index object that says otherwise."""
        change = lambda table: writer.with_bytes(table, 4 + 16 + 4 + at, value)  # noqa: E731
        pack = writer.changed_pack_table(self.keys, self.objects[self.pack], change)
        return {self.pack: None, self.index: None, writer.pack_name(pack): pack}

    def index_with_version(self, version):
        data = writer.with_bytes(self.objects[self.index], VERSION_AT, bytes([version]))
        return {self.index: None, f"index/{form.sha256(data).hex()}": data}

    def pack_with_version(self, version):
        data = writer.with_bytes(self.objects[self.pack], VERSION_AT, bytes([version]))
        return {writer.pack_name(data): data}

    def removed_mark(self, **fields):
        name = f"removed/{self.keys.stream_tag(b's').hex()}-{bytes(16).hex()}"
        return {name: writer.document(self.keys, form.REMOVED, name, b"", **fields)}

    def put(self, changes):
        kept = {name: data for name, data in {**self.objects, **changes}.items() if data is not None}
        self.drs.put_back(kept)


@pytest.fixture(scope="module")
def stored(make_repository, tmp_path_factory):
    drs = make_repository(tmp_path_factory.mktemp("evolution"))
    drs.run("init")
    drs.push("s", DATA)
    return Stored(drs)


@pytest.fixture
def pulled(stored, tmp_path):
    """pulled(changes): exit codes and outputs of both readers for the snapshot, in a repository with these changes, for
    a machine that never saw it before."""

    def pull(changes):
        stored.put(changes)
        stored.drs.state = tmp_path / "state"
        outcome = stored.drs.run("pull", "s", "-q", expect=None)
        environment = {**os.environ, "BACKUP_ENCRYPTION_KEY": stored.drs.key}
        command = [sys.executable, FORMAT_TESTS / "independent_reader.py", stored.drs.path, "latest"]
        other = subprocess.run(command, env=environment, capture_output=True, check=False)
        said = other.stderr.decode().split(":")[0]
        codes = {"TooNew": TOO_NEW, "Damaged": DAMAGE}
        other_code = OK if other.returncode == 0 else codes.get(said, other.stderr)
        return (outcome.code, other_code), outcome.out, other.stdout

    return pull


REQUIRED_AT = 2 + 16 + 1 + 1 + 32 + 13 + 4  # in a config's body
SLOT_NUMBER_AT, SLOT_KIND_AT = 78 + 16, 78 + 16 + 2
RECORD_KIND_AT, RECORD_CODEC_AT = 4 + 8, 4 + 8 + 1
TAG_OF_ALL = "0" * 32


def fence(stored):
    session = bytes(16)
    name = f"manifests/{stored.keys.stream_tag(b's').hex()}-{session.hex()}"
    body = session + struct.pack("<H", 1) + b"s" + struct.pack("<q", 1) + struct.pack("<H", 4) + b"test"
    return {name: writer.document(stored.keys, form.FENCE, name, body)}


ENVELOPES = {
    "version": dict(version=2),
    "suite": dict(suite=2),
    "key method 1": dict(key_method=1),
    "key method 2, with its number": dict(key_method=2, key_blob=b"\1\0"),
    "flags": dict(flags=1),
    "key blob": dict(key_blob=b"blob"),
    "signature": dict(signature=b"signed"),
}

IGNORED = {
    "name with another prefix": lambda s: {"parity/00": b"?", "notes.txt": b"?"},
    "name of another form": lambda s: {"keys/other": b"?", "packs/zz/part": b"?", "manifests/note": b"?", "verified/note": b"?"},
    "optional features": lambda s: s.config_with(REQUIRED_AT + 8, b"\xff" * 8),
    "another slot of master key 1": lambda s: s.slot_with(SLOT_NUMBER_AT, b"\1\0", replace=False),
    "another slot of kind 4": lambda s: s.slot_with(SLOT_KIND_AT, b"\4", replace=False),
    "fence": fence,
}
REFUSED = {
    **{f"config: {row}": lambda s, f=f: s.document(form.CONFIG, s.config, **f) for row, f in ENVELOPES.items()},
    **{f"manifest: {row}": lambda s, f=f: s.document(form.MANIFEST, s.manifest, **f) for row, f in ENVELOPES.items()},
    "config: format version": lambda s: s.config_with(0, b"\2\0"),
    "config: suite": lambda s: s.config_with(18, b"\2"),
    "config: encryption": lambda s: s.config_with(19, b"\2"),
    "config: required feature 0": lambda s: s.config_with(REQUIRED_AT, b"\1"),
    "config: required feature 55": lambda s: s.config_with(REQUIRED_AT + 6, b"\x80"),
    "config: another draft": lambda s: s.config_with(REQUIRED_AT + 7, b"\2"),
    "config: no draft, as before 0.1": lambda s: s.config_with(REQUIRED_AT + 7, b"\0"),
    "config: the next one": lambda s: s.config_with(0, b"\2\0", name="config/00000002"),
    "manifest: producer": lambda s: s.manifest_with(producer=4),
    "manifest: content": lambda s: s.manifest_with(content=3),
    "only slot: master key": lambda s: s.slot_with(SLOT_NUMBER_AT, b"\1\0", replace=True),
    "only slot: kind": lambda s: s.slot_with(SLOT_KIND_AT, b"\4", replace=True),
    "kind of the object": lambda s: s.document(form.MANIFEST, s.manifest)
    | {s.manifest: writer.document(s.keys, 200, s.manifest, s.body(form.MANIFEST, s.manifest))},
}  # fmt: skip
DAMAGED = {
    "envelope version 0": lambda s: s.document(form.MANIFEST, s.manifest, version=0),
    "envelope suite 0": lambda s: s.document(form.MANIFEST, s.manifest, suite=0),
    "a known kind in the wrong place": lambda s: {
        s.manifest: writer.document(s.keys, form.REMOVED, s.manifest, s.body(form.MANIFEST, s.manifest))},
    "bytes behind the last field": lambda s: s.document(form.MANIFEST, s.manifest,
                                                        s.body(form.MANIFEST, s.manifest) + b"\0"),
    "kind 0 of a block": lambda s: s.pack_with(RECORD_KIND_AT, b"\0"),
    "the next config is damaged": lambda s: {"config/00000002": s.objects[s.config][:-1] + b"?"},
    "the next config is empty": lambda s: {"config/00000002": b""},
}  # fmt: skip


@pytest.mark.parametrize("row", IGNORED)
def test_ignores(stored, pulled, row):
    codes, out, other = pulled(IGNORED[row](stored))
    assert codes == (OK, OK)
    assert out == other == DATA


@pytest.mark.parametrize("row", REFUSED)
def test_refuses_as_too_new(stored, pulled, row):
    codes, out, other = pulled(REFUSED[row](stored))
    assert codes == (TOO_NEW, TOO_NEW)
    assert out == other == b""


@pytest.mark.parametrize("row", DAMAGED)
def test_calls_damage(stored, pulled, row):
    codes, out, other = pulled(DAMAGED[row](stored))
    assert codes == (DAMAGE, DAMAGE)
    assert out == other == b""


# A writer of such blocks sets a required feature, which is refused above. Without it drstream finds the block nowhere;
# its decoder says "too new" (the malformed golden set).
@pytest.mark.parametrize("at", [RECORD_KIND_AT, RECORD_CODEC_AT], ids=["kind", "codec"])
def test_restores_nothing_of_a_block_of_another_kind_or_codec(stored, pulled, at):
    (code, other_code), out, other = pulled(stored.pack_with(at, b"\3"))
    assert code in (TOO_NEW, DAMAGE) and other_code == TOO_NEW
    assert out == other == b""


@pytest.mark.parametrize("row", ["manifest: producer", "manifest: content", "manifest: version"])
def test_pushes_nothing_to_a_stream_with_a_snapshot_that_is_too_new(stored, row):
    stored.put(REFUSED[row](stored))
    stored.drs.run("push", "s", input=DATA, expect=TOO_NEW)


def test_verifies_but_does_not_restore_content_that_it_knows_by_number_alone(stored, pulled):
    changes = stored.manifest_with(content=2)
    codes, _, _ = pulled(changes)
    assert codes == (TOO_NEW, TOO_NEW)
    stored.drs.run("verify", "--read-data", expect=OK)


def test_an_archive_of_topics_without_a_catalogue_is_damage(stored, pulled):
    changes = stored.manifest_with(content=1)
    codes, out, _ = pulled(changes)
    assert codes[0] == USAGE and out == b""
    assert "catalogue" in stored.drs.run("verify", expect=DAMAGE).out.decode()


# What a check says of single objects that are newer, where the config can be read.
SINGLE = {
    "manifest: version": (REFUSED["manifest: version"], lambda s: s.manifest),
    "manifest: content": (REFUSED["manifest: content"], lambda s: s.manifest),
    "index: version": (lambda s: s.index_with_version(2), lambda s: "index/"),
    "pack beside the others: version": (lambda s: s.pack_with_version(2), lambda s: "packs/"),
    "removed mark: version": (lambda s: s.removed_mark(version=2), lambda s: "removed/"),
}


@pytest.mark.parametrize("row", SINGLE)
def test_checks_call_a_newer_object_newer_and_not_damaged(stored, row):
    changes, name = SINGLE[row]
    stored.put(changes(stored))
    for command in (["verify"], ["verify", "--read-data"], ["scrub"]):
        if command == ["scrub"] and row == "manifest: content":
            continue  # it lies in the seal, and scrub has no key
        outcome = stored.drs.run(*command, expect=TOO_NEW)
        said = outcome.out.decode()
        assert f"too-new: {name(stored)}" in said and "newer drstream" in said, said
        assert "DAMAGE FOUND" not in said and "damage:" not in said and "damaged" not in said, said
    assert stored.drs.names("damaged") == []
    # Beside real damage the damage counts.
    stored.drs.write_object("index/" + "0" * 64, b"?" * 300)
    for command in (["verify"], ["scrub"]):
        stored.drs.run(*command, "--read-only", expect=DAMAGE)


@pytest.mark.parametrize("level, fields", [(3, {}), (2, {"version": 2}), (2, {"signature": b"signed"})])
def test_a_newer_record_of_a_sweep_proves_nothing_and_is_a_warning(stored, level, fields):
    pack = bytes.fromhex(stored.pack[-64:])
    now_ns = time.time_ns()
    later_ns = now_ns + 60 * 10**9  # than the pack is written
    pack_bytes = stored.drs.objects()[stored.pack]
    name = f"verified/{bytes(16).hex()}"

    def record(level, **fields):
        arc = pack + pack + struct.pack("<qqqQQ", -1, later_ns, later_ns, 1, pack_bytes) + form.sha256(pack)[:16]
        arc += bytes([level]) + struct.pack("<q", now_ns)
        body = bytes(1) + struct.pack("<qqB", now_ns, now_ns, 1) + bytes(4) + struct.pack("<I", 1) + arc + bytes(12)
        return {name: writer.document(stored.keys, form.VERIFIED, name, body, **fields)}

    stored.put(record(2))
    assert stored.drs.json("sweep", "--read-only")["packs_due"] == 0
    stored.put(record(level, **fields))
    swept = stored.drs.json("sweep", "--read-only")
    assert swept["packs_due"] == 1 and [finding["object"] for finding in swept["findings"]] == [name]
    for command in (["verify"], ["scrub"]):
        outcome = stored.drs.run(*command, "--read-only", expect=OK)
        sealed = command == ["scrub"] and not fields  # scrub has no key
        assert sealed or f"warning: {name}: " in outcome.out.decode(), outcome
    assert stored.drs.pull("s") == DATA


@pytest.mark.parametrize("kind", ["manifest", "index", "pack"])
def test_a_flipped_bit_of_a_version_is_damage_and_no_newer_version(stored, kind):
    name = getattr(stored, kind)
    flipped = writer.with_bytes(stored.objects[name], VERSION_AT, b"\5")
    for command in (["verify"], ["verify", "--read-data"], ["scrub"]):
        stored.put({name: flipped})
        outcome = stored.drs.run(*command, "--read-only", expect=None)
        said = outcome.out.decode()
        assert "too-new" not in said, said
        if kind == "pack" and command == ["verify"]:
            assert outcome.code == OK  # the structure is read by what the index says: nothing asks the pack
        else:
            assert outcome.code == DAMAGE and f"damage: {name}" in said, said


def test_copies_what_it_can_and_says_what_is_too_new(stored, make_repository, tmp_path):
    stored.put(REFUSED["manifest: version"](stored))
    target = make_repository(tmp_path)
    target.run("init")
    environment = {"BACKUP_FROM_ENCRYPTION_KEY": stored.drs.key}
    outcome = target.run("copy", "--from-repository", stored.drs.path, env=environment, expect=TOO_NEW)
    assert "written by a newer drstream" in outcome.out.decode() and "0 are damaged here" in outcome.out.decode()
