"""Signals and sudden death: SIGINT and SIGTERM end cleanly, kill -9 leaves nothing to repair."""

import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest
from repository import sample_bytes

DATA = sample_bytes(3_000_000)
WAIT_SECONDS = 60


def wait_for(condition, what):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


def processes_of_session(session):
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                state, _, _, sid = stat.read().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(sid) == session and state != "Z":
            found.append(int(entry))
    return found


def session_in(path):
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"), "the child to start")
    return int(path.read_text())


@pytest.mark.parametrize(
    "number, code, stubborn", [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, False), (signal.SIGTERM, 143, True)]
)
def test_a_signal_ends_a_push_reaps_the_child_and_commits_nothing(drs, tmp_path, number, code, stubborn):
    drs.push("s", DATA)
    trap = "trap '' INT TERM; " if stubborn else ""
    script = f"{trap}head -c 2000000 /dev/urandom; sleep 600 & echo $$ > {tmp_path}/pid; wait; sleep 600"
    process = drs.start("push", "s", "--exec", "--", "sh", "-c", script)
    session = session_in(tmp_path / "pid")
    process.send_signal(number)
    _, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == code, err.decode()
    assert b"no snapshot was made" in err
    wait_for(lambda: not processes_of_session(session), "the child's session to end")
    assert len(drs.snapshots()) == 1
    assert drs.push("s", DATA)["sequence"] == 2


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_push_that_waits_for_its_pipe(drs, number, code):
    process = drs.start("push", "s", stdin=subprocess.PIPE)
    process.stdin.write(DATA)
    process.stdin.flush()
    process.send_signal(number)
    process.wait(timeout=WAIT_SECONDS)
    process.communicate()
    assert process.returncode == code
    assert drs.snapshots() == []


# pg_restore reads the whole dump, and then builds indexes for hours.
@pytest.mark.parametrize("work", ["sleep 600; cat > /dev/null", "cat > /dev/null; touch {read}; sleep 600"])
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_pull_and_its_consumer(drs, tmp_path, number, code, work):
    drs.push("s", DATA)
    finished, read = tmp_path / "finished", tmp_path / "read"
    script = f"echo $$ > {tmp_path}/pid; {work.format(read=read)}; touch {finished}"
    process = drs.start("pull", "s", "--exec", "--", "sh", "-c", script)
    session = session_in(tmp_path / "pid")
    if "touch" in work:
        wait_for(read.exists, "the consumer to read everything")
        time.sleep(0.5)  # the pull notices the end of the pipe
    process.send_signal(number)
    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == code
    wait_for(lambda: not processes_of_session(session), "the consumer's session to end")
    assert not finished.exists()


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_pull_to_a_reader_that_does_not_read(drs, number, code):
    drs.push("s", DATA)
    process = drs.start("pull", "s")
    process.stdout.read(1)
    process.send_signal(number)
    # The pipe is no longer read: a blocked write must not delay the signal.
    assert process.wait(timeout=WAIT_SECONDS) == code
    process.communicate()


