"""prune: space comes back, nothing that is live goes, beside everything else."""

import os
import random
import signal
import subprocess
import time

import pytest
from campaign_support import QUICK, kill_after
from removals import AT_ONCE, packs_bytes
from repository import sample_bytes

DATA = sample_bytes(3_000_000)


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def leave_dead(drs, data):
    """Packs that no snapshot needs."""
    drs.push("dead", data, *QUICK)
    drs.run("forget", "--all", "dead")


def fail_after_packs(drs, data):
    """A push whose producer fails when some of its packs are stored."""
    (drs.folder / "dead").write_bytes(data)
    before = len(drs.names("packs"))
    wait = f"cat {drs.folder}/dead; until [ -e {drs.folder}/fail ]; do sleep 0.1; done; exit 1"
    process = drs.start("push", "failing", *QUICK, "--exec", "--", "sh", "-c", wait)
    while len(drs.names("packs")) < before + 2:
        time.sleep(0.05)
    (drs.folder / "fail").touch()
    process.communicate()
    assert process.returncode == 3


def prune(drs, *options, **settings):
    return drs.json("prune", *(options or AT_ONCE), **settings)


@pytest.mark.parametrize("option", ["--undo", "--grace", "--min-age"])
@pytest.mark.parametrize("text", ["7", "6m", "1h30m"])
def test_a_time_that_can_be_misread_is_refused(drs, option, text):
    assert "two ways" in drs.run("prune", option, text, "--dry-run", expect=2).err


def test_a_newest_snapshot_that_is_gone_without_a_mark_keeps_everything(drs):
    """A later manifest would name it. Only this machine remembers it."""
    for data in (noise(300_000, 1), noise(300_000, 2)):
        newest = drs.push("s", data)
    drs.run("prune", *AT_ONCE)
    packs = drs.names("packs")
    hidden = drs.read_object(newest["manifest"])
    drs.remove_object(newest["manifest"])
    for command in (["prune", *AT_ONCE], ["forget", "--keep-last", "5", "--prune", *AT_ONCE]) * 2:
        assert "if this loss is accepted, remove that file" in drs.run(*command, expect=4).err
    assert drs.names("packs") == packs
    drs.write_object(newest["manifest"], hidden)
    drs.run("prune", *AT_ONCE)
    assert drs.pull("s") == noise(300_000, 2)


@pytest.mark.every_store
def test_what_a_failed_push_left_is_gone_after_two_runs(drs):
    drs.push("s", DATA)
    before = packs_bytes(drs)
    fail_after_packs(drs, noise(20_000_000, 1))
    assert packs_bytes(drs) > before + 6_000_000
    first = prune(drs)
    assert first["condemned"]["packs"] > 0 and first["deleted"]["packs"] == 0
    second = prune(drs)
    assert second["deleted"]["packs"] == first["condemned"]["packs"]
    assert packs_bytes(drs) == before
    assert drs.names("waits") == drs.names("sessions") == [] and len(drs.names("condemned")) == 1
    assert drs.pull("s") == DATA
    drs.run("verify", "--read-data", "--expect-head")
    drs.run("scrub")
    third = prune(drs)
    assert third["condemned"]["packs"] == third["deleted"]["packs"] == third["moved"]["blocks"] == 0
    assert drs.push("s", DATA)["new_bytes"] == 0


def test_with_the_defaults_nothing_goes_on_the_first_day(drs):
    leave_dead(drs, noise(20_000_000, 1))
    drs.push("s", DATA)
    text = drs.text("prune")
    assert "nothing new to delete" in text and "can still be taken back" in text
    report = drs.json("prune", "--undo", "0", "--min-age", "0")
    assert report["condemned"]["packs"] > 0
    (waiting,) = drs.json("prune", "--undo", "0", "--min-age", "0")["waiting"]
    assert waiting["grace_until"] and waiting["sessions"] == []
    assert drs.json("stats")["space"]["waiting_grace_bytes"] > 6_000_000
    assert "wait for the grace time" in drs.text("stats")


