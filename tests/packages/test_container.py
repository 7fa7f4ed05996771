"""The container image without a container daemon: the steps of packaging/container/Containerfile made in a root, and
the command run in it as a runtime would: process 1, any user, no HOME, no capabilities, a root that cannot be
written."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections import namedtuple
from pathlib import Path

import pytest
from services import debian_root
from services.debian_root import in_root
from test_deb import install

RECIPE = Path(__file__).resolve().parents[2] / "packaging/container/Containerfile"
UID = 12345
VOLUMES = {"repository": "srv/repository", "state": "var/lib/drstream"}


Image = namedtuple("Image", "path volumes")


def instruction(name):
    """The words behind the last line of the recipe that begins with `name`."""
    text = RECIPE.read_text().replace("\\\n", " ")
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)[-1]


@pytest.fixture(scope="module")
def built(new_root, deb):
    """An overlay in which the steps of the recipe were made."""
    root = new_root("bookworm")
    install(root, deb)
    root.run(
        "apt-get",
        "install",
        "-q",
        "-y",
        "--no-install-recommends",
        "tini",
        mounts=[(debian_root.archives_folder(), debian_root.ARCHIVES)],
    )
    steps = instruction("RUN").split("&&")
    assert all(package in steps[1] for package in ["/tmp/drstream.deb", "ca-certificates", "tini"])
    root.run("sh", "-ec", ";".join(steps[2:]))
    secret = root.path / "run/secrets/key"
    secret.parent.mkdir()
    secret.write_text(os.urandom(32).hex())
    os.chown(secret, 0, UID)
    secret.chmod(0o440)
    return root


@pytest.fixture
def image(built, tmp_path):
    """The image, and empty volumes for the repository and the state."""
    for name in VOLUMES:
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, UID, UID)
    return Image(built.path, tmp_path)


def container(image, *arguments, entrypoint=None, variables=()):
    """The words that run the image's command."""
    entrypoint = json.loads(instruction("ENTRYPOINT")) if entrypoint is None else entrypoint
    environment = [
        *shlex.split(instruction("ENV")),
        "DRSTREAM_REPOSITORY=/srv/repository",
        "DRSTREAM_KEY_FILE=/run/secrets/key",
    ]
    nobody = [
        "setpriv",
        "--reuid",
        str(UID),
        "--regid",
        str(UID),
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--no-new-privs",
    ]
    return in_root(
        image.path,
        "/usr/bin/env",
        "-i",
        "PATH=/usr/bin:/bin",
        *environment,
        *variables,
        *nobody,
        *entrypoint,
        *arguments,
        read_only=True,
        mounts=[(image.volumes / name, place) for name, place in VOLUMES.items()],
    )


def run(image, *arguments, expect=0, **how):
    done = subprocess.run(container(image, *arguments, **how), capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stderr}"
    return done


# As the recipe starts it, and as Kubernetes does where somebody names a command.
ENTRYPOINTS = [None, ["/usr/bin/drstream"]]


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS, ids=["tini", "drstream"])
def test_a_backup_by_any_user_without_home_rights_or_a_writable_root(image, entrypoint):
    made = run(image, "init", entrypoint=entrypoint)
    assert "warning" not in made.stderr, made.stderr
    script = "grep -h ^Cap /proc/self/status; id -u; touch /x 2>&1; echo ${HOME-none}; cat /proc/1/comm"
    pushed = run(image, "push", "s", "--exec", "--", "sh", "-c", script, entrypoint=entrypoint)
    assert "warning" not in pushed.stderr, pushed.stderr
    seen = run(image, "pull", "s", entrypoint=entrypoint).stdout
    assert re.findall(r"^Cap\w+:\t(\w+)$", seen, re.MULTILINE) == ["0" * 16] * 5
    assert f"\n{UID}\n" in seen and "Read-only file system" in seen and "\nnone\n" in seen
    assert seen.endswith("tini\n" if entrypoint is None else "drstream\n")
    run(image, "verify", "--read-data", entrypoint=entrypoint)
    assert run(image, "push", "s", "--exec", "--", "false", entrypoint=entrypoint, expect=3)
    assert list((image.volumes / "state").rglob("*"))  # the heads were recorded


@pytest.mark.parametrize("entrypoint", ENTRYPOINTS, ids=["tini", "drstream"])
def test_a_signal_to_process_1_ends_a_push_in_order(image, entrypoint):
    run(image, "init", entrypoint=entrypoint)
    words = container(
        image, "push", "s", "--exec", "--", "sh", "-c", "echo begun; exec sleep 1000", entrypoint=entrypoint
    )
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        first = wait_for_child(process.pid)
        try:
            wait_until(lambda: is_below("sleep", first))
            os.kill(first, signal.SIGTERM)
            said = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 128 + signal.SIGTERM, said
    assert "no snapshot was made" in said
    assert run(image, "list", entrypoint=entrypoint).stdout == "no snapshots\n"


def test_tini_ends_what_a_producer_leaves_behind(image):
    run(image, "init")
    leave = "for i in 1 2 3; do setsid sleep 0.1 >/dev/null 2>&1 & done; sleep 1"
    script = f"{leave}; grep -l '^State:.*zombie' /proc/[0-9]*/status; true"
    run(image, "push", "s", "--exec", "--", "sh", "-c", f"echo begun; {script}")
    assert run(image, "pull", "s").stdout == "begun\n"


def wait_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def children(pid):
    found = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def wait_for_child(pid):
    wait_until(lambda: children(pid))
    return children(pid)[0]


def is_below(name, pid):
    """Whether `pid`, or a process that it has started, has started one of this name."""
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{child}/comm").read_text().strip() == name or is_below(name, child):
                return True
    return False
