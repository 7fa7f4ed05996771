"""Blocks of which a push has brought back some chunks, but not all: what of each snapshot is lost then, and what pull and
repair packs make of it."""

import json
import random

import pytest
from campaign_support import QUICK
from repository import sample_bytes
from test_repair_packs import outcomes, repair, rot

OLD = random.Random(20).randbytes(3_000_000)
# Every block of OLD has chunks that NEW does not have, and others that it has.
NEW = b"".join(OLD[at : at + 250_000] + random.Random(at).randbytes(50_000) for at in range(0, len(OLD), 300_000))


@pytest.fixture
def half_lost(drs):
    """A block of the oldest snapshot is lost, and a push has stored again those of its chunks that NEW has. The pack with
    it, and the ids of the snapshots."""
    drs.push("pg/app", OLD, *QUICK)
    pack = drs.largest_pack()
    drs.push("pg/app", NEW, *QUICK)
    rot(drs, pack, 5_000)
    drs.push("pg/app", NEW, *QUICK)
    return pack, [snapshot["id"] for snapshot in drs.snapshots()]


def holes_of(drs, snapshot, tmp_path):
    target = ["-o", tmp_path / "rest", "--allow-holes", "--holes", tmp_path / "map", "--force"]
    drs.run("pull", snapshot, *target, expect=8)
    return json.loads((tmp_path / "map").read_text())


def test_a_pull_needs_only_the_chunks_of_its_snapshot(drs, half_lost):
    _, (old, new, _) = half_lost
    outcome = drs.run("pull", new, "--json")
    assert outcome.out == NEW and "1 lost or damaged block was rebuilt" in outcome.err
    assert '"blocks_healed": 1' in outcome.err
    failed = drs.run("pull", old, expect=4)
    assert OLD.startswith(failed.out) and "of the stream cannot be restored" in failed.err


def test_repair_says_which_bytes_of_which_snapshot_are_lost(drs, half_lost, tmp_path):
    pack, (old, new, _) = half_lost
    document = repair(drs, expect=4)
    assert outcomes(document) == {pack: "stays"}
    lost = {snapshot["id"]: snapshot for snapshot in document["damaged_snapshots"]}
    assert set(lost) == {old, new}
    holes = holes_of(drs, old, tmp_path)
    assert lost[old]["lost_bytes"] == holes["holes_bytes"] > 0
    assert lost[old]["range_count"] == len(holes["holes"])
    assert lost[old]["first_offset_bytes"] == holes["holes"][0]["offset_bytes"]
    assert lost[new]["lost_bytes"] == 0 and lost[new]["range_count"] == 0 and lost[new]["lost_blocks"] == 1
    assert "first_offset_bytes" not in lost[new]
    text = drs.run("repair", "packs", expect=4).out.decode()
    assert f"damaged snapshot: pg/app {old}" in text and " are lost, the first at byte " in text
    assert f"snapshot with lost blocks that still restores: pg/app {new}" in text
    assert "push pg/app again" in text and f"damaged snapshot: pg/app {new}" not in text


def test_a_copy_into_other_keys_has_what_still_restores(drs, half_lost, new_repository):
    _, (_, new, _) = half_lost
    other = new_repository("other")
    other.run("init")
    copied = other.run("copy", "--from-repository", drs.path, env={"BACKUP_FROM_ENCRYPTION_KEY": drs.key}, expect=4)
    assert f"copied {new} of pg/app" in copied.out.decode()
    assert [other.pull(snapshot["id"]) for snapshot in other.snapshots()] == [NEW, NEW]


def test_once_the_damaged_snapshot_is_given_up_no_push_is_asked_for(drs, half_lost):
    pack, (old, new, _) = half_lost
    drs.run("forget", old)
    text = drs.run("repair", "packs", expect=4).out.decode()
    assert "need nothing now" in text and "again: what its data still has" not in text
    assert drs.pull(new) == NEW
    drs.run("forget", new)
    assert outcomes(repair(drs)) == {pack: "condemned"}
    assert drs.json("status")["packs_marked"] == 0 and drs.pull("pg/app") == NEW


def test_a_lost_recipe_is_given_up_by_its_snapshot_and_not_pushed_again(drs):
    drs.push("pg/app", OLD, *QUICK)
    (old,) = [snapshot["id"] for snapshot in drs.snapshots()]
    pack = drs.largest_pack()
    # The index still has its table, so that the data is rebuilt from what a push brings back.
    drs.write_object(pack, drs.read_object(pack)[:100] + bytes(drs.objects()[pack] - 100))
    drs.run("scrub", expect=4)
    for _ in range(2):
        drs.push("pg/app", OLD, *QUICK)
        document = repair(drs, expect=4)
        (lost,) = [snapshot for snapshot in document["damaged_snapshots"] if snapshot["id"] == old]
        assert lost["lost_recipe_parts"] > 0 and lost["lost_bytes"] == len(OLD)
        text = drs.run("repair", "packs", expect=4).out.decode()
        assert "no push brings back a lost part of a recipe" in text and f"  {old} of pg/app\n" in text
    assert "again: what its data still has" not in text
    drs.run("forget", old)
    assert outcomes(repair(drs)) == {pack: "condemned"}
    assert drs.pull("pg/app") == OLD


def test_a_cut_pack_is_damaged_and_a_removed_one_is_missing(drs, tmp_path):
    drs.push("pg/app", sample_bytes(2_000_000), *QUICK)
    (snapshot,) = drs.snapshots()
    pack = drs.largest_pack()
    whole = drs.read_object(pack)
    drs.write_object(pack, whole[:-1000])
    assert {hole["reason"] for hole in holes_of(drs, snapshot["id"], tmp_path)["holes"]} == {"damaged"}
    drs.remove_object(pack)
    assert {hole["reason"] for hole in holes_of(drs, snapshot["id"], tmp_path)["holes"]} == {"missing"}


def test_without_marks_repair_says_what_looks_for_damage(drs):
    drs.push("pg/app", OLD, *QUICK)
    drs.flip(drs.largest_pack())
    text = drs.run("repair", "packs").out.decode()
    assert "no pack is marked as damaged, and none is missing; packs without a mark were not read" in text
    for command in ("drstream sweep", "drstream verify --read-data", "drstream scrub"):
        assert command in text
    drs.run("scrub", expect=4)
    drs.run("repair", "packs", expect=4)


def test_a_scrub_after_a_repair_marks_the_condemned_pack_and_the_status_stays_green(drs):
    drs.push("pg/app", OLD, *QUICK)
    pack = rot(drs)
    drs.push("pg/app", OLD, *QUICK)
    assert outcomes(repair(drs)) == {pack: "condemned"}
    assert not drs.names("damaged")
    drs.run("scrub", expect=4)
    assert len(drs.names("damaged")) == 1
    status = drs.json("status")
    assert status["packs_marked"] == 0 and status["exit_code"] == 0
