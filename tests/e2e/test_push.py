"""push: three kinds of sources, the summary, deduplication, and every way in which a stream is refused."""

import os
import re
import sys

import pytest
from repository import sample_bytes, sha256_hex

DATA = sample_bytes(3_000_000)


def nothing_committed(drs, stream):
    return stream not in [s["stream"] for s in drs.snapshots()]


def test_a_pipe_is_stored_and_the_summary_tells_what_sha256sum_tells(drs):
    outcome = drs.run("push", "pg/app", input=DATA)
    line = outcome.out.decode().splitlines()[0]
    fields = re.fullmatch(
        r"snapshot ([0-9a-f]{32}) stream pg/app bytes (\d+) sha256 ([0-9a-f]{64}) new (\d+) stored (\d+) "
        r"ratio ([\d.]+) seconds [\d.]+ producer: unseen",
        line,
    )
    assert fields, line
    assert int(fields[2]) == len(DATA)
    assert fields[3] == sha256_hex(DATA)
    assert int(fields[4]) == len(DATA)
    assert 0 < int(fields[5]) < len(DATA)
    assert drs.pull("pg/app") == DATA


@pytest.mark.parametrize("size", [1, 100, 8191, 65_535, 1_048_576, 1_048_577, 2_500_001])
def test_any_length_comes_back(drs, size):
    data = sample_bytes(size, seed=size)
    assert drs.push("s", data)["sha256"] == sha256_hex(data)
    assert drs.pull("s") == data


@pytest.mark.every_store
def test_a_file_and_a_command_are_sources_too(drs, tmp_path):
    path = tmp_path / "input"
    path.write_bytes(DATA)
    from_file = drs.json("push", "from-file", "--file", path)
    from_command = drs.json("push", "from-command", "--exec", "--", "cat", path)
    assert from_file["sha256"] == from_command["sha256"] == sha256_hex(DATA)
    assert from_file["producer"] == {"seen": True, "proof": "end-of-file"}
    assert from_command["producer"]["proof"] == "exit-status"
    assert from_command["producer"]["exit_status"] == 0
    assert from_command["producer"]["command"] == f"cat {path}"
    assert drs.pull("from-file") == drs.pull("from-command") == DATA


def test_what_a_successful_command_says_is_passed_on_and_kept(drs):
    script = "echo 'note: 3 tables skipped' >&2; echo data"
    outcome = drs.run("push", "s", "--exec", "--", "sh", "-c", script)
    assert "note: 3 tables skipped" in outcome.err
    assert "note: 3 tables skipped" in drs.json("show", "s")["producer"]["stderr_tail"]
    assert "producer: seen" in outcome.out.decode()


@pytest.mark.every_store
@pytest.mark.parametrize("codec", ["zstd:3", "zstd:-1", "lz4", "none"])
def test_every_compression_restores(drs, codec):
    drs.push("s", DATA, "--compression", codec)
    assert drs.pull("s") == DATA
    drs.run("verify", "--read-data")


def test_a_second_push_of_the_same_stores_nothing_new(drs):
    drs.push("pg/app", DATA)
    packs = drs.names("packs")
    second = drs.push("pg/app", DATA)
    assert second["new_bytes"] == 0
    assert second["stored_bytes"] == 0
    assert second["sequence"] == 2
    fresh = set(drs.names("packs")) - set(packs)
    assert sum(drs.objects()[name] for name in fresh) < 50_000  # a recipe
    other_stream = drs.push("pg/copy", DATA)
    assert other_stream["new_bytes"] == 0
    assert drs.pull("pg/copy") == DATA


@pytest.mark.every_store
def test_a_small_change_stores_little(drs):
    drs.push("s", DATA)
    changed = DATA[:1_000_000] + b"inserted" + DATA[1_000_000:]
    second = drs.push("s", changed)
    assert 0 < second["new_bytes"] < 200_000
    assert drs.pull("s") == changed


@pytest.mark.parametrize("options", [["--no-readback"], ["--no-stream-sha256"], ["--threads", "1"], ["--threads", "9"]])
def test_options_that_change_the_work_do_not_change_the_bytes(drs, options):
    pushed = drs.push("s", DATA, *options)
    if "--no-stream-sha256" in options:
        assert "sha256" not in pushed
    assert drs.pull("s") == DATA


def test_tags_and_time_are_kept(drs):
    drs.push("s", b"old", "--tag", "env=production", "--tag", "host=a", "--time", "2026-01-10T02:00:00Z")
    (snapshot,) = drs.snapshots()
    assert snapshot["tags"] == {"env": "production", "host": "a"}
    assert snapshot["time"].startswith("2026-01-10T02:00:00")


