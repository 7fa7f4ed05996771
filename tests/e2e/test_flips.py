"""One wrong byte anywhere: verify --read-data and scrub find it, whichever byte of whichever object it is.

Objects: config, key slots, session (of a push that died), packs, index, manifests, damage mark; removal marks and
condemned packs, which no command makes yet, go through the same check of documents (tests/verify).
"""

import collections
import contextlib
import itertools
import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from campaign_support import QUICK
from repository import Repository, sample_bytes

KINDS = {"config", "keys", "sessions", "packs", "index", "manifests", "damaged"}
# The exit codes for damage of such an object: a slot or config that cannot be read may also look like a wrong key, a
# missing repository or a newer format.
FOUND = collections.defaultdict(lambda: {4}, keys={4, 12, 14}, config={4, 10, 12, 14})
WORKERS = 2
EDGE_BYTES = 128
STRIDE = 61


def kind_of(name):
    return name.split("/")[0]


def small_repository(binary, folder):
    """One with every kind of object."""
    repository = Repository(binary, folder)
    repository.run("init")
    spare = folder / "spare-key"
    spare.write_text("5" * 32 + "a" * 32)
    spare.chmod(0o600)
    repository.run("key", "add", "--new-key-file", spare)
    base = sample_bytes(30_000, seed=5)
    repository.push("a", base)
    repository.push("b", base[:9_000] + b"b" * 500)
    repository.push("a", base + b"more" * 200)
    repository.run("push", "a", input=b"c" * 999, env={"DRSTREAM_FAILPOINT": "push.before_manifest:1:abort"}, expect=-9)
    pack = repository.names("packs")[0]
    good = repository.read_object(pack)
    repository.write_object(pack, good[:-1])
    repository.run("scrub", expect=4)
    repository.write_object(pack, good)
    return repository


def copies_of(repository, folder):
    """The same repository, once for each worker."""
    copies = []
    for number in range(WORKERS):
        copy = Repository(repository.binary, folder / f"copy-{number}", key=repository.key)
        shutil.copytree(repository.folder, copy.folder)
        copies.append(copy)
    return copies


@contextlib.contextmanager
def flipped(repository, flips):
    """While it lasts, the bytes at (name, position) of `flips` are wrong."""
    good = []
    for name, position, mask in flips:
        file = os.open(repository.path / name, os.O_RDWR)
        good.append((file, position, os.pread(file, 1, position)))
        os.pwrite(file, bytes([good[-1][2][0] ^ mask]), position)
    yield
    for file, position, byte in good:
        os.pwrite(file, byte, position)
        os.close(file)


def verify_each(repository, flips):
    """verify --read-data beside each flip by itself: the flips that it did not find, and its exit codes by kind."""
    unseen, codes = [], collections.Counter()
    for flip in flips:
        with flipped(repository, [flip]):
            verify = repository.run("verify", "--read-data", "--read-only", expect=None)
        kind = kind_of(flip[0])
        codes[kind, verify.code] += 1
        # A mark proves nothing and costs nothing: one that cannot be read is named, and is no damage.
        named = kind == "damaged" and verify.code == 0 and flip[0] in verify.out.decode()
        if verify.code not in FOUND[kind] and not named:
            unseen.append((*flip, verify.code, verify.err))
    return unseen, codes


def scrub_rounds(repository, rounds):
    """scrub beside one flip in each of several objects: it names every one of them. Returns what it did not name."""
    unseen = []
    for flips in rounds:
        with flipped(repository, flips):
            scrub = repository.run("scrub", "--read-only", expect=None)
        said = scrub.out.decode()
        unseen += [(*flip, scrub.code) for flip in flips if scrub.code != 4 or flip[0] not in said]
    return unseen


def in_rounds(flips):
    """One flip in each object, then the next in each."""
    by_name = collections.defaultdict(list)
    for flip in flips:
        by_name[flip[0]].append(flip)
    return [[flip for flip in row if flip] for row in itertools.zip_longest(*by_name.values())]


def flip_all(repository, folder, flips):
    """Makes all flips, WORKERS at a time; returns those that were not found, and what told the others."""
    for path in repository.path.rglob("*"):
        if path.is_file():
            path.chmod(0o600)
    copies = copies_of(repository, folder)
    rounds = in_rounds(flips)

    def work(number):
        unseen, codes = verify_each(copies[number], flips[number::WORKERS])
        return unseen + scrub_rounds(copies[number], rounds[number::WORKERS]), codes

    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(work, range(WORKERS)))
    for copy in copies:
        copy.run("verify", "--read-data", "--read-only")
        copy.run("scrub", "--read-only")
    unseen = [flip for part, _ in results for flip in part]
    return unseen, sum((codes for _, codes in results), collections.Counter())


def test_every_flipped_byte_of_a_small_repository_is_found(binary, tmp_path, full_run, share, dice):
    (tmp_path / "small").mkdir()
    repository = small_repository(binary, tmp_path / "small")
    objects = repository.objects()
    assert {kind_of(name) for name in objects} == KINDS
    flips = []
    edges_of = set()
    for name, size in sorted(objects.items()):
        positions = set(range(size) if full_run else range(dice.randrange(STRIDE), size, STRIDE))
        if kind_of(name) not in edges_of:  # one object of each kind, byte by byte where its fields are densest
            edges_of.add(kind_of(name))
            positions |= {*range(min(size, EDGE_BYTES)), *range(max(0, size - EDGE_BYTES), size)}
        flips += [(name, position, 1 << dice.randrange(8)) for position in sorted(positions)]
    flips = share(flips)
    unseen, codes = flip_all(repository, tmp_path, flips)
    print(f"{len(flips)} flips in {len(objects)} objects of {sum(objects.values())} bytes; verify said:")
    for (kind, code), count in sorted(codes.items()):
        print(f"  {kind}: exit {code} {count} times")
    assert unseen == []


@pytest.mark.parametrize("encryption", ["key", "none"])
def test_random_flips_in_a_larger_repository_are_found(binary, tmp_path, full_run, share, dice, encryption):
    (tmp_path / "large").mkdir()
    count, payload_bytes = (1000, 200_000_000) if full_run else (20, 8_000_000)
    repository = Repository(binary, tmp_path / "large", key="" if encryption == "key" else None)
    repository.run("init", *([] if encryption == "key" else ["--encryption", "none"]))
    source = random.Random(6)
    base = source.randbytes(payload_bytes * 3 // 4)
    repository.push("a", base, *QUICK)
    repository.push("a", base[: len(base) // 2] + sample_bytes(payload_bytes // 4), "--compression", "zstd:1")
    objects = repository.objects()
    names = sorted(objects)
    flips = []
    for name in dice.choices(names, weights=[objects[name] for name in names], k=count):
        flips.append((name, dice.randrange(objects[name]), 1 << dice.randrange(8)))
    flips = share(flips)
    unseen, codes = flip_all(repository, tmp_path, flips)
    print(f"{len(flips)} random flips in {sum(objects.values())} bytes: {dict(codes)}")
    assert unseen == []
