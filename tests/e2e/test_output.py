"""What a person reads: how the producer ended, snapshots that are not what they seem, summaries and progress."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest
from repository import random_key, sample_bytes

DATA = sample_bytes(300_000)


def test_a_quiet_init_prints_nothing(new_repository):
    outcome = new_repository().run("init", "-q")
    assert (outcome.out, outcome.err) == (b"", "")


def test_quiet_repairs_and_changes_of_keys_print_only_warnings(drs, tmp_path):
    key = tmp_path / "key"
    key.write_text(random_key())
    key.chmod(0o600)
    old = drs.json("key", "test")["slot"]
    for command in (["repair", "index"], ["key", "add", "--new-key-file", key]):
        outcome = drs.run(*command, "-q")
        assert (outcome.out, outcome.err) == (b"", ""), command
    outcome = drs.run("key", "remove", old, "-q", env={"BACKUP_ENCRYPTION_KEY": key.read_text()})
    assert outcome.out == b"" and outcome.err.startswith("drstream: warning: ")


@pytest.mark.local_only("it damages a file, and copies into a folder")
def test_quiet_checks_and_copies_print_only_what_is_wrong(drs, new_folder):
    drs.run("push", "s", "-q", "--exec", "--", "echo", "data")
    replica = new_folder("replica") / "data"
    quiet = [["verify", "-q", "--read-data"], ["scrub", "-q"],
             ["copy", "-q", "--from-repository", drs.path, "-r", replica]]  # fmt: skip
    drs.run("init", "-q", "--replica-of", drs.path, "-r", replica)
    for command in quiet:
        outcome = drs.run(*command)
        assert (outcome.out, outcome.err) == (b"", ""), command
    drs.flip(drs.largest_pack())
    for command in quiet[:2]:
        outcome = drs.run(*command, expect=4)
        assert drs.largest_pack().encode() in outcome.out and b"DAMAGE FOUND" in outcome.out


def test_a_push_through_a_plain_pipe_warns_once_and_says_what_to_do(drs):
    err = drs.run("push", "s", input=DATA).err
    assert err.count("the producer was unseen") == 1
    assert "--exec -- CMD" in err and "--require-trailer" in err
    assert "the producer was unseen" in drs.run("push", "s", "-q", input=DATA).err


def test_a_producer_that_was_seen_or_a_trailer_that_matched_is_no_warning(drs, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(DATA + b"-- complete\n")
    assert "unseen" not in drs.run("push", "s", "--exec", "--", "cat", source).err
    assert "unseen" not in drs.run("push", "s", "--file", source).err
    assert "unseen" not in drs.run("push", "s", "--require-trailer", "complete", input=source.read_bytes()).err
    assert "unseen" not in drs.run("pull", "s").err


def test_what_came_through_a_plain_pipe_is_said_where_it_is_read(drs):
    identity = drs.push("s", DATA)["id"]
    assert f"the producer of snapshot {identity} was unseen" in drs.run("pull", "s", "-q").err
    assert "producer       unseen: a plain pipe" in drs.text("show", "s")
    assert " unseen" in drs.text("list").splitlines()[1]
    assert "producer unseen of 1 of 1 snapshots" in drs.text("verify")
    assert drs.json("verify")["producer_unseen"] == 1


def test_one_vocabulary_tells_how_producers_ended(drs, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    drs.run("push", "exec", "--exec", "--", "cat", source)
    drs.run("push", "file", "--file", source)
    listed = {line.split()[3]: line for line in drs.text("list").splitlines()[1:]}
    assert " exit 0" in listed["exec"] and " file" in listed["file"].split("file", 1)[1]
    assert "producer       exit 0\n" in drs.text("show", "exec")
    assert "producer unseen" not in drs.text("verify")
    assert drs.json("verify")["producer_unseen"] == 0


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_required_producer_refuses_a_plain_pipe_before_it_is_read(drs, how, tmp_path):
    options, env = (["--require-producer"], None) if how == "option" else ([], {"DRSTREAM_REQUIRE_PRODUCER": "1"})
    outcome = drs.run("push", "s", *options, env=env, stdin=open("/dev/zero", "rb"), expect=2)
    assert "--require-producer refuses a plain pipe" in outcome.err and "--exec" in outcome.err
    assert drs.snapshots() == []
    source = tmp_path / "source"
    source.write_bytes(DATA)
    drs.run("push", "s", *options, "--file", source, env=env)
    drs.run("push", "s", *options, "--exec", "--", "cat", source, env=env)


def test_an_anomaly_that_is_the_latest_is_said_with_the_newest_that_is_none(drs):
    sound = drs.push("s", DATA)["id"]
    odd = drs.push("s", DATA[:1000], "--max-shrink", "10%", "--on-anomaly", "tag")["id"]
    for selector in ["s", "s@latest", "s@now"]:
        outcome = drs.run("pull", selector)
        assert outcome.out == DATA[:1000]
        assert f"'{selector}' is snapshot {odd}" in outcome.err and f"without that tag is {sound}" in outcome.err
    assert "anomaly" not in drs.run("pull", odd).err
    assert "anomaly" not in drs.run("pull", sound).err


def test_times_are_printed_with_their_zone_and_select_what_they_name(drs):
    identity = drs.push("s", DATA, "--time", "2026-10-25T01:30:00Z")["id"]
    drs.push("s", DATA, "--time", "2026-10-25T03:30:00Z")
    berlin = {"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}
    shown = next(line for line in drs.text("show", identity, env=berlin).splitlines() if line.startswith("time "))
    assert shown == "time           2026-10-25 02:30:00 +01:00"
    at = shown.removeprefix("time").strip()
    assert drs.json("show", f"s@{at}", env=berlin)["id"] == identity


class Terminal:
    """A terminal of so many columns: what it was sent, and what its screen shows, line by line."""

    def __init__(self, columns):
        self.master, self.slave = pty.openpty()
        self.sent = b""
        self.resize(columns)

    def resize(self, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))

    def read(self, until=None, seconds=30):
        """Everything until the other side is closed, or until it has sent `until`."""
        end = time.monotonic() + seconds
        while (until is None or until not in self.sent) and time.monotonic() < end:
            if not select.select([self.master], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                break
            if not piece:
                break
            self.sent += piece
        assert until is None or until in self.sent, self.sent
        return self.sent.decode()

    def lines(self):
        """What stands there at the end: a status that was erased does not."""
        shown = re.sub(r"\x1b\[\d+m", "", self.sent.decode())
        return [re.split(r"\r\x1b\[K|\r(?!$)", line.rstrip("\r"))[-1] for line in shown.split("\n")]

    def statuses(self):
        """What was drawn and erased again."""
        return re.findall(r"\r\x1b\[K([^\r\n\x1b]+)(?=\r\x1b)", self.sent.decode())

    def close(self):
        os.close(self.slave)


@pytest.fixture
def on_terminal(drs):
    """on_terminal(arguments, columns=80, ...): runs the command with stdout and stderr on a terminal."""

    def run(*arguments, columns=80, env=None, expect=0, meanwhile=None, **streams):
        terminal = Terminal(columns)
        streams = {"stdout": terminal.slave, "stderr": terminal.slave, "stdin": subprocess.DEVNULL, **streams}
        process = drs.start(*arguments, env={"TERM": "xterm", **(env or {})}, **streams)
        if meanwhile is None:
            terminal.close()
        else:
            meanwhile(terminal)
            terminal.close()
        terminal.read()
        assert process.wait(60) == expect, terminal.sent
        os.close(terminal.master)
        return terminal

    return run


def test_a_person_reads_a_summary_in_words(drs, on_terminal, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(DATA)
    saved = on_terminal("push", "pg/app", "--exec", "--", "cat", source, columns=200).lines()
    assert re.fullmatch(r"saved pg/app #1 [0-9a-f]{12}: 293 KiB read, 293 KiB new, \d\.\d s \([\d.]+ [KM]iB/s\), "
                        r"producer exit 0", saved[0]), saved  # fmt: skip
    assert saved[1].startswith("head pg/app=1:")
    again = on_terminal("push", "pg/app", "--file", source, columns=200).lines()
    assert " all known, " in again[0] and again[0].endswith(", from a file")
    restored = on_terminal("pull", "pg/app", "-o", tmp_path / "out", columns=200).lines()
    assert re.match(r"restored pg/app #2 [0-9a-f]{12} of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00: 293 KiB, ", restored[0])
    assert restored[0].endswith("whole, SHA-256 agrees")
    assert re.match(r"verified 2 snapshots: \d+ blocks? in 2 packs \(", on_terminal("verify").lines()[0])
    assert on_terminal("scrub").lines()[0].startswith("scrubbed ")


def test_scripts_read_the_lines_they_know(drs, tmp_path):
    pushed = drs.text("push", "s", "--exec", "--", "echo", "data")
    assert re.match(r"snapshot [0-9a-f]{32} stream s bytes 5 sha256 \S+ new 5 stored \d+ ratio \S+ seconds \S+ "
                    r"producer: seen\nhead s=1:", pushed), pushed  # fmt: skip
    assert re.match(r"pulled \S+ of s, [^,]*, bytes 5 seconds \S+ \(whole, SHA-256 agrees\)\n",
                    drs.text("pull", "s", "-o", tmp_path / "out"))  # fmt: skip
    assert drs.text("verify").startswith("verified 1 snapshots, 1 recipe parts, 1 blocks referenced, 1 packs with ")


@pytest.mark.parametrize("env, coloured", [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True),
                                           ({"TERM": "dumb"}, False), ({"TERM": None}, False)])  # fmt: skip
def test_colours_stand_on_a_terminal_that_wants_them_alone(drs, on_terminal, env, coloured):
    source = subprocess.Popen(["echo", "data"], stdout=subprocess.PIPE)
    warned = on_terminal("push", "s", env=env, stdin=source.stdout)
    source.communicate()
    assert ("\x1b[33mdrstream: warning: the producer was unseen" in warned.sent.decode()) == coloured
    failed = on_terminal("pull", "absent", "-o", "/dev/null/x", env=env, expect=16)
    assert ("\x1b[31mdrstream pull: error: " in failed.sent.decode()) == coloured
    if not coloured:
        assert "m" not in re.findall(r"\x1b\[[\d;]*([A-Za-z])", (warned.sent + failed.sent).decode())
    if env.get("TERM", "xterm") != "xterm":
        assert b"\x1b" not in warned.sent + failed.sent
    assert "\x1b" not in drs.run("pull", "absent", env={"TERM": "xterm"}, expect=16).err


def test_json_on_a_terminal_is_neither_coloured_nor_wrapped(drs, on_terminal):
    sent = on_terminal("pull", "absent", "-o", "x", "--log-format", "json", expect=16).sent
    assert b"\x1b" not in sent
    assert json.loads(sent)["level"] == "error" and len(sent) > 100


@pytest.mark.parametrize("columns", [80, 200])
def test_a_line_on_a_terminal_breaks_between_words(drs, on_terminal, columns):
    plain = drs.run("pull", "a" * 40 + "/*", "-o", "x", expect=2).err
    assert len(plain) > 200 and "\n    " not in plain
    lines = on_terminal("pull", "a" * 40 + "/*", "-o", "x", columns=columns, expect=2).lines()
    assert all(len(line) <= columns for line in lines), lines
    assert " ".join("\n".join(lines).split()) == " ".join(plain.split())


def test_a_list_on_a_narrow_terminal_leaves_columns_out(drs, on_terminal):
    drs.push("pg/app", DATA)
    titles = drs.text("list").splitlines()[0].split()
    assert titles == "TIME STREAM ID SEQ SIZE NEW STORED PRODUCER TAGS".split()
    narrow = on_terminal("list", columns=80).lines()
    assert narrow[0].split() == "TIME STREAM ID SIZE STORED PRODUCER".split()
    assert len(narrow) == 3 and all(len(line) <= 80 for line in narrow), narrow
    assert on_terminal("list", columns=200).lines()[0].split() == titles


def test_what_a_producer_says_is_not_wrapped(drs, on_terminal):
    said = "a line of the producer " * 10
    assert on_terminal("push", "s", "--exec", "--", "sh", "-c", f"echo '{said}' >&2; echo data").lines()[0] == said


@pytest.mark.parametrize("columns, idle_seconds", [(80, 4.2), (200, 1)])
def test_progress_fits_the_terminal_names_an_idle_producer_and_is_erased(drs, on_terminal, columns, idle_seconds):
    drs.push("s", bytes(20_000_000))
    script = f"head -c 3000000 /dev/urandom; sleep {idle_seconds}; echo note >&2; sleep 0.5"
    terminal = on_terminal("push", "s", "--exec", "--", "sh", "-c", script, columns=columns)
    statuses = terminal.statuses()
    assert all(status.startswith("push ") and len(status) < columns for status in statuses), statuses
    flowing = r"push [\d.]+ MiB of about 19\.1 MiB  [\d.]+ %  [\d.]+ [KMi]*B/s  about .* left"
    assert any(re.match(flowing, status) for status in statuses), statuses
    assert columns == 80 or all("  elapsed " in status for status in statuses), statuses
    assert any("waiting for the producer" in status for status in statuses) == (idle_seconds > 3), statuses
    assert any("  stored " in status and "  new " in status for status in statuses) == (columns == 200), statuses
    lines = terminal.lines()
    assert lines[0] == "note", lines  # a child's line stands alone
    assert lines[1].startswith("saved s #2 ") and lines[-2].startswith("head ") and lines[-1] == "", lines


def test_progress_follows_a_terminal_that_is_resized(drs, on_terminal):
    def shrink(terminal):
        terminal.read(until=b"elapsed")
        terminal.resize(40)

    script = "head -c 3000000 /dev/urandom; sleep 1"
    statuses = on_terminal("push", "s", "--exec", "--", "sh", "-c", script, columns=200, meanwhile=shrink).statuses()
    assert len(statuses[0]) > 40 and len(statuses[-1]) < 40, statuses


def test_a_dumb_terminal_gets_progress_without_escapes(drs, on_terminal):
    script = "head -c 3000000 /dev/urandom; sleep 1"
    terminal = on_terminal("push", "s", "--exec", "--", "sh", "-c", script, env={"TERM": "dumb"})
    assert b"\x1b" not in terminal.sent and b"\rpush " in terminal.sent
    assert b"\r" + b" " * 79 + b"\r" in terminal.sent


def test_the_size_of_the_last_snapshot_is_a_guess_in_json_too(drs):
    drs.push("s", DATA)
    read_end, write_end = os.pipe()
    drs.run("push", "s", "--progress-fd", write_end, input=DATA[:1000], pass_fds=[write_end])
    os.close(write_end)
    with os.fdopen(read_end) as lines:
        last = [json.loads(line) for line in lines][-1]
    assert last["total_bytes"] == len(DATA) and last["total_is_guess"] is True
    assert last["idle_seconds"] == 0
