"""Snapshots copied between repositories: as they are into a replica, stored again into any other; interrupted and resumed."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign_support import QUICK, PeakMemory, kill_after
from repository import sample_bytes, sha256_hex

MIB = 1 << 20
MAKE_STREAM = Path(__file__).with_name("make_stream.py")
OLD = sample_bytes(1_500_000)
NEW = OLD[:700_000] + os.urandom(30_000) + OLD[700_000:]
OTHER = sample_bytes(400_000, seed=2)


def from_options(source, *options):
    return ["copy", "--from-repository", source.path, *options]


def from_env(source, extra=None):
    return {"BACKUP_FROM_ENCRYPTION_KEY": source.key, **(extra or {})}


def copy(source, target, *options, env=None, **settings):
    return target.json(*from_options(source, *options), env=from_env(source, env), **settings)


def fill(source):
    """Two streams, one of them with two snapshots; what each must restore to, by stream and time."""
    source.push("pg/app", OLD, "--time", "2026-11-20T02:00", "--tag", "env=test")
    source.push("pg/app", NEW, "--time", "2026-11-21T02:00")
    source.push("other", OTHER, *QUICK)
    return source


def prove(target, selectors=None):
    wanted = {"pg/app@2026-11-20T02:00": OLD, "pg/app": NEW, "other": OTHER}
    for selector in selectors or wanted:
        assert target.pull(selector) == wanted[selector], selector
    target.run("verify", "--read-data", "--read-only")
    target.run("scrub", "--read-only")


def files(repository):
    """What is stored, but for the key slots, which are each repository's own."""
    return {name: data for name, data in repository.tree().items() if data is not None and not name.startswith("keys/")}


@pytest.fixture
def source(drs):
    return fill(drs)


@pytest.fixture
def new_replica(new_repository):
    def make(source, name="replica", **options):
        target = new_repository(name, **options)
        target.run("init", "--replica-of", source.path, env=from_env(source))
        return target

    return make


def test_a_copy_of_a_repository_onto_itself_is_refused(source):
    second_name = source.folder / "second-name"
    second_name.symlink_to(source.path)
    for place in (source.path, second_name):
        outcome = source.run("copy", "--from-repository", place, expect=2)
        assert "same place" in outcome.err


def test_a_replica_that_lags_behind_is_warned_of_and_used(source, new_replica):
    replica = new_replica(source)
    copy(source, replica)
    source.push("pg/app", OTHER)
    same_machine = {"DRSTREAM_STATE_DIR": str(source.state)}
    outcome = replica.run("pull", "pg/app", env=same_machine)
    assert outcome.out == NEW and f"it was seen at {source.path}" in outcome.err
    assert "lags behind" in replica.run("verify", env=same_machine).out.decode()


def test_a_lost_config_is_never_built_over_and_a_replicas_brings_it_back(source, new_replica):
    replica = new_replica(source)
    copy(source, replica)
    source.remove_all("config")
    before = source.tree()
    err = source.run("init", expect=2).err
    assert "nothing under config/:" in err and "replica" in err and "nothing was changed" in err
    err = source.run("init", "--replica-of", replica.path, env=from_env(replica), expect=2).err
    assert "nothing under config/:" in err
    for command in (["push", "s"], ["pull", "pg/app"], ["list"], ["verify"], ["scrub"]):
        err = source.run(*command, input=OTHER, expect=10).err
        assert "Copy config/ from a backup or a replica" in err and "at an empty place" in err
    assert source.tree() == before
    for name in replica.names("config"):
        source.write_object(name, replica.read_object(name))
    prove(source)

    source.remove_all("config")
    source.remove_all("keys")
    assert "config/ and keys/" in source.run("init", expect=2).err
    for name in [*replica.names("config"), *replica.names("keys")]:
        source.write_object(name, replica.read_object(name))
    source.key = replica.key
    prove(source)


