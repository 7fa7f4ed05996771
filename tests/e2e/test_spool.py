"""push --spool and resume: packs wait on local disk while the store is slow, away, or the push dead."""

import os
import shutil
import signal
import stat
from contextlib import contextmanager

import pytest
from campaign_support import strace
from repository import sample_bytes

STREAM = "pg/app"
DATA = sample_bytes(7_000_000)
SMALL = sample_bytes(900_000, seed=5)
COMPLETE = "the stream is complete and spooled"


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


def entries(spool):
    return [path for path in spool.iterdir() if path.name != "lock"] if spool.exists() else []


def wait_for_line(process, text):
    """Reads stderr up to the line that holds `text`."""
    seen = []
    for line in process.stderr:
        seen.append(line.decode("utf-8", "replace"))
        if text in seen[-1]:
            return
    raise AssertionError(f"{text!r} was not said: {''.join(seen)}")


@pytest.fixture
def slow_store(new_s3_repository, minio, toxiproxy):
    """A repository in MinIO, and the proxy between: fast until a test says otherwise."""
    repository = new_s3_repository(minio)
    repository.run("init")
    with toxiproxy.proxy(minio.port) as proxy:
        repository.endpoint = f"http://127.0.0.1:{proxy.port}"
        yield repository, proxy


@contextmanager
def spooled_push(repository, spool, *options):
    """A push that has begun, to be fed through its stdin."""
    process = repository.start("push", STREAM, "--spool", spool, *options, stdin=-1)
    try:
        while not any(name.startswith("sessions/") for name in repository.objects()):
            assert process.poll() is None, process.stderr.read().decode()
        yield process
    finally:
        process.kill()
        process.communicate()


def begin_to_feed(process, data):
    """More than a pipe holds: once it is written the push reads, and has all that it wants of the store before. What
    is left."""
    process.stdin.write(data[:4_000_000])
    process.stdin.flush()
    return data[4_000_000:]


def feed(process, data):
    process.stdin.write(data)
    process.stdin.close()
    process.stdin = None


def test_a_slow_store_does_not_hold_up_the_producer(slow_store, spool):
    repository, proxy = slow_store
    with spooled_push(repository, spool) as process:
        rest = begin_to_feed(process, DATA)
        toxic = proxy.bandwidth(32, stream="upstream")
        feed(process, rest)
        wait_for_line(process, COMPLETE)
        assert process.poll() is None
        assert repository.snapshots() == [], "recorded is not committed"
        proxy.remove(toxic)
        assert process.wait(repository.timeout_seconds) == 0
    assert repository.pull(STREAM) == DATA
    assert entries(spool) == []
    assert not any(name.startswith("sessions/") for name in repository.objects())
    repository.run("verify", "--read-data")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_push_killed_after_the_proof_is_finished_without_its_producer(slow_store, spool, how):
    repository, proxy = slow_store
    with spooled_push(repository, spool) as process:
        rest = begin_to_feed(process, DATA)
        toxic = proxy.bandwidth(32, stream="upstream")
        feed(process, rest)
        wait_for_line(process, COMPLETE)
        process.send_signal(how)
        proxy.remove(toxic)
        assert process.wait(repository.timeout_seconds) == (-how if how == signal.SIGKILL else 128 + how)
    assert repository.snapshots() == []
    document = repository.json("resume", "--spool", spool)
    assert [snapshot["stream"] for snapshot in document["committed"]] == [STREAM]
    assert repository.pull(STREAM) == DATA
    assert entries(spool) == []
    repository.run("verify", "--read-data", "--expect-head", document["committed"][0]["head"])
    assert list((repository.state / "heads").rglob("*.json")), "the head is remembered as by a push"
    assert "nothing to resume" in repository.text("resume", "--spool", spool)


