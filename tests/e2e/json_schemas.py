"""The schemas of docs/schemas, and the check of what the command prints against them."""

import json
import re
from pathlib import Path

try:
    import jsonschema
except ImportError:  # test_json_schemas.py says so
    jsonschema = None

FOLDER = Path(__file__).resolve().parents[2] / "docs/schemas"
SHARED = "common"  # parts of the others
ENDING = ".schema.json"
SCHEMAS = {path.name.removesuffix(ENDING): json.loads(path.read_text()) for path in FOLDER.glob(f"*{ENDING}")}
DOCUMENTS = sorted(set(SCHEMAS) - {SHARED})

# As they stand among other lines: a document of --json, and a line of the log or of progress.
PRINTED = re.compile(rb'^\{\n  "schema": "drstream\..*?^\}$|^\{"(?:time|schema)":[^\n]*\}$', re.M | re.S)


def schema_name(document):
    """"push" of drstream.push/1; lines of the log name no schema."""
    identity = document.get("schema")
    return "log" if identity is None else re.fullmatch(r"drstream\.([\w-]+)/\d+", identity).group(1)


def documents_in(printed):
    """Every JSON document in what a command has printed."""
    return [json.loads(found.group()) for found in PRINTED.finditer(printed)]


def validator(name):
    store = {f"{known}{ENDING}": schema for known, schema in SCHEMAS.items()}
    return jsonschema.Draft202012Validator(SCHEMAS[name], resolver=jsonschema.RefResolver("", {}, store=store))


VALIDATORS = {name: validator(name) for name in DOCUMENTS} if jsonschema else {}


def assert_valid(document):
    name = schema_name(document)
    assert name in SCHEMAS, f"docs/schemas has no schema of {document}"
    found = [f"{error.json_path}: {error.message}" for error in VALIDATORS[name].iter_errors(document)]
    assert not found, f"not as docs/schemas/{name}{ENDING} says: {'; '.join(found)}\n{json.dumps(document, indent=2)}"


def asks_for_json(arguments):
    """Of the arguments of a command, those of its child left out."""
    words = [str(argument) for argument in arguments]
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own or "json" in own


def check_printed(arguments, *printed):
    """Validates what a command with --json or --log-format json has printed."""
    if jsonschema is None or not asks_for_json(arguments):
        return
    for text in filter(None, printed):
        for document in documents_in(text):
            assert_valid(document)


def declared_fields(schema, place):
    """The fields that a schema declares, each with its own schema: ("common:finding.affected[].offset", {...})."""
    for name, field in schema.get("properties", {}).items():
        yield f"{place}.{name}", field
        yield from declared_fields(field, f"{place}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from declared_fields(schema[keyword], f"{place}[]")
    for name, part in schema.get("$defs", {}).items():
        yield from declared_fields(part, f"{place}:{name}")


def used_fields(document, schema, home):
    """The schemas of the fields that a document has. `home`: where `schema` stands."""
    if "$ref" in schema:
        file, _, part = schema["$ref"].partition("#/$defs/")
        there = file.removesuffix(ENDING) or home
        yield from used_fields(document, SCHEMAS[there]["$defs"][part], there)
    more = schema.get("additionalProperties")
    if isinstance(document, list) and "items" in schema:
        for item in document:
            yield from used_fields(item, schema["items"], home)
    elif isinstance(document, dict):
        for name, value in document.items():
            field = schema.get("properties", {}).get(name)
            if field is not None:
                yield field
                yield from used_fields(value, field, home)
            elif isinstance(more, dict):
                yield from used_fields(value, more, home)
