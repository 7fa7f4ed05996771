"""sweep: what was proven longest ago is read again, within a budget, and what was proven is recorded and counted."""

import os
import re
import signal
import subprocess
import time

import pytest
from campaign_support import QUICK, kill_after
from removals import AT_ONCE
from repository import sample_bytes

NO_KEY = {"BACKUP_ENCRYPTION_KEY": None}


@pytest.fixture
def filled(drs):
    """Twelve packs or more: each push makes at least one."""
    for seed in range(12):
        drs.push(f"s/{seed % 3}", sample_bytes(300_000, seed=seed))
    return drs


def coverage(drs, *options, **settings):
    return drs.json("status", *options, **settings)["coverage"]


@pytest.mark.every_store
def test_it_reads_all_once_and_then_only_what_is_new(filled):
    first = filled.json("sweep")
    packs = len(filled.names("packs"))
    assert first["packs_read"] == first["packs_due"] == packs and first["evidence"] and first["structure_checked"]
    assert first["coverage"]["ratio"] == 1 and first["coverage"]["proven_packs"] == packs
    again = filled.json("sweep")
    assert again["packs_read"] == again["read_bytes"] == again["packs_due"] == again["records_stored"] == 0
    assert "nothing was due" in filled.text("sweep")
    assert coverage(filled)["ratio"] == 1
    filled.push("s/0", sample_bytes(300_000, seed=99))
    assert 0 < coverage(filled)["ratio"] < 1
    new = len(filled.names("packs")) - packs
    assert filled.json("sweep")["packs_read"] == new
    assert coverage(filled)["ratio"] == 1
    # At a stronger level nothing was proven yet at a weaker one, and the other way round all was.
    assert filled.json("sweep", "--level", "digest")["packs_read"] == 0
    filled.run("verify", "--read-data")
    filled.run("scrub")


def test_a_budget_is_kept_and_the_next_night_goes_on(filled):
    packs = len(filled.names("packs"))
    total = sum(size for name, size in filled.objects().items() if name.startswith("packs/"))
    nights, read = 0, 0
    while read < packs:
        night = filled.json("sweep", "--budget", f"{total // 4}B")
        assert 0 < night["read_bytes"] <= total // 4
        read += night["packs_read"]
        nights += 1
        assert night["packs_left"] == packs - read and night["coverage"]["proven_packs"] == read
        assert night["budget_used"] == (read < packs) and night["exit_code"] == 0
        assert coverage(filled)["proven_packs"] == read
    assert nights >= 4
    # Least recently proven first: the next lap repeats the first night.
    lap = filled.json("sweep", "--verified-within", "0s", "--budget", f"{total // 4}B")
    assert lap["packs_due"] == packs and 0 < lap["packs_read"] < packs
    assert filled.json("sweep", "--budget", "1ms", "--verified-within", "0s")["packs_read"] >= 1


@pytest.mark.every_store
def test_rot_is_named_with_streams_and_ranges_and_lowers_the_coverage(filled):
    filled.run("sweep")
    pack = filled.largest_pack()
    filled.flip(pack, 3000)
    report = filled.json("sweep", "--verified-within", "0s", expect=4)
    [finding] = [one for one in report["findings"] if one["object"] == pack]
    assert finding["severity"] == "damage" and finding["affected"][0]["bytes"] > 0
    assert report["damaged_snapshots"][0]["stream"].startswith("s/") and report["packs_damaged"] == 1
    assert report["packs_marked"] == 1 and report["coverage"]["ratio"] < 1
    status = filled.json("status", expect=4)
    assert status["coverage"]["packs_damaged"] == 1 and status["packs_marked"] == 1
    assert status["coverage"]["proven_packs"] == status["coverage"]["packs"] - 1
    # It is read again each night until it is healed.
    assert filled.json("sweep", expect=4)["packs_read"] == 1
    filled.flip(pack, 3000)
    healed = filled.json("sweep")
    assert healed["packs_unmarked"] == 1 and healed["coverage"]["ratio"] == 1
    filled.json("status")


