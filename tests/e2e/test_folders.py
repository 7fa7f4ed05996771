"""A folder of the repository in whose place something else stands: exit codes as the second table of docs/DAMAGE.md says."""

import os
import re
from pathlib import Path

import pytest
from repository import sample_bytes

pytestmark = pytest.mark.local_only("a bucket has no folders")

DATA = sample_bytes(100_000)
FOLDERS = ["config", "keys", "packs", "index", "manifests", "removed", "sessions", "condemned", "waits", "retired",
           "kept", "holds", "verified", "damaged", ".incoming"]
COMMANDS = {
    "verify": ["verify", "--read-only"],
    "scrub": ["scrub", "--read-only"],
    "pull": ["pull", "s", "-q"],
    "push": ["push", "s", "-q"],
    "list": ["list"],
}


def table():
    """{folder: {command: exit codes}}"""
    rows = {}
    columns = None
    for line in (Path(__file__).resolve().parents[2] / "docs/DAMAGE.md").read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if cells[0] == "folder":
            columns = cells[1:]
        elif columns and line.startswith("| `"):
            rows[cells[0].rstrip("/")] = dict(zip(columns, [set(map(int, re.findall(r"\d+", c))) for c in cells[1:]]))
    return rows


def stand_in(path, way):
    if way == "file":
        path.write_bytes(b"?" * 100)
    elif way == "link":
        path.symlink_to("elsewhere")
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_stands_in_the_place_of_a_folder(drs, folder):
    drs.push("s", DATA)
    drs.timeout_seconds = 30
    path, elsewhere = drs.path / folder, drs.path / "elsewhere"
    if path.exists():
        path.rename(elsewhere)
    else:
        elsewhere.mkdir()
    expected = table()[folder]
    for way in ["file", "link", "pipe"]:
        stand_in(path, way)
        for title, arguments in COMMANDS.items():
            outcome = drs.run(*arguments, input=DATA + os.urandom(10), expect=None)
            assert outcome.code in expected[title], (folder, way, title, outcome)
            said = outcome.out.decode("utf-8", "replace") + outcome.err
            assert outcome.code in (0, 10) or folder in said, (folder, way, title, outcome)
            if title == "pull" and outcome.code == 0:
                assert outcome.out.startswith(DATA)
            warning = {"damaged": ("verify", "scrub", "push"), "verified": ("verify", "scrub")}
            if title in warning.get(folder, ()):
                assert "where a folder was expected" in said, (way, title, outcome)
        path.unlink()
    elsewhere.rename(path)
    drs.run("verify", "--read-data")


@pytest.mark.parametrize("way", ["file", "link", "pipe"])
def test_what_stands_in_the_place_of_one_folder_of_packs(drs, way):
    drs.push("s", DATA)
    (pack,) = drs.names("packs")
    folder = pack.rpartition("/")[0]
    drs.push("other", os.urandom(100_000))
    other_is_hit = all(name.startswith(folder) for name in drs.names("packs"))
    path, elsewhere = drs.path / folder, drs.path / "elsewhere"
    path.rename(elsewhere)
    drs.timeout_seconds = 30
    expected = table()["packs/3f"]
    stand_in(path, way)
    said = {}
    for title, arguments in COMMANDS.items():
        outcome = drs.run(*arguments, input=os.urandom(10), expect=tuple(expected[title]))
        said[title] = outcome.out.decode("utf-8", "replace") + outcome.err
    for check in "verify", "scrub":
        assert f"damage: {folder}/: " in said[check] and "where a folder was expected" in said[check]
    assert pack in said["verify"] and "damaged snapshot: s " in said["verify"] and pack in said["pull"]
    assert ("damaged snapshot: other " in said["verify"]) == other_is_hit
    path.unlink()
    elsewhere.rename(path)
    drs.run("verify", "--read-data")
