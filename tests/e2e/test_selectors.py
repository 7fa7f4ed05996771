"""Which snapshot is meant: streams, @latest, @time, ids and their beginnings; and list's filters."""

import time

import pytest
from test_signals import wait_for

TIMES = ["2026-01-01T02:00:00Z", "2026-01-02T02:00:00Z", "2026-01-03T02:00:00Z"]


@pytest.fixture
def pushed(drs):
    for number, time in enumerate(TIMES):
        drs.push("pg/app", b"app %d" % number, "--time", time, "--tag", f"n={number}", "--tag", "kind=db")
    drs.push("pg/billing", b"billing", "--time", "2026-01-02T12:00:00Z")
    return drs


@pytest.mark.parametrize(
    "selector, expected",
    [
        ("pg/app", b"app 2"),
        ("pg/app@latest", b"app 2"),
        ("pg/app@2026-01-02T02:00:00Z", b"app 1"),
        ("pg/app@2026-01-03T01:59:59Z", b"app 1"),
        ("pg/app@2026-01-02T03:00:00+01:00", b"app 1"),
        ("pg/app@2026-01-02T03:00", b"app 1"),
        ("pg/app@2026-01-02", b"app 1"),
        ("pg/app@2026-01-02T02:00", b"app 1"),
        ("pg/app@2026-01-02T01:59", b"app 0"),
        ("pg/app@2026-01-01", b"app 0"),
        ("pg/billing", b"billing"),
    ],
)
def test_a_stream_and_a_time_select_the_newest_at_or_before(pushed, selector, expected):
    assert pushed.pull(selector) == expected


ELSEWHERE = {"DRSTREAM_STATE_DIR": "/nowhere"}  # a machine that has seen nothing


@pytest.mark.every_store
def test_a_deleted_newest_snapshot_is_not_replaced_by_an_older_one_in_silence(pushed, new_repository):
    newest = pushed.json("show", "pg/app")
    older = pushed.json("show", "pg/app@2026-01-02T12:00Z")
    pushed.remove_object(newest["manifest"])
    for selector in ["pg/app", "pg/app@latest", "pg/app@now", "pg/app@2026-01-02T12:00Z", newest["id"]]:
        for command in ["pull", "show"]:
            outcome = pushed.run(command, selector, expect=13)
            assert outcome.out == b"" and "gone without an authentic mark of removal" in outcome.err, outcome
    assert "nothing was written" in pushed.run("pull", "pg/app", expect=13).err
    other = new_repository("other", key=pushed.key)
    other.run("init")
    other.run("copy", "pg/app", "--from-repository", pushed.path, env={"DRSTREAM_STATE_DIR": str(pushed.state)}, expect=13)
    # By its id, or where the lost one cannot be meant, an older one is given.
    assert pushed.pull(older["id"]) == b"app 1"
    assert pushed.pull("pg/app@2026-01-01T12:00Z") == b"app 0"
    assert pushed.pull("pg/billing") == b"billing"
    assert pushed.pull("pg/app", env=ELSEWHERE) == b"app 1"
    # Once something newer is there, that is the newest.
    pushed.push("pg/app", b"app 3")
    pushed.push("pg/app", b"app 4")
    assert pushed.pull("pg/app") == b"app 4"


def test_a_stream_that_is_gone_as_a_whole_is_not_unknown(pushed):
    pushed.remove_object(pushed.json("show", "pg/billing")["manifest"])
    for command in (["pull", "pg/billing"], ["show", "pg/billing"], ["list", "pg/billing"], ["verify", "pg/billing"]):
        assert "sequence 1 was seen" in pushed.run(*command, expect=13).err
    pushed.run("pull", "pg/billing", env=ELSEWHERE, expect=16)


def test_a_time_does_not_pass_over_a_damaged_newer_snapshot(pushed):
    newest = pushed.json("show", "pg/app")
    pushed.flip(newest["manifest"])
    for selector in ["pg/app", "pg/app@now", "pg/app@2026-01-03T02:00:00Z", newest["id"]]:
        outcome = pushed.run("pull", selector, expect=4)
        assert outcome.out == b"" and newest["manifest"] in outcome.err
    (older,) = [s["id"] for s in pushed.snapshots() if s["stream"] == "pg/app" and s["sequence"] == 2]
    assert pushed.pull(older) == b"app 1"


def test_a_gap_in_the_chain_counts_where_it_may_be_meant(pushed):
    pushed.remove_object(pushed.json("show", "pg/app@2026-01-02T12:00Z")["manifest"])
    assert "as its predecessor" in pushed.run("pull", "pg/app@2026-01-02T12:00Z", env=ELSEWHERE, expect=13).err
    assert pushed.pull("pg/app", env=ELSEWHERE) == b"app 2"
    assert pushed.pull("pg/app@now") == b"app 2"


