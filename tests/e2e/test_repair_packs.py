"""repair packs: damaged and missing packs are healed from a replica, from another repository with the same streams, or
from other copies in the same repository."""

import hashlib
import random

import pytest
from campaign_support import QUICK
from removals import AT_ONCE
from repository import sample_bytes
from test_s3_policy import Owned

DATA = sample_bytes(9_000_000)
OTHER = random.Random(5).randbytes(2_000_000)
DIED = -9
# What a killed run, or one that may not delete, leaves under sessions/ would be waited for for three days.
DESPITE_DEAD_SESSIONS = ["--exclusive", "--force"]


def from_env(source):
    return {"BACKUP_FROM_ENCRYPTION_KEY": source.key}


@pytest.fixture
def source(drs):
    """Several packs of two streams."""
    drs.push("pg/app", DATA, *QUICK)
    drs.push("etc", OTHER, *QUICK)
    return drs


@pytest.fixture
def replica(source, new_repository):
    replica = new_repository("replica")
    replica.run("init", "--replica-of", source.path, env=from_env(source))
    replica.run("copy", "--from-repository", source.path, env=from_env(source))
    return replica


@pytest.fixture
def stranger(source, new_repository):
    """Other keys, other cuts, the same stream."""
    stranger = new_repository("stranger")
    stranger.run("init")
    stranger.push("standby/app", DATA)
    return stranger


def rot(drs, name=None, position=None):
    """A flipped bit in a pack, marked by scrub; the pack's name."""
    name = name or drs.largest_pack()
    drs.flip(name, position)
    drs.run("scrub", expect=4)
    return name


def repair(drs, other=None, *options, expect=0):
    place = ["--from-repository", other.path] if other else []
    return drs.json("repair", "packs", *place, *options, env=other and from_env(other), expect=expect)


def outcomes(document):
    return {pack["pack"]: pack["outcome"] for pack in document["damaged_packs"]}


def prove_healed(drs, superseded=(), prune=()):
    """Nothing is damaged, the alert is green, everything restores, and a prune deletes what is superseded."""
    verified = drs.json("verify", "--read-data", "--expect-head")
    assert {finding["severity"] for finding in verified["findings"]} <= {"warning"}, verified["findings"]
    assert verified["damaged_snapshots"] == []
    assert drs.json("status")["packs_marked"] == 0
    assert drs.pull("pg/app") == DATA and drs.pull("etc") == OTHER
    again = repair(drs)
    assert again["damaged_packs"] == [] and again["packs_stored"] == 0 and again["marks_removed"] == 0
    assert drs.push("pg/app", DATA, *QUICK)["new_bytes"] == 0
    drs.run("prune", *AT_ONCE, *prune)
    drs.run("prune", *AT_ONCE, *prune)
    assert not set(superseded) & set(drs.names("packs"))
    assert drs.json("verify", "--read-data")["findings"] == []
    assert drs.pull("pg/app") == DATA and drs.pull("etc") == OTHER


@pytest.mark.every_store
def test_a_rotten_pack_is_healed_from_a_replica_and_goes(source, replica):
    pack = rot(source)
    before = source.tree()
    planned = repair(source, replica, "--dry-run")
    assert source.tree() == before
    assert outcomes(planned) == {pack: "condemned"} and planned["blocks_copied"] > 0
    healed = repair(source, replica)
    assert outcomes(healed) == {pack: "condemned"}
    assert healed["blocks_copied"] == planned["blocks_copied"] and healed["blocks_moved"] == planned["blocks_moved"]
    assert source.read_object(pack) == before[pack], "a damaged pack is never replaced"
    prove_healed(source, [pack])


@pytest.mark.every_store
def test_a_missing_pack_is_put_again_under_its_name(source, replica):
    pack = source.largest_pack()
    whole = source.read_object(pack)
    source.remove_object(pack)
    source.run("verify", expect=4)
    assert outcomes(repair(source, replica, "--dry-run")) == {pack: "put-again"}
    assert outcomes(repair(source, replica)) == {pack: "put-again"}
    assert source.read_object(pack) == whole
    assert not source.names("condemned")
    prove_healed(source)


