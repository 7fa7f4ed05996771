"""Grafana's own types of dashboards, as its makers publish them for Python (grafana-foundation-sdk, generated from the
schemas of each version of Grafana): whether Grafana would read all of a dashboard, without a Grafana."""

import json
import subprocess
import sys
from pathlib import Path

from services.cache import install_once, run_installer

REQUIREMENTS = Path(__file__).with_name("grafana_schema_requirements.txt")
VERSIONS = ["10.1.0", "11.6.0"]

# Reads the dashboard into the types, writes it again, and compares: unknown properties are lost on the way. Then the
# values are compared with the types, which Python does not do.
PROGRAM = r"""
import enum, json, sys, types, typing
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

MODELS = "grafana_foundation_sdk.models"

def lost(given, read, where):
    if isinstance(given, dict) and isinstance(read, dict):
        for name, value in given.items():
            if name in read:
                yield from lost(value, read[name], f"{where}.{name}")
            else:
                yield f"{where}.{name}: unknown"
    elif isinstance(given, list) and isinstance(read, list) and len(given) == len(read):
        for index, (one, other) in enumerate(zip(given, read)):
            yield from lost(one, other, f"{where}[{index}]")
    elif given != read:
        yield f"{where}: {given!r} became {read!r}"

def is_of(value, wanted):
    origin, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (typing.Union, types.UnionType):
        return any(is_of(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if origin in (list, dict):
        values = value.values() if origin is dict and isinstance(value, dict) else value
        return isinstance(value, origin) and all(is_of(one, inner[-1]) for one in values)
    if isinstance(wanted, type) and issubclass(wanted, enum.Enum):
        return isinstance(value, wanted) or value in [one.value for one in wanted]
    if wanted is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, dict) and getattr(wanted, "__module__", "").startswith(MODELS):
        return True  # which the types leave as it stands
    return not isinstance(wanted, type) or isinstance(value, wanted)

def mistyped(value, where):
    if isinstance(value, (list, dict)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from mistyped(one, f"{where}[{key}]")
    elif type(value).__module__.startswith(MODELS):
        if isinstance(value, enum.Enum):
            return
        hints = typing.get_type_hints(type(value))
        for name, one in vars(value).items():
            if name in hints and not is_of(one, hints[name]):
                yield f"{where}.{name}: {one!r} is no {hints[name]}"
            yield from mistyped(one, f"{where}.{name}")

register_default_plugins()
given = json.load(open(sys.argv[1]))
dashboard = Dashboard.from_json(given)
print(json.dumps([*lost(given, json.loads(json.dumps(dashboard, cls=JSONEncoder)), ""), *mistyped(dashboard, "")]))
"""


def install_version(version):
    """The Python of a virtual environment with the types of a version of Grafana."""
    [requirement] = [line for line in REQUIREMENTS.read_text().split() if line.endswith(f"!{version}")]

    def make(folder):
        run_installer(sys.executable, "-m", "venv", folder)
        run_installer(folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", requirement)

    return install_once(f"grafana-schema-{version}", make) / "bin/python"


def install():
    for version in VERSIONS:
        install_version(version)


def problems(python, dashboard):
    """What Grafana would not read, or not as it stands, of a dashboard: a list of texts."""
    done = subprocess.run([python, "-c", PROGRAM, dashboard], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else [done.stderr]
