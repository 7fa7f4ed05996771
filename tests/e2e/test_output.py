"""What a person reads: the producer's end, and snapshots that are not what they seem."""

import pytest
from repository import sample_bytes

DATA = sample_bytes(300_000)


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