def test_a_pack_that_the_replica_does_not_have_whole_is_not_put_again(source, replica):
    pack = source.largest_pack()
    source.remove_object(pack)
    replica.flip(pack, 200)
    healed = repair(source, replica, expect=4)
    assert outcomes(healed) == {pack: "stays"} and healed["blocks_copied"] > 0
    (stays,) = healed["damaged_packs"]
    assert 0 < stays["lost_blocks"] < stays["live_blocks"]
    assert pack not in source.names("packs")
    replica.flip(pack, 200)
    assert outcomes(repair(source, replica)) == {pack: "put-again"}
    prove_healed(source)


def test_a_damaged_table_costs_nothing(source, replica):
    pack = source.largest_pack()
    rot(source, pack, source.objects()[pack] - 40)
    healed = repair(source)
    assert outcomes(healed) == {pack: "condemned"}, "the index locates its blocks, and they decode"
    assert healed["blocks_moved"] > 0 and healed["blocks_copied"] == 0
    prove_healed(source, [pack])


def test_a_cut_pack_is_healed(source, replica):
    pack = source.largest_pack()
    source.write_object(pack, source.read_object(pack)[:-1000])
    source.run("verify", "--read-data", expect=4)
    assert outcomes(repair(source, replica)) == {pack: "condemned"}
    prove_healed(source, [pack])


def test_damaged_recipes_are_healed_with_the_data_that_they_name(source, replica):
    for pack in source.names("packs"):
        source.flip(pack)
        source.flip(pack, 100)
    source.run("scrub", expect=4)
    packs = source.names("packs")
    planned = repair(source, replica, "--dry-run")
    healed = repair(source, replica)
    assert outcomes(healed) == outcomes(planned) == {pack: "condemned" for pack in packs}
    prove_healed(source, packs)


@pytest.mark.every_store
def test_another_repository_with_the_same_stream_heals(source, stranger):
    pack = rot(source)
    planned = repair(source, stranger, "--dry-run")
    assert outcomes(planned) == {pack: "condemned"} and planned["blocks_restored"] > 0
    healed = repair(source, stranger)
    assert outcomes(healed) == {pack: "condemned"} and healed["blocks_restored"] == planned["blocks_restored"]
    prove_healed(source, [pack])


def test_a_missing_pack_is_healed_by_another_repository_and_its_name_condemned(source, stranger):
    pack = source.largest_pack()
    whole = source.read_object(pack)
    source.remove_object(pack)
    assert outcomes(repair(source, stranger)) == {pack: "condemned"}
    # A delayed PUT of it brings back nothing that is used.
    source.write_object(pack, whole)
    prove_healed(source, [pack])


def test_a_stream_of_the_same_size_and_other_bytes_heals_nothing(source, new_repository):
    stranger = new_repository("stranger")
    stranger.run("init")
    changed = bytearray(DATA)
    for at in range(0, len(changed), 1000):
        changed[at] ^= 1
    stranger.push("pg/app", bytes(changed))
    stranger.push("pg/app", bytes(changed), "--no-stream-sha256")
    pack = rot(source)
    healed = repair(source, stranger, expect=4)
    assert outcomes(healed) == {pack: "stays"} and healed["blocks_restored"] == 0


