"""verify: what it proves, what it names, what it records, and heads."""

import shutil

import pytest
from repository import sample_bytes, sha256_hex

OLD = sample_bytes(1_500_000, seed=1)
NEW = sample_bytes(1_500_000, seed=2)


@pytest.fixture
def drs(drs):
    """Two streams whose data lies in different packs."""
    drs.push("old", OLD)
    drs.push("new", NEW)
    return drs


def packs_by_push(drs):
    """The pack with most of each stream's data, oldest first."""
    packs = [p for n, p in drs.objects().items() if n.startswith("packs/") and p.stat().st_size > 500_000]
    return sorted(packs, key=lambda path: path.stat().st_mtime_ns)


def flip(path, position=None):
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if position is None else position] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def name_of(drs, path):
    return str(path.relative_to(drs.path))


def test_a_good_repository_passes_and_the_share_read_is_printed(drs):
    structure = drs.text("verify")
    assert "verified 2 snapshots" in structure
    assert "read 0 % of the stored data" in structure
    whole = drs.text("verify", "--read-data")
    assert "no damage found" in whole
    assert "100" in whole
    report = drs.json("verify", "--read-data")
    assert report["bytes_read"] == report["packs_bytes"] > 0
    assert report["decoded_bytes"] >= len(OLD) + len(NEW)
    assert report["findings"] == []


def test_snapshots_named_are_rebuilt(drs):
    report = drs.json("verify", "old", "new@latest")
    assert report["snapshots_rebuilt"] == 2
    assert report["rebuilt_bytes"] == len(OLD) + len(NEW)


def test_damage_is_named_with_snapshot_and_byte_range(drs):
    pack = packs_by_push(drs)[0]
    flip(pack)
    report = drs.json("verify", "--read-data", "--read-only", expect=4)
    (finding,) = [f for f in report["findings"] if f["affected"]]
    assert finding["object"] == name_of(drs, pack)
    assert finding["severity"] == "damage"
    (snapshot,) = [s for s in drs.snapshots() if s["stream"] == "old"]
    assert {a["snapshot"] for a in finding["affected"]} == {snapshot["id"]}
    assert 0 < sum(a["bytes"] for a in finding["affected"]) < len(OLD)
    for affected in finding["affected"]:
        assert affected["offset"] + affected["bytes"] <= len(OLD)
    text = drs.run("verify", "--read-data", "--read-only", expect=4).out.decode()
    assert f"affects old snapshot {snapshot['id']} bytes" in text


def test_bytes_outside_the_named_ranges_are_good(drs):
    flip(packs_by_push(drs)[0])
    report = drs.json("verify", "--read-data", "--read-only", expect=4)
    affected = [a for f in report["findings"] for a in f["affected"]]
    first = min(a["offset"] for a in affected)
    last = max(a["offset"] + a["bytes"] for a in affected)
    if first > 0:
        assert drs.pull("old", "--length", str(first)) == OLD[:first]
    if last < len(OLD):
        assert drs.pull("old", "--offset", str(last)) == OLD[last:]


def test_it_goes_on_to_the_end_and_names_all_damage(drs):
    damaged = packs_by_push(drs)
    for pack in damaged:
        flip(pack)
    outcome = drs.run("verify", "--read-data", "--read-only", expect=4)
    for pack in damaged:
        assert name_of(drs, pack) in outcome.out.decode()
    assert "DAMAGE FOUND" in outcome.out.decode()


def test_damage_is_recorded_and_the_next_push_does_not_build_on_it(drs):
    flip(packs_by_push(drs)[0])
    outcome = drs.run("verify", "--read-data", expect=4)
    assert "marked 1 packs as damaged" in outcome.out.decode()
    assert drs.json("stats")["packs_damaged"] == 1
    pushed = drs.push("old", OLD)
    assert pushed["new_bytes"] > 0
    assert drs.pull("old") == OLD
    latest = drs.json("verify", "old", "--read-only", expect=(0, 4))
    assert not [a for f in latest["findings"] for a in f["affected"] if a["snapshot"] == pushed["id"]]


def test_read_only_records_nothing(drs):
    flip(packs_by_push(drs)[0])
    before = drs.tree()
    drs.run("verify", "--read-data", "--read-only", "old", expect=4)
    drs.run("scrub", "--read-only", expect=4)
    assert drs.tree() == before


def test_a_mark_is_taken_back_when_the_pack_is_whole_again(drs):
    pack = packs_by_push(drs)[0]
    flip(pack)
    drs.run("verify", "--read-data", expect=4)
    flip(pack)
    outcome = drs.run("verify", "--read-data")
    assert "took back the damage marks of 1 packs" in outcome.out.decode()
    assert drs.json("stats")["packs_damaged"] == 0


def test_a_missing_pack_is_found_without_reading_data(drs):
    pack = packs_by_push(drs)[1]
    pack.unlink()
    outcome = drs.run("verify", expect=4)
    assert name_of(drs, pack) in outcome.out.decode()


def test_a_lost_newest_snapshot_is_noticed_by_its_head(drs):
    head = drs.push("old", OLD + b"tail")["head"]
    drs.run("verify", "--expect-head")
    drs.run("verify", "--expect-head", head)
    manifest = drs.path / drs.json("show", "old")["manifest"]
    manifest.unlink()
    assert "gone without an authentic mark" in drs.run("verify", "--expect-head", expect=13).out.decode()
    drs.run("verify", "--expect-head", head, env={"DRSTREAM_STATE_DIR": str(drs.folder / "elsewhere")}, expect=13)
    # Unasked it is a warning.
    assert "warning" in drs.run("verify").out.decode()
    drs.run("verify", "--warn-exit", expect=9)


def test_a_repository_put_back_to_an_older_copy_is_noticed(drs):
    copy = drs.folder / "copy"
    shutil.copytree(drs.path, copy)
    drs.push("old", OLD + b"tail")
    shutil.rmtree(drs.path)
    copy.rename(drs.path)
    outcome = drs.run("verify", "--expect-head", expect=13)
    assert "DELETION OR ROLLBACK SUSPECTED" in outcome.out.decode()
    # A push upon the older copy does not make it look right.
    drs.run("push", "old", input=OLD)
    drs.run("verify", "--expect-head", expect=13)


def test_a_gap_in_the_chain_is_noticed_without_any_head(drs):
    drs.push("old", OLD + b"tail")
    (first,) = [s for s in drs.snapshots() if s["stream"] == "old" and s["sequence"] == 1]
    (drs.path / first["manifest"]).unlink()
    outcome = drs.run("verify", env={"DRSTREAM_STATE_DIR": str(drs.folder / "elsewhere")}, expect=13)
    assert first["manifest"] in outcome.out.decode()


def test_the_head_is_printed_and_kept_per_stream(drs):
    outcome = drs.run("push", "old", input=OLD)
    line = outcome.out.decode().splitlines()[1]
    digest = sha256_hex((drs.path / drs.json("show", "old")["manifest"]).read_bytes())
    assert line == f"head old=2:{digest}"
    assert len(list((drs.state / "heads").rglob("*.json"))) == 2


@pytest.mark.parametrize("head", ["old=", "old=0:" + "0" * 64, "old=1:12", "=1:" + "0" * 64])
def test_what_is_no_head_is_refused(drs, head):
    drs.run("verify", "--expect-head", head, expect=2)