def test_a_time_without_a_zone_is_local(pushed):
    # 02:30 in a zone five hours west of Greenwich is 07:30 UTC.
    assert pushed.pull("pg/app@2026-01-01T21:30", env={"TZ": "EST5"}) == b"app 1"
    assert pushed.pull("pg/app@2026-01-01T20:30", env={"TZ": "EST5"}) == b"app 0"


@pytest.mark.every_store
def test_an_id_and_its_beginning_select_one_snapshot(pushed):
    for number, snapshot in enumerate(s for s in pushed.snapshots() if s["stream"] == "pg/app"):
        assert pushed.pull(snapshot["id"]) == b"app %d" % number
        assert pushed.pull(snapshot["id"].upper()) == b"app %d" % number
        assert pushed.pull(snapshot["id"][:12]) == b"app %d" % number
        assert pushed.json("show", snapshot["id"][:12])["id"] == snapshot["id"]


@pytest.mark.parametrize("command", ["pull", "show", "verify"])
def test_an_unknown_stream_is_refused_with_near_matches(pushed, command):
    outcome = pushed.run(command, "pg/ap", expect=16)
    assert outcome.out == b""
    assert "pg/app" in outcome.err


@pytest.mark.parametrize(
    "selector, hint, code",
    [
        ("pg/app@2020-01-01", "its oldest is", 16),
        ("pg/app@whenever", "accepted", 2),
        ("ffffffffffff", "ffffffffffff", 16),
        ("pg//app", "accepted", 2),
        ("@latest", "accepted", 2),
    ],
)
def test_what_selects_nothing_says_what_would(pushed, selector, hint, code):
    outcome = pushed.run("pull", selector, expect=code)
    assert hint in outcome.err
    assert outcome.out == b""


@pytest.mark.parametrize("name", ["deadbeef", "20261128", "0123456789abcdef0123456789ABCDEF"])
def test_a_push_to_a_name_like_an_id_is_refused_before_the_producer_runs(drs, tmp_path, name):
    touch = ["--exec", "--", "touch", tmp_path / "ran"]
    assert "8 to 32 hex digits" in drs.run("push", name, *touch, expect=2).err
    assert not (tmp_path / "ran").exists() and drs.snapshots() == []
    drs.push(f"pg/{name}", b"x")
    drs.push(name[:7], b"y")
    assert drs.pull(name[:7]) == b"y"


UNKNOWN = ["pg/nothing", "pg/nothing@latest", "pg/nothing@now", "ffffffff", "f" * 32]


@pytest.mark.parametrize("kind", ["empty", "filled"])
def test_what_is_not_there_is_exit_16_in_every_command(request, drs, new_repository, kind):
    source = request.getfixturevalue("pushed") if kind == "filled" else drs
    target = new_repository("target", key=source.key)
    target.run("init")
    for selector in UNKNOWN:
        for command in (["pull"], ["show"], ["verify", "--read-only"]):
            assert source.run(*command, selector, expect=16).out == b""
        target.run("copy", selector, "--from-repository", source.path, expect=16)
    for pattern in ("pg/nothing", "vm/", "vm/*", "ffffffff"):
        source.run("list", pattern, expect=16)
    target.run("copy", "--stream", "pg/nothing", "--from-repository", source.path, expect=16)


def test_list_takes_a_beginning_or_a_pattern_of_names(pushed):
    pushed.push("pgx", b"another")
    pushed.push("vm/eu/app", b"disk")

    def streams(pattern):
        return {s["stream"] for s in pushed.json("list", pattern)["snapshots"]}

    assert streams("pg/") == streams("pg/*") == streams("pg/[ab]*") == {"pg/app", "pg/billing"}
    assert streams("*/app") == {"pg/app", "vm/eu/app"}
    assert streams("pg?") == {"pgx"}
    assert len(pushed.json("list", "pg/", "--limit", "2")["snapshots"]) == 2


def test_a_pattern_whose_only_stream_is_gone_or_damaged_is_not_unknown(pushed):
    manifest = pushed.json("show", "pg/billing")["manifest"]
    pushed.flip(manifest)
    pushed.run("list", "*bill*", env=ELSEWHERE, expect=4)
    pushed.remove_object(manifest)
    assert "sequence 1 was seen" in pushed.run("list", "*bill*", expect=13).err
    pushed.run("list", "*bill*", env=ELSEWHERE, expect=16)