def test_an_index_object_that_goes_while_the_spool_is_uploaded_keeps_no_push_from_its_snapshot(
    new_s3_repository, minio, toxiproxy, spool
):
    repository = new_s3_repository(minio, bucket=minio.new_bucket(object_lock=True))  # so that what is reused is secured
    repository.run("init", "--lock-days", "1")
    repository.push(STREAM, SMALL, "--lock-days", "1")
    indexes = repository.names("index")
    home = repository.endpoint
    with toxiproxy.proxy(minio.port) as proxy:
        repository.endpoint = f"http://127.0.0.1:{proxy.port}"
        with spooled_push(repository, spool, "--lock-days", "1") as process:
            rest = begin_to_feed(process, SMALL + DATA)
            toxic = proxy.bandwidth(32, stream="upstream")
            feed(process, rest)
            wait_for_line(process, COMPLETE)
            repository.endpoint = home
            for name in indexes:
                repository.remove_object(name)  # as a repair does that replaces it
            proxy.remove(toxic)
            out, err = process.communicate(timeout=repository.timeout_seconds)
            assert process.returncode == 0, err
    assert repository.pull(STREAM) == SMALL + DATA
    assert entries(spool) == []


def test_a_push_killed_before_the_proof_is_cleaned_up(slow_store, spool):
    repository, proxy = slow_store
    with spooled_push(repository, spool) as process:
        rest = begin_to_feed(process, sample_bytes(14_000_000))
        toxic = proxy.bandwidth(32, stream="upstream")
        process.stdin.write(rest)  # packs are closed, and the end is not in sight
        while not list(spool.glob("*/objects/packs/*/*")):
            assert process.poll() is None
        process.kill()
        process.wait()
        proxy.remove(toxic)
    outcome = repository.run("resume", "--spool", spool, expect=3)
    assert "run the producer again" in outcome.err
    assert entries(spool) == []
    assert repository.snapshots() == []
    assert repository.push(STREAM, DATA, "--spool", spool)["bytes"] == len(DATA)
    assert repository.pull(STREAM) == DATA


def test_a_producer_that_fails_leaves_nothing(drs, spool):
    drs.run("push", STREAM, "--spool", spool, "--exec", "--", "sh", "-c", "echo half; exit 7", expect=3)
    assert entries(spool) == []
    assert "nothing to resume" in drs.text("resume", "--spool", spool)


def test_a_store_that_is_away_for_the_whole_push(slow_store, spool):
    repository, proxy = slow_store
    with spooled_push(repository, spool, "--store-timeout", "1s") as process:
        rest = begin_to_feed(process, DATA)
        proxy.enable(False)
        feed(process, rest)
        message = process.stderr.read().decode()
        assert process.wait(repository.timeout_seconds) == 6, message
    assert f"next step: run `drstream resume -r {repository.path} --spool {spool}`, with the options" in message
    assert len(entries(spool)) == 1
    outcome = repository.run("resume", "--spool", spool, "--store-timeout", "1s", expect=6)
    assert len(entries(spool)) == 1, outcome.err
    proxy.enable()
    assert repository.snapshots() == []
    repository.run("resume", "--spool", spool)
    assert repository.pull(STREAM) == DATA
    assert entries(spool) == []


