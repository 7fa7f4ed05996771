"""drstream forget: which snapshots go, by rules, by name, and as whole streams; what stops it, and what it asks."""

import os
import subprocess

import pytest
from removals import AT_ONCE
from test_output import Terminal

STREAM = "pg/app"
DAYS = [f"2026-01-{day:02}T02:00:00Z" for day in range(1, 11)]


def push_at(drs, times, stream=STREAM, *options):
    """Pushes a snapshot of each time. Returns their ids."""
    return [drs.push(stream, f"{stream} {time}".encode(), "--time", time, *options)["id"] for time in times]


def forget(drs, *arguments, **options):
    return drs.json("forget", *arguments, **options)


def times_left(drs, stream=STREAM):
    return [one["time"][:19] for one in drs.json("list", stream)["snapshots"]]


def days_left(drs, stream=STREAM):
    return [int(time[8:10]) for time in times_left(drs, stream)]


def reasons(document):
    """Why each snapshot of a plan stays, in the order of the plan."""
    return [[reason["by"] for reason in one["kept_by"]]
            for stream in document["streams"] for one in stream["snapshots"]]


@pytest.fixture
def pushed(drs):
    push_at(drs, DAYS)
    return drs


@pytest.mark.every_store
def test_rules_keep_what_they_say_and_the_rest_is_gone_for_every_command(pushed):
    removed = pushed.json("show", f"{STREAM}@2026-01-05")
    document = forget(pushed, "--keep-last", "2", "--keep-weekly", "2")
    assert document["state"] == "done" and document["marks_written"] == 7
    assert days_left(pushed) == [4, 9, 10]
    assert pushed.pull(f"{STREAM}@2026-01-08") == b"pg/app 2026-01-04T02:00:00Z"
    pushed.run("show", removed["id"], expect=16)
    pushed.run("verify", "--read-data")
    pushed.run("scrub")
    assert pushed.push(STREAM, b"next")["sequence"] == 11
    again = forget(pushed, "--keep-last", "2", "--keep-weekly", "2")
    assert again["streams"][0]["removed_count"] == 2, "the next one takes the places of the 9th and of the 4th"


def test_keeps_what_restic_keeps_in_its_example(drs):
    sundays = ["2019-09-01", "2019-09-08", "2019-09-15", "2019-09-22", "2019-09-29", "2019-10-06", "2019-10-13",
               "2019-10-20", "2019-10-27", "2019-11-03", "2019-11-10", "2019-11-17"]  # fmt: skip
    push_at(drs, [f"{day}T11:00:00Z" for day in sundays])
    forget(drs, "--keep-daily", "4")
    assert [time[:10] for time in times_left(drs)] == sundays[-4:]


def test_keeps_what_proxmox_keeps_in_its_example(drs):
    push_at(drs, ["2019-11-10T10:42:20Z", "2019-11-21T12:36:25Z", "2019-11-22T11:54:47Z", "2019-12-03T09:35:01Z",
                  "2019-12-04T13:20:37Z"])  # fmt: skip
    forget(drs, "--keep-daily", "1", "--keep-weekly", "3")
    assert times_left(drs) == ["2019-11-10T10:42:20", "2019-11-22T11:54:47", "2019-12-04T13:20:37"]


def test_says_why_each_snapshot_stays(pushed):
    document = forget(pushed, "--keep-last", "1", "--keep-monthly", "2", "--dry-run")
    assert document["state"] == "planned" and document["marks_written"] == 0
    assert reasons(document) == [["monthly"]] + [[]] * 8 + [["last", "monthly", "newest"]]
    assert document["streams"][0]["snapshots"][0]["kept_by"][0]["oldest"] is True
    assert document["streams"][0]["rules"] == "--keep-last 1 --keep-monthly 2"
    table = pushed.text("forget", "--keep-last", "1", "--keep-monthly", "2", "--dry-run").splitlines()
    assert table[0].split() == ["TIME", "STREAM", "ID", "SEQ", "SIZE", "KEPT", "BY"]
    assert table[1].endswith("monthly (oldest)") and table[2].endswith("none")
    assert table[10].endswith("last, monthly, newest") and table[11] == "8 snapshots would be removed, 2 kept"
    within = forget(pushed, "--keep-within", "2d", "--dry-run")["streams"][0]["snapshots"]
    assert [one["kept_by"][0]["store_time"] for one in within] == [True] * 8 + [False] * 2, "all arrived today"
    assert days_left(pushed) == list(range(1, 11))


