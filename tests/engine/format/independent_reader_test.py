"""The independent reader restores the golden repository, and refuses it if any byte is wrong."""

import hashlib
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

import pytest

READER = pathlib.Path(__file__).with_name("independent_reader.py")
GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "v1"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text())
KEY = {"BACKUP_ENCRYPTION_KEY": EXPECTED["key_hex"]}


def read(directory, *arguments, environment=KEY):
    """Runs the reader with the secrets in `environment` only."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BACKUP_")}
    command = [sys.executable, "-B", READER, directory, *arguments]
    return subprocess.run(command, env={**clean, **environment}, capture_output=True, check=False)


def assert_restored(result):
    assert result.returncode == 0, result.stderr.decode()
    assert len(result.stdout) == EXPECTED["snapshot"]["bytes"]
    assert hashlib.sha256(result.stdout).hexdigest() == EXPECTED["snapshot"]["sha256"]


def assert_refused(result, text):
    assert result.returncode == 1
    assert text in result.stderr.decode(), result.stderr.decode()


@pytest.fixture
def repository(tmp_path):
    return pathlib.Path(shutil.copytree(GOLDEN, tmp_path / "repository"))


def objects(directory, folder):
    return [path for path in sorted((directory / folder).rglob("*")) if path.is_file()]


def test_every_golden_object_has_its_digest():
    for name, expected in EXPECTED["objects"].items():
        data = (GOLDEN / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (expected["bytes"], expected["sha256"])


@pytest.mark.parametrize("options", [[], ["--from-packs"], ["--stream", EXPECTED["snapshot"]["stream"]]])
def test_restores_with_the_raw_key(options):
    assert_restored(read(GOLDEN, "latest", *options))


def test_restores_by_session_with_the_passphrase():
    environment = {"BACKUP_PASSPHRASE": EXPECTED["passphrase"]}
    assert_restored(read(GOLDEN, EXPECTED["snapshot"]["session"][:8], environment=environment))


def test_refuses_a_clear_slot_in_an_encrypted_repository(repository):
    slot = (repository / "slots/clear.bin").read_bytes()
    (repository / "keys" / slot[-32:-16].hex()).write_bytes(slot)
    assert_refused(read(repository, "latest", environment={}), "in clear")
    assert_restored(read(repository, "latest"))


def test_a_slot_stands_under_its_own_name(repository):
    for path in objects(repository, "keys"):
        path.rename(path.with_name("0" * 31 + path.name[0]))
    assert_refused(read(repository, "latest"), "under another name")


def test_restores_without_any_index(repository):
    shutil.rmtree(repository / "index")
    assert_restored(read(repository, "latest"))


def test_ignores_files_that_are_not_of_the_format(repository):
    for name in ["manifests/README", "packs/7c/part", "keys/x", "config/1"]:
        (repository / name).write_bytes(b"?")
    assert_restored(read(repository, "latest"))


def test_refuses_other_keys():
    assert_refused(read(GOLDEN, "latest", environment={"BACKUP_ENCRYPTION_KEY": "00" * 32}), "WrongKey")
    assert_refused(read(GOLDEN, "latest", environment={"BACKUP_PASSPHRASE": "guess"}), "WrongKey")
    assert_refused(read(GOLDEN, "latest", environment={}), "WrongKey")


def test_knows_no_other_snapshot():
    assert_refused(read(GOLDEN, "ffff"), "no such snapshot")
    assert_refused(read(GOLDEN, "latest", "--stream", "other"), "no such snapshot")


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_needs_only_the_slot_of_its_key(repository):
    slots = objects(repository, "keys")
    outcomes = []
    for path in slots:
        good = path.read_bytes()
        path.write_bytes(flipped(good, 100))
        outcomes.append(read(repository, "latest"))
        path.write_bytes(good)
    outcomes.sort(key=lambda result: result.returncode)
    assert_restored(outcomes[0])
    assert_refused(outcomes[1], "Damaged")


@pytest.mark.parametrize("folder", ["config", "index", "manifests", "removed", "packs"])
def test_refuses_a_flipped_bit_in_any_object_it_needs(repository, folder):
    for path in objects(repository, folder):
        good = path.read_bytes()
        for at in (50, len(good) // 2, len(good) - 1):
            path.write_bytes(flipped(good, at))
            assert_refused(read(repository, "latest", "--stream", EXPECTED["snapshot"]["stream"]), "Damaged")
        path.write_bytes(good)


def test_refuses_a_missing_pack(repository):
    for path in objects(repository, "packs"):
        good = path.read_bytes()
        path.unlink()
        assert_refused(read(repository, "latest"), "is in no pack")
        path.write_bytes(good)


def test_a_removed_snapshot_is_not_live(repository):
    manifest = objects(repository, "manifests")[0]
    mark = repository / "removed" / manifest.name
    shutil.copy(objects(repository, "removed")[0], mark)
    assert_refused(read(repository, "latest"), "does not authenticate")  # the mark of another manifest does not count


def test_what_a_retired_object_names_is_not_live(repository):
    sys.path.insert(0, str(READER.parent))
    import independent_reader as form
    import independent_writer as writer

    keys = form.Keys(bytes.fromhex(EXPECTED["master_key"]), bytes.fromhex(EXPECTED["repository"]))
    stream, session = EXPECTED["snapshot"]["stream"].encode(), bytes.fromhex(EXPECTED["snapshot"]["session"])
    tag = keys.stream_tag(stream)
    name = f"retired/{tag.hex()}-{bytes(16).hex()}"
    (repository / "retired").mkdir()
    for retired, live in ((bytes(16), True), (session, False)):
        body = tag + struct.pack("<H", len(stream)) + stream + struct.pack("<I", 1)
        body += retired + bytes([1]) * 32 + struct.pack("<Qq", 2, 0)
        (repository / name).write_bytes(writer.document(keys, form.RETIRED, name, body))
        result = read(repository, "latest", "--stream", EXPECTED["snapshot"]["stream"])
        assert_restored(result) if live else assert_refused(result, "no such snapshot")


def test_it_reads_the_blocks_of_a_damage_mark():
    sys.path.insert(0, str(READER.parent))
    import independent_reader

    (mark,) = objects(GOLDEN, "damaged")
    pack, number, blocks = independent_reader.read_damaged(mark.read_bytes())
    assert mark.name == f"{pack.hex()}-{number.hex()}"
    assert blocks == [(78, 1000), (5000, 16)]
