"""docs/JSON.md and docs/schemas tell the same, and each schema describes its fields."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/schemas"
SCHEMAS = {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.schema.json"))}
NAMED = re.compile(r'"(drstream\.[\w-]+/\d+)"')
# Not printed: a file of drstream's own.
OWN_FILES = {"drstream.head/1"}
NAMES_OF_OTHERS = {"Version", "Statement"}  # of the language of AWS IAM
IN_AN_OBJECT_OF_NS = {"source", "buffers", "work", "store"}  # wait_ns.source
NAMES_OF_STAGES = {"store"}  # of stages and wait_ns
UNITS = {"bytes": "bytes", "seconds": "seconds", "ns": "nanoseconds", "count": "count"}


def objects_in(schema):
    """Every schema of an object that has fields, and those in it."""
    if isinstance(schema, list):
        for part in schema:
            yield from objects_in(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield schema
        for part in schema.values():
            yield from objects_in(part)


def fields_in(schema):
    """Each field of each object: its name and its schema."""
    for found in objects_in(schema):
        yield from found["properties"].items()


def all_fields():
    for file, schema in SCHEMAS.items():
        for name, field in fields_in(schema):
            if name not in NAMES_OF_OTHERS:
                yield file, name, field


def definition(field, file):
    """A field's schema, its $ref followed, and the name of what that points to."""
    if "$ref" not in field:
        return field, None
    target, _, pointer = field["$ref"].partition("#/$defs/")
    return SCHEMAS[target or file]["$defs"][pointer], pointer


def words_in(schema):
    """Every word that a field may have as its value."""
    if isinstance(schema, list):
        for part in schema:
            yield from words_in(part)
    elif isinstance(schema, dict):
        yield from schema.get("enum", [])
        yield from (word["const"] for word in schema.get("oneOf", []))
        for part in schema.values():
            yield from words_in(part)


def test_the_page_is_what_its_script_makes_of_the_schemas():
    made = subprocess.run([ROOT / "scripts/json-page", "--print"], capture_output=True, text=True, check=True).stdout
    assert (ROOT / "docs/JSON.md").read_text() == made, "run scripts/json-page"


@pytest.mark.parametrize("file", SCHEMAS)
def test_each_field_has_a_type_and_a_meaning(file):
    assert SCHEMAS[file]["$id"] == file
    for schema in objects_in(SCHEMAS[file]):
        assert set(schema.get("required", [])) <= set(schema["properties"])
        for name, field in schema["properties"].items():
            assert {"type", "$ref", "const", "enum", "oneOf"} & set(field), f"{name} has no type"
            assert field.get("description") or "$ref" in field, f"{name} has no meaning"


@pytest.mark.parametrize("file", [file for file in SCHEMAS if file != "common.schema.json"])
def test_a_document_has_no_other_fields(file):
    schema = SCHEMAS[file]
    assert schema.get("additionalProperties", schema.get("unevaluatedProperties")) is False


def test_every_document_that_the_sources_name_has_a_schema_and_the_other_way_round():
    named = {name for path in (ROOT / "tools").rglob("*.cc") for name in NAMED.findall(path.read_text())}
    described = {schema["properties"]["schema"]["const"] for file, schema in SCHEMAS.items()
                 if file not in ("common.schema.json", "log.schema.json")}  # fmt: skip
    assert named - OWN_FILES == described


def test_names_are_of_one_style():
    for file, name, _ in all_fields():
        assert re.fullmatch("[a-z0-9]+(_[a-z0-9]+)*", name), f"{file}: {name}"


@pytest.mark.parametrize("file", SCHEMAS)
def test_words_are_of_one_style(file):
    commands = {"repair index", "repair packs", "kafka archive", "kafka restore", "kafka compare"}  # as they are typed
    for word in words_in(SCHEMAS[file]):
        assert word in commands or re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", word), word


def test_a_name_has_one_type_in_all_documents():
    types = {}
    for file, name, field in all_fields():
        if name in NAMES_OF_STAGES:
            continue
        found, _ = definition(field, file)
        kind = "string" if {"enum", "oneOf", "const"} & set(found) else found["type"]
        types.setdefault(name, {}).setdefault(str(kind), set()).add(file)
    assert {name: places for name, places in types.items() if len(places) > 1} == {}


def test_a_field_without_a_value_is_absent():
    for file, name, field in all_fields():
        found, _ = definition(field, file)
        assert "null" not in found.get("type", ""), f"{file}: {name} may be null"
        assert "Empty: " not in field.get("description", "") or found.get("type") == "array", f"{file}: {name}"


def test_a_name_says_its_unit():
    for file, name, field in all_fields():
        target = definition(field, file)[1]
        unit = UNITS.get(name.rpartition("_")[2])
        if unit and "properties" not in field:
            assert target == unit, f"{file}: {name} is no number of {unit}"
        if target in ("bytes", "seconds", "nanoseconds"):
            assert unit == target or name in IN_AN_OBJECT_OF_NS, f"{file}: {name} does not name its unit"


def test_repository_is_an_id_everywhere_and_a_place_is_called_place():
    for file, name, field in all_fields():
        if name == "repository":
            assert definition(field, file)[1] == "id", file