def test_without_another_copy_everything_stays_and_the_push_that_heals_is_named(source):
    pack = rot(source)
    before = source.tree()
    outcome = source.run("repair", "packs", expect=4)
    text = outcome.out.decode()
    assert f"{pack}: " in text and "stays as it is" in text
    assert "damaged snapshot: pg/app" in text and "damaged snapshot: etc" not in text
    assert "push pg/app again" in text and "--from-repository" in text
    assert source.tree() == before, "nothing was written"
    document = repair(source, expect=4)
    assert [snapshot["stream"] for snapshot in document["damaged_snapshots"]] == ["pg/app"]
    # The push that it names heals.
    assert source.push("pg/app", DATA, *QUICK)["new_bytes"] > 0
    healed = repair(source)
    assert outcomes(healed) == {pack: "condemned"} and healed["blocks_rebuilt"] > 0
    for snapshot in source.snapshots():
        assert source.pull(snapshot["id"]) == (DATA if snapshot["stream"] == "pg/app" else OTHER)
    prove_healed(source, [pack])


def test_a_mark_is_not_believed(source):
    pack = rot(source)
    source.flip(pack)
    before = source.names("packs")
    healed = repair(source)
    assert healed["damaged_packs"] == [] and healed["packs_intact"] == 1 and healed["marks_removed"] == 1
    assert source.names("packs") == before and not source.names("condemned")
    prove_healed(source)


@pytest.mark.parametrize("mark_stays", [True, False])
def test_a_pack_whose_name_fits_its_damaged_blocks_is_not_intact(source, mark_stays):
    pack = source.largest_pack()
    forged = bytearray(source.read_object(pack))
    forged[3000] ^= 1
    digest = hashlib.sha256(forged).hexdigest()
    source.remove_object(pack)
    source.write_object(f"packs/{digest[:2]}/{digest}", bytes(forged))
    source.remove_all("index")
    source.run("repair", "index", expect=(0, 4))
    source.run(*(["verify", "--read-data"] if mark_stays else ["sweep"]), expect=4)
    marks = source.names("damaged")
    if not mark_stays:  # the sweep's evidence alone names it
        source.remove_all("damaged")
    healed = repair(source, expect=4)
    assert outcomes(healed) == {f"packs/{digest[:2]}/{digest}": "stays"} and healed["packs_intact"] == 0
    assert healed["marks_removed"] == 0 and source.names("damaged") and (not mark_stays or source.names("damaged") == marks)
    assert source.push("pg/app", DATA, *QUICK)["new_bytes"] > 0
    assert source.pull("pg/app") == DATA


def test_the_mark_of_a_pack_that_is_gone_and_that_nothing_needs_goes(source):
    junk = random.Random(11).randbytes(5000)
    digest = "ab" + hashlib.sha256(junk).hexdigest()[2:]
    source.write_object(f"packs/{digest[:2]}/{digest}", junk)
    source.run("scrub", expect=4)
    source.remove_object(f"packs/{digest[:2]}/{digest}")
    source.run("status", expect=4)
    assert repair(source, None, "--dry-run")["packs_gone"] == 1 and len(source.names("damaged")) == 1
    said = source.run("repair", "packs").out.decode()
    assert "1 pack marked as damaged is gone, and no snapshot needs it: the marks go" in said
    assert not source.names("damaged") and source.json("status")["packs_marked"] == 0
    assert source.run("repair", "packs").out.decode().startswith("no pack is marked as damaged, and none is missing")


def test_a_pack_of_which_no_snapshot_needs_a_block_is_condemned(source):
    known = set(source.names("packs"))
    source.push("dead", random.Random(10).randbytes(3_000_000), *QUICK)
    pack = rot(source, max(set(source.names("packs")) - known, key=source.objects().get))
    source.run("forget", "--all", "dead")
    assert outcomes(repair(source)) == {pack: "condemned"}
    prove_healed(source, [pack])


def test_a_condemned_pack_that_rots_is_no_damage_and_one_that_is_needed_is(source, replica):
    pack = rot(source)
    repair(source, replica)
    source.flip(pack, 300)
    assert source.run("verify", "--read-data").code == 0
    # The only good copy rots as well.
    new = max(set(source.names("packs")) - set(replica.names("packs")))
    source.flip(new)
    findings = source.json("verify", "--read-data", expect=4)["findings"]
    assert {finding["object"]: finding["severity"] for finding in findings} == {pack: "warning", new: "damage"}
    healed = repair(source, replica)
    assert outcomes(healed)[new] == "condemned"
    prove_healed(source, [pack, new])