def test_what_lies_in_the_spool_is_sealed_and_nobody_elses(slow_store, spool):
    repository, proxy = slow_store
    text = b"".join(b"%08d the secret of the house\n" % number for number in range(200_000))
    with spooled_push(repository, spool) as process:
        rest = begin_to_feed(process, text)
        proxy.bandwidth(1, stream="upstream")
        feed(process, rest)
        wait_for_line(process, COMPLETE)
        [entry] = entries(spool)
        files = [path for path in entry.rglob("*") if path.is_file()]
        assert stat.S_IMODE(spool.stat().st_mode) == stat.S_IMODE(entry.stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert any("/packs/" in str(path) for path in files)
        for path in files:
            content = path.read_bytes()
            assert b"secret of the house" not in content and STREAM.encode() not in content, path


def test_two_pushes_share_a_directory_and_resume_leaves_them_alone(drs, spool):
    with spooled_push(drs, spool) as first, spooled_push(drs, spool) as second:
        while len(entries(spool)) < 2:
            assert first.poll() is None and second.poll() is None
        outcome = drs.run("resume", "--spool", spool)
        assert outcome.err.count("still running") == 2
        feed(first, DATA)
        feed(second, SMALL)
        assert first.wait(drs.timeout_seconds) == second.wait(drs.timeout_seconds) == 0
    assert entries(spool) == []
    assert sorted(snapshot["bytes"] for snapshot in drs.snapshots()) == sorted([len(DATA), len(SMALL)])


def test_a_spool_smaller_than_the_stream(drs, spool):
    for size in ("0", "1MiB", "7MiB"):
        drs.push(f"{STREAM}/{size}", DATA, "--spool", spool, "--spool-size", size)
        assert drs.pull(f"{STREAM}/{size}") == DATA
    drs.run("push", STREAM, "--spool-size", "1MiB", input=b"x", expect=2)


def recorded_hits(repository, spool, tmp_path, *command, **options):
    """Every failpoint that a run meets, as (name, how many times until then)."""
    log = tmp_path / f"failpoints-{len(list(tmp_path.iterdir()))}"
    repository.run(*command, env={"DRSTREAM_FAILPOINT_LOG": str(log)}, **options)
    counts = {}
    hits = []
    for name in log.read_text().split():
        counts[name] = counts.get(name, 0) + 1
        hits.append((name, counts[name]))
    return hits


def die_at(hit):
    return {"DRSTREAM_FAILPOINT": f"{hit[0]}:{hit[1]}:abort"}


def some(hits, full_run):
    """All of them, or those that matter most and a sample."""
    if full_run:
        return hits
    return [hit for hit in hits if hit[0].startswith(("spool.", "push."))]


def test_killed_anywhere_a_push_is_finished_or_cleaned_up(new_repository, spool, tmp_path, full_run, share):
    trial = new_repository("trial")
    trial.run("init")
    push = ("push", STREAM, "--spool", spool)
    for number, hit in enumerate(share(some(recorded_hits(trial, spool, tmp_path, *push, input=SMALL), full_run))):
        repository = new_repository(f"killed-{number}")
        repository.run("init")
        repository.run(*push, input=SMALL, env=die_at(hit), expect=None)
        before = repository.snapshots()
        outcome = repository.run("resume", "--spool", spool, expect=(0, 3))
        assert entries(spool) == [], (hit, outcome)
        after = repository.snapshots()
        if b"nothing to resume" in outcome.out:  # it died before its entry was made, or after it was ended
            assert after == before, hit
        else:
            assert len(after) == (1 if outcome.code == 0 else 0), (hit, outcome)
        if after:
            assert repository.pull(STREAM) == SMALL
        repository.run("verify", "--read-data")


def test_a_resume_that_is_killed_is_resumed_again(new_repository, spool, tmp_path, full_run, share):
    def dead_push(name):
        repository = new_repository(name)
        repository.run("init")
        hits = recorded_hits(repository, spool, tmp_path, "push", "other", "--spool", spool, input=SMALL)
        last = max(count for point, count in hits if point == "spool.after_put")
        repository.run("push", STREAM, "--spool", spool, input=DATA, expect=-9,
                       env=die_at(("spool.after_put", last + 1)))
        return repository

    resume = ("resume", "--spool", spool)
    for number, hit in enumerate(share(some(recorded_hits(dead_push("trial"), spool, tmp_path, *resume), full_run))):
        repository = dead_push(f"killed-{number}")
        repository.run(*resume, env=die_at(hit), expect=None)
        repository.run(*resume)
        assert repository.pull(STREAM) == DATA
        assert entries(spool) == []


def test_entries_of_other_repositories_are_left_alone(new_repository, spool):
    mine, other = new_repository("mine"), new_repository("other")
    for repository in (mine, other):
        repository.run("init")
    other.run("push", STREAM, "--spool", spool, input=SMALL, env=die_at(("spool.after_put", 1)), expect=None)
    outcome = mine.run("resume", "--spool", spool)
    assert "left alone" in outcome.err and "another repository" in outcome.err
    assert len(entries(spool)) == 1
    other.run("resume", "--spool", spool, expect=(0, 3))
    assert entries(spool) == []


def die_recorded(repository, spool, tmp_path):
    """Leaves an entry of a push that died with its manifest recorded."""
    repository.push(STREAM, SMALL)
    hits = recorded_hits(repository, spool, tmp_path, "push", STREAM, "--spool", spool, input=SMALL)
    last = max(count for point, count in hits if point == "spool.after_put")
    repository.run("push", STREAM, "--spool", spool, input=SMALL, env=die_at(("spool.after_put", last)), expect=None)


@pytest.mark.local_only("a path is bytes")
def test_every_entry_for_a_place_that_is_no_utf8_is_finished(new_repository, spool, tmp_path):
    odd = new_repository("odd")
    odd.path = odd.folder / os.fsdecode(b"repo\xff")
    odd.run("init")
    for _ in range(2):
        die_recorded(odd, spool, tmp_path)
    assert len(odd.json("resume", "--spool", spool)["committed"]) == 2
    assert entries(spool) == [] and len(odd.snapshots()) == 6


def test_neither_what_was_resumed_nor_what_was_pushed_before_can_be_deleted_unseen(drs, spool, tmp_path):
    die_recorded(drs, spool, tmp_path)
    pushed = drs.push(STREAM, SMALL)["manifest"]
    (resumed,) = drs.json("resume", "--spool", spool)["committed"]
    drs.run("verify", "--expect-head")
    for name in (pushed, resumed["manifest"]):
        data = drs.read_object(name)
        drs.remove_object(name)
        assert name in drs.run("verify", expect=13).out.decode()
        drs.write_object(name, data)


def test_an_entry_for_another_place_of_the_same_repository_is_kept(drs, new_repository, spool, tmp_path):
    replica = new_repository("replica", key=drs.key)
    replica.run("init", "--replica-of", drs.path)
    die_recorded(drs, spool, tmp_path)
    (entry,) = entries(spool)
    err = replica.run("resume", "--spool", spool, expect=2).err
    assert "resume it with that --repository" in err and str(drs.path) in err
    assert entries(spool) == [entry]
    drs.run("resume", "--spool", spool)
    assert drs.pull(STREAM) == SMALL and entries(spool) == []


def test_a_spool_that_is_damaged_is_given_up_by_a_new_push(drs, spool, tmp_path):
    die_recorded(drs, spool, tmp_path)
    (entry,) = entries(spool)
    for manifest in (entry / "objects/manifests").iterdir():
        manifest.write_bytes(manifest.read_bytes()[:-1] + b"x")
    err = drs.run("resume", "--spool", spool, expect=4).err
    assert f"no resume can commit it: run the producer again with a new push, then remove {entry}" in err
    assert "resume again" not in err and entries(spool) == [entry]


@pytest.mark.local_only("strace follows the files of a directory")
def test_resume_does_not_deny_a_snapshot_whose_record_in_the_spool_cannot_be_read(drs, spool, tmp_path, missing):
    die_recorded(drs, spool, tmp_path)
    (entry,) = entries(spool)
    (manifest,) = (entry / "objects/manifests").iterdir()
    shutil.copytree(spool, tmp_path / "again", symlinks=True)
    drs.run("resume", "--spool", spool)
    calls = "read,pread64,preadv,preadv2"
    for error in ("EIO", "EUCLEAN"):
        reads = strace(missing, "-o", "/dev/null", "-P", tmp_path / "again" / manifest.relative_to(spool),
                       "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}")  # fmt: skip
        err = drs.run("resume", "--spool", tmp_path / "again", expect=5, launcher=reads, env={"DRSTREAM_IO": "posix"}).err
        assert "do not count on a snapshot of it" in err and "no snapshot was made" not in err
        assert "the damage is in its spool" in err
        assert entries(tmp_path / "again") != []
    drs.run("resume", "--spool", tmp_path / "again")


def test_a_strange_entry_does_not_keep_the_others_from_being_resumed(drs, spool, tmp_path):
    die_recorded(drs, spool, tmp_path)
    strange = spool / ("0" * 32)
    strange.touch()
    outcome = drs.run("resume", "--spool", spool, expect=5)
    assert str(strange) in outcome.err and "left alone" in outcome.err
    assert drs.pull(STREAM) == SMALL and entries(spool) == [strange]


def test_an_entry_for_another_server_of_the_same_name_is_kept(new_s3_repository, minio, fault_proxy, spool, tmp_path):
    repository = new_s3_repository(minio)
    repository.run("init")
    home = repository.endpoint
    die_recorded(repository, spool, tmp_path)
    (entry,) = entries(spool)
    repository.endpoint = fault_proxy(minio).endpoint
    err = repository.run("resume", "--spool", spool, expect=2).err
    assert home in err and repository.endpoint in err
    assert entries(spool) == [entry]
    repository.endpoint = home
    repository.run("resume", "--spool", spool)
    assert repository.pull(STREAM) == SMALL and entries(spool) == []


def test_a_snapshot_whose_shared_packs_are_gone_waits_for_them(drs, spool, tmp_path):
    drs.push(STREAM, SMALL)
    shared = drs.names("packs")
    hits = recorded_hits(drs, spool, tmp_path, "push", STREAM, "--spool", spool, input=SMALL)
    last = max(count for point, count in hits if point == "spool.after_put")
    drs.run("push", STREAM, "--spool", spool, input=SMALL, env=die_at(("spool.after_put", last)), expect=None)
    before = len(drs.snapshots())
    kept = {name: drs.read_object(name) for name in shared}
    for name in shared:
        drs.remove_object(name)
    outcome = drs.run("resume", "--spool", spool, expect=7)
    assert "run the producer again" in outcome.err and "its spool is kept" in outcome.err
    assert len(entries(spool)) == 1  # that something is not there proves nothing
    assert len(drs.snapshots()) == before
    for name, data in kept.items():
        drs.write_object(name, data)
    drs.run("resume", "--spool", spool)
    assert entries(spool) == []
    assert len(drs.snapshots()) == before + 1


def test_resume_needs_a_spool(drs, spool):
    assert "DRSTREAM_SPOOL" in drs.run("resume", expect=2).err
    assert "nothing to resume" in drs.text("resume", env={"DRSTREAM_SPOOL": str(spool)})
    assert not spool.exists()


@pytest.mark.parametrize("command", ["push", "resume"])
def test_a_spool_that_cannot_lie_there_is_a_wrong_option(drs, tmp_path, command):
    file = tmp_path / "file"
    file.write_bytes(b"not a directory")
    words = ["push", STREAM] if command == "push" else ["resume"]
    for wrong in (tmp_path / "absent" / "spool", file, file / "spool"):
        err = drs.run(*words, "--spool", wrong, input=b"x", expect=2).err
        assert str(wrong) in err, err
    assert drs.snapshots() == []
    absent = drs.run("resume", "--spool", f"{tmp_path}/new/")  # such as one that is not mounted
    assert b"nothing to resume" in absent.out and "does not exist" in absent.err


def test_what_is_recorded_is_kept_whatever_is_damaged(drs, spool, tmp_path):
    drs.push(STREAM, SMALL)
    (shared,) = drs.names("packs")
    hits = recorded_hits(drs, spool, tmp_path, "push", STREAM, "--spool", spool, input=SMALL)
    last = max(count for point, count in hits if point == "spool.after_put")
    drs.run("push", STREAM, "--spool", spool, input=SMALL, env=die_at(("spool.after_put", last)), expect=None)
    before = len(drs.snapshots())
    (entry,) = entries(spool)
    owner = entry / "owner"
    line = owner.read_bytes()

    whole = drs.read_object(shared)
    drs.write_object(shared, whole[:-1])
    drs.run("resume", "--spool", spool, expect=4)
    drs.write_object(shared, whole)
    owner.write_bytes(line[:20])
    outcome = drs.run("resume", "--spool", spool, expect=4)
    assert f"{owner} is damaged" in outcome.err
    assert entries(spool) == [entry]

    owner.write_bytes(line.rstrip(b"\n"))  # as an editor may leave it
    drs.run("resume", "--spool", spool)
    assert entries(spool) == []
    assert len(drs.snapshots()) == before + 1
    assert drs.pull(STREAM) == SMALL
