"""What a container's limits do: tried with control groups of this machine's kernel, v1 or v2, as root."""

import os
import time
from pathlib import Path

import pytest
from repository import sample_bytes

MIB = 1 << 20
TOP = Path("/sys/fs/cgroup")
DATA = sample_bytes(3 * MIB)

pytestmark = pytest.mark.local_only("what limits this machine's memory is no matter of the store")


class Group:
    """A group with a limit; `launcher` starts a command in it."""

    # Of v1 and v2: the folder in which groups can be made, the file of each limit, and what it takes.
    V1 = {
        "memory": (TOP / "memory", "memory.limit_in_bytes", str),
        "cpu": (TOP / "cpu", "cpu.cfs_quota_us", lambda cores: str(int(cores * 100_000))),
    }
    V2 = {"memory": (TOP, "memory.max", str), "cpu": (TOP, "cpu.max", lambda cores: f"{int(cores * 100_000)} 100000")}

    def __init__(self, controller, limit):
        top, name, text = (self.V2 if (TOP / "cgroup.controllers").exists() else self.V1)[controller]
        if top == TOP:
            (top / "cgroup.subtree_control").write_text(f"+{controller}")
        self.folder = top / f"drstream-test-{os.getpid()}"
        self.folder.mkdir()
        (self.folder / name).write_text(text(limit))
        self.file = str(self.folder / name)
        self.launcher = ["sh", "-c", f'echo $$ > {self.folder}/cgroup.procs && exec "$@"', "sh"]

    def remove(self):
        for _ in range(100):  # processes that have ended leave it a moment later
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.1)


@pytest.fixture
def new_group():
    groups = []

    def make(controller, limit):
        try:
            groups.append(Group(controller, limit))
        except OSError as problem:
            pytest.skip(f"no control group can be made here: {problem}")
        return groups[-1]

    yield make
    for group in groups:
        group.remove()


@pytest.fixture
def contained(new_repository):
    """A repository whose commands are given no --memory."""
    repository = new_repository()
    repository.variables["DRSTREAM_MEMORY"] = None
    repository.run("init")
    return repository


def checks(repository, group):
    return {check["name"]: check for check in repository.json("doctor", launcher=group.launcher)["checks"]}


def test_the_default_of_memory_is_what_the_limit_leaves_and_everything_works_within(contained, new_group):
    group = new_group("memory", 200 * MIB)
    found = checks(contained, group)
    assert group.file in found["memory-limit"]["detail"]
    assert found["push-memory"]["detail"].startswith("143 MiB: ")
    contained.run("push", "s", input=DATA * 40, launcher=group.launcher)
    assert contained.run("pull", "s", launcher=group.launcher).out == DATA * 40
    contained.run("verify", "--read-data", launcher=group.launcher)


def test_a_wide_limit_leaves_the_default_as_it_is(contained, new_group):
    assert checks(contained, new_group("memory", 4096 * MIB))["push-memory"]["detail"].startswith("256 MiB: ")


def test_a_limit_that_is_too_small_is_refused_with_the_figure_unless_memory_is_given(contained, new_group):
    group = new_group("memory", 128 * MIB)
    for command in (["push", "s"], ["verify"], ["scrub"], ["doctor"]):
        refused = contained.run(*command, input=b"x", launcher=group.launcher, expect=2).err
        assert "128 MiB" in refused and "at least 147 MiB" in refused, refused
    contained.run("list", launcher=group.launcher)
    contained.run("push", "s", "--memory", "96MiB", input=b"x", launcher=group.launcher)


def test_a_passphrase_is_refused_where_the_kernel_would_kill_its_scrypt(contained, new_group, tmp_path):
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple")
    passphrase.chmod(0o600)
    contained.run("key", "add", "--new-passphrase-file", passphrase)
    small = new_group("memory", 150 * MIB)
    options = ["--passphrase-file", passphrase]
    environment = {"BACKUP_ENCRYPTION_KEY": None}
    refused = contained.run("push", "s", *options, input=b"x", env=environment, launcher=small.launcher, expect=2).err
    assert "at least 160 MiB" in refused
    small.remove()
    enough = new_group("memory", 160 * MIB)
    contained.run("push", "s", *options, input=DATA * 40, env=environment, launcher=enough.launcher)


def test_threads_follow_the_quota_of_cpu_time(contained, new_group):
    group = new_group("cpu", 0.5)
    found = checks(contained, group)
    assert found["cores"]["detail"].startswith("1: the CPU quota is 0.5 of ")
    assert group.file.rsplit("/", 1)[0] in found["cores"]["detail"]
