"""What dropping old snapshots frees, on repositories so small that it can be told beforehand."""

import pytest
from reachability import Freed, Reachability, covered_bytes
from repository import sample_bytes

DATA = sample_bytes(3_000_000, seed=1)
OTHER = sample_bytes(3_000_000, seed=2)
RECIPE_BYTES_MAX = 4096


def pack_bytes(drs):
    return sum(size for name, size in drs.objects().items() if name.startswith("packs/"))


def freed(drs, newest):
    return Reachability(drs).freed_by_keeping(newest)


def test_overlapping_runs_count_once():
    assert covered_bytes([]) == 0
    assert covered_bytes([(10, 20), (0, 5), (15, 30), (16, 17), (30, 31)]) == 26


def test_packs_of_a_stream_that_changed_throughout_die_whole(drs):
    drs.push("s", DATA)
    before = pack_bytes(drs)
    drs.push("s", OTHER)
    assert freed(drs, 1) == Freed(whole_packs_bytes=before)
    assert freed(drs, 2) == Freed()


def test_of_a_stream_that_did_not_change_only_the_old_recipe_is_freed(drs):
    drs.push("s", DATA)
    drs.push("s", DATA)
    found = freed(drs, 1)
    assert 0 < found.whole_packs_bytes + found.dead_blocks_bytes < RECIPE_BYTES_MAX
    assert found.unused_bytes == 0
    assert Reachability(drs).decoded_once_bytes() == len(DATA)


def test_blocks_of_the_half_that_went_are_dead_in_a_pack_that_lives_on(drs):
    drs.push("s", DATA, "--compression", "none")
    drs.push("s", DATA[: len(DATA) // 2], "--compression", "none")
    found = freed(drs, 1)
    assert found.whole_packs_bytes == 0
    assert found.dead_blocks_bytes + found.unused_bytes == pytest.approx(len(DATA) / 2, rel=0.05)
    assert found.dead_blocks_bytes > 0 and found.unused_bytes > 0  # a block's end went with it
