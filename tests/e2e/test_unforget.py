"""unforget and `list --removed`: what was removed, and how it comes back."""

import datetime

import pytest
from campaign_support import QUICK
from removals import remove
from repository import sample_bytes
from test_prune import prune

STREAM = "pg/app"
DATA = sample_bytes(2_000_000)


def removed(drs, *options):
    return drs.json("list", "--removed", *options)["removed_snapshots"]


@pytest.mark.every_store
def test_a_removed_snapshot_comes_back_as_it_was_under_a_new_id(drs):
    first = drs.push(STREAM, DATA, "--tag", "env=test", "--time", "2026-01-02T03:04:05Z", *QUICK)
    drs.push(STREAM, DATA[:-9], *QUICK)
    drs.run("unforget", first["id"], expect=16)
    was = remove(drs, first["id"], "rule keep-last 1")
    assert [s["sequence"] for s in drs.snapshots()] == [2]
    drs.run("pull", first["id"], expect=16)
    back = drs.json("unforget", first["id"][:8])
    assert back["removed_id"] == first["id"] != back["id"] and not back["was_live"]
    now = drs.json("show", back["id"])
    for field in set(was) - {"id", "manifest", "manifest_digest"}:
        assert now[field] == was[field], field
    assert drs.pull(back["id"]) == DATA
    assert drs.pull(STREAM) == DATA[:-9]
    assert drs.push(STREAM, DATA)["sequence"] == 3
    for check in (["verify", "--read-data"], ["scrub"], ["list"]):
        assert "warn" not in drs.run(*check).err
    # Again, it is live already.
    again = drs.json("unforget", first["id"])
    assert again["was_live"] and again["id"] == back["id"]
    assert len(drs.snapshots()) == 3


def test_the_newest_comes_back_as_the_newest_and_its_head_is_recorded(drs):
    drs.push(STREAM, DATA[:-9])
    newest = drs.push(STREAM, DATA)["id"]
    remove(drs, newest)
    assert drs.pull(STREAM) == DATA[:-9]
    back = drs.json("unforget", newest)
    assert drs.pull(STREAM) == DATA
    drs.run("verify", "--expect-head", back["head"])
    drs.remove_object(back["manifest"])
    drs.run("verify", expect=13)


def test_the_list_of_removed_ones_says_when_why_and_for_how_long(drs):
    assert removed(drs) == [] and "no removed snapshots" in drs.text("list", "--removed")
    first, second, third = (drs.push(STREAM, DATA[:-n])["id"] for n in (1, 2, 3))
    other = drs.push("other", DATA)["id"]
    drs.push("other", DATA)
    drs.run("hold", second, "--reason", "court")
    for id in (first, second, other):
        remove(drs, id, f"why {id[:4]}")
    one, two, of_other = removed(drs)
    assert [one["id"], two["id"], of_other["id"]] == [first, second, other]
    assert one["reason"] == f"why {first[:4]}" and one["bytes"] == len(DATA) - 1 and one["manifest_exists"]
    week = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=7)
    assert one["kept_until"][:10] in {(week - datetime.timedelta(hours=1)).strftime("%Y-%m-%d"), week.strftime("%Y-%m-%d")}
    assert two["hold"] == {"reason": "court"} and "kept_until" not in two
    assert removed(drs, "other") == [of_other] and removed(drs, "--limit", "1") == [of_other]
    assert removed(drs, "--since", "2099-01-01") == []
    text = drs.text("list", "--removed")
    assert f"why {first[:4]}" in text and "held for ever: court" in text
    drs.run("list", "--removed", "--tag", "x", expect=2)
    back = drs.json("unforget", first)["id"]
    assert removed(drs)[0]["live_id"] == back
    assert f"is live as {back[:12]}" in drs.text("list", "--removed")
    assert {s["id"] for s in drs.snapshots() if s["stream"] == STREAM} == {back, third}


def test_after_the_undo_time_and_prunes_it_is_gone(drs):
    first, _ = (drs.push(STREAM, sample_bytes(2_000_000, seed=n), *QUICK)["id"] for n in (1, 2))
    remove(drs, first)
    for _ in range(3):
        prune(drs, "--min-age", "0", "--grace", "0")
    assert drs.json("unforget", first)["moved_blocks"] == 0, "prunes keep it within the undo time"
    remove(drs, drs.snapshots()[0]["id"])
    for _ in range(3):
        prune(drs)
    assert not removed(drs)[0]["manifest_exists"]
    assert "cannot be taken back" in drs.run("unforget", first, expect=16).err
    drs.run("verify", "--read-data")


def test_it_can_be_held_at_once_and_a_hold_passes_on(drs):
    first, second, _ = (drs.push(STREAM, DATA[:-n])["id"] for n in (1, 2, 3))
    remove(drs, first)
    back = drs.json("unforget", first, "--hold", "--reason", "ticket 4711", "--until", "90d")
    assert back["hold"]["reason"] == "ticket 4711" and drs.json("show", back["id"])["hold"] == back["hold"]
    drs.run("unforget", first, "--reason", "x", expect=2)
    drs.run("hold", second, "--reason", "court")
    remove(drs, second)
    passed_on = drs.json("unforget", second)
    assert passed_on["hold"] == {"reason": "court"}
    (row,) = [row for row in removed(drs) if row["id"] == second]
    assert "hold" not in row, "the old hold would keep its data for ever"
    assert drs.json("hold", "--release", passed_on["id"])["stored"]


def test_what_is_no_removed_snapshot_is_refused(drs):
    live = drs.push(STREAM, DATA)["id"]
    assert "is not removed" in drs.run("unforget", live, expect=16).err
    drs.run("unforget", "0123456789abcdef", expect=16)
    drs.run("unforget", STREAM, expect=2)
    drs.run("unforget", "123", expect=2)


def test_a_damaged_manifest_is_damage(drs):
    first, _ = (drs.push(STREAM, DATA[:-n]) for n in (1, 2))
    remove(drs, first["id"])
    drs.flip(first["manifest"])
    assert "problem" in removed(drs)[0]
    drs.run("unforget", first["id"], expect=4)
    assert len(drs.snapshots()) == 1
