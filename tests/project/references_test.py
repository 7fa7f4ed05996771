"""What comments and pages refer to is there: files, folders, sections of documents, targets of links."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

COMMENT = {
    **dict.fromkeys([".h", ".cc", ".c"], re.compile(r"//(.*)$")),
    **dict.fromkeys([".py", ".txt", ".cmake", ".toml", ".bash", ".yml"], re.compile(r"#(.*)$")),
    ".md": re.compile(r"^(.*)$"),
}
# A name that ends as files of a project do; not one in angles, nor one of a pattern.
FILE = re.compile(r"(?<![\w./<*-])((?:[\w.-]+/)*[\w.-]+\.(?:h|cc|c|md|py|toml|cmake))(?![\w/*])")
FOLDER = re.compile(r"(?<![\w./<*\"-])((?:engine|io|codecs|sinks|verify|tools|tests|bench|docs|scripts|cmake)/[\w./-]*)(?![\w./*-])")
SECTION = re.compile(r"(?:docs/)?(\w+)(?:\.md)? \"([^\"]+)\"")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NUMBERED = re.compile(r"\b(?:STYLE|DESIGN|keeping|kafka)(?:\.md)? section \d|\bissue \d", re.IGNORECASE)

# Not of this project: what a library or a published test suite calls its own files; and examples of names.
FOREIGN = {"linux/fcntl.h", "XDG_CONFIG_HOME/drstream/config.toml", "cli/xsum_sanity_check.c", "tests/aws-signing-test-suite/v4", "a.cc", "a_test.cc", "x_fuzz.cc", "_fuzz.cc"}
EXAMPLES = {"tests/project/layering_test.py", "tests/project/references_test.py"}


def tracked():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listed if (ROOT / name).is_file()]


FILES = tracked()
FOLDERS = {str(folder) for name in FILES for folder in Path(name).parents}


def texts(name):
    """The comments of a file, or all of a page, with their line numbers."""
    pattern = COMMENT.get(Path(name).suffix)
    if pattern is None or name in EXAMPLES or name.startswith("tests/golden/"):
        return
    for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1):
        if found := pattern.search(line):
            yield number, found.group(1)


def file_exists(reference, name):
    if reference in FOREIGN or reference in FILES or any(known.endswith("/" + reference) for known in FILES):
        return True
    return (ROOT / name).parent.joinpath(reference).exists()


def folder_exists(reference):
    bare = reference.rstrip("./")
    return bare in FOREIGN | FOLDERS or bare in FILES or any(bare + suffix in FILES for suffix in (".h", ".cc", ".py"))


def headings(page):
    return [line.lstrip("#").strip() for line in page.read_text().splitlines() if re.match(r"#+ ", line)]


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def documents():
    return {Path(name).stem: ROOT / name for name in FILES if name.startswith("docs/") and name.endswith(".md")}


def link_problem(target, name):
    if re.match(r"[a-z]+:", target):
        return None
    path, _, part = target.partition("#")
    page = (ROOT / name).parent.joinpath(path) if path else ROOT / name
    if not page.exists():
        return "there is no such file"
    if part and page.suffix == ".md" and part not in map(anchor, headings(page)):
        return "there is no such heading"
    return None


def problems(name):
    pages = documents()
    for number, text in texts(name):
        where = f"{name}:{number}"
        for reference in FILE.findall(text):
            if not file_exists(reference, name):
                yield f"{where}: {reference}: there is no such file"
        for reference in FOLDER.findall(text):
            if not folder_exists(reference):
                yield f"{where}: {reference}: there is no such folder"
        for page, heading in SECTION.findall(text):
            if page in pages and heading not in headings(pages[page]):
                yield f'{where}: {page}.md has no section "{heading}"'
        if found := NUMBERED.search(text):
            yield f"{where}: '{found.group()}' leads nowhere: name the file and its section"
        if name.endswith(".md"):
            for target in LINK.findall(text):
                if problem := link_problem(target, name):
                    yield f"{where}: link to {target}: {problem}"


def test_every_reference_leads_somewhere():
    found = [problem for name in FILES for problem in problems(name)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("text", ['docs/FORMAT.md "No such section"', "see engine/absent.h", "as DESIGN section 6 says",
                                  "[it](docs/FORMAT.md#absent)", "in engine/absent/"])  # fmt: skip
def test_what_leads_nowhere_is_found(text, tmp_path, monkeypatch):
    page = tmp_path / "page.md"
    page.write_text(text)
    monkeypatch.setitem(globals(), "ROOT", ROOT)
    monkeypatch.setitem(globals(), "texts", lambda _: [(1, text)])
    assert list(problems("page.md"))
