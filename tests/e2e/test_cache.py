"""The local cache of a repository in a bucket: what it saves, counted at the server, and what it must never hide."""

import shutil
import subprocess
import time
from collections import Counter

import pytest
from repository import sample_bytes

STREAM = "pg/app"
DATA = sample_bytes(9_000_000)

LISTINGS_MAX = 9  # each kind of object that a pull needs once
# A push lists retired objects before it draws its session, with the snapshots, and at the commit.
PUSH_LISTINGS_MAX = LISTINGS_MAX + 2
ABSENT = {"removed": 1}  # a commit looks twice before it takes the removal mark of its manifest for absent


class Far:
    """A repository in MinIO, behind a proxy that counts."""

    def __init__(self, repository, proxy):
        self.repository = repository
        self.proxy = proxy
        self.cache = repository.folder / ".cache/drstream"

    def cost(self, run):
        """How many objects of each folder `run` read, and "list"."""
        self.proxy.clear()
        run()
        counts = Counter()
        for seen in self.proxy.requests:
            if "list-type" in seen.target:
                counts["list"] += 1
            elif seen.method == "GET":
                counts[seen.target.split("/")[3]] += 1
        return counts

    def push(self, data=DATA):
        return self.cost(lambda: self.repository.push(STREAM, data))

    def pull(self, *options, data=DATA):
        def run():
            assert self.repository.pull(STREAM, *options) == data

        return self.cost(run)

    def files(self):
        return [path for path in self.cache.iterdir() if len(path.name) == 64]


@pytest.fixture
def far(minio, new_s3_repository, fault_proxy):
    proxy = fault_proxy(minio)
    repository = new_s3_repository(minio)
    repository.endpoint = proxy.endpoint
    repository.run("init")
    return Far(repository, proxy)


def test_a_push_from_a_warm_machine_reads_the_last_manifest_and_recipe(far):
    for generation in range(3):
        far.push(DATA + b"%d" % generation * 100_000)
    cost = far.push(DATA + b"3" * 100_000)
    assert cost["list"] <= PUSH_LISTINGS_MAX
    # Of the manifests it reads back its own.
    assert cost.pop("list") and cost == {"config": 1, "keys": 1, "manifests": 2, "packs": 1, **ABSENT}


def test_a_push_from_a_cold_machine_reads_each_index_object_and_manifest_once(far):
    for generation in range(3):
        far.push(DATA + b"%d" % generation * 100_000)
    shutil.rmtree(far.cache)
    indexes = sum(name.startswith("index/") for name in far.repository.objects())
    cost = far.push()
    assert cost["list"] <= PUSH_LISTINGS_MAX
    assert cost.pop("list") and cost == {"config": 1, "keys": 1, "index": indexes, "manifests": 4, "packs": 1, **ABSENT}


def test_a_pull_from_a_warm_machine_reads_packs_alone(far):
    far.push()
    far.pull()
    cost = far.pull("--length", "1000", data=DATA[:1000])
    assert cost["list"] <= LISTINGS_MAX
    assert cost.pop("list") and cost == {"config": 1, "keys": 1, "packs": 2}  # recipe, and the block


def test_a_pull_from_a_warm_machine_begins_after_five_rounds_of_requests(far):
    """What the store is asked at the same time is one round: lists, key and config, retired objects (after the
    removal marks), recipe, data."""
    far.push()
    far.pull()
    spans = []

    def slowly(exchange):
        began = time.monotonic()
        time.sleep(0.1)  # a round takes much longer than the pause between two
        reply = exchange.forward()
        spans.append((began, time.monotonic()))
        exchange.send(reply)

    far.proxy.on(slowly, times=None)
    with far.repository.start("pull", STREAM, stdin=subprocess.DEVNULL) as pull:
        assert pull.stdout.read(1) == DATA[:1]
        before = sorted(spans)
        pull.communicate()
    rounds = []
    for began, _ in before:
        ended = [number for number, (_, end) in zip(rounds, before) if end <= began]
        rounds.append(1 + max(ended, default=0))
    assert max(rounds) == 5, list(zip(rounds, before))


def test_files_that_are_damaged_are_read_again(far):
    far.push()
    far.pull()
    for path in far.files():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    cost = far.pull()
    assert cost["index"] == 1 and cost["manifests"] == 1
    cost = far.pull()
    assert cost["index"] == 0 and cost["manifests"] == 0


def test_damage_in_the_bucket_is_found_behind_a_good_copy(far):
    far.push()
    far.pull()
    repository = far.repository
    name = next(name for name in repository.objects() if name.startswith("index/"))
    repository.flip(name, -50)  # in its summary
    assert repository.run("verify", expect=4).code == 4
    assert repository.run("scrub", expect=4).code == 4
    repository.run("repair", "index")
    far.pull()


def test_a_bucket_that_was_emptied_and_made_anew_is_seen_as_it_is(far):
    far.push()
    far.pull()
    repository = far.repository
    repository.remove_all()
    repository.run("pull", STREAM, expect=10)
    shutil.rmtree(repository.state)
    repository.run("init")
    assert repository.snapshots() == []
    other = sample_bytes(3_000_000, seed=2)
    far.push(other)
    far.pull(data=other)
    repository.run("verify", "--read-data")


@pytest.mark.parametrize("command", ["push", "pull"])
def test_a_folder_that_cannot_be_written_stops_nothing(far, command):
    far.push()
    shutil.rmtree(far.cache)
    far.cache.parent.rmdir()
    far.cache.parent.write_text("in the way")
    arguments = {"push": ("push", STREAM), "pull": ("pull", STREAM, "-o", far.repository.folder / "out")}[command]
    assert "cache" not in far.repository.run(*arguments, input=DATA).err
    told = far.repository.run(*arguments, "-v", *(["--force"] if command == "pull" else []), input=DATA).err
    assert told.count("the cache in") == 1 and str(far.cache) in told


def test_the_cache_stays_within_its_size_and_can_be_moved_or_left_out(far, tmp_path):
    far.push()
    elsewhere = tmp_path / "elsewhere"
    shutil.rmtree(far.cache)
    far.pull("--no-cache")
    assert not far.cache.exists()
    far.pull("--cache-dir", elsewhere)
    assert not far.cache.exists()
    kept = [path for path in elsewhere.iterdir() if len(path.name) == 64]
    assert len(kept) == 2 and elsewhere.stat().st_mode & 0o777 == 0o700
    size = max(path.stat().st_size for path in kept) - 1
    shutil.rmtree(elsewhere)
    far.pull("--cache-dir", elsewhere, "--cache-size", size)
    assert sum(path.stat().st_size for path in elsewhere.iterdir() if len(path.name) == 64) <= size


@pytest.mark.local_only("it is what a bucket is read through")
def test_a_local_repository_has_none(drs):
    drs.push(STREAM, DATA[:100_000])
    assert drs.pull(STREAM) == DATA[:100_000]
    assert not (drs.folder / ".cache").exists()
