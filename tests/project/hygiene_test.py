"""Small promises about the tree itself: sizes, spelling, nothing left unfinished, nothing left out of the build."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["io", "codecs", "sinks", "engine", "verify", "tools", "bench", "tests", "cmake", "scripts", "docs", "packaging"]
TEXT_SUFFIXES = {".h", ".cc", ".txt", ".cmake", ".py", ".md", ".json", ".sh", ".yml", ".yaml", ".toml", ""}
LINES_MAX = 500

# Files that may be longer, each with its reason.
LONG_FILES = {
    "tests/engine/format/independent_reader.py": "recovery without drstream: one file to copy, free of the rest of the tree",
    "tests/engine/format/malformed.cc": "one table of inputs, by decoder",
}

# Spelled in two halves, so that this file does not find itself.
FORBIDDEN = {
    "TO" + "DO": "finish it or write it down as a limit",
    "FIX" + "ME": "finish it or write it down as a limit",
    "/wo" + "rk/": "a path of one machine",
}

VAGUE_STEMS = {"util", "utils", "helper", "helpers", "manager", "common", "misc"}


def text_files(root):
    """The text files of the tree, stored data (corpora, golden vectors) and build products excepted."""
    files = [p for p in root.iterdir() if p.is_file()]
    for folder in FOLDERS:
        files += (p for p in (root / folder).rglob("*") if p.is_file())
    stored = {"corpus", "golden", "__pycache__", ".pytest_cache"}
    return sorted(p for p in files if p.suffix in TEXT_SUFFIXES and not stored & set(p.relative_to(root).parts))


def source_files(root):
    return [p for p in text_files(root) if p.suffix in (".h", ".cc")]


def text_problems(root):
    problems = []
    for path in text_files(root):
        name = str(path.relative_to(root))
        content = path.read_text(encoding="utf-8")
        lines = content.splitlines()
        if content and not content.endswith("\n"):
            problems.append(f"{name}: the last line does not end")
        for number, line in enumerate(lines, 1):
            if line != line.rstrip():
                problems.append(f"{name}:{number}: space at the end of the line")
            if "\t" in line:
                problems.append(f"{name}:{number}: tab")
            problems += (f"{name}:{number}: {word}: {why}" for word, why in FORBIDDEN.items() if word in line)
        if path.suffix in (".h", ".cc", ".py") and len(lines) > LINES_MAX and name not in LONG_FILES:
            problems.append(f"{name}: {len(lines)} lines; split it or list it in LONG_FILES with the reason")
    return problems


def name_problems(root):
    problems = []
    for path in source_files(root):
        name = path.relative_to(root)
        if not re.fullmatch(r"[a-z0-9_]+", path.stem) or path.stem in VAGUE_STEMS:
            problems.append(f"{name}: name the concept in snake_case")
    return problems


def names(cmake, file):
    """Whether the text of a CMakeLists.txt names `file`, in full or as a loop does: `${decoder}_fuzz.cc`."""
    if re.search(rf"(?<![\w/.]){re.escape(file)}(?![\w.])", cmake):
        return True
    endings = re.findall(r"\$\{\w+\}([\w.]+\.cc)", cmake)
    return any(file.endswith(e) and re.search(rf"\b{re.escape(file.removesuffix(e))}\b", cmake) for e in endings)


def build_problems(root):
    """Each source is named by the CMakeLists.txt of its folder or one above, and each such folder by the one above it."""
    problems = []
    cmake = {p.parent: p.read_text(encoding="utf-8") for p in text_files(root) if p.name == "CMakeLists.txt"}
    for path in source_files(root):
        if path.suffix == ".cc" and path != root / "tests/fuzz/replay_main.cc":  # drs_fuzzer adds it
            if not any(names(cmake.get(folder, ""), str(path.relative_to(folder))) for folder in path.parents[:-1]):
                problems.append(f"{path.relative_to(root)}: no CMakeLists.txt names it")
    for folder in cmake:
        if folder != root and not re.search(rf"\b{re.escape(folder.name)}\b", cmake.get(folder.parent, "")):
            problems.append(f"{folder.relative_to(root)}/CMakeLists.txt: nothing adds this folder")
    return problems


def header_problems(root):
    return [
        f"{path.relative_to(root)}: no #pragma once"
        for path in source_files(root)
        if path.suffix == ".h" and not re.search(r"^#pragma once$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def test_text_is_tidy():
    assert text_problems(ROOT) == []


def test_files_are_named_after_their_concept():
    assert name_problems(ROOT) == []


def test_every_source_is_built():
    assert build_problems(ROOT) == []


def test_every_header_has_a_guard():
    assert header_problems(ROOT) == []


def test_shell_scripts_pass_shellcheck():
    # SC2317 takes a function for unreachable when a variable or another command calls it.
    folders = [ROOT / "scripts", ROOT / "packaging/debian"]
    scripts = [p for folder in folders for p in folder.iterdir() if p.is_file()] + [ROOT / ".ci/run"]
    shell = [str(p) for p in scripts if re.match(rb"#!.*\b(ba)?sh\b", p.read_bytes())]
    result = subprocess.run(["shellcheck", "-x", "--exclude=SC2317", *shell], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_the_checks_find_what_they_look_for(tmp_path):
    (tmp_path / "io").mkdir()
    (tmp_path / "io/CMakeLists.txt").write_text("foreach(x IN ITEMS loop)\n  a(good.cc ${x}_fuzz.cc)\nendforeach()\n")
    (tmp_path / "io/good.cc").write_text("int good;\n")
    (tmp_path / "io/loop_fuzz.cc").write_text("int good;\n")
    (tmp_path / "io/utils.cc").write_text("int\tx; \n// " + "TO" + "DO\nint last;")
    (tmp_path / "io/long.h").write_text("\n" * (LINES_MAX + 1))
    assert text_problems(tmp_path) == [
        "io/long.h: 501 lines; split it or list it in LONG_FILES with the reason",
        "io/utils.cc: the last line does not end",
        "io/utils.cc:1: space at the end of the line",
        "io/utils.cc:1: tab",
        "io/utils.cc:2: " + "TO" + "DO: finish it or write it down as a limit",
    ]
    assert name_problems(tmp_path) == ["io/utils.cc: name the concept in snake_case"]
    assert build_problems(tmp_path) == [
        "io/utils.cc: no CMakeLists.txt names it",
        "io/CMakeLists.txt: nothing adds this folder",
    ]
    assert header_problems(tmp_path) == ["io/long.h: no #pragma once"]