def test_what_a_prune_of_the_replica_has_moved_is_found_by_its_blocks(source, replica):
    pack = rot(replica)
    repair(replica, source)
    replica.run("prune", *AT_ONCE)
    replica.run("prune", *AT_ONCE)
    assert pack not in replica.names("packs")
    source.remove_object(pack)
    assert outcomes(repair(source, replica)) == {pack: "condemned"}
    prove_healed(source)


def test_a_run_that_dies_anywhere_is_continued_by_the_next(source, replica):
    missing, rotten = sorted(source.names("packs"), key=source.objects().get)[-2:]
    source.remove_object(missing)
    rot(source, rotten)
    before = source.tree()
    log = source.folder / "log"
    source.run("repair", "packs", "--from-repository", replica.path,
               env={**from_env(replica), "DRSTREAM_FAILPOINT_LOG": str(log)})
    points = log.read_text().split()
    assert {"repair.pack_put_again", "repair.blocks_stored", "repair.record_stored", "repair.waits_stored"} <= set(points)
    for name in dict.fromkeys(points):
        for hit in sorted({1, points.count(name)}):
            source.put_back({name: data for name, data in before.items() if data is not None})
            env = {**from_env(replica), "DRSTREAM_FAILPOINT": f"{name}:{hit}:abort"}
            source.run("repair", "packs", "--from-repository", replica.path, env=env, expect=DIED)
            for stream, data in {"pg/app": DATA, "etc": OTHER}.items():
                source.run("pull", stream, "-q", expect=(0, 4))
            healed = repair(source, replica)
            assert set(outcomes(healed).values()) <= {"put-again", "condemned", "condemned-before"}, (name, hit)
            verified = source.json("verify", "--read-data")
            assert verified["damaged_snapshots"] == [] and source.pull("pg/app") == DATA
            assert source.json("status")["packs_marked"] == 0
    prove_healed(source, [rotten], DESPITE_DEAD_SESSIONS)


def test_it_says_how_the_run_went_for_prometheus(source, tmp_path):
    file = tmp_path / "repair.prom"
    source.run("repair", "packs", "--metrics", file)
    assert "drstream_repair_packs_last_status{" in file.read_text()
    rot(source)
    source.run("repair", "packs", "--metrics", file, expect=4)
    assert 'drstream_repair_packs_last_exit_code' in file.read_text()


def test_the_same_place_is_refused_and_a_wrong_key_named(source, replica):
    second_name = source.folder / "second-name"
    second_name.symlink_to(source.path)
    before = source.tree()
    for place in (source.path, second_name):
        assert "same place" in source.run("repair", "packs", "--from-repository", place, expect=2).err
    refused = source.run("repair", "packs", "--from-repository", replica.path, "--from-unencrypted", expect=12)
    assert "is encrypted, and --from-unencrypted says that it is not" in refused.err
    assert source.tree() == before


def test_a_pruner_of_a_bucket_may_heal_and_a_writer_may_not(binary, tmp_path, minio):
    owned = Owned(binary, tmp_path, minio)
    owned.owner.push("pg/app", DATA, *QUICK)
    owned.owner.push("etc", OTHER, *QUICK)
    pack = rot(owned.owner)
    writer, pruner = owned.user("writer"), owned.user("pruner")
    owned.owner.push("pg/app", DATA, *QUICK)  # brings the lost chunks back
    assert "condemned/" in writer.run("repair", "packs", expect=5).err
    assert not writer.names("condemned")
    assert outcomes(repair(pruner)) == {pack: "condemned"}
    prove_healed(owned.owner, [pack], DESPITE_DEAD_SESSIONS)