def full_pipe():
    """A pipe with no room left, whose reader does not read."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(write_end, b"x" * 4096)
    os.set_blocking(write_end, True)
    return read_end, write_end


def test_a_signal_ends_what_waits_for_a_reader_of_its_messages_that_does_not_read(drs, tmp_path):
    drs.push("s", DATA)
    read_end, write_end = full_pipe()
    ready = tmp_path / "ready"
    child = f"echo told >&2; echo $$ > {ready}; head -c 1000000 /dev/zero >&2; sleep 600"
    processes = [
        drs.start("push", "t", stdin=subprocess.PIPE, stderr=write_end),
        drs.start("push", "u", "--exec", "--", "sh", "-c", child, stderr=write_end),
        drs.start("list", "--json", stdout=write_end),
        drs.start("list", "no/such/stream", "-r", tmp_path / "nowhere", stderr=write_end),
    ]
    session_in(ready)
    time.sleep(0.3)
    assert [process.poll() for process in processes] == [None] * 4, "a stalled reader is waited for"
    for process in processes:
        process.send_signal(signal.SIGTERM)
    codes = [process.wait(timeout=20) for process in processes]
    assert codes == [143, 143, 143, 10]
    for process in processes:
        process.communicate()
    os.close(read_end)
    os.close(write_end)


def test_a_signal_leaves_no_part_of_a_file(drs, tmp_path):
    drs.push("s", DATA)
    target = tmp_path / "out" / "file"
    target.parent.mkdir()
    process = drs.start("pull", "s", "-o", target)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT_SECONDS)
    if process.returncode == 0:
        assert target.read_bytes() == DATA
    else:
        assert process.returncode in (143, -signal.SIGTERM)
        assert [path.name for path in target.parent.iterdir()] in ([], ["file"])


def test_a_second_signal_does_not_wait_for_the_first(drs, tmp_path):
    script = f"trap '' INT TERM; echo $$ > {tmp_path}/pid; while :; do sleep 1; done"
    process = drs.start("push", "s", "--exec", "--", "sh", "-c", script)
    session = session_in(tmp_path / "pid")
    process.send_signal(signal.SIGTERM)
    time.sleep(1.1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 143
    wait_for(lambda: not processes_of_session(session), "the child's session to end")


def test_a_signal_that_comes_twice_at_once_counts_once(drs, tmp_path):
    script = f"trap 'sleep 0.6; exit' TERM; echo $$ > {tmp_path}/pid; while :; do sleep 0.1; done"
    process = drs.start("push", "s", "--exec", "--", "sh", "-c", script)
    session_in(tmp_path / "pid")
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 143
    assert b"no snapshot was made" in err
    assert drs.names("sessions") == []


def test_timeout_which_signals_twice_ends_a_push_in_order(drs):
    outcome = drs.run("push", "s", "--exec", "--", "sleep", "600", launcher=["timeout", "1"], expect=124)
    assert "no snapshot was made" in outcome.err
    assert drs.names("sessions") == []


def waits_for(what):
    return f"echo $$ > {what}; exec sleep 600"


@pytest.mark.parametrize("where", ["passphrase", "key fifo", "output fifo"])
def test_one_sigterm_ends_every_wait(drs, tmp_path, where):
    drs.push("s", DATA)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    command = tmp_path / "ask"
    command.write_text(f"#!/bin/sh\n{waits_for(tmp_path / 'pid')}\n")
    command.chmod(0o700)
    arguments = {
        "passphrase": ["list", "--passphrase-command", command],
        "key fifo": ["list", "--key-file", fifo],
        "output fifo": ["pull", "s", "-o", fifo],
    }[where]
    process = drs.start(*arguments)
    if where == "passphrase":
        session_in(tmp_path / "pid")
    time.sleep(0.5)
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 143


def test_a_fifo_for_the_output_or_a_key_is_used_once_its_other_end_is_there(drs, tmp_path):
    drs.push("s", DATA)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    process = drs.start("pull", "s", "-o", fifo)
    assert fifo.read_bytes() == DATA
    process.communicate()
    assert process.returncode == 0
    process = drs.start("list", "--key-file", fifo, env={"BACKUP_ENCRYPTION_KEY": None})
    fifo.write_text(drs.key)
    process.communicate()
    assert process.returncode == 0


class Terminal:
    """A command that asks on a terminal. A shell leads the session: at a leader's end the kernel resets the terminal."""

    def __init__(self, drs, script, *arguments):
        command = ["sh", "-c", script, "sh", *drs.command(*arguments)]
        environment = drs.environment({"BACKUP_ENCRYPTION_KEY": None})
        self.shell, self.fd = pty.fork()
        if self.shell == 0:
            os.execvpe(command[0], command, environment)
        self.read_to(b"hex digits): ")

    def read_to(self, end):
        text = b""
        while end not in text:
            assert select.select([self.fd], [], [], WAIT_SECONDS)[0], text
            text += os.read(self.fd, 1000)

    def write(self, text):
        os.write(self.fd, text)

    def command(self):
        with open(f"/proc/{self.shell}/task/{self.shell}/children", encoding="ascii") as children:
            return int(children.read())

    def echoes(self):
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def leave(self):
        self.write(b"\n")
        os.waitpid(self.shell, 0)
        os.close(self.fd)


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV, signal.SIGALRM, signal.SIGTERM])
def test_no_signal_leaves_a_terminal_without_echo(drs, number):
    drs.push("s", b"x")
    terminal = Terminal(drs, '"$@"; echo "ended with $?"; read line', "list")
    assert not terminal.echoes()
    os.kill(terminal.command(), number)
    terminal.read_to(b"ended with %d" % (128 + number))
    assert terminal.echoes()
    terminal.leave()


def test_a_stopped_prompt_has_echo_and_none_once_it_goes_on(drs):
    drs.push("s", b"x")
    script = 'set -m; "$@"; echo "left with $?"; read line; fg; echo "ended with $?"; read line'
    terminal = Terminal(drs, script, "list")
    assert not terminal.echoes()
    terminal.write(b"\x1a")  # Ctrl-Z
    terminal.read_to(b"left with 148")
    assert terminal.echoes()
    terminal.write(b"\n")
    wait_for(lambda: not terminal.echoes(), "the echo to be off again")
    terminal.write(drs.key.encode() + b"\n")
    terminal.read_to(b"ended with 0")
    assert terminal.echoes()
    terminal.leave()


@pytest.mark.every_store
def test_kill_9_at_any_moment_leaves_the_old_snapshots_and_nothing_to_repair(drs, tmp_path, full_run, share):
    drs.push("s", DATA)
    source = tmp_path / "source"
    sequence = 1
    for round_number in share(range(50 if full_run else 5)):
        data = sample_bytes(3_000_000, seed=100 + round_number)
        source.write_bytes(data)
        process = drs.start("push", "s", "--file", source)
        time.sleep(0.02 + 0.05 * round_number % 0.5)
        process.kill()
        process.communicate()
        snapshots = drs.snapshots()
        assert len(snapshots) in (sequence, sequence + 1)
        if len(snapshots) == sequence + 1:
            assert drs.pull("s") == data
            sequence += 1
    assert drs.pull(drs.snapshots()[0]["id"]) == DATA
    drs.run("verify", "--read-data", "--expect-head")
    drs.push("s", DATA)
    assert drs.pull("s") == DATA