@pytest.mark.every_store
def test_an_empty_stream_is_refused_unless_it_is_allowed(drs):
    outcome = drs.run("push", "s", input=b"", expect=3)
    assert "empty" in outcome.err
    assert nothing_committed(drs, "s")
    pushed = drs.push("s", b"", "--allow-empty")
    assert pushed["bytes"] == 0
    assert pushed["sha256"] == sha256_hex(b"")
    assert drs.pull("s") == b""
    drs.run("verify", "--read-data", "s")


GATES = {
    "min-size": (["--min-size", "4MB"], DATA, "min"),
    "shrink": (["--max-shrink", "10%"], DATA[:2_000_000], "shr"),
    "growth": (["--max-growth", "50%"], DATA * 2, "gr"),
    "trailer": (["--require-trailer", "PostgreSQL database dump complete"], DATA, "PostgreSQL database dump complete"),
}


@pytest.mark.every_store
@pytest.mark.parametrize("gate", GATES)
def test_a_gate_refuses_and_commits_nothing(drs, gate):
    options, data, quoted = GATES[gate]
    first = drs.push("s", DATA)["id"]
    outcome = drs.run("push", "s", *options, input=data, expect=15)
    assert quoted in outcome.err
    assert "no snapshot was made" in outcome.err
    assert [s["id"] for s in drs.snapshots()] == [first]
    assert drs.pull("s") == DATA


@pytest.mark.parametrize("gate", GATES)
def test_a_breached_gate_can_commit_with_a_tag(drs, gate):
    options, data, quoted = GATES[gate]
    drs.push("s", DATA)
    pushed = drs.push("s", data, *options, "--on-anomaly", "tag")
    assert pushed["anomalies"]
    assert quoted in pushed["tags"]["anomaly"]
    assert drs.pull("s") == data


def test_gates_that_hold_let_the_stream_through(drs):
    drs.push("s", DATA)
    end = b"\n-- PostgreSQL database dump complete\n\n"
    options = ["--min-size", "1MB", "--max-shrink", "10%", "--max-growth", "50%"]
    pushed = drs.push("s", DATA + end, *options, "--require-trailer", "PostgreSQL database dump complete")
    assert pushed["anomalies"] == []
    assert pushed["producer"]["trailer_pattern"] == "PostgreSQL database dump complete"


FAILING = {
    "exits 1": ("echo partial; echo 'out of memory for query' >&2; exit 1", "out of memory for query", "1"),
    "exits 1 after much": ("head -c 3000000 /dev/zero; echo 'disk melted' >&2; exit 77", "disk melted", "77"),
    "is killed": ("echo partial; echo 'last words' >&2; kill -9 $$", "last words", "9"),
    "writes nothing": ("echo 'nothing to dump' >&2", "", "empty"),
}


@pytest.mark.every_store
@pytest.mark.parametrize("how", FAILING)
def test_a_producer_that_fails_leaves_no_snapshot_and_is_quoted(drs, how):
    script, quoted, also = FAILING[how]
    outcome = drs.run("push", "s", "--exec", "--", "sh", "-c", script, expect=3)
    assert nothing_committed(drs, "s")
    error = outcome.err[outcome.err.index("error:") :]
    assert quoted in error
    assert also in error
    assert "no snapshot was made" in error


def test_a_producer_that_hangs_is_ended_by_the_timeout(drs, tmp_path):
    script = f"echo $$ > {tmp_path}/pid; echo partial; echo 'waiting for lock' >&2; sleep 600"
    outcome = drs.run("push", "s", "--timeout", "1s", "--exec", "--", "sh", "-c", script, expect=3)
    error = outcome.err[outcome.err.index("error:") :]
    assert "did not finish within 1 s" in error
    assert "waiting for lock" in error
    assert nothing_committed(drs, "s")
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


def test_a_producer_that_does_not_exist_is_a_source_that_failed(drs):
    outcome = drs.run("push", "s", "--exec", "--", "no-such-program-anywhere", expect=3)
    assert "no-such-program-anywhere" in outcome.err
    assert nothing_committed(drs, "s")


def test_a_file_that_does_not_exist_is_named(drs, tmp_path):
    outcome = drs.run("push", "s", "--file", tmp_path / "absent", expect=(2, 3))
    assert "absent" in outcome.err
    assert nothing_committed(drs, "s")