def test_a_bit_that_flips_in_memory_is_told_from_rot(filled):
    for level in ("digest", "decode"):
        report = filled.json("sweep", "--level", level, "--warn-exit", "--verified-within", "0s", expect=9,
                             env={"DRSTREAM_FAILPOINT": "scan.flip:1:eio"})
        assert report["packs_unsteady"] == 1 and report["packs_damaged"] == report["packs_marked"] == 0
        [finding] = report["findings"]
        assert finding["severity"] == "warning" and "this machine's memory" in finding["problem"]
        assert report["coverage"]["ratio"] == 1
    keyless = filled.json("sweep", "--level", "digest", "--warn-exit", expect=9,
                          env={**NO_KEY, "DRSTREAM_FAILPOINT": "scan.flip:1:eio"})
    assert keyless["packs_unsteady"] == 1 and keyless["packs_damaged"] == 0
    filled.json("status")


def test_a_pack_that_is_missing_is_found_although_nothing_is_due(filled):
    filled.run("sweep")
    pack = filled.largest_pack()
    filled.remove_object(pack)
    report = filled.json("sweep", expect=4)
    assert report["structure_checked"] and report["damaged_snapshots"]
    assert {"object": pack, "severity": "damage"}.items() <= report["findings"][0].items()
    assert "structure_time" not in report
    found = filled.json("status", "--verified-within", "1d", expect=4)
    assert found["structure_failed_time"] and "structure_time" not in found and found["packs_marked"] == 0
    [problem] = found["problems"]
    assert re.fullmatch(r"a sweep found .* ago that snapshots lack stored blocks: `drstream verify` says which", problem)
    nagios = filled.run("status", "--format", "nagios", expect=2).out.decode()
    assert nagios.startswith("DRSTREAM CRITICAL - ") and problem.split(" ago ")[1] in nagios
    # As long as it is so, and on other levels.
    assert filled.json("sweep", expect=4)["damaged_snapshots"]
    rebuilt = filled.json("sweep", "--level", "rebuild", expect=4)
    assert pack in {finding["object"] for finding in rebuilt["findings"]} and rebuilt["damaged_snapshots"]
    assert rebuilt["rebuilt_bytes"] == 300_000 * rebuilt["snapshots_rebuilt"]


def test_status_is_green_again_once_a_sweep_has_found_what_was_missing(filled):
    pack = filled.largest_pack()
    content = filled.read_object(pack)
    filled.remove_object(pack)
    filled.run("sweep", expect=4)
    metrics = filled.folder / "status.prom"
    failed = re.compile(r"^drstream_verify_structure_failed.* (\d)$", re.MULTILINE)
    filled.run("status", "--metrics", metrics, expect=4)
    assert failed.findall(metrics.read_text()) == ["1"]
    filled.write_object(pack, content)
    filled.run("status", expect=4)  # which has not looked itself
    assert filled.json("sweep")["structure_checked"]
    found = filled.json("status", "--metrics", metrics)
    assert found["structure_time"] and "structure_failed_time" not in found and found["problems"] == []
    assert failed.findall(metrics.read_text()) == ["0"]


def test_a_deletion_of_the_newest_snapshot_is_told(filled):
    filled.run("sweep")
    newest = filled.json("list")["snapshots"][-1]["id"]
    filled.remove_object(next(name for name in filled.names("manifests") if name.endswith(newest)))
    report = filled.json("sweep", expect=13)
    assert [finding["severity"] for finding in report["findings"]] == ["deletion"]


def test_damaged_packs_do_not_use_up_the_budget_of_each_night(filled):
    packs = filled.names("packs")
    for name in packs[:3]:
        filled.flip(name, 3000)
    for _ in range(len(packs)):
        filled.run("sweep", "--budget", "1B", expect=(0, 4))
    report = filled.json("sweep", "--budget", "1B", expect=4)
    assert report["coverage"]["proven_packs"] == len(packs) - 3
    left = [finding for finding in report["findings"] if "an earlier sweep found it damaged" in finding["problem"]]
    assert len(left) == 2


def test_a_store_that_takes_no_record_does_not_hide_the_damage(filled):
    filled.flip(filled.largest_pack(), 3000)
    (filled.path / "verified").write_bytes(b"in the way")
    report = filled.json("sweep", expect=4)
    assert report["packs_damaged"] == 1 and "has to be moved away" in report["ended"]


def test_a_folder_that_was_copied_is_not_proven(filled):
    filled.run("sweep")
    copied = filled.folder / "copied"
    subprocess.run(["cp", "-a", filled.path, copied], check=True)
    assert filled.json("status", "-r", copied)["coverage"]["proven_packs"] == 0
    assert filled.json("sweep", "-r", copied)["packs_read"] == len(filled.names("packs"))


