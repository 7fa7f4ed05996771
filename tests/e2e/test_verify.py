"""verify: what it proves, what it names, what it records, and heads."""

import shutil

import pytest
from repository import sample_bytes, sha256_hex

OLD = sample_bytes(1_500_000, seed=1)
NEW = sample_bytes(1_500_000, seed=2)


@pytest.fixture
def pushed(drs):
    """Two streams whose data lies in different packs: `data_packs`, oldest first."""
    drs.data_packs = []
    for stream, data in [("old", OLD), ("new", NEW)]:
        before = drs.objects()
        drs.push(stream, data)
        drs.data_packs += [name for name, size in drs.objects().items() if name not in before and size > 500_000]
    return drs


def test_a_good_repository_passes_and_the_share_read_is_printed(pushed):
    structure = pushed.text("verify")
    assert "verified 2 snapshots" in structure
    assert "read 0 % of the stored data" in structure
    whole = pushed.text("verify", "--read-data")
    assert "no damage found" in whole
    assert "(100 %) in" in whole
    report = pushed.json("verify", "--read-data")
    assert report["read_bytes"] == report["packs_bytes"] > 0
    assert report["decoded_bytes"] >= len(OLD) + len(NEW)
    assert report["findings"] == []


def test_snapshots_named_are_rebuilt(pushed):
    report = pushed.json("verify", "old", "new@latest")
    assert report["snapshots_rebuilt"] == 2
    assert report["rebuilt_bytes"] == len(OLD) + len(NEW)


@pytest.mark.every_store
def test_damage_is_named_with_snapshot_and_byte_range(pushed):
    pack = pushed.data_packs[0]
    pushed.flip(pack)
    report = pushed.json("verify", "--read-data", "--read-only", expect=4)
    (finding,) = [f for f in report["findings"] if f["affected"]]
    assert finding["object"] == pack
    assert finding["severity"] == "damage"
    (snapshot,) = [s for s in pushed.snapshots() if s["stream"] == "old"]
    assert {a["snapshot"] for a in finding["affected"]} == {snapshot["id"]}
    assert 0 < sum(a["bytes"] for a in finding["affected"]) < len(OLD)
    for affected in finding["affected"]:
        assert affected["offset_bytes"] + affected["bytes"] <= len(OLD)
    text = pushed.run("verify", "--read-data", "--read-only", "-v", expect=4).out.decode()
    assert f"affects old snapshot {snapshot['id']} bytes" in text


def test_bytes_outside_the_named_ranges_are_good(pushed):
    pushed.flip(pushed.data_packs[0])
    report = pushed.json("verify", "--read-data", "--read-only", expect=4)
    affected = [a for f in report["findings"] for a in f["affected"]]
    first = min(a["offset_bytes"] for a in affected)
    last = max(a["offset_bytes"] + a["bytes"] for a in affected)
    if first > 0:
        assert pushed.pull("old", "--length", str(first)) == OLD[:first]
    if last < len(OLD):
        assert pushed.pull("old", "--offset", str(last)) == OLD[last:]


def test_it_goes_on_to_the_end_and_names_all_damage(pushed):
    damaged = pushed.data_packs
    for pack in damaged:
        pushed.flip(pack)
    outcome = pushed.run("verify", "--read-data", "--read-only", expect=4)
    for pack in damaged:
        assert pack in outcome.out.decode()
    assert "DAMAGE FOUND" in outcome.out.decode()


@pytest.mark.every_store
def test_damage_is_recorded_and_the_next_push_does_not_build_on_it(pushed):
    pushed.flip(pushed.data_packs[0])
    outcome = pushed.run("verify", "--read-data", expect=4)
    assert "marked 1 pack as damaged" in outcome.out.decode()
    assert pushed.json("stats")["packs_damaged"] == 1
    again = pushed.push("old", OLD)
    assert again["new_bytes"] > 0
    assert pushed.pull("old") == OLD
    latest = pushed.json("verify", "old", "--read-only", expect=(0, 4))
    assert not [a for f in latest["findings"] for a in f["affected"] if a["snapshot"] == again["id"]]


def test_read_only_records_nothing(pushed):
    pushed.flip(pushed.data_packs[0])
    before = pushed.tree()
    pushed.run("verify", "--read-data", "--read-only", "old", expect=4)
    pushed.run("scrub", "--read-only", expect=4)
    assert pushed.tree() == before


def test_a_mark_is_taken_back_when_the_pack_is_whole_again(pushed):
    pack = pushed.data_packs[0]
    pushed.flip(pack)
    pushed.run("verify", "--read-data", expect=4)
    pushed.flip(pack)
    outcome = pushed.run("verify", "--read-data")
    assert "took back the damage marks of 1 pack," in outcome.out.decode()
    assert pushed.json("stats")["packs_damaged"] == 0