@pytest.fixture(params=["replica", "other"])
def target(request, source, new_replica, new_repository):
    """A repository with a key of its own to copy `source` into: a replica of it, or any other."""
    if request.param == "replica":
        return new_replica(source)
    repository = new_repository("other")
    repository.run("init")
    return repository


def test_a_replica_is_the_source_object_for_object(source, new_replica):
    replica = new_replica(source)
    report = copy(source, replica)
    assert (report["replica"], report["copied"], report["exit_code"]) == (True, 3, 0)
    assert report["verified"]["snapshots_checked"] == 3 and report["verified"]["findings"] == []
    assert files(replica) == files(source)
    assert {s["manifest_digest"] for s in replica.snapshots()} == {s["manifest_digest"] for s in source.snapshots()}
    prove(replica)


def test_packs_that_a_replica_has_lost_are_copied_again(source, new_replica):
    replica = new_replica(source)
    copy(source, replica)
    whole = files(replica)
    for name in [name for name in whole if name.startswith("packs/")]:
        (Path(replica.path) / name).unlink()
    replica.run("verify", "--read-only", expect=4)
    said = replica.run(*from_options(source), env=from_env(source))
    assert b"healed" in said.out and b"copied again" in said.out and "the target had lost" in said.err
    assert files(replica) == whole
    prove(replica)
    assert copy(source, replica)["present"] == 3


def test_what_is_damaged_in_a_replica_heals_by_a_repair_or_once_it_is_removed(source, new_replica):
    replica = new_replica(source)
    copy(source, replica)
    pack = max((Path(replica.path) / "packs").glob("*/*"), key=lambda path: path.stat().st_size)
    whole = pack.read_bytes()
    pack.chmod(0o600)
    pack.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    replica.run("verify", "--read-data", expect=4)
    said = replica.run(*from_options(source), env=from_env(source), expect=4)
    out = said.out.decode()
    assert "run `drstream repair packs` in the target, with this source as its --from-repository" in out
    assert "no snapshot of" not in out
    pack.unlink()
    replica.run(*from_options(source), env=from_env(source))
    assert pack.read_bytes() == whole
    replica.run("verify", "--read-data")
    prove(replica)


def test_copies_restore_and_are_not_made_twice(source, target):
    assert copy(source, target)["copied"] == 3
    prove(target)
    before = target.tree()
    again = copy(source, target)
    assert (again["copied"], again["present"], again["written_bytes"]) == (0, 3, 0)
    assert {name for name in target.tree() if not name.startswith(".")} == {n for n in before if not n.startswith(".")}


def test_a_copy_keeps_what_is_known_of_the_snapshot(source, new_repository):
    target = new_repository("target")
    target.run("init")
    source.run("push", "exec", "--exec", "--", "echo", "hello")
    copy(source, target)
    kept = ["stream", "time", "bytes", "sha256", "xxh3_128", "tags", "producer", "host", "sequence"]

    def facts(repository):
        return [{name: snapshot[name] for name in kept} for snapshot in map(
            lambda s: repository.json("show", s["id"]), repository.snapshots())]  # fmt: skip

    assert facts(target) == facts(source)
    # What is equal in two snapshots is stored once there, too.
    app = [s for s in target.snapshots() if s["stream"] == "pg/app"]
    assert app[1]["new_bytes"] < 300_000


def test_snapshots_are_chosen_by_stream_and_selector(source, target):
    assert [s["stream"] for s in copy(source, target, "other")["snapshots"]] == ["other"]
    chosen = copy(source, target, "pg/app@2026-11-20T02:00")["snapshots"]
    assert [(s["outcome"], s["time"][:10]) for s in chosen] == [("copied", "2026-11-20")]
    prove(target, ["other", "pg/app@2026-11-20T02:00"])
    by_stream = copy(source, target, "--stream", "pg/app")["snapshots"]
    assert [s["outcome"] for s in by_stream] == ["present", "copied"]
    prove(target)
    assert "nearest streams: pg/app" in target.run(*from_options(source, "--stream", "pg/ap"), env=from_env(source), expect=16).err
    target.run(*from_options(source, "nothing"), env=from_env(source), expect=16)