def test_without_a_terminal_it_acts_and_prints_what_went(pushed):
    lines = pushed.text("forget", "--keep-last", "9").splitlines()
    assert len(lines) == 2 and lines[0].startswith("removed ") and lines[1] == "1 snapshot removed, 9 kept"
    assert pushed.text("forget", "--keep-last", "9") == "0 snapshots removed, 9 kept\n"
    assert pushed.text("forget", "--keep-last", "8", "-q") == ""


class Asked:
    """A forget at a terminal that is given an answer."""

    def __init__(self, drs, answer, *arguments):
        terminal = Terminal(200)
        process = drs.start("forget", *arguments, env={"TERM": "xterm"}, stdin=terminal.slave, stdout=terminal.slave,
                            stderr=terminal.slave, start_new_session=True)  # fmt: skip
        if answer is not None:
            terminal.read(until=b"[y/N]")
            os.write(terminal.master, answer)
        terminal.close()
        terminal.read()
        self.code = process.wait(60)
        self.lines = terminal.lines()
        os.close(terminal.master)


def test_at_a_terminal_it_prints_the_plan_and_asks(pushed):
    for answer in (b"n\n", b"\n", b"no\n", b"yess\n", b"\x04"):
        asked = Asked(pushed, answer, "--keep-last", "5")
        assert asked.code == 15 and "KEPT BY" in asked.lines[0] and "remove 5 snapshots? [y/N]" in "".join(asked.lines)
        assert any("nothing was removed" in line for line in asked.lines), asked.lines
        assert days_left(pushed) == list(range(1, 11))
    assert Asked(pushed, b"y\n", "--keep-last", "9").code == 0
    assert days_left(pushed) == list(range(2, 11))
    assert Asked(pushed, b"YES\n", "--keep-last", "8").code == 0
    assert Asked(pushed, None, "--keep-last", "7", "--yes").code == 0
    assert days_left(pushed) == list(range(4, 11))
    assert Asked(pushed, None, "--keep-last", "7").code == 0, "with nothing to remove it does not ask"
    assert Asked(pushed, None, "--keep-last", "1", "--force", "--dry-run").code == 0
    with pushed.start("forget", "--keep-last", "6", stdin=subprocess.DEVNULL) as process:
        assert process.wait(60) == 0, "elsewhere it does not ask"
    assert days_left(pushed) == list(range(5, 11))


def test_it_asks_also_where_only_stdin_is_a_terminal(pushed):
    """Its messages and its answer go into files: the plan and the question go to the terminal itself."""
    terminal = Terminal(200)
    script = 'exec "$0" forget --keep-last 5 2>"$1.err" >"$1.out"'
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", "sh", "-c", script, pushed.binary, pushed.folder / "forget"],
        env=dict(pushed.environment(), TERM="xterm"), stdin=terminal.slave,
        stdout=terminal.slave, stderr=terminal.slave)  # fmt: skip
    terminal.read(until=b"[y/N]")
    os.write(terminal.master, b"n\n")
    terminal.close()
    terminal.read()
    assert process.wait(60) == 15
    assert "KEPT BY" in "".join(terminal.lines())
    os.close(terminal.master)
    assert len(days_left(pushed)) == 10


def test_json_at_a_terminal_asks_as_well(pushed):
    asked = Asked(pushed, b"n\n", "--keep-last", "5", "--json")
    assert '"state": "declined"' in "".join(asked.lines) and '"is_removed": true' not in "".join(asked.lines)
    assert asked.code == 15
    assert len(days_left(pushed)) == 10


def test_no_rule_at_all_is_a_mistake(pushed):
    for arguments in ([], [STREAM], ["pg/"], ["--dry-run"], ["--keep-last", "0"], [STREAM, "--keep-yearly", "0"]):
        assert "no rule is given" in pushed.run("forget", *arguments, expect=2).err
    pushed.run("forget", "--tag", "a=b", expect=2)
    assert len(days_left(pushed)) == 10


