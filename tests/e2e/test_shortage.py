"""A machine that is short of descriptors: never damage, never a mark, and no shortage where only the soft limit is low."""

import hashlib

import pytest
from repository import sample_bytes

pytestmark = pytest.mark.local_only("descriptors of files")

DATA = sample_bytes(300_000)


def limited(soft, hard):
    return ["sh", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "sh"]


def add_packs(drs, count):
    """Packs that no index names: whole by their names, as an interrupted push leaves them."""
    body = drs.read_object(min(drs.names("packs"), key=drs.objects().get))
    for number in range(count):
        data = body + number.to_bytes(4, "little")
        name = hashlib.sha256(data).hexdigest()
        drs.write_object(f"packs/{name[:2]}/{name}", data)


@pytest.mark.parametrize("descriptors", [16, 24, 32, 48, 64, 96])
def test_too_few_descriptors_are_neither_damage_nor_marks(drs, descriptors):
    drs.push("s", DATA)
    add_packs(drs, 150)
    for command in (["scrub"], ["verify", "--read-data", "--read-only"]):
        outcome = drs.run("--threads", 15, *command, launcher=limited(descriptors, descriptors), expect=None)
        if command[0] == "scrub":
            assert outcome.code in (0, 1, 5, 6, 11), outcome
        assert "Too many open files" in outcome.err or outcome.code in (0, 4), outcome
        assert "open files" not in outcome.out.decode(), outcome
    assert drs.names("damaged") == []


def test_the_soft_limit_is_raised_and_children_get_the_old_one_back(drs):
    drs.push("s", DATA)
    add_packs(drs, 150)
    drs.run("--threads", 15, "scrub", launcher=limited(40, 4096))
    assert drs.names("damaged") == []
    drs.run("push", "limit", "--exec", "--", "sh", "-c", "sleep 0.2; ulimit -Sn", launcher=limited(200, 4096))
    assert drs.pull("limit") == b"200\n"