def test_without_a_key_it_keeps_a_cursor_and_gives_no_evidence(filled):
    packs = len(filled.names("packs"))
    report = filled.json("sweep", "--level", "digest", "--budget", "1B", env=NO_KEY)
    assert report["packs_read"] == 1 and report["evidence"] is False
    report = filled.json("sweep", "--level", "digest", env=NO_KEY)
    assert report["packs_read"] == packs - 1 and report["coverage"]["ratio"] == 1
    assert filled.json("sweep", "--level", "digest", env=NO_KEY)["packs_read"] == 0
    assert "this is no evidence" in filled.text("sweep", "--level", "digest", env=NO_KEY)
    assert filled.names("verified") == [] and coverage(filled)["proven_packs"] == 0
    filled.run("sweep", env=NO_KEY, expect=12)
    # What it kept is advice: a file that is cut counts as none.
    [cursor] = (filled.state / "sweeps").iterdir()
    cursor.write_bytes(cursor.read_bytes()[:-1])
    assert filled.json("sweep", "--level", "digest", env=NO_KEY)["packs_read"] == packs
    filled.flip(filled.largest_pack(), 3000)
    report = filled.json("sweep", "--level", "digest", "--verified-within", "0s", env=NO_KEY, expect=4)
    assert report["packs_damaged"] == 1


def test_shards_share_the_work(filled):
    packs = len(filled.names("packs"))
    read = [filled.json("sweep", "--shard", f"{shard}/3")["packs_read"] for shard in (1, 2)]
    read.append(filled.json("sweep", "--shard", "3", env={"JOB_COMPLETION_INDEX": "2"})["packs_read"])
    assert sum(read) == packs and coverage(filled)["ratio"] == 1
    for wrong in ("0/3", "4/3", "1/0", "x", "1/"):
        filled.run("sweep", "--shard", wrong, expect=2)
    assert "JOB_COMPLETION_INDEX" in filled.run("sweep", "--shard", "3", expect=2).err


@pytest.mark.every_store
def test_snapshots_are_rebuilt_oldest_proof_first(filled):
    first = filled.json("sweep", "--level", "rebuild", "--budget", "700KB")
    assert first["snapshots_due"] == 12 and first["snapshots_rebuilt"] == 2 and first["budget_used"]
    # The newest of each stream come first.
    second = filled.json("sweep", "--level", "rebuild", "--budget", "1B")
    assert second["snapshots_rebuilt"] == 1
    streams = filled.json("status")["streams"]
    assert all("rebuilt_age_seconds" in stream for stream in streams)
    assert filled.json("sweep", "--level", "rebuild")["snapshots_rebuilt"] == 9
    assert filled.json("sweep", "--level", "rebuild")["snapshots_due"] == 0
    filled.flip(filled.largest_pack(), 3000)
    report = filled.json("sweep", "--level", "rebuild", "--verified-within", "0s", expect=4)
    assert report["snapshots_rebuilt"] == 12 - len(report["damaged_snapshots"]) < 12
    stream = next(one for one in filled.json("status", expect=4)["streams"] if one["status"] == "damaged")
    assert "could not be rebuilt" in stream["problems"][0]
    assert "drstream sweep --level rebuild" in stream["problems"][0]
    assert b"could not be rebuilt" in filled.run("status", "--format", "nagios", expect=2).out


def test_after_healing_a_failed_rebuild_is_unproven_until_it_is_repeated(filled):
    pack = filled.largest_pack()
    filled.flip(pack, 3000)
    filled.run("sweep", "--level", "rebuild", expect=4)
    filled.flip(pack, 3000)
    assert "damaged" in {stream["status"] for stream in filled.json("status", expect=4)["streams"]}
    healed = filled.json("sweep")
    assert healed["coverage"]["ratio"] == 1 and healed["structure_checked"]
    metrics = filled.folder / "status.prom"
    found = filled.json("status", "--metrics", metrics, expect=15)
    [stream] = [one for one in found["streams"] if one["problems"]]
    assert stream["status"] == "unproven" and "drstream sweep --level rebuild" in stream["problems"][0]
    [unproven] = [line for line in metrics.read_text().splitlines() if re.match("drstream_backup_unproven.* 1$", line)]
    assert f'stream="{stream["stream"]}"' in unproven
    filled.run("sweep", "--level", "rebuild")
    assert {stream["status"] for stream in filled.json("status")["streams"]} == {"ok"}