def test_patterns_and_prefixes_name_streams_as_in_list(source, target):
    assert {s["stream"] for s in copy(source, target, "pg/", "o*")["snapshots"]} == {"pg/app", "other"}
    assert target.pull("pg/app") == NEW, "the latest"
    source.push("pg/billing", OTHER)
    every = copy(source, target, "--stream", "pg/*", expect=(0, 9))["snapshots"]
    assert [s["stream"] for s in every] == ["pg/app", "pg/app", "pg/billing"]
    for selection in (["vm/"], ["--stream", "vm/*"]):
        target.run(*from_options(source, *selection), env=from_env(source), expect=16)


@pytest.mark.parametrize("selection", [[], ["--stream", "pg/app"], ["pg/"]])
def test_lost_snapshots_of_the_source_are_warned_of_and_exit_13(source, target, selection):
    source.remove_object(source.json("show", "pg/app")["manifest"])
    same_machine = from_env(source, {"DRSTREAM_STATE_DIR": str(source.state)})
    outcome = target.run(*from_options(source, *selection), env=same_machine, expect=13)
    assert "sequence 2 was seen" in outcome.err
    copied = any(line.startswith(b"copied ") for line in outcome.out.splitlines())
    assert copied == (selection != ["pg/"]), outcome
    if not selection:
        prove(target, ["other", "pg/app@2026-11-20T02:00"])
        document = json.loads(target.run(*from_options(source, "--json"), env=same_machine, expect=13).out)
        assert (document["lost"], document["exit_code"]) == (1, 13)


def test_an_older_snapshot_is_skipped_unless_it_is_named_by_its_id(source, new_repository):
    target = new_repository("target")
    target.run("init")
    copy(source, target, "pg/app")
    outcome = target.run(*from_options(source), env=from_env(source), expect=9)
    assert b"skipped" in outcome.out and b"by its id" in outcome.out, outcome
    assert target.pull("pg/app") == NEW and target.pull("other") == OTHER
    oldest = source.json("show", "pg/app@2026-11-20T02:00")["id"]
    assert "is now the latest" in target.run(*from_options(source, oldest), env=from_env(source)).err
    assert target.pull("pg/app@2026-11-20T02:00") == OLD


def test_keys_of_both_sides(source, new_repository, tmp_path):
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple\n")
    passphrase.chmod(0o600)
    key_file = tmp_path / "key"
    key_file.write_text(source.key)
    key_file.chmod(0o600)
    by_passphrase = new_repository("by-passphrase", key=None)
    options = ["--passphrase-file", passphrase]
    by_passphrase.run("init", "--replica-of", source.path, "--from-key-file", key_file, *options)
    by_passphrase.run(*from_options(source), *options, "--from-key-file", key_file)
    assert by_passphrase.pull("other", *options) == OTHER
    # The key of the target is the default for the source.
    same_key = new_repository("same", key=source.key)
    same_key.run("init", "--replica-of", source.path)
    same_key.run(*from_options(source))
    clear = new_repository("clear", key=None)
    clear.run("init", "--encryption", "none")
    clear.run(*from_options(source, "other"), env=from_env(source))
    assert clear.pull("other") == OTHER
    # Out of it again: it is read without a key only with --from-unencrypted.
    back = new_repository("back")
    back.run("init")
    back.run(*from_options(clear), expect=12)
    back.run(*from_options(clear, "--from-unencrypted"))
    assert back.pull("other") == OTHER
    wrong = back.run(*from_options(source), env={"BACKUP_FROM_ENCRYPTION_KEY": "01" * 31 + "02"}, expect=12)
    assert str(source.path) in wrong.err and "01" * 31 not in wrong.err
    new_repository("refused", key=None).run("init", "--encryption", "none", "--replica-of", source.path, env=from_env(source), expect=2)


