"""Commands that drstream starts: what a producer proves, what a consumer may take for the end of its data."""

import os
import signal
import subprocess
import time

import pytest
from repository import sample_bytes
from test_signals import WAIT_SECONDS, processes_of_session, session_in, wait_for

DATA = sample_bytes(6_000_000)


def test_bytes_of_a_descendant_after_the_commands_exit_are_no_backup(drs):
    late = "(sleep 1; echo late; exit 1) & exit 0"
    outcome = drs.run("push", "s", "--exec", "--", "sh", "-c", late, expect=3)
    assert "wrote into the stream after that" in outcome.err
    assert drs.snapshots() == []


def test_a_descendant_that_only_closes_the_output_late_is_no_trouble(drs):
    drs.run("push", "s", "--exec", "--", "sh", "-c", "printf whole; sleep 1 & exit 0")
    assert drs.pull("s") == b"whole"


def test_a_line_of_a_shell_is_refused_and_told_how_it_runs(drs):
    drs.push("s", b"x")
    for command in (["push", "t"], ["pull", "s"]):
        assert "--exec -- bash -o pipefail -c 'cat x | cat'" in drs.run(*command, "--exec", "--", "cat x | cat", expect=2).err
        assert "Write it without the quotes: --exec -- cat x" in drs.run(*command, "--exec", "--", "cat x", expect=2).err
        assert "stands behind --" in drs.run(*command, "--exec", "cat", "x", expect=2).err
    assert "cat" in drs.run("push", "t", "--exec", "--", "no-such-cat", expect=3).err
    assert len(drs.snapshots()) == 1


def test_a_pipe_whose_failure_its_shell_hides_is_warned_of(drs):
    hidden = "echo half; false"
    outcome = drs.run("push", "s", "--exec", "--", "sh", "-c", f"({hidden}) | cat")
    assert "a pipe in a shell without pipefail" in outcome.err
    outcome = drs.run("push", "s", "--exec", "--", "bash", "-o", "pipefail", "-c", f"({hidden}) | cat", expect=3)
    assert "without pipefail" not in outcome.err
    assert "without pipefail" not in drs.run("push", "s", "--exec", "--", "sh", "-c", "false || echo whole").err
    assert len(drs.snapshots()) == 2


def consumer_script(folder):
    """Commits at the end of its input, as a database client does."""
    return f"echo $$ > {folder}/started; cat > {folder}/read; echo committed > {folder}/committed"


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL, signal.SIGALRM])
def test_no_fatal_signal_looks_like_the_end_of_the_data(drs, tmp_path, number):
    drs.push("s", DATA)
    script = f"echo $$ > {tmp_path}/started; sleep 0.5; {consumer_script(tmp_path)}"
    process = drs.start("pull", "s", "--exec", "--", "sh", "-c", script)
    session = session_in(tmp_path / "started")
    process.send_signal(number)
    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == -number
    wait_for(lambda: not processes_of_session(session), "the consumer's session to end")
    assert not (tmp_path / "committed").exists()


def test_no_consumer_takes_a_killed_restore_for_a_whole_one(drs, tmp_path, full_run, share, dice):
    """SIGKILL at random moments: who sees a clean end has every byte."""
    data = sample_bytes(64_000_000 if full_run else 6_000_000)
    drs.push("s", data)
    began = time.monotonic()
    drs.run("pull", "s", "--exec", "--", "sh", "-c", "cat > /dev/null")
    usual_seconds = time.monotonic() - began
    cut_short = 0
    for round_number in share(range(1000 if full_run else 30)):
        folder = tmp_path / str(round_number)
        folder.mkdir()
        process = drs.start("pull", "s", "--exec", "--", "sh", "-c", consumer_script(folder))
        time.sleep(dice.uniform(0, usual_seconds))
        process.kill()
        process.communicate()
        if (folder / "started").exists() and (folder / "started").read_text().endswith("\n"):
            session = int((folder / "started").read_text())
            wait_for(lambda session=session: not processes_of_session(session), "the consumer to end")
        if (folder / "committed").exists():
            assert (folder / "read").read_bytes() == data, f"round {round_number}: a clean end of a torn stream"
        else:
            cut_short += 1
        (folder / "read").unlink(missing_ok=True)
    assert cut_short > 0


