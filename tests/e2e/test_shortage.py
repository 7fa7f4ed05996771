"""A machine that is short of descriptors or memory: exit 11, never damage, never a mark, and no shortage where only the soft
limit is low."""

import hashlib

import pytest
from repository import sample_bytes

pytestmark = pytest.mark.local_only("descriptors of files")

DATA = sample_bytes(300_000)
BUSY = 11


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
        whole = 0 if command[0] == "scrub" else 4  # the packs that were added are nothing that a key opens
        assert outcome.code in (whole, BUSY), outcome
        assert "Too many open files" in outcome.err or outcome.code == whole, outcome
        assert "open files" not in outcome.out.decode(), outcome
    assert drs.names("damaged") == []


def test_the_soft_limit_is_raised_and_children_get_the_old_one_back(drs):
    drs.push("s", DATA)
    add_packs(drs, 150)
    drs.run("--threads", 15, "scrub", launcher=limited(40, 4096))
    assert drs.names("damaged") == []
    drs.run("push", "limit", "--exec", "--", "sh", "-c", "sleep 0.2; ulimit -Sn", launcher=limited(200, 4096))
    assert drs.pull("limit") == b"200\n"


def commands(drs, tmp_path):
    key = tmp_path / "key"
    key.write_text(drs.key)
    key.chmod(0o600)
    drs.key = None
    drs.variables["BACKUP_ENCRYPTION_KEY_FILE"] = str(key)
    dump = tmp_path / "dump"
    dump.write_bytes(DATA)
    return [
        ["push", "s"],
        ["push", "s", "--file", dump],
        ["push", "s", "--exec", "--", "cat", dump],
        ["pull", "s"],
        ["pull", "s", "--exec", "--", "cat"],
        ["list"],
        ["key", "list"],
        ["verify", "--read-data"],
        ["scrub"],
    ]


@pytest.mark.parametrize("descriptors", [4, 7, 10, 16])
def test_few_descriptors_are_one_exit_code_whatever_runs_out_of_them(drs, tmp_path, descriptors):
    drs.push("s", DATA)
    for arguments in commands(drs, tmp_path):
        outcome = drs.run(*arguments, input=DATA, launcher=limited(descriptors, descriptors), expect=(0, BUSY))
        assert outcome.code == 0 or "Too many open files" in outcome.err, outcome
    assert drs.names("damaged") == []


@pytest.mark.parametrize("kib", [90_000, 180_000])
def test_little_memory_is_the_same_exit_code_and_no_abort(drs, tmp_path, kib):
    if "ASAN_OPTIONS" in drs.environment() or "TSAN_OPTIONS" in drs.environment():
        pytest.skip("sanitizers map terabytes")
    drs.push("s", DATA)
    launcher = ["sh", "-c", f'ulimit -v {kib}; exec "$@"', "sh"]
    for arguments in commands(drs, tmp_path):
        drs.run("--threads", 2, *arguments, input=DATA, launcher=launcher, expect=(0, BUSY))
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple")
    phrase.chmod(0o600)
    drs.run("key", "add", "--new-passphrase-file", phrase)
    drs.variables.clear()
    err = drs.run("list", "--passphrase-file", phrase, launcher=launcher, expect=BUSY).err
    assert "memory" in err
