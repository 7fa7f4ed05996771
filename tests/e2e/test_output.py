"""What a person reads."""

from repository import sample_bytes

DATA = sample_bytes(300_000)


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