def test_what_contradicts_itself_is_refused(pushed):
    identity = pushed.json("show", STREAM)["id"]
    for arguments in ([identity, "--keep-last", "1"], [identity, "--tag", "a"], [identity, STREAM, "--keep-last", "1"],
                      ["--all", STREAM, "--keep-last", "1"], ["--all", "pg/"], ["--all", STREAM, identity],
                      ["--all", STREAM, "--damaged", "x"], ["--damaged", "x", STREAM], ["--keep-last", "x"],
                      ["--keep-within", "5"], ["--keep-tag", "a b"], ["--tag", "a b", "--keep-last", "1"],
                      [STREAM, "--keep-last", "1", "--timezone", "Europe/Bukarest"],
                      [STREAM, "--keep-last", "1", "--timezone", "../../etc/localtime"]):  # fmt: skip
        pushed.run("forget", *arguments, expect=2)
    assert len(days_left(pushed)) == 10


def test_what_is_not_there_is_said(pushed):
    for arguments in (["pg/ap", "--keep-last", "1"], ["my/", "--keep-last", "1"], ["--all", "pg/ap"],
                      ["0123456789abcdef"], ["pg/app@2025-01-01"],
                      ["--damaged", f"manifests/{'0' * 32}-{'0' * 32}"]):  # fmt: skip
        assert "no snapshot was removed" in pushed.run("forget", *arguments, expect=16).err
    pushed.run("forget", "--tag", "env=prod", "--keep-last", "1", expect=16)
    assert len(days_left(pushed)) == 10


def test_a_stream_of_which_no_rule_keeps_a_snapshot_is_refused_and_the_others_are_not(pushed):
    push_at(pushed, DAYS[:3], "etc", "--tag", "release=1")
    push_at(pushed, DAYS[3:5], "etc")
    document = forget(pushed, "--keep-tag", "release", expect=15)
    (etc, app) = document["streams"]
    assert "problem" not in etc and "a tag may be mistyped" in app["problem"]
    assert app["removed_count"] == 0 and etc["removed_count"] == 1
    assert len(days_left(pushed)) == 10 and days_left(pushed, "etc") == [1, 2, 3, 5]
    text = pushed.run("forget", "--keep-tag", "releas", expect=15)
    assert text.err.count("a tag may be mistyped") == 2 and text.out == b"0 snapshots removed, 14 kept\n"
    forget(pushed, STREAM, "--keep-tag", "release", "--force")
    assert days_left(pushed) == [10], "the newest is never dropped"


def test_rules_that_drop_most_of_what_an_earlier_forget_kept_need_force(pushed):
    forget(pushed, "--keep-daily", "9")
    for rules in (["--keep-daily", "4"], ["--keep-last", "1"], ["--keep-weekly", "1"]):
        document = forget(pushed, *rules, expect=15)
        assert "an earlier forget had kept" in document["streams"][0]["problem"]
    assert len(days_left(pushed)) == 9
    forget(pushed, "--keep-daily", "4", "--force")
    assert days_left(pushed) == [7, 8, 9, 10]
    push_at(pushed, [f"2026-01-{day}T02:00:00Z" for day in (11, 12, 13, 14)])
    forget(pushed, "--keep-daily", "4")
    assert days_left(pushed) == [11, 12, 13, 14], "newer ones take the places of the older"


def test_one_of_several_alone_stays_by_force_only(pushed):
    assert "all but one" in pushed.run("forget", "--keep-last", "1", expect=15).err
    assert len(days_left(pushed)) == 10
    forget(pushed, "--keep-last", "1", "--force")
    pushed.push(STREAM, b"the next night")
    assert forget(pushed, "--keep-last", "1")["streams"][0]["removed_count"] == 1


def test_the_newest_whose_producer_was_seen_is_never_dropped(drs):
    script = ["--exec", "--", "echo", "dump"]
    drs.run("push", STREAM, *script)
    drs.run("push", STREAM, *script)
    drs.run("push", STREAM, "--min-size", "1MiB", "--on-anomaly", "tag", *script)
    push_at(drs, DAYS[:3])
    document = forget(drs, "--keep-tag", "x", "--force")
    assert reasons(document) == [[], ["newest-proven"], [], [], [], ["newest"]]