def test_a_proof_that_is_too_old_is_a_limit_that_was_missed(filled):
    time.sleep(1.1)
    late = filled.json("status", "--verified-within", "1s", expect=15)
    assert {stream["status"] for stream in late["streams"]} == {"unproven"}
    assert re.match(r"not proven within 1.0 s: \d+ packs of the repository were not read by a sweep within that time, and "
                    "no snapshot of the stream was rebuilt$", late["streams"][0]["problems"][0])
    assert "not due yet" not in filled.run("status", "--verified-within", "1s", expect=15).out.decode()
    assert "nothing is due yet" in filled.text("status") and "drstream sweep" in filled.text("status")
    assert filled.run("status", "--format", "nagios", "--verified-within", "1s", expect=2).out.startswith(b"DRSTREAM CR")
    filled.run("sweep", "--level", "rebuild")
    assert filled.json("status", "--verified-within", "1h")["exit_code"] == 0
    config = filled.folder / "config.toml"
    config.write_text('[[expect]]\nstreams = "s/1"\nverified-within = "1ms"\n')
    config.chmod(0o600)
    late = filled.json("status", "--config", config, expect=15)
    assert [one["stream"] for one in late["streams"] if one["status"] == "unproven"] == ["s/1"]
    [table] = filled.json("config", "check", "--config", config)["expectations"]
    assert table["verified_within_seconds"] == 0.001


def test_a_prune_joins_records_and_keeps_what_they_prove(filled):
    for _ in range(70):
        filled.run("sweep", "--verified-within", "0s", "--budget", "1B")
    before = coverage(filled)
    assert len(filled.names("verified")) >= 70
    report = filled.json("prune", "--grace", "0s")
    assert report["sweep_records_joined"] >= 70 and len(filled.names("verified")) == 1
    assert {**coverage(filled), "within_seconds": 0} == {**before, "within_seconds": 0}
    assert filled.json("sweep")["packs_read"] == before["packs"] - before["proven_packs"]


def test_read_only_leaves_no_trace(filled):
    names = filled.objects()
    report = filled.json("sweep", "--read-only")
    assert report["packs_read"] > 0 and report["evidence"] is False and report["records_stored"] == 0
    assert filled.objects() == names and coverage(filled)["proven_packs"] == 0
    assert "nothing of this is recorded" in filled.text("sweep", "--read-only")


def test_what_a_sweep_has_read_when_it_is_ended_stays_proven(s3):
    s3.push("s", sample_bytes(12_000_000), "--threads", "1")
    for seed in range(6):
        s3.push("s", sample_bytes(1_000_000, seed=seed))
    packs = len(s3.names("packs"))
    sweep = s3.start("sweep", "--limit-download", "2MiB", "--threads", "1")
    time.sleep(4)
    sweep.send_signal(signal.SIGTERM)
    assert sweep.wait(30) == 143
    proven = coverage(s3)["proven_packs"]
    assert 0 < proven < packs
    assert s3.json("sweep")["packs_read"] == packs - proven


def test_four_machines_share_a_bucket_and_one_is_killed(s3):
    for seed in range(32):  # so that no part is empty
        s3.push("s", sample_bytes(800_000, seed=seed))
    sweeps = [s3.start("sweep", "--shard", f"{shard}/4", "--limit-download", "512KiB", "--threads", "1")
              for shard in (1, 2, 3, 4)]  # fmt: skip
    time.sleep(0.7)
    sweeps[1].kill()
    assert [sweep.wait(60) for sweep in sweeps] == [0, -signal.SIGKILL, 0, 0]
    left = coverage(s3)
    assert left["proven_packs"] < left["packs"]
    again = s3.json("sweep", "--shard", "2/4")
    assert again["packs_read"] == left["packs"] - left["proven_packs"] and again["coverage"]["ratio"] == 1
    assert s3.json("sweep")["packs_read"] == 0


def test_one_that_is_killed_has_proven_nothing_that_it_did_not_record(filled):
    sweep = filled.start("sweep", "--threads", "1", env={"DRSTREAM_FAILPOINT": "scan.flip:3:hang"})
    time.sleep(2)
    sweep.send_signal(signal.SIGKILL)
    sweep.wait()
    assert coverage(filled)["proven_packs"] == 0
    assert filled.json("sweep")["coverage"]["ratio"] == 1