@pytest.mark.every_store
def test_a_missing_pack_is_found_without_reading_data(pushed):
    pack = pushed.data_packs[1]
    pushed.remove_object(pack)
    outcome = pushed.run("verify", expect=4)
    assert pack in outcome.out.decode()


@pytest.mark.every_store
def test_a_lost_newest_snapshot_is_noticed_by_its_head(pushed):
    head = pushed.push("old", OLD + b"tail")["head"]
    pushed.run("verify", "--expect-head")
    pushed.run("verify", "--expect-head", head)
    pushed.remove_object(pushed.json("show", "old")["manifest"])
    assert "gone without an authentic mark" in pushed.run("verify", "--expect-head", expect=13).out.decode()
    pushed.run("verify", "--expect-head", head, env={"DRSTREAM_STATE_DIR": str(pushed.folder / "elsewhere")}, expect=13)
    # What this machine has seen is compared unasked.
    assert "gone without an authentic mark" in pushed.run("verify", expect=13).out.decode()


def test_to_expect_a_head_where_none_is_known_is_a_finding(pushed):
    elsewhere = pushed.folder / "elsewhere"
    outcome = pushed.run("verify", "--expect-head", env={"DRSTREAM_STATE_DIR": str(elsewhere)}, expect=13)
    assert "nothing to compare with" in outcome.out.decode()
    pushed.run("verify", env={"DRSTREAM_STATE_DIR": str(elsewhere)})
    # One head that cannot be read hides no other.
    heads = sorted((pushed.state / "heads").rglob("*.json"))
    for unreadable, severity, code in [(heads[:1], "warning", 0), (heads, "warning", 0)]:
        for path in unreadable:
            path.write_bytes(b"{")
        told = pushed.run("verify", expect=code).out.decode()
        assert told.count(f"{severity}: heads: ") == len(unreadable)
        pushed.run("verify", "--expect-head", expect=13)


@pytest.mark.every_store
def test_a_repository_put_back_to_an_older_copy_is_noticed(pushed):
    copy = {name: pushed.read_object(name) for name in pushed.objects()}
    pushed.push("old", OLD + b"tail")
    pushed.put_back(copy)
    outcome = pushed.run("verify", "--expect-head", expect=13)
    assert "DELETION OR ROLLBACK SUSPECTED" in outcome.out.decode()
    # A push upon the older copy does not make it look right.
    pushed.run("push", "old", input=OLD)
    pushed.run("verify", "--expect-head", expect=13)


@pytest.mark.local_only("a directory can be moved")
def test_a_directory_that_was_moved_and_put_back_to_an_older_copy_is_noticed(drs):
    drs.push("s", OLD)
    shutil.copytree(drs.path, drs.folder / "copy")
    drs.push("s", OLD + b"2")
    drs.push("s", OLD + b"3")
    shutil.rmtree(drs.path)
    drs.path = drs.folder / "moved"
    (drs.folder / "copy").rename(drs.path)
    drs.run("pull", "s", expect=13)
    outcome = drs.run("push", "s", input=OLD + b"again")
    assert "sequence 3 was seen" in outcome.err, outcome.err
    drs.run("verify", expect=13)
    # What is pushed then has a number above all that was seen: there is no doubt that it is the latest.
    assert drs.pull("s") == OLD + b"again"


def test_a_gap_in_the_chain_is_noticed_without_any_head(pushed):
    pushed.push("old", OLD + b"tail")
    (first,) = [s for s in pushed.snapshots() if s["stream"] == "old" and s["sequence"] == 1]
    pushed.remove_object(first["manifest"])
    outcome = pushed.run("verify", env={"DRSTREAM_STATE_DIR": str(pushed.folder / "elsewhere")}, expect=13)
    assert first["manifest"] in outcome.out.decode()


def test_the_head_is_printed_and_kept_per_stream(pushed):
    outcome = pushed.run("push", "old", input=OLD)
    line = outcome.out.decode().splitlines()[1]
    # The identity of a document: all bytes before the length of its signature.
    digest = sha256_hex(pushed.read_object(pushed.json("show", "old")["manifest"])[: -32 - 2])
    assert line == f"head old=2:{digest}"
    assert len(list((pushed.state / "heads").rglob("*.json"))) == 2


@pytest.mark.parametrize("head", ["old=", "old=0:" + "0" * 64, "old=1:12", "=1:" + "0" * 64])
def test_what_is_no_head_is_refused(pushed, head):
    pushed.run("verify", "--expect-head", head, expect=2)
