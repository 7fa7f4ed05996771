"""Rooms include, and layers link, only what stands above them: the table "Layout and the direction of dependencies" of
CONTRIBUTING.md as code.

A room is a folder; a file belongs to the deepest room that holds it, and may include its own room. An entry that ends in
`/` allows the files right in that folder, one that ends in `/**` those of its subfolders too, any other entry one header.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

BASE = ["io/base/"]
STORES = ["io/**", "codecs/", "sinks/"]
ENGINE = ["io/**", "codecs/", "engine/format/", "sinks/object_store.h", "sinks/object_io.h", "sinks/settled_put.h"]
PIPELINE = [*ENGINE, "engine/repository/", "engine/pipeline/"]
LIBRARY = ["io/**", "codecs/", "sinks/**", "engine/**", "verify/"]

MAY_INCLUDE = {
    "io/base": [],
    "io": BASE,
    "codecs": BASE,
    "sinks": ["io/**", "codecs/", "sinks/transport/request_counts.h"],
    "sinks/local": STORES,
    "sinks/cache": STORES,
    "sinks/spool": [*STORES, "sinks/local/"],
    "sinks/transport": ["io/**", "codecs/"],
    "sinks/kafka": ["io/**", "codecs/", "sinks/transport/"],
    "sinks/cloud": [*STORES, "sinks/transport/"],
    "sinks/cloud/s3": [*STORES, "sinks/transport/", "sinks/cloud/"],
    "sinks/cloud/gcs": [*STORES, "sinks/transport/", "sinks/cloud/"],
    "engine/format": [*BASE, "codecs/"],
    "engine/repository": ENGINE,
    "engine/pipeline": [*ENGINE, "engine/repository/"],
    "engine/pipeline/push": PIPELINE,
    "engine/pipeline/pull": PIPELINE,
    "engine/pipeline/copy": [*PIPELINE, "engine/pipeline/push/", "engine/pipeline/pull/"],
    "engine/pipeline/keeping": [*PIPELINE, "engine/pipeline/push/", "engine/pipeline/pull/"],
    "engine/pipeline/repair": [
        *PIPELINE, "engine/pipeline/push/", "engine/pipeline/pull/", "engine/pipeline/copy/", "engine/pipeline/keeping/"
    ],
    "engine/topics": [*PIPELINE, "engine/pipeline/push/", "engine/pipeline/pull/"],
    "verify": [*ENGINE, "engine/repository/", "engine/topics/topic_view.h"],
    "tools/output": LIBRARY,
    "tools/cli": [*LIBRARY, "tools/output/"],
    # The context in which a command runs holds the global options, and what opens a repository takes the context.
    "tools/repository": [*LIBRARY, "tools/output/", "tools/cli/", "tools/command.h"],
    "tools/config": [*LIBRARY, "tools/output/", "tools/cli/", "tools/repository/"],
    "tools": [*LIBRARY, "tools/output/", "tools/cli/", "tools/repository/", "tools/config/"],
    "tools/commands": [*LIBRARY, "tools/**"],
    "bench": [*LIBRARY, "tools/**"],
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
    "drs_topics": "drs_io drs_codecs drs_sinks drs_format drs_repository drs_pipeline",
    "drs_verify": "drs_io drs_codecs drs_sinks drs_format drs_repository drs_topics",
    "drs_tools": "drs_io drs_codecs drs_sinks drs_format drs_repository drs_pipeline drs_topics drs_verify",
}

QUOTED = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
ANGLED = re.compile(r"^\s*#\s*include\s*<([^>]+)>")
LAYER_CALL = re.compile(r"^drs_layer\((\w+)([^)]*)\)", re.MULTILINE)


def is_in(header, entry):
    folder, _, _ = header.rpartition("/")
    if entry.endswith("/**"):
        return header.startswith(entry[:-2])
    return folder + "/" == entry if entry.endswith("/") else header == entry


def room_of(path):
    """The deepest room of a file, or None where it lies in none."""
    folder = path.rpartition("/")[0]
    return folder if folder in MAY_INCLUDE else None


def layer_of(room):
    return "/".join(room.split("/")[:2]) if room.startswith("engine/") else room.split("/")[0]


def include_problem(root, room, line):
    """What is wrong with one line of a file of `room`, or None."""
    if match := QUOTED.match(line):
        header = match[1]
        if not any(is_in(header, entry) for entry in [room + "/", *MAY_INCLUDE[room]]):
            return f'{room} must not include "{header}"'
        if not (root / header).is_file():
            return f'"{header}" does not exist; headers are named from the root of the tree'
    elif match := ANGLED.match(line):
        for pattern, layers in LIBRARIES.items():
            if re.match(pattern, match[1]) and (room == "io/base" or layer_of(room) not in [*layers, "tools"]):
                return f"{room} must not include <{match[1]}>"
    return None


def include_problems(root):
    problems = []
    layers = {room.split("/")[0] for room in MAY_INCLUDE}
    for path in sorted(p for layer in layers for p in (root / layer).rglob("*") if p.suffix in (".h", ".cc")):
        name = str(path.relative_to(root))
        if (room := room_of(name)) is None:
            problems.append(f"{name}: lies in no room; the rooms are the folders of MAY_INCLUDE")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if problem := include_problem(root, room, line):
                problems.append(f"{name}:{number}: {problem}")
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


def test_each_room_says_what_belongs_there():
    missing = [room for room in MAY_INCLUDE if not (ROOT / room / "README.md").is_file() and room != "bench"]
    assert missing == []


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
            "io/base/clock.h": "#include <liburing.h>\n",
            "io/base/bytes.h": "",
            "engine/pipeline/push/push.h": '#include "engine/repository/repository.h"\n#include "sinks/cloud/cloud_store.h"\n',
            "engine/repository/repository.h": '#include "sinks/object_store.h"\n',
            "engine/format/pack.cc": '#include "io/base/bytes.h"\n#include "io/ring.h"\n',
            "engine/stray.cc": "",
            "sinks/object_store.h": "",
            "sinks/transport/http.h": '#include "sinks/object_store.h"\n',
            "sinks/cloud/cloud_store.h": '#  include "engine/format/pack.h"\n#include <curl/curl.h>\n#include <zstd.h>\n',
            "verify/scrub.cc": '#include "engine/pipeline/push/push.h"\n#include "engine/repository/missing.h"\n',
            "bench/encode_bench.cc": '#include "tests/io/fake_ring.h"\n#include <benchmark/benchmark.h>\n',
        },
    )
    assert include_problems(root) == [
        'bench/encode_bench.cc:1: bench must not include "tests/io/fake_ring.h"',
        'engine/format/pack.cc:2: engine/format must not include "io/ring.h"',
        'engine/pipeline/push/push.h:2: engine/pipeline/push must not include "sinks/cloud/cloud_store.h"',
        "engine/stray.cc: lies in no room; the rooms are the folders of MAY_INCLUDE",
        "io/base/clock.h:1: io/base must not include <liburing.h>",
        'sinks/cloud/cloud_store.h:1: sinks/cloud must not include "engine/format/pack.h"',
        "sinks/cloud/cloud_store.h:3: sinks/cloud must not include <zstd.h>",
        'sinks/transport/http.h:1: sinks/transport must not include "sinks/object_store.h"',
        'verify/scrub.cc:1: verify must not include "engine/pipeline/push/push.h"',
        'verify/scrub.cc:2: "engine/repository/missing.h" does not exist; headers are named from the root of the tree',
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
