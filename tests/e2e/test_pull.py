"""pull: to stdout, a file and a consumer; ranges; and what happens when the far end gives up."""

import os
import stat
import subprocess

import pytest
from disks import make_loop_nodes
from repository import sample_bytes, sha256_hex

DATA = sample_bytes(6_000_000)


@pytest.fixture
def pushed(drs):
    drs.push("pg/app", DATA)
    return drs


def leftovers(folder):
    return [path.name for path in folder.iterdir() if ".part" in path.name]


def damage_one_pack(repository):
    """Flips a bit in the middle of the largest pack, where data lies."""
    name = repository.largest_pack()
    repository.flip(name)
    return name


def test_stdout_carries_the_bytes_and_stderr_the_summary(pushed):
    outcome = pushed.run("pull", "pg/app")
    assert outcome.out == DATA
    assert "whole, SHA-256 agrees" in outcome.err


def test_json_goes_to_stderr_where_stdout_is_data(pushed):
    outcome = pushed.run("pull", "pg/app", "--json")
    assert outcome.out == DATA
    assert '"schema": "drstream.pull/1"' in outcome.err
    assert sha256_hex(DATA) in outcome.err


@pytest.mark.every_store
def test_a_file_gets_its_name_when_it_is_whole(pushed, tmp_path):
    target = tmp_path / "app.dump"
    pushed.run("pull", "pg/app@latest", "-o", target)
    assert target.read_bytes() == DATA
    assert stat.S_IMODE(target.stat().st_mode) & 0o077 == 0
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("name", ["x" * 255, "\u00e4" * 127])
def test_a_file_may_have_as_long_a_name_as_the_file_system_takes(drs, tmp_path, name):
    drs.push("s", DATA)
    drs.run("pull", "s", "-o", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]
    assert (tmp_path / name).read_bytes() == DATA


@pytest.fixture
def new_device(tmp_path, missing):
    """Makes block devices, whose bytes are not zero."""
    make_loop_nodes()
    made = []

    def make(size_bytes):
        image = tmp_path / f"image{len(made)}"
        image.write_bytes(b"\x55" * size_bytes)
        attach = subprocess.run(["losetup", "--find", "--show", image], capture_output=True, text=True, check=False)
        if attach.returncode != 0:
            missing(f"no loop device here: {attach.stderr.strip()}")
        made.append(attach.stdout.strip())
        return made[-1], image

    yield make
    for device in made:
        subprocess.run(["losetup", "--detach", device], check=True)


def test_a_block_device_is_overwritten_only_with_force(pushed, new_device):
    device, image = new_device(8 << 20)
    before = image.read_bytes()
    outcome = pushed.run("pull", "pg/app", "-o", device, expect=2)
    assert "block device" in outcome.err and "--force" in outcome.err and "nothing was written" in outcome.err
    assert image.read_bytes() == before
    pushed.run("pull", "pg/app", "-o", device, "--force")
    assert image.read_bytes() == DATA + before[len(DATA):]


def test_a_block_device_that_is_too_small_is_left_as_it_is(pushed, new_device):
    device, image = new_device(4 << 20)
    before = image.read_bytes()
    outcome = pushed.run("pull", "pg/app", "-o", device, "--force", expect=2)
    assert f"holds {4 << 20} bytes, but the output has {len(DATA)} bytes" in outcome.err
    assert "nothing was written" in outcome.err
    assert image.read_bytes() == before
    pushed.run("pull", "pg/app", "-o", device, "--force", "--length", "1MiB")
    assert image.read_bytes() == DATA[: 1 << 20] + before[1 << 20 :]


def test_a_block_device_that_is_in_use_is_left_as_it_is(pushed, new_device):
    device, image = new_device(8 << 20)
    before = image.read_bytes()
    holder = os.open(device, os.O_RDONLY | os.O_EXCL)  # as a mount does
    try:
        assert "in use" in pushed.run("pull", "pg/app", "-o", device, "--force", expect=2).err
    finally:
        os.close(holder)
    assert image.read_bytes() == before


def test_a_file_that_exists_is_not_replaced_without_force(pushed, tmp_path):
    target = tmp_path / "app.dump"
    target.write_bytes(b"precious")
    outcome = pushed.run("pull", "pg/app", "-o", target, expect=2)
    assert "--force" in outcome.err
    assert target.read_bytes() == b"precious"
    pushed.run("pull", "pg/app", "-o", target, "--force")
    assert target.read_bytes() == DATA


def test_a_failed_pull_with_force_leaves_the_old_file(pushed, tmp_path):
    target = tmp_path / "app.dump"
    target.write_bytes(b"precious")
    damage_one_pack(pushed)
    pushed.run("pull", "pg/app", "-o", target, "--force", expect=4)
    assert target.read_bytes() == b"precious"
    assert leftovers(tmp_path) == []


RANGES = [
    (["--offset", "0", "--length", "10"], slice(0, 10)),
    (["--offset", "1MiB", "--length", "64KiB"], slice(1_048_576, 1_048_576 + 65_536)),
    (["--offset", "1234567", "--length", "1"], slice(1_234_567, 1_234_568)),
    (["--offset", "5999999"], slice(5_999_999, None)),
    (["--length", "3333333"], slice(0, 3_333_333)),
    (["--offset", "5MB", "--length", "1TiB"], slice(5_000_000, None)),
    (["--length", "0"], slice(0, 0)),
]


