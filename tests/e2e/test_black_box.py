"""Every kind of object, spoiled in every way, against every command that reads: exit codes as docs/DAMAGE.md says.

Whatever the table says, no command hangs, aborts or ends with 1, `pull` never exits 0 with bytes that are not those of
the newest snapshot, and what `verify` and `scrub` call damage is named.

    DRSTREAM_TEST_FULL=1   every kind and way, with 20 places of the one bit; else a third of them
    --seed N               which third, and which bits; else 1
"""

import os
import random
from concurrent.futures import ThreadPoolExecutor

import black_box
import pytest

pytestmark = pytest.mark.local_only("links, pipes and folders")


@pytest.fixture(scope="module")
def specimen(binary, tmp_path_factory):
    return black_box.Specimen(binary, tmp_path_factory.mktemp("black-box") / "specimen")


def cases(full_run, seed):
    every = [(kind, way, seed) for kind in black_box.KINDS for way in black_box.WAYS]
    if full_run:
        return every + [(kind, "one bit", bit) for kind in black_box.KINDS for bit in range(seed + 1, seed + 20)]
    return random.Random(seed).sample(every, len(every) // 3)


def test_the_specimen_is_whole(specimen):
    for arguments in black_box.COMMANDS.values():
        specimen.drs.run(*arguments)
    assert specimen.drs.pull(black_box.STREAM) == specimen.contents[-1]


def test_the_table_has_every_kind_and_way():
    wanted = {(kind, way) for kind in black_box.KINDS for way in black_box.WAYS}
    assert set(black_box.table()) == wanted


def test_every_exit_code_is_the_one_of_the_table(specimen, full_run, share, pytestconfig, tmp_path):
    chosen = share(cases(full_run, pytestconfig.getoption("--seed") or 1))
    expected = black_box.table()

    def differences(numbered):
        number, (kind, way, seed) = numbered
        codes = black_box.outcomes(specimen, tmp_path / str(number), kind, way, seed)
        if codes is None:
            return [] if not any(expected[kind, way].values()) else [f"{kind}, {way}: there is no such way"]
        return [
            f"{kind}, {way}, seed {seed}: {title} exits {code}, the table says {sorted(expected[kind, way][title])}"
            for title, code in codes.items()
            if code not in expected[kind, way][title]
        ]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [line for lines in pool.map(differences, enumerate(chosen)) for line in lines]
    assert not found, "\n".join(found)
