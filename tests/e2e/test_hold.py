"""hold: what keeps a snapshot, whoever holds it, and who may end that."""

import datetime
import re

import pytest
from campaign_support import QUICK
from removals import AT_ONCE, remove
from repository import sample_bytes
from test_prune import prune

STREAM = "pg/app"
DATA = sample_bytes(300_000)


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


@pytest.mark.every_store
def test_a_held_snapshot_is_shown_with_its_reason_until_it_is_released(drs):
    first, second = (drs.push(STREAM, DATA[:-n])["id"] for n in (1, 2))
    held = drs.json("hold", first[:10], "--reason", "before the migration")
    assert held["id"] == first and held["hold"] == {"reason": "before the migration"}
    assert f"held: {STREAM} 1 {first[:12]} for ever: before the migration" in drs.text("list")
    assert [s.get("hold") for s in drs.snapshots()] == [{"reason": "before the migration"}, None]
    assert re.search("^held +for ever: before the migration$", drs.text("show", first), re.M)
    assert "hold" not in drs.json("show", second)
    drs.run("verify")
    drs.run("scrub")
    released = drs.json("hold", "--release", first, "--reason", "done")
    assert "hold" not in released and released["stored"].startswith("kept/")
    assert "held" not in drs.text("list")
    assert "stored" not in drs.json("hold", "--release", first)


def test_a_hold_may_have_an_end(drs):
    drs.push(STREAM, DATA)
    day = in_days(10)
    assert drs.json("hold", STREAM, "--until", day)["hold"]["until"].startswith(f"{day}T23:59:59")
    later = in_days(90)
    assert drs.json("hold", STREAM, "--until", "90d")["hold"]["until"].startswith(later)
    assert drs.json("hold", STREAM, "--until", "6m")["hold"]["until"][:10] > in_days(180), "months, not minutes"
    later = in_days(366)
    assert drs.json("hold", STREAM, "--until", "1y")["hold"]["until"].startswith(later)
    # Only a release ends one earlier.
    assert "--release" in drs.run("hold", STREAM, "--until", day, expect=2).err
    for text in ("2020-01-01", "yesterday", "12", "101y", "9999999m"):
        drs.run("hold", STREAM, "--until", text, expect=2)
    drs.run("hold", STREAM, "--release", "--until", day, expect=2)
    assert drs.json("show", STREAM)["hold"]["until"].startswith(later)


def test_a_hold_is_stored_once(drs):
    drs.push(STREAM, DATA)
    for _ in range(2):
        drs.run("hold", STREAM)
    assert len(drs.names("kept")) == 1


def test_what_is_not_there_or_removed_is_not_held(drs):
    gone, _ = (drs.push(STREAM, DATA[:-n])["id"] for n in (1, 2))
    drs.run("hold", "pg/other", expect=16)
    drs.run("hold", "0123456789", expect=16)
    remove(drs, gone)
    refused = drs.run("hold", gone, expect=16)
    assert f"drstream unforget {gone} --hold" in refused.err
    assert drs.names("kept") == []


def test_a_hold_that_cannot_be_read_holds_until_it_is_released(drs):
    drs.push(STREAM, DATA)
    kept = drs.json("hold", STREAM)["stored"]
    drs.flip(kept)
    held = drs.json("show", STREAM)["hold"]
    assert "until" not in held and "problem" in held
    assert "cannot be read" in drs.text("list")
    assert "hold" not in drs.json("hold", "--release", STREAM)


def test_a_push_holds_what_it_commits(drs):
    pushed = drs.push(STREAM, DATA, "--hold", "--hold-until", "30d", "--hold-reason", "release 7")
    assert pushed["hold"]["reason"] == "release 7" and pushed["hold"]["until"].startswith(in_days(30))
    assert drs.json("show", STREAM)["hold"] == pushed["hold"]
    drs.run("push", STREAM, "--hold-reason", "x", input=DATA, expect=2)
    drs.run("push", STREAM, "--hold", "--hold-until", "2020-01-01", input=DATA, expect=2)
    assert len(drs.snapshots()) == 1


def test_a_push_whose_hold_fails_says_so_and_keeps_its_snapshot(drs):
    (drs.path / "kept").write_bytes(b"in the way")
    outcome = drs.run("push", STREAM, "--hold", input=DATA, expect=(4, 5))
    assert "is committed, but it is not held" in outcome.err and "drstream hold" in outcome.err
    (drs.path / "kept").unlink()
    assert drs.pull(STREAM) == DATA


def test_a_push_to_several_holds_in_each(new_repository):
    first, second = (new_repository(name, memory="256MiB") for name in ("first", "second"))
    second.key = first.key
    second.run("init")
    first.run("init")
    pushed = first.push(STREAM, DATA, "--hold", "--also", second.path)
    assert pushed["hold"] == {} and pushed["repositories"][1]["result"]["hold"] == {}
    assert second.json("show", STREAM)["hold"] == {}


def test_a_prune_keeps_the_data_of_what_is_held_though_it_is_removed(drs):
    first, _ = (drs.push(STREAM, sample_bytes(2_000_000, seed=n), *QUICK)["id"] for n in (1, 2))
    drs.run("hold", first)
    remove(drs, first)
    for _ in range(3):
        prune(drs)
    back = drs.json("unforget", first)["id"]
    assert drs.pull(back) == sample_bytes(2_000_000, seed=1)
    drs.run("hold", "--release", back)
    remove(drs, back)
    for _ in range(3):
        prune(drs)
    drs.run("unforget", back, expect=16)
    drs.run("verify", "--read-data")


def test_copies_carry_holds(drs, new_repository):
    held, other = (drs.push(STREAM, DATA[:-n])["id"] for n in (1, 2))
    drs.run("hold", held, "--reason", "court")
    replica = new_repository("replica", key=drs.key)
    replica.run("init", "--replica-of", drs.path)
    assert replica.json("copy", "--from-repository", drs.path)["holds_written"] == 1
    assert {s["id"]: s.get("hold") for s in replica.snapshots()} == {held: {"reason": "court"}, other: None}
    assert replica.json("copy", "--from-repository", drs.path)["holds_written"] == 0
    drs.run("hold", "--release", held)
    replica.run("copy", "--from-repository", drs.path)
    assert replica.json("show", held)["hold"] == {"reason": "court"}
    replica.run("verify")


@pytest.mark.parametrize("gone", [False, True])
def test_a_hold_ends_whatever_became_of_the_manifest(drs, gone):
    held = drs.push("s", b"a")
    drs.push("s", b"b")
    drs.run("hold", held["id"], "--reason", "court")
    drs.remove_object(held["manifest"]) if gone else drs.flip(held["manifest"])
    said = drs.run("prune", "--min-age", "0", expect=4).err
    assert not gone or f"{held['manifest']} is held, but gone" in said
    drs.run("forget", "--damaged", held["manifest"], expect=15)
    assert drs.json("hold", "--release", held["id"] if gone else held["manifest"])["manifest"] == held["manifest"]
    drs.run("forget", "--damaged", held["manifest"])
    drs.run("prune", "--min-age", "0")