def test_a_hold_in_a_mirror_keeps_the_snapshot_live(source, new_replica):
    replica = new_replica(source)
    copy(source, replica, "--mirror")
    held = source.snapshots()[0]["id"]
    replica.run("hold", held, "--reason", "case 4711")
    source.run("forget", held)
    for _ in range(2):
        assert "a hold here keeps it live" in copy(source, replica, "--mirror")["warnings"][0]
        assert held in {snapshot["id"] for snapshot in replica.snapshots()}
    replica.run("hold", "--release", held)
    assert copy(source, replica, "--mirror")["warnings"] == []
    assert held not in {snapshot["id"] for snapshot in replica.snapshots()}


def test_what_a_held_snapshot_of_a_mirror_needs_stays_live_too(source, new_replica):
    replica = new_replica(source)
    base = source.push("base", NEW)["id"]
    held = source.push("log", OLD, "--tag", f"needs={base}")["id"]
    copy(source, replica, "--mirror")
    replica.run("hold", held)
    source.run("forget", "--all", "log")
    source.run("forget", "--all", "base")
    assert len(copy(source, replica, "--mirror")["warnings"]) == 2
    assert {base, held} <= {snapshot["id"] for snapshot in replica.snapshots()}


def test_a_mirror_shows_what_the_source_shows(source, new_replica, new_repository):
    replica = new_replica(source)
    assert copy(source, replica, "--mirror")["copied"] == 3
    assert [s["id"] for s in replica.snapshots()] == [s["id"] for s in source.snapshots()]
    replica.push("own", OTHER)
    said = replica.run(*from_options(source, "--mirror"), env=from_env(source), expect=13)
    assert "pushed into the mirror" in said.err
    other = new_repository("other")
    other.run("init")
    other.run(*from_options(source, "--mirror"), env=from_env(source), expect=2)
    replica.run(*from_options(source, "--mirror", "other"), env=from_env(source), expect=2)


@pytest.mark.parametrize("wanted", [False, True])
def test_what_was_removed_only_in_a_mirror_is_made_equal_as_the_message_says(source, new_replica, wanted):
    replica = new_replica(source)
    copy(source, replica, "--mirror")
    removed = replica.json("show", "other")["id"]
    replica.run("forget", removed)
    said = replica.run(*from_options(source, "--mirror"), env=from_env(source), expect=7).err
    assert "remove them in the source, too (`drstream forget ID`)" in said
    if wanted:
        replica.run("unforget", removed)
        copy(replica, source)
    source.run("forget", removed)
    copy(source, replica, "--mirror")
    assert [s["id"] for s in replica.snapshots()] == [s["id"] for s in source.snapshots()]
    prove(replica, None if wanted else ["pg/app"])