def test_what_is_named_goes_the_newest_too(pushed):
    newest = pushed.json("show", STREAM)
    pushed.run("forget", newest["id"][:8], f"{STREAM}@2026-01-04")
    assert days_left(pushed) == [1, 2, 3, 5, 6, 7, 8, 9]
    pushed.run("forget", newest["id"], expect=16)
    assert "2026-13-01" in pushed.run("forget", f"{STREAM}@2026-13-01", expect=2).err
    pushed.run("forget", f"{STREAM}@latest")
    assert days_left(pushed)[-1] == 8
    pushed.run("verify")
    assert pushed.push(STREAM, b"again")["sequence"] == 11, "no number is given twice"


def test_a_lost_snapshot_is_not_forgotten_with_the_one_that_names_it(pushed):
    """Else nobody would miss it, and a prune would delete its data."""
    lost = pushed.json("show", f"{STREAM}@2026-01-03")["manifest"]
    data = pushed.read_object(lost)
    pushed.remove_object(lost)
    assert lost in pushed.run("forget", "--keep-last", "2", "--force", expect=15).err
    assert lost in pushed.run("forget", f"{STREAM}@2026-01-04", expect=15).err
    assert days_left(pushed) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    pushed.run("verify", expect=13)
    pushed.run("prune", "--min-age", "0", expect=4)
    pushed.write_object(lost, data)
    pushed.run("forget", "--keep-last", "2", "--force")
    assert days_left(pushed) == [3, 9, 10], "to the store it is the newest"


def test_a_damaged_mark_stops_neither_the_others_nor_the_prune(pushed):
    removed = pushed.json("show", f"{STREAM}@2026-01-02")
    pushed.run("forget", removed["id"])
    (mark,) = pushed.names("removed")
    pushed.flip(mark)
    outcome = pushed.run("forget", "--keep-last", "2", "--force", "--prune", expect=4)
    assert f"{mark}: another object has the name of the removal mark" in outcome.err
    assert removed["id"] not in outcome.out.decode() and b"7 snapshots removed, 3 kept" in outcome.out
    assert b"live " in outcome.out, "the prune has run"
    assert days_left(pushed) == [2, 9, 10]
    pushed.remove_object(mark)
    pushed.run("forget", "--keep-last", "2", "--force")
    assert days_left(pushed) == [9, 10]


def test_a_lost_snapshot_can_be_given_up_and_goes_with_its_stream(pushed):
    for day in (3, 6):
        lost = pushed.json("show", f"{STREAM}@2026-01-{day:02}")["manifest"]
        pushed.remove_object(lost)
        if day == 3:
            pushed.run("forget", "--damaged", lost)
            pushed.run("verify")
    assert pushed.json("forget", "--all", STREAM)["damaged_manifests"] == [lost]
    assert pushed.snapshots() == []
    pushed.run("prune", *AT_ONCE)
    pushed.run("verify")


def test_a_whole_stream_goes_with_its_damaged_manifests(pushed):
    push_at(pushed, DAYS[:2], "pg/billing")
    broken = pushed.json("show", f"{STREAM}@2026-01-03")["manifest"]
    pushed.flip(broken)
    pushed.run("verify", expect=4)
    document = forget(pushed, "--all", STREAM)
    assert document["damaged_manifests"] == [broken] and document["streams"][0]["removed_count"] == 9
    assert days_left(pushed, "pg/billing") == [1, 2]
    pushed.run("list", STREAM, expect=16)
    pushed.run("verify", "--read-data")
    assert pushed.push(STREAM, b"anew")["sequence"] == 11
    lines = pushed.text("forget", "--all", "pg/billing", "--all", STREAM).splitlines()
    assert lines[-1] == "3 snapshots removed, 0 kept"
    assert pushed.snapshots() == []


