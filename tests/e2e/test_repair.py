"""repair index: all of the index comes back from packs alone."""

import shutil

from repository import sample_bytes

DATA = sample_bytes(2_000_000)


def names(drs, kind):
    return [name for name in drs.objects() if name.startswith(kind + "/")]


def test_a_lost_index_is_rebuilt(drs):
    drs.push("s", DATA)
    drs.push("t", sample_bytes(500_000, seed=3))
    shutil.rmtree(drs.path / "index")
    report = drs.json("repair", "index")
    assert report["packs_read"] == len(names(drs, "packs"))
    assert report["index_objects_written"] == len(names(drs, "index")) > 0
    drs.run("verify", "--read-data", "s", "t")
    assert drs.json("stats")["packs_without_index"] == 0
    assert drs.push("s", DATA)["new_bytes"] == 0
    assert drs.pull("s") == DATA


def test_where_nothing_is_missing_nothing_is_written(drs):
    drs.push("s", DATA)
    before = drs.tree()
    report = drs.json("repair", "index")
    assert report["index_objects_written"] == 0
    assert drs.tree() == before


def test_all_reads_every_pack_again_and_replaces_the_index(drs):
    for number in range(3):
        drs.push("s", sample_bytes(300_000, seed=number))
    before = set(names(drs, "index"))
    report = drs.json("repair", "index", "--all")
    assert report["packs_read"] == len(names(drs, "packs"))
    assert report["index_objects_removed"] == len(before)
    assert before.isdisjoint(names(drs, "index"))
    drs.run("verify", "--read-data")
    assert drs.pull("s") == sample_bytes(300_000, seed=2)


def test_a_damaged_index_object_is_replaced(drs):
    drs.push("s", DATA)
    (name,) = names(drs, "index")
    path = drs.path / name
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    drs.run("verify", expect=4)
    drs.run("repair", "index")
    drs.run("verify", "--read-data")
    assert name not in names(drs, "index")


def test_a_pack_that_cannot_be_read_is_named_and_the_others_are_indexed(drs):
    drs.push("s", DATA)
    drs.push("t", sample_bytes(500_000, seed=3))
    pack = names(drs, "packs")[0]
    path = drs.path / pack
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    shutil.rmtree(drs.path / "index")
    outcome = drs.run("repair", "index", expect=4)
    assert pack in outcome.err
    assert names(drs, "index")


def test_it_needs_the_key(drs):
    drs.run("repair", "index", env={"BACKUP_ENCRYPTION_KEY": None}, expect=12)