def test_dry_run_changes_nothing(drs):
    leave_dead(drs, noise(20_000_000, 1))
    drs.push("s", DATA)
    before = drs.objects()
    assert "would condemn" in drs.text("prune", "--dry-run", *AT_ONCE)
    assert drs.json("prune", "--dry-run", *AT_ONCE)["dry_run"] is True
    assert drs.objects() == before


def test_a_running_push_keeps_what_it_may_use_and_is_named(drs):
    shared = noise(20_000_000, 3)
    leave_dead(drs, shared)
    drs.push("other", DATA)
    # It finds the packs of the failed push, and waits for the rest of its stream.
    process = drs.start("push", "s", *QUICK, stdin=-1)
    process.stdin.write(shared)
    process.stdin.flush()
    prune(drs)
    report = prune(drs)
    assert report["deleted"]["packs"] == 0
    (waiting,) = report["waiting"]
    assert waiting["sessions"][0]["stream"] == "s"
    assert "of stream s" in drs.text("prune", *AT_ONCE)
    assert "--force" in drs.run("prune", "--exclusive", expect=11).err
    process.stdin.close()
    assert process.wait(60) == 0
    process.stdout.close()
    process.stderr.close()
    assert drs.pull("s") == shared
    prune(drs)
    assert drs.pull("s") == shared
    drs.run("verify", "--read-data")


def test_exclusive_ends_a_stopped_push_and_gives_space_back_at_once(drs):
    drs.push("s", DATA)
    before = packs_bytes(drs)
    leave_dead(drs, noise(20_000_000, 1))
    process = drs.start("push", "t", *QUICK, stdin=-1)
    process.stdin.write(noise(1_000_000, 4))
    process.stdin.flush()
    while len(drs.names("sessions")) < 1:
        time.sleep(0.05)
    process.send_signal(signal.SIGSTOP)
    report = prune(drs, "--exclusive", "--force", "--undo", "0")
    assert report["deleted"]["packs"] > 0 and len(report["fenced_manifests"]) == 1
    assert packs_bytes(drs) == before
    process.send_signal(signal.SIGCONT)
    process.stdin.close()
    assert process.wait(60) == 7
    process.stdout.close()
    process.stderr.close()
    assert drs.pull("s") == DATA
    drs.run("verify", "--read-data", "--expect-head")


def test_a_push_that_an_exclusive_prune_has_ended_says_so_though_what_it_reuses_is_gone(drs):
    shared = noise(20_000_000, 5)
    leave_dead(drs, shared)
    process = drs.start("push", "t", *QUICK, stdin=-1)
    process.stdin.write(shared)
    process.stdin.flush()
    process.send_signal(signal.SIGSTOP)
    assert prune(drs, "--exclusive", "--force", "--undo", "0")["deleted"]["packs"] > 0
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate()
    assert process.returncode == 7 and b"fenced" in err


def test_quiet_prints_nothing_where_all_is_well(drs):
    drs.push("s", DATA)
    assert drs.text("prune", "-q") == ""
    assert drs.text("prune", "-q", "--dry-run") != ""


def test_force_without_exclusive_is_refused(drs):
    assert "--exclusive" in drs.run("prune", "--force", expect=2).err


def test_a_damaged_manifest_keeps_everything_and_exits_with_4(drs):
    leave_dead(drs, noise(20_000_000, 1))
    drs.push("t", DATA)
    prune(drs)
    (name,) = drs.names("manifests")
    drs.flip(name)
    before = packs_bytes(drs)
    for _ in range(2):
        assert name in drs.run("prune", *AT_ONCE, expect=4).err
    assert packs_bytes(drs) == before
    drs.flip(name)
    assert prune(drs)["deleted"]["packs"] > 0
    assert drs.pull("t") == DATA