def test_a_killed_push_takes_its_producer_along(drs, tmp_path):
    process = drs.start("push", "s", "--exec", "--", "sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 600 & wait")
    session = session_in(tmp_path / "pid")
    process.kill()
    process.communicate()
    wait_for(lambda: not processes_of_session(session), "the producer's session to end")


def test_a_killed_guardian_ends_the_restore_and_not_cleanly(drs, tmp_path):
    drs.push("s", DATA)
    script = f"echo $$ > {tmp_path}/started; sleep 600; touch {tmp_path}/committed"
    process = drs.start("pull", "s", "--exec", "--", "sh", "-c", script)
    session = session_in(tmp_path / "started")
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:
        names = {int(pid): open(f"/proc/{pid}/comm", encoding="ascii").read().strip() for pid in children.read().split()}
    guardians = [pid for pid, name in names.items() if name == "drs-guardian"]
    assert len(guardians) == 1
    os.kill(guardians[0], signal.SIGKILL)
    _, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 8, err
    assert b"the process that guards" in err
    wait_for(lambda: not processes_of_session(session), "the consumer's session to end")
    assert not (tmp_path / "committed").exists()


def test_a_terminals_signals_do_not_reach_the_guardian(drs, tmp_path):
    """Ctrl-C and Ctrl-backslash go to the whole foreground group."""
    drs.push("s", DATA)
    script = f"echo $$ > {tmp_path}/started; sleep 0.5; {consumer_script(tmp_path)}"
    process = drs.start("pull", "s", "--exec", "--", "sh", "-c", script, start_new_session=True)
    session = session_in(tmp_path / "started")
    os.killpg(process.pid, signal.SIGQUIT)
    process.communicate(timeout=WAIT_SECONDS)
    wait_for(lambda: not processes_of_session(session), "the consumer's session to end")
    assert not (tmp_path / "committed").exists()


@pytest.mark.parametrize("size", [1000, 6_000_000])
def test_a_consumer_that_exits_with_0_and_leaves_data_unread_is_exit_8(drs, size):
    drs.push("s", DATA[:size])
    for script in ("exit 0", "head -c 10 >/dev/null"):
        outcome = drs.run("pull", "s", "--exec", "--", "sh", "-c", script, expect=8)
        assert "stopped reading before the end and exited with status 0" in outcome.err
        assert "--consumer-may-stop" in outcome.err


@pytest.mark.parametrize("size", [1000, 6_000_000])
def test_a_consumer_may_stop_where_that_is_allowed(drs, size):
    drs.push("s", DATA[:size])
    said = drs.run("--json", "pull", "s", "--consumer-may-stop", "--exec", "--", "head", "-c", "10")
    assert said.out == DATA[:10]
    assert '"consumer_stopped": true' in said.err
    drs.run("pull", "s", "--consumer-may-stop", "--exec", "--", "sh", "-c", "head -c 10 >/dev/null; exit 3", expect=8)
    assert "needs --exec" in drs.run("pull", "s", "--consumer-may-stop", expect=2).err


def ignoring(name):
    return ["env", f"--ignore-signal={name}"]


def test_an_ignored_sigchld_changes_nothing(drs):
    drs.run("push", "s", "--exec", "--", "printf", "hello", launcher=ignoring("CHLD"))
    assert drs.pull("s") == b"hello"
    drs.run("push", "s", "--exec", "--", "false", launcher=ignoring("CHLD"), expect=3)
    drs.run("pull", "s", "--exec", "--", "cat", launcher=ignoring("CHLD"))
    outcome = drs.run("list", "--passphrase-command", "sh -c 'echo right; exit 1'", launcher=ignoring("CHLD"), expect=12)
    assert "exited with status 1" in outcome.err


def test_children_get_signals_as_we_were_given_them(drs):
    ignored = drs.run("push", "s", "--exec", "--", "grep", "SigIgn", "/proc/self/status", launcher=ignoring("HUP"))
    assert ignored.code == 0
    mask = int(drs.pull("s").split()[1], 16)
    assert mask >> (signal.SIGHUP - 1) & 1
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
        assert not mask >> (number - 1) & 1


def test_a_file_that_may_not_grow_is_an_error_and_no_death(drs, tmp_path):
    drs.push("s", DATA)
    outcome = drs.run("pull", "s", "-o", tmp_path / "out", launcher=["prlimit", "--fsize=1000000", "--"], expect=(5, 8))
    assert "File too large" in outcome.err
    assert list(tmp_path.glob("out*")) == []
