"""The examples of docs/FORMAT.md are bytes of the golden repository, checked with the independent reader.
golden_test.cc checks the examples of the config and the recipe."""

import json
import pathlib
import re

import independent_reader as form
import independent_records

ROOT = pathlib.Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden/v1"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
KEYS = form.Keys(bytes.fromhex(EXPECTED["master_key"]), bytes.fromhex(EXPECTED["repository"]))
PAGE = (ROOT / "docs/FORMAT.md").read_text()
# On each line of a ```hex block, the text before two spaces.
EXAMPLES = {
    name: bytes.fromhex("".join(line.split("  ")[0] for line in lines.splitlines()))
    for name, lines in re.findall(r"```hex (\S+)\n(.*?)```", PAGE, re.DOTALL)
}


def golden(kind):
    """Names and bytes of the golden objects of a kind that the page mentions."""
    names = [name for name in EXPECTED["objects"] if form.kind_of_name(name) == kind and name in PAGE]
    return {name: (GOLDEN / name).read_bytes() for name in names}


def opener_of(name, data, kind):
    bound = b"" if kind in (form.PACK, form.INDEX) else name.encode()
    return form.Opener(KEYS, form.read_envelope(data, kind, name), name, bound)


def test_slot():
    ((name, data),) = golden("slot").items()
    assert EXAMPLES["slot-passphrase"] == data
    assert form.read_slot(data, name).kind == form.PASSPHRASE


def test_seal():
    ((name, data),) = golden("removed").items()
    envelope, _, sealed = form.take_document(form.REMOVED, name, data)
    opener = opener_of(name, data, form.REMOVED)
    plain = opener.open(form.DOCUMENT, 0, sealed)
    assert EXAMPLES["seal-additional"] == opener.additional(form.DOCUMENT, 0, len(plain), form.RAW)
    assert EXAMPLES["seal-nonce"] == form.nonce(0)
    assert EXAMPLES["seal-plaintext"] == plain
    assert EXAMPLES["seal-bytes"] == sealed
    assert KEYS.of_object(b"manifest", envelope.head, envelope.salt)[0].hex() in PAGE


def test_pack_table():
    ((name, data),) = golden("pack").items()
    ordinal, sealed_bytes = form.read_pack_footer(data[-12:], len(data), 8192)
    sealed = data[-12 - sealed_bytes : -12]
    table = opener_of(name, data, form.PACK).open(form.PACK_TABLE, ordinal, sealed)
    assert table.startswith(EXAMPLES["pack-table"])
    assert len(EXAMPLES["pack-table"]) > 4 + 16 + 4 + 2 * 56


def test_manifest():
    ((name, data),) = golden("manifest").items()
    assert EXAMPLES["manifest-body"] == form.open_document(KEYS, form.MANIFEST, name, data)


def test_index_summary():
    ((name, data),) = golden("index").items()
    ordinal, sealed_bytes = form.read_index_footer(data[-12:], len(data))
    summary = opener_of(name, data, form.INDEX).open(form.INDEX_SUMMARY, ordinal, data[-12 - sealed_bytes : -12])
    assert EXAMPLES["index-summary"] == summary


def test_record_block():
    streams = [path.read_bytes() for path in (ROOT / "tests/golden/v1-topics").glob("segments-*") if path.name in PAGE]
    assert [stream.startswith(EXAMPLES["record-block"]) for stream in streams] == [True]
    block = independent_records.read_record_block(EXAMPLES["record-block"])
    assert f"`{independent_records.digest_of(block.records).to_bytes(16, 'little').hex()}`" in PAGE
    assert f"`{independent_records.BASE:#x}`" in PAGE