def test_the_end_of_the_nightly_line(filled):
    """As docs/NIGHTLY.md has it."""
    metrics = filled.folder / "status.prom"
    line = ("drstream push s/0 --exec -- echo dump && drstream forget --keep-last 7 --prune; "
            f"drstream sweep --budget 45m --idle; drstream status --newest-within 25h --metrics {metrics}")
    environment = filled.environment()
    environment["PATH"] = f"{filled.binary.parent}:{environment['PATH']}"
    night = subprocess.run(["bash", "-c", line], env=environment, capture_output=True, text=True, timeout=120)
    assert night.returncode == 0, night.stderr
    text = metrics.read_text()
    assert "drstream_verify_coverage_ratio{" in text and 'drstream_verify_overdue_packs{repository="' in text
    assert [line for line in text.splitlines() if line.startswith("drstream_verify_coverage_ratio")][0].endswith(" 1")


def test_a_budget_is_a_size_or_a_time(filled):
    for wrong in ("0", "0s", "0B", "45", "5M", "x", "-1", "5 parsecs", ""):
        filled.run("sweep", "--budget", wrong, expect=2)
    report = filled.json("sweep", "--budget", "1GiB", "--budget", "45m")
    assert report["coverage"]["ratio"] == 1


class Nights:
    """A repository whose packs are an hour apart, as those of weeks are, and what sweeps have read of it."""

    def __init__(self, drs, dice):
        self.drs, self.dice = drs, dice
        self.clock = time.time() - 300 * 24 * 3600
        self.dated = set()

    def push(self, stream, size):
        seed = self.dice.randbytes(16).hex()
        stream_of = f"openssl enc -aes-128-ctr -K {seed} -iv {'0' * 32} -in /dev/zero 2>/dev/null | head -c {size}"
        self.drs.run("push", stream, *QUICK, "--exec", "--", "bash", "-c", stream_of)
        for name in sorted(set(self.drs.names("packs")) - self.dated):
            self.clock += 3600
            os.utime(self.drs.path / name, (self.clock, self.clock))
            self.dated.add(name)

    def coverage(self, within="30d"):
        return self.drs.json("status", "--verified-within", within, expect=(0, 15))["coverage"]

    def prune(self):
        self.drs.run("forget", "--keep-last", "1", "--force", "--prune", *AT_ONCE)
        self.drs.run("prune", *AT_ONCE)
        self.dated &= set(self.drs.names("packs"))


def test_nights_with_budgets_kills_pushes_and_prunes(drs, full_run, dice):
    """At full size 20 GB. Each night a part; the figure is right after kills, pushes and prunes; then the lap begins
    again with what was proven first."""
    total = 20_000_000_000 if full_run else 200_000_000
    drs.timeout_seconds = 1800
    nights = Nights(drs, dice)
    for stream in range(8):
        nights.push(f"s/{stream}", total // 8)
    begun, lap = time.time(), 0
    while nights.coverage()["ratio"] < 1:
        lap += 1
        before = nights.coverage()
        kill_after(drs, dice.uniform(0.05, 0.5) * (10 if full_run else 1), "sweep", "--budget", f"{total // 6}B",
                   stdin=subprocess.DEVNULL)  # fmt: skip
        killed = nights.coverage()
        assert before["proven_packs"] <= killed["proven_packs"]
        night = drs.json("sweep", "--budget", f"{total // 6}B")
        after = nights.coverage()
        assert night["read_bytes"] <= total // 6 and after["proven_packs"] == night["coverage"]["proven_packs"]
        assert after["proven_packs"] == killed["proven_packs"] + night["packs_read"]
        if lap in (2, 4):
            nights.push(f"s/{lap}", total // 40)
            assert nights.coverage()["proven_packs"] == after["proven_packs"] < nights.coverage()["packs"]
        if lap == 3:
            nights.prune()
            # What proves nothing any more is read again: here all packs are younger than an hour.
            assert nights.coverage()["proven_packs"] <= after["proven_packs"]
        assert lap < 20
    drs.json("verify", "--read-data")
    # Nothing is due; the next lap begins with the oldest proofs.
    assert drs.json("sweep")["read_bytes"] == 0
    oldest = nights.coverage()["oldest_proof_time"]
    window = f"{int(time.time() - begun) + 1000}s"
    drs.json("sweep", "--verified-within", "0s", "--budget", f"{total // 3}B")
    assert nights.coverage(window)["oldest_proof_time"] > oldest and nights.coverage(window)["ratio"] == 1
    print(f"{total} bytes, {nights.coverage()['packs']} packs, {lap} nights")
