"""What the command says of itself: JSON with schemas, help with examples, completions, manuals, progress."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from repository import sample_bytes

DATA = sample_bytes(400_000)

COMMANDS = ["init", "push", "list", "show", "pull", "verify", "scrub", "repair index", "stats", "key list", "key add",
            "key remove", "key test", "copy", "config check", "doctor", "version", "help", "completion"]  # fmt: skip


@pytest.fixture
def pushed(drs):
    drs.push("pg/app", DATA)
    return drs


@pytest.mark.parametrize(
    "schema, arguments",
    [
        ("drstream.push/1", ["push", "pg/app"]),
        ("drstream.list/1", ["list"]),
        ("drstream.show/1", ["show", "pg/app"]),
        ("drstream.verify/1", ["verify", "--read-data"]),
        ("drstream.scrub/1", ["scrub"]),
        ("drstream.repair-index/1", ["repair", "index"]),
        ("drstream.stats/1", ["stats"]),
        ("drstream.key-list/1", ["key", "list"]),
        ("drstream.key-test/1", ["key", "test"]),
        ("drstream.doctor/1", ["doctor"]),
        ("drstream.config-check/1", ["config", "check"]),
        ("drstream.version/1", ["version"]),
    ],
)
def test_json_is_one_document_with_a_schema(pushed, schema, arguments):
    document = pushed.json(*arguments, input=DATA)
    assert list(document)[0] == "schema"
    assert document["schema"] == schema


def test_init_pull_and_key_changes_answer_in_json_too(new_repository, tmp_path):
    drs = new_repository()
    assert drs.json("init")["schema"] == "drstream.init/1"
    drs.push("s", DATA)
    assert drs.json("pull", "s", "-o", tmp_path / "out")["schema"] == "drstream.pull/1"
    phrase = tmp_path / "phrase"
    phrase.write_text("another way to come in")
    phrase.chmod(0o600)
    added = drs.json("key", "add", "--new-passphrase-file", phrase)
    assert added["schema"] == "drstream.key-add/1"
    assert drs.json("key", "remove", added["slot"])["schema"] == "drstream.key-remove/1"


def test_a_failure_is_a_document_too(pushed):
    document = pushed.json("show", "pg/ap", expect=16)
    assert document["schema"] == "drstream.error/1"
    assert document["exit_code"] == 16
    assert "pg/app" in document["message"]


@pytest.mark.parametrize(
    "arguments",
    [("--threads", "x"), ("--io", "bad"), ("--memory", "/x"), ("--repo", "/a", "--repo", "/b"), ("--ca-file",)],
)
def test_a_value_that_cannot_be_read_is_told_in_json_too(new_repository, arguments):
    drs = new_repository()
    answer = json.loads(drs.run("--json", "list", *arguments, expect=2).out)
    assert answer["schema"] == "drstream.error/1"
    refused = drs.run("list", *arguments, expect=2, env={"DRSTREAM_JSON": "1"})
    assert json.loads(refused.out)["schema"] == "drstream.error/1"


def test_an_unfinished_line_of_a_producer_does_not_spoil_the_log(drs):
    failed = drs.run(
        "--log-format", "json", "push", "s", "--exec", "--", "sh", "-c", "printf boom >&2; exit 3", expect=3
    )
    lines = failed.err.splitlines()
    assert lines[0] == "boom"
    assert json.loads(lines[-1])["level"] == "error"


def test_the_log_can_be_json_lines(pushed):
    outcome = pushed.run("show", "pg/ap", "--log-format", "json", expect=16)
    lines = [json.loads(line) for line in outcome.err.splitlines()]
    assert lines[-1]["level"] == "error"
    assert lines[-1]["exit_code"] == 16


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_shows_an_example(new_repository, command):
    drs = new_repository()
    text = drs.text("help", *command.split())
    assert "Examples:" in text
    assert re.search(rf"drstream {command}", text.split("Examples:")[1])
    assert drs.text(*command.split(), "--help") == text


def test_the_overview_names_every_command_and_an_unknown_one_is_refused(new_repository):
    drs = new_repository()
    overview = drs.text("--help")
    for command in COMMANDS:
        assert re.search(rf" {command.split()[0]}\b", overview), command
    outcome = drs.run("pusj", expect=2)
    assert outcome.out == b""
    drs.run(expect=2)


def test_the_quick_start_of_the_overview_works_as_it_stands(new_repository, tmp_path):
    drs = new_repository()
    lines = re.findall(r"^  \S.*$", drs.text("--help"), re.M)
    assert len(lines) == 4
    for name, script in {"pg_dump": "echo dump of $3", "pg_restore": "cat > restored"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "drstream").symlink_to(drs.binary)
    variables = drs.environment({"HOME": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    subprocess.run(["bash", "-ec", "\n".join(lines)], env=variables, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "restored").read_text() == "dump of app\n"
    assert (tmp_path / "drs/config").is_dir()


def test_help_knows_topics_and_the_words_of_other_tools(new_repository):
    drs = new_repository()
    codes = drs.text("help", "exit-codes")
    assert re.search(r"^  16 +There is no such stream or snapshot\.$", codes, re.M)
    reference = (Path(__file__).parents[2] / "docs/REFERENCE.md").read_text().split("## Exit status")[1].split("##")[0]
    assert re.findall(r"^\| (\d\S*) ", reference, re.M) == re.findall(r"^  (\d\S*) ", codes, re.M)
    assert "--storage-class" in drs.text("help", "global")
    outcome = drs.run("help", "restore", expect=2)
    assert "`drstream pull` restores a snapshot" in outcome.err and "exit-codes" in outcome.err
    assert "`drstream verify` proves" in drs.run("check", expect=2).err
    assert "--output-dir" in drs.text("man", "--help"), "a hidden command has help, too"


def test_the_reference_is_what_the_command_says_today(new_repository):
    page = (Path(__file__).parents[2] / "docs/REFERENCE.md").read_text()
    assert new_repository().text("man", "--format", "markdown") == page, "drstream man --format markdown > docs/REFERENCE.md"
    prose = [line for line in page.splitlines() if not line.startswith(("|", "    "))]
    assert max(map(len, prose)) <= 120


@pytest.mark.parametrize("arguments", [["help", "push"], ["completion", "bash"], ["man", "drstream-push"]])
def test_what_is_text_alone_is_printed_with_json_too(new_repository, arguments):
    drs = new_repository()
    assert drs.text(*arguments) == drs.text(*arguments, "--json") == drs.text(*arguments, env={"DRSTREAM_JSON": "1"}) != ""


def test_a_variable_forgotten_in_the_environment_changes_no_data(pushed, tmp_path):
    (tmp_path / "file").write_bytes(b"another")
    forgotten = {"DRSTREAM_FILE": tmp_path / "file", "DRSTREAM_TIME": "2020-01-01", "DRSTREAM_OFFSET": "10",
                 "DRSTREAM_LENGTH": "5", "DRSTREAM_OUTPUT": tmp_path / "out", "DRSTREAM_ALLOW_EMPTY": "1",
                 "DRSTREAM_LIMIT": "1", "DRSTREAM_TAG": "a=b", "DRSTREAM_MIN_SIZE": "1GiB",
                 "DRSTREAM_ON_ANOMALY": "tag"}
    forgotten = {name: str(value) for name, value in forgotten.items()}
    assert pushed.push("s", DATA, env=forgotten)["time"][:4] != "2020"
    assert pushed.pull("s", env=forgotten) == DATA
    pushed.run("push", "s", input=b"", env=forgotten, expect=3)
    assert len(pushed.json("list", env=forgotten)["snapshots"]) > 1
    err = pushed.run("push", "s", input=DATA, env=forgotten).err
    assert "the variable DRSTREAM_MIN_SIZE is ignored: give --min-size on the command line" in err
    assert "DRSTREAM_LENGTH" not in err  # of another command


@pytest.mark.parametrize(
    "arguments",
    [
        ["pull", "pg/app", "-o", ""],
        ["pull", "pg/app", "-r", ""],
        ["push", "s", "--file", ""],
        ["push", "s", "--also", ""],
        ["push", "s", "--time", ""],
        ["push", "s", "--require-trailer", ""],
        ["push", "s", "--spool", ""],
        ["list", ""],
        ["list", "--since", ""],
    ],
)
def test_an_empty_value_is_refused(pushed, arguments):
    outcome = pushed.run(*arguments, input=DATA, expect=2)
    assert "an empty value is not accepted" in outcome.err and outcome.out == b""


def test_version_names_the_libraries_and_the_backends_chosen(new_repository):
    drs = new_repository()
    document = drs.json("version")
    for library in ["zstd", "lz4", "xxhash", "librdkafka", "liburing", "crypto"]:
        assert re.search(r"\d", document["libraries"][library]), library
    assert document["io_backend"] in ("uring", "posix")
    text = drs.text("version")
    assert text.startswith("drstream ")
    for word in ["format version", "io backend", "crypto backend", "zstd"]:
        assert word in text
    assert drs.text("--version").startswith("drstream ")


def test_doctor_looks_at_the_machine_and_leaves_nothing_in_the_repository(pushed, store):
    before = pushed.tree()
    report = pushed.json("doctor")
    assert report["fit"] is True
    about_the_store = "free-space" if store == "local" else "connection"
    assert {"io", "locked-memory", "pipe-size", "clock", "crypto", "repository", about_the_store} <= {
        check["name"] for check in report["checks"]
    }
    assert pushed.tree() == before


@pytest.mark.parametrize("shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_completions_are_scripts_of_their_shell(new_repository, tmp_path, shell, check):
    script = tmp_path / "completion"
    script.write_text(new_repository().text("completion", shell))
    for word in ["push", "pull", "require-trailer"]:
        assert word in script.read_text()
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([*check, script], check=True)


def test_bash_completes_commands_and_options(new_repository, tmp_path):
    script = tmp_path / "completion"
    script.write_text(new_repository().text("completion", "bash"))
    probe = f"""
