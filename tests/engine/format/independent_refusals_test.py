"""The independent reader refuses every malformed golden file. The file's name states its decoder and the expected
error."""

import json
import pathlib
import struct

import independent_proving
import independent_reader as form
import independent_records
import independent_topics
import pytest

GOLDEN = pathlib.Path(__file__).parents[2] / "golden"
EXPECTED = json.loads((GOLDEN / "v1" / "expected.json").read_text())
PROVING = json.loads((GOLDEN / "v1-proving" / "expected.json").read_text())
RETENTION = json.loads((GOLDEN / "v1-retention" / "expected.json").read_text())
MASTER = form.Keys(bytes.fromhex(EXPECTED["master_key"]), bytes.fromhex(EXPECTED["repository"]))
# FORMAT.md does not distinguish missing bytes from wrong ones: both are damage.
REFUSALS = {"corrupt": form.Damaged, "truncated": form.Damaged, "format-too-new": form.TooNew, "wrong-key": form.WrongKey}
CHUNK_BYTES_MIN = 8192  # of the golden repository
DOCUMENT_KINDS = [form.MANIFEST, form.REMOVED, form.CONFIG, form.SESSION, form.CONDEMNED, form.FENCE, form.WAITS,
                  form.RETIRED, form.KEPT, form.HOLD, form.VERIFIED]  # fmt: skip


class Framed(form.Reader):
    """Reads the additional values that precede a decoder's input (decoders.h)."""

    def __init__(self, data):
        super().__init__(data, "frame")

    def rest(self):
        return self.raw(self.left())


def unlock(data):
    slot = form.read_slot(data, "slot")
    secrets = {form.RAW_KEY: bytes.fromhex(EXPECTED["key_hex"]), form.PASSPHRASE: EXPECTED["passphrase"].encode()}
    return form.unlock_slot(slot, secrets.get(slot.kind, b""), "slot")


def summary_of(framed):
    object_bytes = framed.u64()
    return form.read_summary(framed.raw(framed.u32()), object_bytes)


def open_document(data):
    framed = Framed(data)
    kind, name = DOCUMENT_KINDS[framed.u8()], framed.string().decode()
    return form.open_document(MASTER, kind, name, framed.rest())


def with_u64(read):
    """Adapts a decoder of (plaintext, number) to an input that begins with the number."""
    return lambda data: read(data[8:], struct.unpack("<Q", data[:8])[0])


def of_name(data):
    form.check(form.kind_of_name(data.decode("latin-1")) is not None, "not a name")


def directory(data):
    framed = Framed(data)
    summary = summary_of(framed)
    form.read_directory(framed.rest(), summary)


def hooks(data):
    framed = Framed(data)
    summary = summary_of(framed)
    form.read_hooks(framed.rest(), summary)


def extent_page(data):
    framed = Framed(data)
    partition, count = framed.u32(), framed.u32()
    page = framed.raw(count * independent_topics.CATALOGUE_EXTENT_BYTES)
    framed.finish()
    return independent_topics.read_extent_page(page, partition)


DECODERS = {
    "envelope": lambda data: form.read_envelope(data, data[6] if data[6] in form.KNOWN_KINDS else form.PACK, "envelope"),
    "config": form.read_config,
    "slot": lambda data: form.read_slot(data, "slot"),
    "slot_unlock": unlock,
    "pack_table": with_u64(form.read_table),
    "pack_footer": with_u64(lambda last, pack_bytes: form.read_pack_footer(last, pack_bytes, CHUNK_BYTES_MIN)),
    "index_footer": with_u64(form.read_index_footer),
    "index_summary": with_u64(form.read_summary),
    "index_directory": directory,
    "index_hooks": hooks,
    "chunk_list": lambda data: form.read_chunk_list(data[4:], struct.unpack("<I", data[:4])[0]),
    "recipe": form.read_recipe,
    "manifest": form.read_manifest,
    "removed": form.read_removed,
    "session": form.read_session,
    "fence": form.read_fence,
    "condemned": form.read_condemned,
    "waits": form.read_waits,
    "retired": form.read_retired,
    "hold": form.read_hold,
    "verified": independent_proving.read_verified,
    "damaged": form.read_damaged,
    "document": open_document,
    "names": of_name,
    "record_block": independent_records.read_record_block,
    "extent_index": independent_topics.read_extent_index,
    "extent_page": extent_page,
    "segment_directory": with_u64(independent_topics.read_segment_directory),
    "catalogue": with_u64(independent_topics.read_catalogue),
}  # fmt: skip
MALFORMED = sorted((GOLDEN / "malformed").iterdir())


