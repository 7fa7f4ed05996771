"""repair index: all of the index comes back from packs alone."""

import pytest
from repository import sample_bytes

DATA = sample_bytes(2_000_000)


@pytest.mark.every_store
def test_a_lost_index_is_rebuilt(drs):
    drs.push("s", DATA)
    drs.push("t", sample_bytes(500_000, seed=3))
    drs.remove_all("index")
    report = drs.json("repair", "index")
    assert report["packs_read"] == len(drs.names("packs"))
    assert report["index_objects_written"] == len(drs.names("index")) > 0
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
    before = set(drs.names("index"))
    report = drs.json("repair", "index", "--all")
    assert report["packs_read"] == len(drs.names("packs"))
    assert report["index_objects_removed"] == len(before)
    assert before.isdisjoint(drs.names("index"))
    drs.run("verify", "--read-data")
    assert drs.pull("s") == sample_bytes(300_000, seed=2)


@pytest.mark.every_store
def test_a_damaged_index_object_is_replaced(drs):
    drs.push("s", DATA)
    (name,) = drs.names("index")
    drs.write_object(name, drs.read_object(name)[:-1])
    told = drs.run("verify", expect=4).out.decode()
    assert "in the index alone" in told and "repair index" in told and "cannot be restored" not in told
    drs.run("repair", "index")
    drs.run("verify", "--read-data")
    assert name not in drs.names("index")


def test_a_pack_that_cannot_be_read_is_named_and_the_others_are_indexed(drs):
    drs.push("s", DATA)
    drs.push("t", sample_bytes(500_000, seed=3))
    pack = drs.names("packs")[0]
    drs.write_object(pack, drs.read_object(pack)[:-1])
    drs.remove_all("index")
    outcome = drs.run("repair", "index", expect=4)
    assert pack in outcome.err
    assert drs.names("index")


def test_it_needs_the_key(drs):
    drs.run("repair", "index", env={"BACKUP_ENCRYPTION_KEY": None}, expect=12)


def test_all_keeps_what_alone_tells_how_a_lost_pack_is_rebuilt(drs):
    data = sample_bytes(30_000_000, seed=5)
    old = drs.push("s", data, "--compression", "none")["id"]
    lost = max(drs.names("packs"), key=drs.objects().get)  # not the one with the recipe, which is the last
    whole = bytearray(drs.read_object(lost))
    whole[len(whole) // 3] ^= 1
    drs.write_object(lost, bytes(whole))
    drs.run("scrub", expect=4)  # marks it: the next push stores its chunks again
    drs.push("s", data, "--compression", "none")
    drs.remove_object(lost)
    assert "the only list of the chunks" in drs.run("repair", "index", "--all").err
    assert drs.pull(old) == data
