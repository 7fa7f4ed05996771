"""What a person reads."""

from repository import sample_bytes

DATA = sample_bytes(300_000)


def test_times_are_printed_with_their_zone_and_select_what_they_name(drs):
    identity = drs.push("s", DATA, "--time", "2026-10-25T01:30:00Z")["id"]
    drs.push("s", DATA, "--time", "2026-10-25T03:30:00Z")
    berlin = {"TZ": "CET-1CEST,M3.5.0,M10.5.0/3"}
    shown = next(line for line in drs.text("show", identity, env=berlin).splitlines() if line.startswith("time "))
    assert shown == "time           2026-10-25 02:30:00 +01:00"
    at = shown.removeprefix("time").strip()
    assert drs.json("show", f"s@{at}", env=berlin)["id"] == identity