def test_the_malformed_set_is_there():
    assert len(MALFORMED) > 100
    assert {path.name.split("__")[0] for path in MALFORMED} <= set(DECODERS)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_refuses_a_malformed_input_as_its_name_says(path):
    decoder, _, refusal = path.stem.split("__")
    with pytest.raises(REFUSALS[refusal]):
        DECODERS[decoder](path.read_bytes())


KINDS = {"manifest": form.MANIFEST, "removed": form.REMOVED, "config": form.CONFIG, "session": form.SESSION,
         "condemned": form.CONDEMNED, "waits": form.WAITS, "retired": form.RETIRED, "hold": form.HOLD}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RETENTION["objects"]))
def test_reads_the_golden_documents_of_retention(name):
    data = (GOLDEN / "v1-retention" / name).read_bytes()
    expected = RETENTION["objects"][name]
    assert (len(data), form.sha256(data).hex()) == (expected["bytes"], expected["sha256"])
    kind = form.kind_of_name(name)
    code = form.KEPT if kind == "kept" else KINDS[kind]
    read = DECODERS["hold" if kind == "kept" else kind](form.open_document(MASTER, code, name, data))
    if kind == "waits":
        record, sessions = read
        assert name == f"waits/{record.hex()}"
        assert [number for _, _, number, _ in sorted(sessions, key=lambda s: s[2])] == [3, 99_999_999]
    elif kind == "retired":
        tag, stream, entries = read
        assert tag == MASTER.stream_tag(stream) and name.startswith(f"retired/{tag.hex()}-")
        assert sorted(sequence for _, _, sequence, _ in entries) == [0, 1, form.SEQUENCE_MAX]
    else:
        manifest, _, held_ns, until_ns, _, overrides = read
        assert manifest.decode().split("/")[1] == name.split("/")[1][:65]
        assert overrides == ([0, 7] if kind == "kept" else [])
        assert until_ns == 0 if kind == "kept" else until_ns > held_ns


def golden_record(name):
    data = (GOLDEN / "v1-proving" / name).read_bytes()
    expected = PROVING["objects"][name]
    assert (len(data), form.sha256(data).hex()) == (expected["bytes"], expected["sha256"])
    assert form.kind_of_name(name) == "verified"
    return independent_proving.read_verified(form.open_document(MASTER, form.VERIFIED, name, data))


def test_finds_in_golden_records_of_sweeps_what_is_proven_of_each_pack():
    records = []
    for name, expected in PROVING["objects"].items():
        record = golden_record(name)
        for part in ("arcs", "damaged", "rebuilt", "moments"):
            assert len(getattr(record, part)) == expected[part], (name, part)
        assert record.folded == expected["folded"]
        records.append((record, expected["stored_ns"]))
    packs = [(bytes.fromhex(pack["name"]), pack["stored_ns"], pack["condemned"], pack["bytes"])
             for pack in PROVING["packs"]]  # fmt: skip
    proofs = independent_proving.proofs_of(packs, records, PROVING["now_ns"])
    for pack in PROVING["packs"]:
        proof = proofs[bytes.fromhex(pack["name"])]
        assert (proof.read_ns, proof.decoded_ns, proof.damaged) == (pack["read_ns"], pack["decoded_ns"], pack["damaged"])
    assert {pack["read_ns"] > 0 for pack in PROVING["packs"]} == {True, False}  # neither is trivial


@pytest.mark.parametrize("name", sorted(EXPECTED["objects"]))
def test_accepts_every_golden_object(name):
    data = (GOLDEN / "v1" / name).read_bytes()
    kind = form.kind_of_name(name)
    if kind in KINDS and not (kind == "manifest" and data[6] == form.FENCE):
        DECODERS[kind](form.open_document(MASTER, KINDS[kind], name, data))
    elif kind == "manifest":
        form.read_fence(form.open_document(MASTER, form.FENCE, name, data))
    elif kind == "damaged":
        form.read_damaged(data)
    elif kind == "slot":
        assert unlock(data) == MASTER.master
    elif kind is not None:
        assert form.sha256(data).hex() == name.split("/")[-1]
