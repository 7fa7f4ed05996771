"""push --also: one read, several repositories, each with a snapshot of its own or none."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign_support import QUICK, PeakMemory
from repository import Repository, sample_bytes, sha256_hex
from services import faults
from test_signals import processes_of_session, session_in, wait_for

MIB = 1 << 20
STREAM = "pg/app"
DATA = sample_bytes(9_000_000)
# Several packs, so that a store can fail in the middle.
LARGE = os.urandom(30_000_000)
MEMORY = "256MiB"


@pytest.fixture
def pair(new_repository):
    """Two local repositories with one key; pushes go through the first."""
    first = new_repository("first", memory=MEMORY)
    second = new_repository("second", key=first.key, memory=MEMORY)
    for repository in (first, second):
        repository.run("init")
    return first, second


@pytest.fixture
def bucket(new_s3_repository, fault_proxy, minio, binary, new_folder):
    """A local repository, one in MinIO with another key, and the proxy before MinIO. The first can name the second."""
    remote = new_s3_repository(minio, "remote", memory=MEMORY)
    remote.run("init")
    proxy = fault_proxy(minio)
    local = Repository(binary, new_folder("local"), memory=MEMORY)
    local.run("init")
    return local, remote, proxy


def place_of(repository, **settings):
    """The repository as --repository or --also of another takes it."""
    key_file = repository.folder / "key"
    key_file.write_text(repository.key)
    key_file.chmod(0o600)
    settings["key-file"] = key_file
    url = repository.path if str(repository.path).startswith("s3:") else f"file://{repository.path}"
    return f"{url}?" + "&".join(f"{name}={value}" for name, value in settings.items())


def credentials(remote):
    return {name: value for name, value in remote.environment().items() if name.startswith("AWS_")}


def no_snapshot(*repositories):
    return all(repository.snapshots() == [] for repository in repositories)


@pytest.mark.parametrize("way", ["stdin", "file", "exec"])
def test_one_read_makes_a_snapshot_in_each_repository(pair, tmp_path, way):
    first, second = pair
    file, runs = tmp_path / "dump", tmp_path / "runs"
    file.write_bytes(DATA)
    source = {
        "stdin": [],
        "file": ["--file", file],
        "exec": ["--exec", "--", "sh", "-c", f"echo run >> {runs}; cat {file}"],
    }[way]
    push = ["push", STREAM, "--also", second.path, *source]
    document = first.json(*push, input=DATA)
    assert document["schema"] == "drstream.push/1"
    told = document.pop("repositories")
    assert [entry["place"] for entry in told] == [str(first.path), str(second.path)]
    assert document["exit_code"] == 0 and [entry["exit_code"] for entry in told] == [0, 0]
    assert told[0]["result"] == {name: document[name] for name in document.keys() - {"schema", "exit_code"}}
    for repository, entry in zip(pair, told):
        (snapshot,) = repository.snapshots()
        assert snapshot["id"] == entry["result"]["id"]
        assert entry["result"]["sha256"] == sha256_hex(DATA)
        assert entry["result"]["producer"]["proof"] == {"stdin": "none", "file": "end-of-file"}.get(way, "exit-status")
        assert repository.pull(STREAM) == DATA
        # The heads of both were remembered where the push ran.
        repository.run("verify", "--read-data", "--expect-head", env={"DRSTREAM_STATE_DIR": str(first.state)})
    assert told[0]["result"]["id"] != told[1]["result"]["id"]
    heads = {path.name for path in (first.state / "heads").iterdir()}
    assert heads == {entry["repository"] for entry in told}
    again = first.json(*push, input=DATA)["repositories"]
    assert [entry["result"]["new_bytes"] for entry in again] == [0, 0]
    assert way != "exec" or runs.read_text() == "run\n" * 2


def test_the_summary_has_a_line_for_each(pair):
    first, second = pair
    lines = first.text("push", STREAM, "--also", second.path, input=DATA).splitlines()
    for repository in pair:
        (snapshot,) = repository.snapshots()
        assert any(line.startswith(f"{repository.path}: snapshot {snapshot['id']} ") for line in lines)
        assert any(line.startswith(f"{repository.path}: head {STREAM}=1:") for line in lines)


def test_a_disk_and_a_bucket_with_keys_of_their_own(bucket):
    local, remote, _ = bucket
    assert local.key != remote.key
    report = local.push(STREAM, DATA, "--also", place_of(remote), env=credentials(remote))
    assert [entry["place"] for entry in report["repositories"]] == [str(local.path), remote.path]
    for repository in (local, remote):
        assert repository.pull(STREAM) == DATA
        assert repository.snapshots()[0]["sha256"] == sha256_hex(DATA)
        repository.run("verify", "--read-data")


def test_three_repositories_may_be_given_by_option_and_variable(pair, new_repository):
    first, second = pair
    third = new_repository("third")
    third.run("init")
    report = first.push(STREAM, DATA, "--also", second.path, "--also", place_of(third), "--memory", "300MiB")
    assert len(report["repositories"]) == 3
    assert first.push(STREAM, DATA, env={"DRSTREAM_ALSO": place_of(third)})["repositories"][1]["exit_code"] == 0
    assert [len(repository.snapshots()) for repository in (first, second, third)] == [2, 1, 2]


def test_a_mistake_is_told_before_the_producer_starts(pair, new_repository, tmp_path):
    first, second = pair
    started = tmp_path / "started"
    locked = new_repository("locked")
    locked.run("init")
    for also, code, said in [
        ([tmp_path / "nowhere"], 10, "nowhere"),
        ([second.path, locked.path], 12, str(locked.path)),
        ([second.path, second.path], 2, "named twice"),
        ([first.path], 2, "named twice"),
        (["ftp://host/x"], 2, "ftp://host/x"),
    ]:
        options = [option for place in also for option in ("--also", place)]
        outcome = first.run("--memory", "400MiB", "push", STREAM, *options, "--exec", "--", "touch", started, expect=code)
        assert said in outcome.err
        assert not started.exists()
    # The wrong one may be the first, too.
    first.run("-r", tmp_path / "nowhere", "push", STREAM, "--also", second.path, "--exec", "--", "touch", started,
              expect=10)  # fmt: skip
    outcome = first.run("push", STREAM, "--also", second.path, "--memory", "199MiB", expect=2)
    assert "200 MiB" in outcome.err
    assert no_snapshot(*pair)
    first.run("push", STREAM, "--also", second.path, "--memory", "200MiB", input=DATA)


def test_one_repository_under_two_names_is_refused_whatever_they_are(pair, tmp_path):
    first, second = pair
    link = tmp_path / "link"
    link.symlink_to(first.path)
    started = tmp_path / "started"
    for spelling in [link, f"{first.path}/.", f"file://{first.path}", os.path.relpath(first.path)]:
        outcome = first.run("push", STREAM, "--also", spelling, "--exec", "--", "touch", started, expect=2)
        assert "named twice" in outcome.err and not started.exists()
    first.run("--memory", "400MiB", "push", STREAM, "--also", second.path, "--also", f"{second.path}/", input=DATA, expect=2)
    assert no_snapshot(*pair)
    assert [name for repository in pair for name in repository.names("sessions")] == []


def test_a_repository_and_its_replica_are_refused_before_the_producer_runs(pair, new_repository, tmp_path):
    first, _ = pair
    replica = new_repository("my replica", key=first.key)
    replica.run("init", "--replica-of", first.path)
    started = tmp_path / "started"
    outcome = first.run("push", STREAM, "--also", replica.path, "--exec", "--", "touch", started, expect=2)
    assert not started.exists() and no_snapshot(first, replica)
    advice = f"drstream copy --from-repository {first.path} -r '{replica.path}'"
    assert "is a replica of" in outcome.err and advice in outcome.err
    first.push(STREAM, DATA)
    replica.run(*shlex.split(advice)[1:])
    assert replica.pull(STREAM) == DATA


def test_one_bucket_under_two_addresses_is_refused(bucket, tmp_path):
    _, remote, proxy = bucket
    started = tmp_path / "started"
    outcome = remote.run("push", STREAM, "--also", f"{remote.path}?endpoint-url={proxy.endpoint}", "--exec", "--", "touch",
                         started, expect=2)  # fmt: skip
    assert "named twice" in outcome.err and not started.exists()


def survive(local, remote, code, *arguments, first=None):
    """Pushes LARGE twice to both: once until the remote store fails, and once more when that was told. The local
    repository has its snapshot, the remote one has none, and what is printed says so. The document, and stderr."""
    dump, go_on, err = (local.folder / name for name in ("dump", "go-on", "stderr"))
    dump.write_bytes(LARGE)
    script = f"cat {dump}; until [ -e {go_on} ]; do sleep 0.05; done; cat {dump}; echo the end >&2"
    with open(err, "wb") as stderr:
        process = local.start("--json", "push", STREAM, *QUICK, *arguments, "--exec", "--", "sh", "-c", script,
                              env=credentials(remote), stderr=stderr)  # fmt: skip
    wait_for(lambda: "the push to the other repositories continues" in err.read_text(), "the failure to be told")
    go_on.touch()
    out, _ = process.communicate(timeout=60)
    said = err.read_text()
    assert process.returncode == code, said
    assert "the end\n" in said, "the producer was not read to its end"
    assert f"drstream push: error: {remote.path}: " in said
    assert re.search("consequence: .*this push in this repository|this repository has no snapshot", said)

    assert local.pull(STREAM) == LARGE * 2
    local.run("verify", "--read-data")
    assert remote.snapshots() == []
    remote.run("verify")
    document = json.loads(out)
    told = {entry["place"]: entry for entry in document["repositories"]}
    assert told[str(local.path)]["exit_code"] == 0
    assert told[str(local.path)]["result"]["id"] == local.snapshots()[0]["id"]
    assert told[remote.path]["exit_code"] == told[remote.path]["error"]["exit_code"] == code
    return document


@pytest.mark.parametrize("remote_first", [False, True])
def test_a_store_that_refuses_in_the_middle_does_not_hurt_the_others(bucket, remote_first):
    local, remote, proxy = bucket
    proxy.on(faults.answer(403, "AccessDenied"), method="PUT", path="/packs/", nth=2, times=None)
    places = [place_of(local), place_of(remote, **{"endpoint-url": proxy.endpoint})]
    repository, also = reversed(places) if remote_first else places
    document = survive(local, remote, 5, "--repository", repository, "--also", also)
    assert document["schema"] == ("drstream.error/1" if remote_first else "drstream.push/1")
    assert document["exit_code"] == 5


def test_a_store_that_goes_away_in_the_middle_does_not_hurt_the_others(bucket):
    local, remote, proxy = bucket
    proxy.on(faults.lost_request(), method="PUT", path="/packs/", nth=2, times=None)
    also = ["--also", place_of(remote, **{"endpoint-url": proxy.endpoint})]
    survive(local, remote, 6, "--store-timeout", "2s", *also)
    # The next push stores what is missing.
    proxy.clear()
    local.push(STREAM, LARGE, *also, env=credentials(remote))
    assert remote.pull(STREAM) == LARGE


def test_a_producer_that_fails_commits_nothing_anywhere(pair):
    first, second = pair
    script = "head -c 5000000 /dev/urandom; echo broken >&2; exit 3"
    outcome = first.run("push", STREAM, "--also", second.path, "--exec", "--", "sh", "-c", script, expect=3)
    assert no_snapshot(*pair)
    assert outcome.err.count("exited with status 3") == 1
    assert "no snapshot was made; earlier snapshots are untouched" in outcome.err
    assert [line.split(": ")[1] for line in outcome.out.decode().splitlines()] == ["no snapshot (exit 3)"] * 2
    document = first.json("push", STREAM, "--also", second.path, "--exec", "--", "false", expect=3)
    assert document["schema"] == "drstream.error/1"
    assert [entry["exit_code"] for entry in document["repositories"]] == [3, 3]


def test_gates_apply_to_each_repository_by_its_own_past(pair):
    first, second = pair
    second.push(STREAM, DATA)
    smaller = DATA[:5_000_000]
    outcome = first.run("push", STREAM, "--also", second.path, "--max-shrink", "10%", input=smaller, expect=15)
    assert first.pull(STREAM) == smaller
    assert second.pull(STREAM) == DATA
    assert f"error: {second.path}: " in outcome.err
    first.run("push", "s", "--also", second.path, "--min-size", "20MB", input=DATA, expect=15)
    first.run("push", "s", "--also", second.path, "--require-trailer", "complete$", input=DATA, expect=15)
    assert {snapshot["stream"] for repository in pair for snapshot in repository.snapshots()} == {STREAM}


def test_a_signal_ends_all_and_the_child(pair, tmp_path):
    first, second = pair
    script = f"head -c 20000000 /dev/urandom; echo $$ > {tmp_path}/pid; sleep 600"
    process = first.start("push", STREAM, "--also", second.path, "--exec", "--", "sh", "-c", script)
    session = session_in(tmp_path / "pid")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err.decode()
    assert b"no snapshot was made" in err
    wait_for(lambda: not processes_of_session(session), "the child's session to end")
    assert no_snapshot(*pair)


def test_kill_9_leaves_each_repository_whole(pair, tmp_path):
    first, second = pair
    committed = {first: [], second: []}
    for round_number in range(4):
        data = sample_bytes(3_000_000, seed=100 + round_number)
        source = tmp_path / "source"
        source.write_bytes(data)
        process = first.start("push", STREAM, "--file", source, "--also", second.path)
        time.sleep(0.05 + 0.06 * round_number)
        process.kill()
        process.communicate()
        for repository, known in committed.items():
            count = len(repository.snapshots())
            assert count in (len(known), len(known) + 1)
            if count > len(known):
                known.append(sha256_hex(data))
                assert repository.pull(STREAM) == data
    first.push(STREAM, DATA, "--also", second.path)
    for repository, known in committed.items():
        assert [snapshot["sha256"] for snapshot in repository.snapshots()] == [*known, sha256_hex(DATA)]
        repository.run("verify", "--read-data")


def test_progress_counts_the_bytes_of_the_source_once(pair):
    first, second = pair
    read_end, write_end = os.pipe()
    first.run("push", STREAM, "--also", second.path, "--progress-fd", write_end, input=DATA, pass_fds=[write_end])
    os.close(write_end)
    with os.fdopen(read_end) as lines:
        assert [json.loads(line) for line in lines][-1]["bytes"] == len(DATA)


def test_memory_is_a_ceiling_for_all_together(pair):
    first, second = pair
    stream_bytes = 120 * MIB
    maker = [sys.executable, Path(__file__).with_name("make_stream.py"), str(stream_bytes), "5"]
    with subprocess.Popen(maker, stdout=subprocess.PIPE) as made:
        process = first.start("push", STREAM, "--also", second.path, "--memory", "200MiB", stdin=made.stdout,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        made.stdout.close()
        peak = PeakMemory(process)
        assert peak.wait() == 0
    assert peak.total_bytes <= (200 + 32) * MIB
    for repository in pair:
        assert repository.snapshots()[0]["bytes"] == stream_bytes


def test_a_repository_that_is_not_encrypted_takes_no_key(pair, new_repository):
    first, _ = pair
    clear = new_repository("clear", key=None)
    clear.run("init", "--encryption", "none")
    first.run("push", STREAM, "--also", clear.path, input=DATA, expect=12)


def test_a_key_that_does_not_fit_the_second_is_told_once(drs, new_repository):
    other = new_repository("other")
    other.run("init")
    outcome = drs.run("push", STREAM, "--also", other.path, input=DATA, expect=12)
    assert outcome.err.count("opens none of its slots") == 1 and str(other.path) in outcome.err, outcome.err
    assert drs.snapshots() == []