def test_a_pipe_cannot_tell_a_dead_producer_and_everything_says_so(drs):
    outcome = drs.run("push", "s", input=DATA)
    assert "producer: unseen" in outcome.out.decode()
    assert "unseen" in drs.text("list")
    assert re.search(r"producer +unseen", drs.text("show", "s"))
    assert drs.json("show", "s")["producer"] == {"seen": False, "proof": "none"}


def test_the_child_gets_no_key_no_stdin_and_a_session_of_its_own(drs, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text(drs.key + "\n")
    key_file.chmod(0o600)
    program = (
        "import os, sys\n"
        "print(os.readlink('/proc/self/fd/0'), os.getsid(0) == os.getpid())\n"
        "for n, v in os.environ.items(): print(f'{n}={v}')\n"
        "for what in ('environ', 'cmdline'): print(open(f'/proc/{os.getppid()}/{what}', 'rb').read())\n"
    )
    variables = {"BACKUP_ENCRYPTION_KEY_FILE": str(key_file), "DRSTREAM_NEW_KEY_FILE": "/nowhere", "KEPT": "yes"}
    drs.run("push", "s", "--exec", "--", sys.executable, "-c", program, env=variables, input=b"not for the child")
    seen = drs.pull("s").decode()
    assert seen.startswith("/dev/null True\n")
    assert "KEPT=yes" in seen
    names = [line.split("=")[0] for line in seen.splitlines()]
    for name in ["BACKUP_ENCRYPTION_KEY", "BACKUP_ENCRYPTION_KEY_FILE", "DRSTREAM_NEW_KEY_FILE"]:
        assert name not in names
    assert drs.key not in seen


def test_arguments_reach_the_child_without_a_shell(drs):
    drs.run("push", "s", "--exec", "--", "printf", "%s|", "a b", "$HOME", "*", ";", "-q", "--json")
    assert drs.pull("s") == b"a b|$HOME|*|;|-q|--json|"


@pytest.mark.parametrize(
    "arguments",
    [
        ["push", "s", "--exec"],
        ["push", "s", "--", "cat"],
        ["push", "s", "--exec", "--file", "x", "--", "cat"],
        ["push", "s", "--timeout", "3s"],
        ["push", "bad//name"],
        ["push", "-x"],
        ["push", "s", "--compression", "zstd:99"],
        ["push", "s", "--min-size", "many"],
        ["push", "s", "--max-shrink", "-3%"],
        ["push", "s", "--time", "yesterday-ish"],
        ["push", "s", "--require-trailer", "("],
        ["push", "s", "--tag", "noequals"],
        ["push"],
    ],
)
def test_wrong_arguments_say_what_is_accepted(drs, arguments):
    outcome = drs.run(*arguments, input=b"data", expect=2)
    assert "error:" in outcome.err
    assert drs.snapshots() == []


@pytest.mark.every_store
def test_several_pushes_at_once_are_all_restorable(drs):
    streams = {
        "a": sample_bytes(2_000_000, seed=11),
        "b": sample_bytes(2_000_000, seed=12),
        "same": sample_bytes(2_000_000, seed=13),
    }
    for stream, data in streams.items():
        (drs.folder / stream).write_bytes(data)
    pushed = ["a", "b", "same", "same"]
    running = [drs.start("push", stream, "--exec", "--", "cat", drs.folder / stream) for stream in pushed]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
    for stream, data in streams.items():
        assert drs.pull(stream) == data
    snapshots = drs.snapshots()
    assert sorted(s["stream"] for s in snapshots) == ["a", "b", "same", "same"]
    for snapshot in snapshots:
        assert sha256_hex(drs.pull(snapshot["id"])) == snapshot["sha256"]
    drs.run("verify", "--read-data", "--expect-head")


def test_it_tells_where_the_time_went_and_what_held_it_back(drs):
    lines = drs.text("push", "s", "--stats", input=DATA).splitlines()
    assert [line.split("  ")[0] for line in lines if line.startswith(("read ", "compress ", "store "))]
    assert any(line.startswith("bottleneck: ") for line in lines)
    assert not any("bottleneck" in line for line in drs.text("push", "s", input=DATA).splitlines())
    slow = ["--exec", "--", "sh", "-c", "for i in 1 2 3 4 5; do sleep 0.3; head -c 300000 /dev/urandom; done"]
    stats = drs.json("push", "slow", *slow)["stats"]
    assert stats["bottleneck"] == "source" and "drstream waited for it" in stats["explanation"]
    assert stats["wait_ns"]["source"] > 1_000_000_000
    for stage in ("read", "cut", "stream_digest", "hash", "deduplicate"):
        assert stats["stages"][stage]["bytes"] == 1_500_000
        assert stats["stages"][stage]["cpu_ns"] > 0