def test_pushes_at_once_with_one_sequence_number_are_shown_as_siblings(drs, tmp_path):
    drs.push("s", b"first")
    script = f"head -c 4000000 /dev/zero; touch {tmp_path}/$0; while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"
    pushes = [drs.start("push", "s", "--exec", "--", "sh", "-c", script, number) for number in ("1", "2")]
    wait_for(lambda: (tmp_path / "1").exists() and (tmp_path / "2").exists(), "both pushes to have begun")
    (tmp_path / "go").touch()
    assert [push.wait(60) for push in pushes] == [0, 0]
    first, *twins = drs.snapshots()
    assert [s["sequence"] for s in twins] == [2, 2] and first["siblings"] == []
    ids = [s["id"] for s in twins]
    assert [s["siblings"] for s in twins] == [ids[1:], ids[:1]]
    assert f"siblings: s 2 is {ids[0][:12]} and {ids[1][:12]}, pushed at the same time" in drs.text("list", "--limit", "1")
    assert "siblings" not in drs.text("list", "--since", "now")
    assert drs.json("show", "s")["siblings"] == ids[:1]
    assert f"sibling        {ids[0]}, pushed at the same time" in drs.text("show", "s")


@pytest.mark.every_store
def test_list_filters_by_stream_tag_time_and_number(pushed):
    def listed(*options):
        return [(s["stream"], s["sequence"]) for s in pushed.json("list", *options)["snapshots"]]

    assert listed() == [("pg/app", 1), ("pg/app", 2), ("pg/billing", 1), ("pg/app", 3)]
    assert listed("pg/app") == [("pg/app", 1), ("pg/app", 2), ("pg/app", 3)]
    assert listed("--tag", "n=1") == [("pg/app", 2)]
    assert listed("--tag", "n=1", "--tag", "kind=file") == []
    assert listed("--tag", "n", "--tag", "kind=db") == [("pg/app", 1), ("pg/app", 2), ("pg/app", 3)]
    assert listed("--tag", "anomaly") == []
    assert listed("--since", "2026-01-02T12:00:00Z") == [("pg/billing", 1), ("pg/app", 3)]
    assert listed("pg/app", "--limit", "2") == [("pg/app", 2), ("pg/app", 3)]
    pushed.run("list", "pg/nothing", expect=16)
    pushed.run("list", "--limit", "0", expect=2)


def test_list_and_show_are_readable(pushed):
    table = pushed.text("list")
    assert table.splitlines()[0].split()[:3] == ["TIME", "STREAM", "ID"]
    assert table.count("pg/app") == 3
    shown = pushed.text("show", "pg/app")
    assert "sequence       3" in shown
    assert "tags           kind=db" in shown


def test_an_earlier_time_pushed_later_is_the_latest_and_every_command_says_so(pushed, new_repository):
    before = pushed.json("show", "pg/app")
    import_ = pushed.run("push", "pg/app", "--time", "2025-12-31T00:00:00Z", input=b"late arrival")
    latest = pushed.json("show", "pg/app")
    assert f"{latest['id']} is now the latest" in import_.err and before["id"] in import_.err
    assert pushed.pull("pg/app@2025-12-31") == b"late arrival"
    assert pushed.pull("pg/app@now") == b"app 2"
    other = new_repository("other", key=pushed.key)
    other.run("init")
    for command in [
        lambda: pushed.run("pull", "pg/app", "-q"),
        lambda: pushed.run("pull", "pg/app@latest"),
        lambda: pushed.run("show", "pg/app"),
        lambda: other.run("copy", "pg/app", "--from-repository", pushed.path),
    ]:
        outcome = command()
        assert latest["id"] in outcome.err and "2025-12-31" in outcome.err, outcome
        assert f"Snapshot {before['id']} has a later time, 2026-01-03 02:00:00" in outcome.err, outcome
    assert pushed.pull("pg/app") == b"late arrival"
    assert "later time" not in pushed.run("pull", latest["id"]).err
    assert "later time" not in pushed.run("pull", "pg/billing").err
    pushed.push("pg/app", b"app 3")
    assert "later time" not in pushed.run("pull", "pg/app").err


def test_a_time_in_the_future_is_warned_of_when_it_is_pushed_and_when_it_is_passed_over(drs):
    assert "lies in the future" in drs.run("push", "s", "--time", "2200-01-01", input=b"1").err
    assert "lies in the future" not in drs.run("push", "other", "--time", "2020-01-01", input=b"1").err
    drs.push("s", b"2")
    outcome = drs.run("pull", "s")
    assert outcome.out == b"2" and "has a later time, 2200-01-01 00:00:00" in outcome.err


def test_a_time_copied_from_what_was_printed_selects_what_it_was_printed_for(drs):
    for data in [b"monday", b"tuesday"]:
        drs.push("s", data)
        time.sleep(1.1)
    for row, data in zip(drs.text("list").splitlines()[1:], [b"monday", b"tuesday"]):
        shown = row[: len("2026-11-20 02:00:05 +01:00")]
        for copied in [shown, shown[:19].replace(" ", "T")]:
            outcome = drs.run("pull", f"s@{copied}")
            assert outcome.out == data
        assert f"of s, {shown}, bytes {len(data)} " in outcome.err