@pytest.mark.every_store
def test_a_forgotten_snapshot_gives_its_space_back_in_two_runs(drs):
    old = drs.push("s", noise(3_000_000, 1))["id"]
    drs.push("s", DATA)
    before = packs_bytes(drs)
    drs.run("forget", old)
    first = prune(drs)
    assert first["condemned"]["packs"] > 0 and first["deleted"]["packs"] == 0
    assert packs_bytes(drs) >= before
    second = prune(drs)
    assert second["deleted"]["packs"] == first["condemned"]["packs"]
    assert packs_bytes(drs) <= before - 3_000_000
    assert drs.names("waits") == [] and len(drs.names("condemned")) == 1
    assert drs.pull("s") == DATA
    drs.run("verify", "--read-data", "--expect-head")
    drs.run("scrub")
    third = prune(drs)
    assert third["condemned"]["packs"] == third["deleted"]["packs"] == third["moved"]["blocks"] == 0
    assert drs.push("s", DATA)["new_bytes"] == 0


@pytest.mark.every_store
def test_live_blocks_are_moved_out_of_mostly_dead_packs(drs):
    whole = noise(6_000_000, 2)
    old = drs.push("s", whole)["id"]
    drs.push("t", whole[:1_500_000])
    drs.run("forget", old)
    moved = prune(drs)
    assert moved["moved"]["blocks"] > 0
    assert drs.pull("t") == whole[:1_500_000]
    prune(drs)
    space = drs.json("stats")["space"]
    assert space["packs_bytes"] <= 1.15 * space["live_bytes"]
    assert drs.pull("t") == whole[:1_500_000]
    drs.run("verify", "--read-data")


def test_one_that_is_killed_anywhere_loses_nothing(drs, full_run, share, dice):
    whole = noise(5_000_000, 6)
    kept = {}
    for number in range(len(share(range(100 if full_run else 6)))):
        old = drs.push("s", whole[: dice.randrange(len(whole))] + dice.randbytes(400_000), *QUICK)["id"]
        data = whole[: dice.randrange(len(whole))] + dice.randbytes(100_000)
        kept = {drs.push("t", data, *QUICK)["id"]: data}
        drs.run("forget", old)
        for _ in range(4):
            code, _ = kill_after(drs, dice.uniform(0.001, 0.25), "prune", *AT_ONCE, stdin=subprocess.DEVNULL)
            assert code in (0, -9)
            for snapshot, data in kept.items():
                assert drs.pull(snapshot) == data
        if number % 5 == 0:
            drs.run("verify", "--read-data", "--read-only")
    prune(drs)
    prune(drs)
    drs.run("verify", "--read-data", "--read-only")
    drs.run("scrub", "--read-only")


def test_the_budget_bounds_what_is_moved(drs):
    whole = noise(20_000_000, 2)
    old = drs.push("s", whole, *QUICK)["id"]
    drs.push("t", whole[::2][:4_000_000], *QUICK)
    drs.push("u", whole[:5_000_000], *QUICK)
    drs.run("forget", old)
    report = prune(drs, *AT_ONCE, "--budget", "0")
    assert report["moved"]["blocks"] == 0


def test_within_the_undo_time_the_data_stays(drs):
    old = drs.push("s", noise(2_000_000, 1))["id"]
    drs.push("s", DATA)
    drs.run("forget", old)
    assert "can still be taken back" in drs.text("prune", "--min-age", "0", "--grace", "0")
    for _ in range(2):
        report = prune(drs, "--min-age", "0", "--grace", "0")
        assert report["condemned"]["packs"] == 0 and report["space"]["undo_snapshots"] == 1
    drs.run("unforget", old)
    assert drs.pull("s@latest") == DATA and len(drs.snapshots()) == 2
    drs.run("verify", "--read-data")


def test_who_may_only_read_sees_the_space(drs):
    drs.push("s", DATA)
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    drs.path.chmod(0o500)
    try:
        assert drs.json("stats")["space"]["live_bytes"] > 0
    finally:
        drs.path.chmod(0o700)