def test_damage_is_named_and_the_rest_is_copied(source, target):
    pack = source.largest_pack()
    source.flip(pack, source.objects()[pack] // 3)
    report = copy(source, target, expect=4)
    assert (report["damaged"], report["copied"]) == (2, 1)
    damaged = [s for s in report["snapshots"] if s["outcome"] == "damaged"]
    assert all(pack.rpartition("/")[2] in s["problem"] for s in damaged)
    assert [s["stream"] for s in target.snapshots()] == ["other"]
    prove(target, ["other"])


def test_kill_9_at_random_moments_and_the_next_run_finishes(source, target, full_run, share, dice):
    expected = {sha256_hex(data) for data in (OLD, NEW, OTHER)}
    started = time.monotonic()
    target.run("list")
    floor_seconds = time.monotonic() - started
    for _ in share(range(60 if full_run else 6)):
        kill_after(target, floor_seconds + dice.uniform(0, 0.3), *from_options(source),
                   stdin=subprocess.DEVNULL, env=from_env(source))  # fmt: skip
        for snapshot in target.snapshots():
            assert sha256_hex(target.pull(snapshot["id"])) in expected
    copy(source, target)
    prove(target)


def test_death_at_every_failpoint_and_the_next_run_finishes(source, target, tmp_path, new_repository, new_replica):
    log = tmp_path / "points"
    trial = new_replica(source, "trial") if target.folder.name == "replica" else new_repository("trial")
    if target.folder.name == "other":
        trial.run("init")
    copy(source, trial, env={"DRSTREAM_FAILPOINT_LOG": str(log)})
    points = sorted(set(log.read_text().split()))
    assert "push.before_manifest" in points
    for point in points:
        code = target.run(*from_options(source), expect=None, env=from_env(source, {"DRSTREAM_FAILPOINT": f"{point}:abort"})).code
        assert code in (0, -9), point
        for snapshot in target.snapshots():
            assert target.pull(snapshot["id"]) in (OLD, NEW, OTHER)
    copy(source, target)
    prove(target)


def test_no_space_in_the_target_is_exit_5(source, target):
    point = {"DRSTREAM_FAILPOINT": "push.before_manifest:2:enospc"}
    said = target.run(*from_options(source), env=from_env(source, point), expect=5)
    assert "1 snapshots were copied" in said.err and "the next run continues from there" in said.err
    assert copy(source, target)["present"] == 1
    prove(target)


@pytest.mark.local_only("between a folder and buckets")
def test_copies_into_one_replica_at_once_all_end_well(drs, minio, new_repository, new_s3_repository):
    for number in range(10):
        drs.push("small", sample_bytes(2000, seed=number))
    for replica in (new_repository("folder"), new_s3_repository(minio, "bucket")):
        replica.run("init", "--replica-of", drs.path, env=from_env(drs))
        copies = [replica.start("--json", *from_options(drs), env=from_env(drs)) for _ in range(3)]
        for process in copies:
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err.decode()
            report = json.loads(out)
            assert report["copied"] + report["present"] == 10 and report["warnings"] == []
        assert replica.names("sessions") == []
        assert files(replica) == files(drs)
        replica.run("verify", "--read-data", "--read-only")


@pytest.mark.local_only("between a folder and buckets")
def test_through_a_bucket_and_back(source, minio, new_s3_repository, new_repository):
    bucket = new_s3_repository(minio, "bucket")
    bucket.run("init", "--replica-of", source.path, env=from_env(source))
    assert copy(source, bucket)["copied"] == 3
    assert files(bucket) == files(source)
    prove(bucket)
    other = new_s3_repository(minio, "other")
    other.run("init")
    assert copy(bucket, other)["copied"] == 3
    prove(other)
    for origin, replica in [(bucket, True), (other, False)]:
        home = new_repository(f"home-{replica}")
        keys = {"BACKUP_ENCRYPTION_KEY": home.key, "BACKUP_FROM_ENCRYPTION_KEY": origin.key}
        made = ["init", "-r", home.path] + (["--replica-of", origin.path] if replica else [])
        origin.run(*made, env=keys)
        origin.run(*from_options(origin), "-r", home.path, env=keys)
        prove(home)
        if replica:
            assert files(home) == files(source)


@pytest.mark.parametrize("kind", ["replica", "other"])
def test_memory_stays_within_the_ceiling(drs, kind, new_replica, new_repository):
    with subprocess.Popen([sys.executable, MAKE_STREAM, str(150 * MIB), "5"], stdout=subprocess.PIPE) as made:
        drs.run("push", "big", *QUICK, "--memory", "1GiB", stdin=made.stdout, input=None)
    target = new_replica(drs) if kind == "replica" else new_repository("other")
    if kind == "other":
        target.run("init")
    process = target.start(*from_options(drs), *QUICK, env=from_env(drs), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = PeakMemory(process)
    assert peak.wait() == 0
    print(f"{kind}: {peak.resident_bytes / MIB:.1f} MiB resident, {peak.huge_bytes / MIB:.1f} MiB huge")
    assert peak.total_bytes <= (96 + 32) * MIB