@pytest.mark.every_store
def test_a_damaged_manifest_goes_by_its_name(pushed):
    broken = pushed.json("show", STREAM)["manifest"]
    pushed.flip(broken)
    pushed.run("pull", STREAM, expect=4)
    warned = pushed.run("forget", "--keep-daily", "5", "--dry-run")
    assert f"{broken} cannot be read, so the rules do not count it" in warned.err
    assert b"removed" in pushed.run("forget", "--damaged", broken).out
    pushed.run("forget", "--damaged", broken, expect=16)
    pushed.run("verify", "--read-data")
    assert pushed.pull(STREAM) == b"pg/app 2026-01-09T02:00:00Z"
    assert pushed.push(STREAM, b"next")["sequence"] == 11
    whole = pushed.json("show", STREAM)["manifest"]
    assert "can be removed by that id" in pushed.run("forget", "--damaged", whole, expect=2).err


def test_tags_choose_what_the_rules_look_at(drs):
    push_at(drs, DAYS[:4], STREAM, "--tag", "env=test")
    push_at(drs, DAYS[4:6], STREAM, "--tag", "env=prod")
    document = forget(drs, "--keep-last", "2", "--tag", "env=test")
    assert reasons(document) == [[], [], ["last"], ["last"]]
    assert days_left(drs) == [3, 4, 5, 6]
    forget(drs, "--keep-last", "1", "--keep-tag", "env=test")
    assert days_left(drs) == [3, 4, 6]


def configured(drs, text):
    path = drs.folder / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    return ["--config", path]


def test_tables_of_a_configuration_file_have_rules_for_streams(pushed):
    push_at(pushed, DAYS, "pg/billing")
    push_at(pushed, DAYS, "etc")
    tables = configured(
        pushed,
        '[[retention]]\nstreams = "pg/app"\nkeep-daily = 7\n'
        '[[retention]]\nstreams = ["pg/", "nothing"]\nkeep-last = 2\nkeep-monthly = "unlimited"\n',
    )
    document = forget(pushed, *tables)
    assert [(one["stream"], one["rules"]) for one in document["streams"]] == [
        (STREAM, "--keep-daily 7"), ("pg/billing", "--keep-last 2 --keep-monthly unlimited")]  # fmt: skip
    assert document["streams"][1]["rules_origin"].endswith("config.toml:4")
    assert document["streams_without_rules"] == ["etc"]
    assert days_left(pushed) == [4, 5, 6, 7, 8, 9, 10]
    assert days_left(pushed, "pg/billing") == [1, 9, 10]
    assert len(days_left(pushed, "etc")) == 10
    assert "etc has no rule and keeps everything\n" in pushed.text("forget", "etc", *tables)
    assert "no [[retention]] table is for a stream" in pushed.run("forget", "etc", *tables).err
    forget(pushed, STREAM, "--keep-daily", "5", *tables)
    assert days_left(pushed) == [6, 7, 8, 9, 10], "rules of the command line come first"
    assert len(days_left(pushed, "pg/billing")) == 3, "and are for the streams that it names"
    shown = pushed.json("config", "check", *tables)["retentions"]
    assert shown[0]["streams"] == [STREAM] and shown[0]["rules"] == "--keep-daily 7"
    pushed.run("forget", *configured(pushed, "[[retention]]\nstreams = 'x'\nkeep_daily = 7\n"), expect=2)


def test_days_are_those_of_the_zone(drs):
    push_at(drs, ["2026-06-30T20:30:00Z", "2026-06-30T21:30:00Z", "2026-07-01T20:30:00Z"])
    for zone, kept in (("UTC", ["2026-06-30T21:30:00", "2026-07-01T20:30:00"]),
                       ("Europe/Bucharest", ["2026-06-30T20:30:00", "2026-07-01T20:30:00"])):  # fmt: skip
        for how in ({"env": {"TZ": zone}}, {}):
            options = [] if how else ["--timezone", zone]
            plan = forget(drs, "--keep-daily", "2", "--dry-run", *options, **how)["streams"][0]["snapshots"]
            assert [one["time"][:19] for one in plan if not one["is_removed"]] == kept, (zone, how)
    text = drs.text("forget", "--keep-daily", "2", "--dry-run", "--timezone", "Europe/Bucharest")
    assert "2026-07-01 00:30:00 +03:00" in text, "and so are the times that are printed"


