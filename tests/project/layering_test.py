"""Layers include, and link, only what stands above them: the table "Layout and the direction of dependencies" as code.

An entry that ends in `/` allows a folder, any other entry one header. A layer may always include its own folder.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PLAIN_BYTES = ["io/result.h", "io/bytes.h"]
ENGINE = ["io/", "codecs/", "engine/format/", "sinks/object_store.h"]

MAY_INCLUDE = {
    "io": [],
    "codecs": PLAIN_BYTES,
    "sinks": ["io/", "codecs/"],
    "engine/format": PLAIN_BYTES + ["codecs/"],
    "engine/repository": ENGINE,
    "engine/pipeline": ENGINE + ["engine/repository/"],
    "verify": ENGINE + ["engine/repository/"],
    "tools": ["io/", "codecs/", "sinks/", "engine/", "verify/"],
    "bench": ["io/", "codecs/", "sinks/", "engine/", "verify/", "tools/"],
}

# Which layers, besides tools, may include the headers of a library. What is not listed is the standard library, the
# kernel or fmt.
LIBRARIES = {
    r"liburing": ["io"],
    r"zstd|lz4|xxhash|intel-ipsec-mb|openssl/": ["codecs"],
    r"curl/|librdkafka/|pugixml|nlohmann/": ["sinks"],
    r"CLI/|spdlog/|toml\+\+/|seccomp|archive": [],
    r"gtest/|gmock/|rapidcheck": [],
    r"benchmark/": ["bench"],
}

# The target of each layer, and the targets it may name in `DEPENDS`.
TARGETS = {
    "drs_io": "",
    "drs_codecs": "drs_io",
    "drs_sinks": "drs_io drs_codecs",
    "drs_format": "drs_io drs_codecs",
    "drs_repository": "drs_io drs_codecs drs_sinks drs_format",
    "drs_pipeline": "drs_io drs_codecs drs_sinks drs_format drs_repository",
    "drs_verify": "drs_io drs_codecs drs_sinks drs_format drs_repository",
    "drs_tools": "drs_io drs_codecs drs_sinks drs_format drs_repository drs_pipeline drs_verify",
}

QUOTED = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
ANGLED = re.compile(r"^\s*#\s*include\s*<([^>]+)>")
LAYER_CALL = re.compile(r"^drs_layer\((\w+)([^)]*)\)", re.MULTILINE)


def allowed(header, layer):
    return any(
        header.startswith(entry) if entry.endswith("/") else header == entry
        for entry in [layer + "/", *MAY_INCLUDE[layer]]
    )


def include_problem(root, layer, line):
    """What is wrong with one line of a file of `layer`, or None."""
    if match := QUOTED.match(line):
        header = match[1]
        if not allowed(header, layer):
            return f'{layer} must not include "{header}"'
        if not (root / header).is_file():
            return f'"{header}" does not exist; headers are named from the root of the tree'
    elif match := ANGLED.match(line):
        for pattern, layers in LIBRARIES.items():
            if re.match(pattern, match[1]) and layer not in [*layers, "tools"]:
                return f"{layer} must not include <{match[1]}>"
    return None


def include_problems(root):
    problems = []
    for layer in MAY_INCLUDE:
        for path in sorted(p for p in (root / layer).rglob("*") if p.suffix in (".h", ".cc")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if problem := include_problem(root, layer, line):
                    problems.append(f"{path.relative_to(root)}:{number}: {problem}")
    for path in sorted((root / "engine").glob("*.[hc]*")):
        problems.append(f"{path.relative_to(root)}: engine/ holds layers, not sources")
    return problems


def link_problems(root):
    problems = []
    for folder in ["io", "codecs", "sinks", "engine", "verify", "tools"]:
        for path in sorted((root / folder).rglob("CMakeLists.txt")):
            for name, arguments in LAYER_CALL.findall(path.read_text(encoding="utf-8")):
                for target in re.findall(r"\bdrs_\w+", arguments.partition("DEPENDS")[2]):
                    if target not in TARGETS.get(name, "").split():
                        problems.append(f"{path.relative_to(root)}: {name} must not link {target}")
    return problems


def test_includes_point_upwards_only():
    assert include_problems(ROOT) == []


def test_targets_link_upwards_only():
    assert link_problems(ROOT) == []


def tree(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_each_kind_of_wrong_include_is_found(tmp_path):
    root = tree(
        tmp_path,
        {
            "io/clock.h": "#include <liburing.h>\n",
            "io/bytes.h": "",
            "engine/pipeline/push.h": '#include "engine/repository/repository.h"\n#include "sinks/s3.h"\n',
            "engine/repository/repository.h": '#include "sinks/object_store.h"\n',
            "engine/format/pack.cc": '#include "io/bytes.h"\n#include "io/clock.h"\n',
            "engine/stray.cc": "",
            "sinks/object_store.h": "",
            "sinks/s3.h": '#  include "engine/format/pack.h"\n#include <curl/curl.h>\n#include <zstd.h>\n',
            "verify/scrub.cc": '#include "engine/pipeline/push.h"\n#include "engine/repository/missing.h"\n',
            "bench/encode_bench.cc": '#include "tests/io/fake_ring.h"\n#include <benchmark/benchmark.h>\n',
        },
    )
    assert include_problems(root) == [
        'sinks/s3.h:1: sinks must not include "engine/format/pack.h"',
        "sinks/s3.h:3: sinks must not include <zstd.h>",
        'engine/format/pack.cc:2: engine/format must not include "io/clock.h"',
        'engine/pipeline/push.h:2: engine/pipeline must not include "sinks/s3.h"',
        'verify/scrub.cc:1: verify must not include "engine/pipeline/push.h"',
        'verify/scrub.cc:2: "engine/repository/missing.h" does not exist; headers are named from the root of the tree',
        'bench/encode_bench.cc:1: bench must not include "tests/io/fake_ring.h"',
        "engine/stray.cc: engine/ holds layers, not sources",
    ]


def test_a_wrong_link_is_found(tmp_path):
    root = tree(
        tmp_path,
        {
            "sinks/CMakeLists.txt": "drs_layer(drs_sinks\n  SOURCES a.cc\n  DEPENDS drs_io drs_format)\n",
            "verify/CMakeLists.txt": "drs_layer(drs_verify SOURCES scrub.cc DEPENDS drs_io drs_repository)\n",
        },
    )
    assert link_problems(root) == ["sinks/CMakeLists.txt: drs_sinks must not link drs_format"]