@pytest.mark.every_store
@pytest.mark.parametrize("options, expected", RANGES)
def test_a_range_gives_exactly_these_bytes(pushed, options, expected):
    assert pushed.pull("pg/app", *options) == DATA[expected]


@pytest.mark.every_store
def test_a_consumer_gets_the_bytes_and_its_output_is_ours(pushed):
    outcome = pushed.run("pull", "pg/app", "--exec", "--", "sha256sum")
    assert outcome.out.decode().split()[0] == sha256_hex(DATA)


def test_a_consumer_has_no_key_in_its_environment(pushed):
    outcome = pushed.run("pull", "pg/app", "--exec", "--", "sh", "-c", "cat >/dev/null; env")
    assert b"BACKUP_ENCRYPTION_KEY" not in outcome.out
    assert pushed.key.encode() not in outcome.out


@pytest.mark.parametrize(
    "script", ["cat >/dev/null; echo 'constraint violated' >&2; exit 7", "head -c 100 >/dev/null; echo 'no more' >&2"]
)
def test_a_consumer_that_fails_or_stops_makes_the_restore_incomplete(pushed, script):
    outcome = pushed.run("pull", "pg/app", "--exec", "--", "sh", "-c", script, expect=8)
    error = outcome.err[outcome.err.index("error:") :]
    assert "constraint violated" in error or "no more" in error
    assert "incomplete" in error


@pytest.mark.every_store
def test_a_consumer_is_killed_when_the_stream_turns_out_damaged(pushed, tmp_path):
    finished = tmp_path / "finished"
    damage_one_pack(pushed)
    script = f"echo $$ > {tmp_path}/pid; cat > /dev/null; touch {finished}"
    pushed.run("pull", "pg/app", "--exec", "--", "sh", "-c", script, expect=4)
    assert not finished.exists()
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


def test_a_consumer_that_does_not_exist_is_named(pushed):
    outcome = pushed.run("pull", "pg/app", "--exec", "--", "no-such-program-anywhere", expect=(2, 5, 8))
    assert "no-such-program-anywhere" in outcome.err


def test_a_reader_that_closes_early_makes_the_restore_incomplete(pushed):
    process = pushed.start("pull", "pg/app")
    assert process.stdout.read(100) == DATA[:100]
    process.stdout.close()
    err = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=60) == 8
    assert "incomplete" in err


def test_a_full_device_behind_stdout_is_a_destination_that_failed(pushed):
    with open("/dev/full", "wb") as full:
        pushed.run("pull", "pg/app", stdout=full, expect=5)


def test_a_directory_that_does_not_exist_is_a_usage_error(pushed, tmp_path):
    outcome = pushed.run("pull", "pg/app", "-o", tmp_path / "absent" / "file", expect=2)
    assert "absent" in outcome.err
    (tmp_path / "plain").write_bytes(b"")
    assert "plain" in pushed.run("pull", "pg/app", "-o", tmp_path / "plain" / "file", expect=2).err


@pytest.mark.parametrize(
    "arguments",
    [
        ["pull"],
        ["pull", "pg/app", "--exec"],
        ["pull", "pg/app", "--", "cat"],
        ["pull", "pg/app", "--force"],
        ["pull", "pg/app", "--offset", "far"],
        ["pull", "pg/app", "--exec", "-o", "x", "--", "cat"],
    ],
)
def test_wrong_arguments_write_nothing(pushed, arguments):
    outcome = pushed.run(*arguments, expect=2)
    assert outcome.out == b""


@pytest.mark.every_store
def test_damage_never_leaves_as_a_success(pushed):
    name = damage_one_pack(pushed)
    outcome = pushed.run("pull", "pg/app", expect=4)
    assert outcome.out != DATA
    assert name in outcome.err
    # What did come out are the true bytes up to some point.
    assert DATA.startswith(outcome.out)


def test_a_range_that_the_damage_does_not_touch_restores(pushed):
    damage_one_pack(pushed)
    assert pushed.pull("pg/app", "--length", "1KiB", expect=(0, 4)) in (DATA[:1024], b"")


@pytest.mark.every_store
def test_lost_blocks_heal_from_other_copies(drs):
    drs.push("a", DATA)
    damage_one_pack(drs)
    drs.run("scrub", expect=4)  # marks the pack, so that the next push stores its chunks again
    again = drs.push("a", DATA)
    assert again["new_bytes"] > 0
    assert drs.pull("a") == DATA
    first = drs.snapshots()[0]["id"]
    healed = drs.run("pull", first, "--json")
    assert healed.out == DATA
    assert '"blocks_healed": 0' not in healed.err


def test_a_dash_means_stdout(drs, tmp_path):
    data = sample_bytes(300_000)
    drs.push("s", data)
    outcome = drs.run("pull", "s", "-o", "-", cwd=tmp_path)
    assert outcome.out == data and "pulled " in outcome.err
    assert not (tmp_path / "-").exists()
    drs.run("pull", "s", "-o", "./-", cwd=tmp_path)
    assert (tmp_path / "-").read_bytes() == data
    assert "--force needs --output" in drs.run("pull", "s", "-o", "-", "--force", expect=2).err
