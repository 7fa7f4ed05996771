"""Rot under a store: MinIO lists an object and answers success for it, and cuts the answer where its disk is damaged. That
is the object's damage, and not an outage.
"""

import os

import pytest
from campaign_support import QUICK
from repository import Repository, random_key

MIB = 1 << 20
SMALL = os.urandom(2 * MIB)
LARGE = os.urandom(9 * MIB)


@pytest.fixture
def store(new_s3_repository, minio):
    """Two streams."""
    repository = new_s3_repository(minio)
    repository.variables["DRSTREAM_STORE_TIMEOUT"] = "1s"  # a suspicion takes 10 s, or this
    repository.run("init")
    repository.push("small", SMALL, *QUICK)
    repository.push("large", LARGE, *QUICK)
    return repository


@pytest.fixture
def rot(minio):
    """rot(repository, name, where): changes what MinIO's disk holds of an object, at `where` of its length."""

    def damage(repository, name, where):
        folder = minio.folder / "data" / repository.bucket / repository.prefix / name
        small = folder / "xl.meta"  # holds small objects at its end
        path = next(folder.rglob("part.1"), small)
        data = bytearray(path.read_bytes())
        at = len(data) - 10 if path == small else int(len(data) * where)
        data[at : at + 4] = bytes(byte ^ 255 for byte in data[at : at + 4])
        path.write_bytes(data)

    return damage


def from_env(source):
    given = {name: value for name, value in source.environment().items()
             if name.startswith("AWS_") or name == "DRSTREAM_STORE_TIMEOUT"}
    return {**given, "BACKUP_FROM_ENCRYPTION_KEY": source.key}


def marked(repository, pack):
    return any(name.startswith(f"damaged/{pack.rpartition('/')[2]}") for name in repository.names("damaged"))


def test_a_pack_that_the_store_cannot_read_is_that_packs_damage(store, rot):
    pack = store.largest_pack()
    rot(store, pack, 0.5)
    scrub = store.run("scrub", expect=4)
    assert f"damage: {pack}" in scrub.out.decode() and "cut each time" in scrub.out.decode()
    assert marked(store, pack)
    verify = store.run("verify", "--read-data", expect=4)
    assert pack in verify.out.decode() and "damaged snapshot: large" in verify.out.decode()
    pull = store.run("pull", "large", "-q", expect=4)
    assert "cannot be restored" in pull.err and pack in pull.err
    assert store.pull("small") == SMALL
    assert 0 < store.push("large", LARGE, *QUICK)["new_bytes"] < len(LARGE)
    assert store.pull("large") == LARGE


def test_a_push_after_a_verify_stores_anew_what_the_store_lists_and_has_lost(store, minio):
    """Of its pack `verify` reads the recipe alone, which says nothing of the data beside it."""
    before = set(store.names("packs"))
    data = os.urandom(3 * MIB)
    store.push("lost", data, *QUICK)
    (pack,) = set(store.names("packs")) - before
    store.push("lost", data + b"more", *QUICK)  # what a push compares with lies in another pack
    for part in (minio.folder / "data" / store.bucket / store.prefix / pack).rglob("part.1"):
        part.unlink()
    assert pack in store.names("packs")
    assert pack in store.run("verify", expect=4).out.decode()
    assert marked(store, pack)
    assert store.push("lost", data + b"more", *QUICK)["new_bytes"] > 2 * MIB
    assert store.pull("lost") == data + b"more"


@pytest.mark.parametrize("kind", ["stream", "replica"])
def test_a_copy_goes_on_with_the_others_and_says_which_is_damaged(store, rot, new_folder, kind):
    pack = store.largest_pack()
    rot(store, pack, 0.5)
    target = Repository(store.binary, new_folder(kind))
    if kind == "replica":
        target.key = store.key
    target.run("init", *(["--replica-of", store.path] if kind == "replica" else []), env=from_env(store))
    for _ in range(2):  # in the second run little else is read that could show that the way is clear
        out = target.run("copy", "--from-repository", store.path, env=from_env(store), expect=4).out.decode()
        assert "damaged " in out and " of large " in out and pack in out
    assert target.pull("small") == SMALL
    assert [snapshot["stream"] for snapshot in target.snapshots()] == ["small"]


def test_a_push_uses_nothing_of_a_pack_that_it_could_not_read(store, rot):
    """The pack of the last snapshot's recipe, which no check has seen yet."""
    last = set(store.names("packs"))
    grown = LARGE + os.urandom(MIB // 2)
    store.push("large", grown, *QUICK)
    (pack,) = set(store.names("packs")) - last
    rot(store, pack, 0.5)
    report = store.run("push", "large", *QUICK, input=grown)
    assert "nothing in that pack is used" in report.err
    assert store.snapshots()[-1]["new_bytes"] >= MIB // 2
    assert store.pull("large") == grown


def test_a_manifest_that_the_store_cannot_read_is_told_and_others_are_listed(store, rot):
    before = set(store.names("manifests"))
    store.push("large", LARGE, *QUICK)
    (manifest,) = set(store.names("manifests")) - before
    rot(store, manifest, 1)
    listed = store.run("list")
    assert f"{manifest} is damaged" in listed.err and "small" in listed.out.decode()
    store.push("large", LARGE, *QUICK)
    assert store.pull("large") == LARGE


def test_a_key_slot_or_config_that_the_store_cannot_read_is_damaged(store, rot, tmp_path):
    (first,) = store.names("keys")
    other = tmp_path / "other.key"
    other.write_text(random_key())
    store.run("key", "add", "--new-key-file", other)
    (second,) = set(store.names("keys")) - {first}
    rot(store, first, 1)
    refused = store.run("list", expect=12)
    assert first in refused.err and "cut each time" in refused.err
    opened = {"BACKUP_ENCRYPTION_KEY": other.read_text()}
    assert store.pull("small", env=opened) == SMALL

    rot(store, second, 1)
    refused = store.run("pull", "small", "-q", env=opened, expect=4)
    assert "no key slot" in refused.err and first in refused.err and second in refused.err

    config = store.names("config")[0]
    rot(store, first, 1)  # the same bytes again: whole
    rot(store, config, 1)
    refused = store.run("list", expect=4)
    assert config in refused.err and "put this object back" in refused.err
