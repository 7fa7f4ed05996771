"""The reader written from docs/FORMAT.md alone restores what the command stored, byte for byte, in another language:
from files, and from a bucket with plain GETs.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from repository import sample_bytes, sha256_hex

READER = Path(__file__).resolve().parents[1] / "engine/format/independent_reader.py"
S3_READER = READER.with_name("independent_reader_s3.py")
DATA = sample_bytes(3_000_000)
CHANGED = DATA[:1_000_000] + b"changed" * 100 + DATA[1_000_000:]


def read(drs, *arguments, expect=0, **variables):
    reader = S3_READER if str(drs.path).startswith("s3:") else READER
    done = subprocess.run(
        [sys.executable, reader, drs.path, *arguments], env=drs.environment(variables), capture_output=True, check=False
    )
    assert done.returncode == expect, done.stderr.decode()
    return done.stdout


@pytest.mark.every_store
@pytest.mark.parametrize("source", [[], ["--from-packs"]])
@pytest.mark.parametrize("codec", ["zstd:1", "lz4", "none"])
def test_every_snapshot_is_restored_by_index_and_from_packs(drs, codec, source):
    first = drs.push("pg/app", DATA, "--compression", codec)
    drs.push("pg/app", CHANGED, "--compression", codec)
    drs.push("other", b"short")
    assert read(drs, "latest", "--stream", "pg/app", *source) == CHANGED
    restored = read(drs, first["id"], *source)
    assert restored == DATA
    assert sha256_hex(restored) == first["sha256"]
    assert read(drs, "latest", "--stream", "other", *source) == b"short"


def test_an_empty_stream_and_an_unencrypted_repository_are_read_too(new_repository):
    drs = new_repository(key=None)
    drs.run("init", "--encryption", "none")
    drs.push("empty", b"", "--allow-empty")
    drs.push("s", DATA)
    assert read(drs, "latest", "--stream", "empty") == b""
    assert read(drs, "latest", "--stream", "s") == DATA


def test_a_passphrase_opens_it_there_as_well(new_repository, tmp_path):
    phrase = tmp_path / "phrase"
    phrase.write_text("a phrase for both\n")
    phrase.chmod(0o600)
    drs = new_repository(key=None)
    drs.run("init", "--passphrase-file", phrase)
    drs.run("push", "s", "--passphrase-file", phrase, input=DATA)
    assert read(drs, "latest", BACKUP_PASSPHRASE="a phrase for both") == DATA


def test_it_reads_what_repair_wrote(drs):
    drs.push("s", DATA)
    drs.run("repair", "index", "--all")
    assert read(drs, "latest") == DATA


@pytest.mark.every_store
def test_it_refuses_a_damaged_pack(drs):
    drs.push("s", DATA)
    drs.flip(drs.largest_pack())
    read(drs, "latest", expect=1)