def test_require_copy_drops_only_what_the_other_repository_has(pushed, new_repository):
    replica, other = new_repository("replica", key=pushed.key), new_repository("other")
    replica.run("init", "--replica-of", pushed.path)
    other.run("init")
    (other.folder / "key").write_text(pushed.key)
    (other.folder / "key").chmod(0o600)
    for copy, streams in ((replica, 3), (other, 5)):
        for day in range(1, streams + 1):
            copy.run("copy", f"{STREAM}@2026-01-{day:02}", "--from-repository", pushed.path, "--from-key-file",
                     other.folder / "key")  # fmt: skip
    (pushed.folder / "other-key").write_text(other.key)
    (pushed.folder / "other-key").chmod(0o600)
    document = forget(pushed, "--keep-last", "2", "--require-copy", replica.path)
    assert reasons(document) == [[]] * 3 + [["no-copy"]] * 5 + [["last"], ["last", "newest"]]
    assert days_left(pushed) == [4, 5, 6, 7, 8, 9, 10]
    kept = pushed.run("forget", f"{STREAM}@2026-01-04", f"{STREAM}@2026-01-06", "--require-copy", other.path,
                      "--from-key-file", pushed.folder / "other-key", expect=15)  # fmt: skip
    assert "is not removed: no copy" in kept.err
    assert days_left(pushed) == [5, 6, 7, 8, 9, 10]
    link = pushed.folder / "link"
    link.symlink_to(pushed.path)
    assert "the same place" in pushed.run("forget", "--keep-last", "2", "--require-copy", link, expect=2).err
    pushed.run("forget", "--keep-last", "2", "--require-copy", pushed.folder / "nothing", expect=10)
    assert days_left(pushed) == [5, 6, 7, 8, 9, 10]


def test_prune_follows_and_gives_the_space_back(drs):
    for day in DAYS:
        drs.push(STREAM, os.urandom(300_000), "--time", day)
    at_once = ["--prune", "--min-age", "0", "--grace", "0", "--undo", "0"]
    plan = forget(drs, "--keep-last", "2", *at_once, "--dry-run")
    assert plan["state"] == "planned" and plan["prune"]["dry_run"] and len(drs.names("packs")) == 10
    document = forget(drs, "--keep-last", "2", *at_once)
    assert document["streams"][0]["removed_count"] == 8 and document["prune"]["condemned"]["packs"] == 8
    text = drs.text("forget", "--keep-last", "2", *at_once)
    assert text.startswith("0 snapshots removed, 2 kept\n") and "deleted" in text, "it prunes also with nothing to remove"
    assert len(drs.names("packs")) == 2
    drs.run("verify", "--read-data")
    asked = Asked(drs, b"n\n", "--keep-last", "1", "--force", *at_once)
    assert asked.code == 15 and len(days_left(drs)) == 2
    drs.run("forget", "--keep-last", "2", "--undo", "0", expect=2)


def test_a_refused_stream_does_not_hold_up_the_prune(pushed):
    document = forget(pushed, "--keep-tag", "x", "--prune", expect=15)
    assert document["prune"]["deleted"]["packs"] == 0
    broken = pushed.json("show", STREAM)["manifest"]
    pushed.flip(broken)
    assert "prune" in forget(pushed, "--keep-tag", "x", "--prune", expect=4), "what cannot be read is worse"
    pushed.run("forget", "--damaged", broken, "--prune")


def test_two_at_a_time_remove_the_same_and_both_succeed(pushed):
    both = [pushed.start("forget", "--keep-last", "3") for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert days_left(pushed) == [8, 9, 10]


@pytest.mark.local_only("permissions of files")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_who_may_not_write_may_plan(pushed):
    for folder, _, _ in os.walk(pushed.path):
        os.chmod(folder, 0o500)
    try:
        assert forget(pushed, "--keep-last", "5", "--dry-run")["streams"][0]["removed_count"] == 5
        pushed.run("forget", "--keep-last", "5", expect=5)
    finally:
        for folder, _, _ in os.walk(pushed.path):
            os.chmod(folder, 0o700)
    assert len(days_left(pushed)) == 10


def test_a_machine_that_saw_them_does_not_call_removed_snapshots_lost(pushed):
    for _ in range(3):
        pushed.run("forget", f"{STREAM}@latest")
    assert pushed.run("list").err == ""
    pushed.run("verify")
    assert pushed.pull(STREAM) == b"pg/app 2026-01-07T02:00:00Z"