source {script}
complete -p drstream >/dev/null || exit 1
function=$(complete -p drstream | sed 's/.*-F \\([^ ]*\\).*/\\1/')
COMP_WORDS=(drstream pu); COMP_CWORD=1; COMP_LINE='drstream pu'; COMP_POINT=11
$function drstream pu drstream; echo "${{COMPREPLY[*]}}"
COMP_WORDS=(drstream push --all); COMP_CWORD=2; COMP_LINE='drstream push --all'; COMP_POINT=19; COMPREPLY=()
$function drstream --all push; echo "${{COMPREPLY[*]}}"
"""
    shown = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(shown[0].split()) == ["pull", "push"]
    assert shown[1].split() == ["--allow-empty"]


def offered_by_bash(drs, tmp_path, line, **variables):
    """What bash offers behind `line`, whose first word is the command."""
    (tmp_path / "script").write_text(drs.text("completion", "bash"))
    probe = (f'source {tmp_path}/script; COMP_LINE="$1" COMP_POINT=${{#1}} COMP_WORDS=($1 "") COMP_CWORD=2\n'
             'COMP_WORDBREAKS=" "; _drstream; printf "%s\\n" "${COMPREPLY[@]}"')  # fmt: skip
    done = subprocess.run(["bash", "-c", probe, "bash", f"{drs.binary} {line}"], env=drs.environment(variables or None),
                          capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout.split()


@pytest.mark.every_store
def test_bash_completes_streams_and_snapshots_of_the_repository(pushed, tmp_path):
    pushed.push("vm/disk", b"x")
    snapshot = pushed.json("show", "pg/app")
    assert offered_by_bash(pushed, tmp_path, "push ") == ["pg/app", "vm/disk"]
    assert offered_by_bash(pushed, tmp_path, "list v") == ["vm/disk"]
    assert offered_by_bash(pushed, tmp_path, f"pull {snapshot['id'][:9]}") == [snapshot["id"][:12]]
    at = offered_by_bash(pushed, tmp_path, "pull pg/app@")
    assert at == [f"pg/app@{snapshot['time'][:19]}Z", "pg/app@latest"]
    for selector in at:
        assert pushed.pull(selector) == DATA


def test_completion_asks_for_no_key_and_starts_nothing(pushed, tmp_path):
    assert offered_by_bash(pushed, tmp_path, "pull ", BACKUP_ENCRYPTION_KEY=None) == []
    command = {"BACKUP_ENCRYPTION_KEY": None, "DRSTREAM_PASSPHRASE_COMMAND": f"touch {tmp_path}/asked"}
    assert offered_by_bash(pushed, tmp_path, "pull ", **command) == []
    assert not (tmp_path / "asked").exists()
    assert offered_by_bash(pushed, tmp_path, f"pull -r {tmp_path}/nothing ") == []


def test_manual_pages_are_written_for_every_command(new_repository, tmp_path):
    drs = new_repository()
    assert "is not a directory" in drs.run("man", "--output-dir", tmp_path / "absent", expect=2).err
    drs.run("man", "--output-dir", tmp_path)
    pages = {path.name for path in tmp_path.glob("*.1")}
    for command in COMMANDS:
        assert f"drstream-{command.replace(' ', '-')}.1" in pages
    assert "drstream.1" in pages
    page = (tmp_path / "drstream.1").read_text()
    assert "EXIT STATUS" in page
    for code in [3, 4, 5, 8, 10, 12, 13, 14, 15, 16]:
        assert re.search(rf"\b{code}\b", page)


def test_memory_below_the_floor_says_the_floor(drs):
    for command in [["push", "s"], ["pull", "s"], ["verify"]]:
        outcome = drs.run(*command, "--memory", "50MiB", input=DATA, expect=2)
        assert "96 MiB" in outcome.err
    outcome = drs.run("push", "s", "--memory", "plenty", input=DATA, expect=2)
    assert "accepted" in outcome.err


def test_quiet_is_quiet_and_progress_is_on_stderr(drs):
    outcome = drs.run("push", "s", "-q", "--exec", "--", "echo", "data")
    assert outcome.out == b"" and outcome.err == ""
    outcome = drs.run("pull", "s", "--progress", "always")
    assert outcome.out == b"data\n"


def test_progress_can_be_followed_as_json_lines(drs):
    read_end, write_end = os.pipe()
    drs.run("push", "s", "--progress-fd", write_end, "--size-hint", str(len(DATA)), input=DATA, pass_fds=[write_end])
    os.close(write_end)
    with os.fdopen(read_end) as lines:
        documents = [json.loads(line) for line in lines]
    assert documents[-1]["schema"] == "drstream.progress/1"
    assert documents[-1]["bytes"] == documents[-1]["total_bytes"] == len(DATA)


def test_stats_counts_what_is_there(pushed):
    pushed.push("pg/app", DATA)
    stats = pushed.json("stats")
    assert stats["snapshot_count"] == 2
    assert stats["bytes"] == 2 * len(DATA)
    assert stats["packs"] == len(pushed.names("packs"))
    assert [stream["stream"] for stream in stats["streams"]] == ["pg/app"]
    assert "pg/app" in pushed.text("stats")
