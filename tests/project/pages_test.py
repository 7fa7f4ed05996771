"""Pages are easy to read at a terminal: short lines, and first what is on them."""

import errno
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS_MAX = 120

# Golden files are never rewritten.
UNWRAPPED = ("tests/golden/",)
# What makes these pages gives them their contents.
GENERATED = ("docs/JSON.md", "docs/REFERENCE.md")
SECTIONS_WITHOUT_CONTENTS_MAX = 2
OF_THE_SYSTEM = {os.strerror(errno.EACCES)}  # what messages repeat


def pages():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split() if (ROOT / name).is_file() and not name.startswith(UNWRAPPED)]


def long_lines(text):
    """The numbers of lines that are too long; tables and what one address makes too long may be."""
    for number, line in enumerate(text.splitlines(), 1):
        without_addresses = re.sub(r"(https?://|\]\()\S+", "", line)
        if len(without_addresses) > COLUMNS_MAX and not line.startswith("|"):
            yield number


def sections(text):
    in_block = False
    for line in text.splitlines():
        in_block = in_block != line.startswith("```")
        if line.startswith("## ") and not in_block:
            yield line.removeprefix("## ").strip()


def contents(text):
    """What the links before the first section name."""
    return re.findall(r"^- \[([^\]]+)\]\(#", text.split("\n## ")[0], re.M)


def test_lines_of_pages_are_short():
    found = [f"{name}:{number}" for name in pages() for number in long_lines((ROOT / name).read_text())]
    assert not found, f"longer than {COLUMNS_MAX} columns: " + ", ".join(found)


@pytest.mark.parametrize("page", sorted(p for p in (ROOT / "docs").glob("*.md") if f"docs/{p.name}" not in GENERATED), ids=lambda page: page.name)
def test_a_page_begins_with_its_contents(page):
    text = page.read_text()
    named = list(sections(text))
    if len(named) > SECTIONS_WITHOUT_CONTENTS_MAX:
        assert contents(text) == named


def test_what_is_too_long_is_found():
    assert list(long_lines("a" * 121 + "\n" + "| " + "a" * 121)) == [1]
    assert list(long_lines("see https://example.org/" + "a" * 121)) == []


def messages():
    """The texts of the sources, those that go on in the next line in one piece."""
    folders = ["io", "sinks", "engine", "verify", "tools"]
    code = "\n".join(path.read_text() for folder in folders for path in sorted((ROOT / folder).rglob("*.cc")))
    return re.sub(r'"\s*"', "", code)


def quoted(text):
    """What the first column of a table "you see" quotes, in pieces around what differs from case to case."""
    rows = re.findall(r"^\| you see .*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M)
    for row in "".join(rows).splitlines():
        for quote in re.findall(r'"([^"]+)"', row.split("|")[1]):
            yield from (piece.strip() for piece in quote.split("...") if piece.strip())


@pytest.mark.parametrize("page", ["INCIDENTS.md", "BUCKETS.md"])
def test_what_a_reader_sees_is_what_the_command_says(page):
    said = messages()
    found = list(quoted((ROOT / "docs" / page).read_text()))
    assert found
    assert [piece for piece in found if piece not in said and piece not in OF_THE_SYSTEM] == []
