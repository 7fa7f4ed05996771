"""scrub: without any key, by the digests that every object carries."""

import pytest
from repository import random_key, sample_bytes

DATA = sample_bytes(500_000)
NO_KEY = {"BACKUP_ENCRYPTION_KEY": None}


def test_it_reads_every_object_and_needs_no_key(drs):
    drs.push("s", DATA)
    sizes = drs.objects().values()
    report = drs.json("scrub", env=NO_KEY)
    assert report["objects_read"] == len(sizes)
    assert report["read_bytes"] == sum(sizes)
    assert report["findings"] == []
    drs.run("scrub", env={"BACKUP_ENCRYPTION_KEY": random_key()})


def test_it_says_that_it_cannot_see_absence(drs):
    drs.push("s", DATA)
    drs.remove_object(drs.largest_pack())
    assert "can find missing objects" in drs.text("scrub", env=NO_KEY)


@pytest.mark.every_store
def test_it_names_every_damaged_object_and_marks_packs(drs):
    drs.push("s", DATA)
    drs.push("t", sample_bytes(300_000, seed=9))
    damaged = [n for n in drs.objects() if n.startswith(("packs/", "manifests/"))]
    for name in damaged:
        drs.flip(name, -50)
    report = drs.json("scrub", env=NO_KEY, expect=4)
    assert sorted(finding["object"] for finding in report["findings"]) == sorted(damaged)
    packs = [name for name in damaged if name.startswith("packs/")]
    assert report["packs_marked"] == len(packs)
    assert len([n for n in drs.objects() if n.startswith("damaged/")]) == len(packs)
    # The marks are no damage of their own, and are not set twice.
    again = drs.json("scrub", env=NO_KEY, expect=4)
    assert again["packs_marked"] == 0
    assert len(again["findings"]) == len(damaged)


def test_what_is_not_drstreams_is_counted_and_left_alone(drs):
    drs.push("s", DATA)
    drs.write_object("README.txt", b"no object can have this name")
    drs.write_object("packs/copy", b"an object could have this name, but none of ours does")
    assert drs.json("scrub", env=NO_KEY)["names_unknown"] == 1
    assert "README.txt" in drs.objects()
    drs.run("verify", "--read-data")


@pytest.mark.local_only("a bucket has no folders")
def test_folders_that_are_not_drstreams_are_left_alone(drs):
    drs.push("s", DATA)
    (drs.path / "packs" / "lost+found").mkdir()
    assert drs.json("scrub", env=NO_KEY)["names_unknown"] == 0
    drs.run("verify", "--read-data")
