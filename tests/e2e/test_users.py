"""As an ordinary user with 8 MiB of lockable memory, as cron runs it."""

import json
import os
import pathlib
import pwd
import resource
import shutil

import pytest
from repository import Repository, random_key, sample_bytes

DATA = sample_bytes(5_000_000)
LOCKED_BYTES = 8 << 20


def limit_locked_memory():
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    limit = LOCKED_BYTES if hard == resource.RLIM_INFINITY else min(LOCKED_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))


@pytest.fixture
def ordinary(binary, public_folder):
    """A repository in a folder of an ordinary user, and the options that make a command run as that user."""
    options = {"preexec_fn": limit_locked_memory}
    folder = public_folder / "home"
    folder.mkdir(mode=0o700)
    command = public_folder / "drstream"
    shutil.copy(binary, command)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        options.update(user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
    repository = Repository(command, folder)
    repository.run("init", cwd=folder, **options)
    return repository, {"cwd": folder, **options}


def test_everything_works_with_little_lockable_memory(ordinary):
    drs, options = ordinary
    source = drs.folder / "source"
    source.write_bytes(DATA)
    source.chmod(0o644)
    drs.run("push", "s", input=DATA, **options)
    drs.run("push", "file", "--file", source, **options)
    drs.run("push", "command", "--exec", "--", "cat", source, **options)
    for stream in ["s", "file", "command"]:
        assert drs.pull(stream, **options) == DATA
    drs.run("pull", "s", "-o", drs.folder / "out", **options)
    assert (drs.folder / "out").read_bytes() == DATA
    drs.run("verify", "--read-data", "--expect-head", "s", **options)
    drs.run("scrub", **options)
    drs.run("repair", "index", "--all", **options)
    checks = {check["name"]: check for check in drs.json("doctor", **options)["checks"]}
    assert checks["locked-memory"]["state"] == "ok"


def test_the_default_memory_needs_no_privilege(ordinary):
    drs, options = ordinary
    drs.memory = "256MiB"
    drs.run("push", "s", input=DATA, **options)
    assert drs.pull("s", **options) == DATA


def test_the_heads_go_to_the_users_own_state_directory(ordinary):
    drs, options = ordinary
    drs.run("push", "s", input=DATA, env={"DRSTREAM_STATE_DIR": None}, **options)
    assert list((drs.folder / ".local/state/drstream/heads").rglob("*.json"))


def test_without_home_the_heads_go_to_a_directory_of_our_own_or_nowhere(ordinary):
    drs, options = ordinary
    user = options.get("user", os.geteuid())
    fallback = pathlib.Path(f"/var/tmp/drstream-{user}")
    if "user" not in options or os.path.lexists(fallback):
        pytest.skip("it takes root, and a user without that directory")
    nowhere = {"HOME": None, "DRSTREAM_STATE_DIR": None}
    try:
        outcome = drs.run("push", "s", input=DATA, env=nowhere, **options)
        assert f"the heads of streams are recorded in {fallback}" in outcome.err and "--state-dir" in outcome.err
        assert list((fallback / "heads").rglob("*.json"))
        shutil.rmtree(fallback)
        fallback.mkdir()  # root's
        fallback.chmod(0o777)
        outcome = drs.run("push", "s", input=DATA, env=nowhere, **options)
        assert "heads of streams are not recorded" in outcome.err and "--state-dir" in outcome.err
        assert not list(fallback.iterdir())
    finally:
        shutil.rmtree(fallback, ignore_errors=True)


def test_heads_that_may_not_be_read_are_no_intrusion(ordinary):
    drs, options = ordinary
    if "user" not in options:
        pytest.skip("it takes root to own what others may not read")
    head = drs.push("s", DATA, **options)["head"]
    os.chown(drs.state / "heads", 0, 0)
    (drs.state / "heads").chmod(0o700)
    outcome = drs.run("verify", "--expect-head", expect=5, **options)
    assert "Permission denied" in outcome.err and "SUSPECTED" not in outcome.out.decode() + outcome.err
    outcome = drs.run("verify", **options)
    assert "Permission denied" in outcome.out.decode() + outcome.err
    outcome = drs.run("verify", "--expect-head", head, **options)
    assert "Permission denied" in outcome.out.decode() + outcome.err
    wrong = head[:-1] + ("0" if head[-1] != "0" else "1")
    drs.run("verify", "--expect-head", wrong, expect=13, **options)
    drs.run("verify", "--warn-exit", expect=9, **options)


def test_a_repository_of_somebody_else_is_refused_with_the_reason(ordinary):
    drs, options = ordinary
    if "user" not in options:
        pytest.skip("it takes root to own what others may not write")
    os.chown(drs.path, 0, 0)
    drs.path.chmod(0o755)
    outcome = drs.run("push", "s", input=DATA, expect=5, **options)
    assert "denied" in outcome.err.lower()
    assert f"next step: {drs.path} belongs to root (mode 0755), and this runs as nobody" in outcome.err
    assert f"chown -R nobody {drs.path}" in outcome.err


def test_every_command_that_stores_objects_as_another_user_warns_and_the_owner_learns_what_to_do(ordinary, public_folder):
    drs, options = ordinary
    if "user" not in options:
        pytest.skip("it takes root to store objects as another user")
    odd = public_folder / "home/my data"
    os.rename(drs.path, odd)
    drs.path = odd
    drs.run("push", "s", input=DATA, **options)
    new_key = public_folder / "new.key"
    new_key.write_text(random_key())
    new_key.chmod(0o600)
    added = drs.run("--json", "key", "add", "--new-key-file", new_key)
    for outcome in (added, drs.run("repair", "index", "--all"), drs.run("key", "remove", json.loads(added.out)["slot"])):
        assert outcome.err.count(f"chown -R --reference='{odd}' '{odd}'") == 1, outcome.err
    replica = public_folder / "home/replica"
    replica.mkdir()
    os.chown(replica, options["user"], options["group"])
    assert f"{replica} belongs to nobody" in drs.run("init", "-r", replica, "--replica-of", odd).err
    for command in (["push", "s"], ["verify"]):
        outcome = drs.run(*command, input=DATA, expect=5, **options)
        assert f"chown -R --reference='{odd}' '{odd}'" in outcome.err.split("next step:")[1], outcome.err
    shutil.rmtree(drs.state)  # root's heads
    os.system(f"chown -R --reference='{odd}' '{odd}'")
    drs.run("push", "s", input=DATA, **options)


def test_what_another_user_has_pushed_is_warned_of_and_found_by_doctor(ordinary):
    drs, options = ordinary
    if "user" not in options:
        pytest.skip("it takes root to push as another user")
    drs.run("push", "s", input=DATA, **options)
    checks = {check["name"]: check for check in drs.json("doctor", **options)["checks"]}
    assert checks["reading"]["state"] == "ok"
    warned = drs.run("push", "s", input=sample_bytes(3_000_000, seed=9)).err
    assert f"{drs.path} belongs to nobody" in warned
    assert warned.count("chown -R --reference=") == 1
    outcome = drs.run("doctor", expect=5, **options)
    (line,) = [line for line in outcome.out.decode().splitlines() if " permissions " in line]
    assert "are not accessible to nobody" in line and "(of root, mode 0" in line and "chown -R --reference=" in line
    assert "not fit for backups" in outcome.err and "next step:" in outcome.err
    shutil.rmtree(drs.state)  # root's heads, which are another matter
    os.system(f"chown -R --reference={drs.path} {drs.path}")
    drs.run("doctor", **options)
    drs.run("verify", **options)
    drs.run("push", "s", input=DATA, **options)
    assert "belongs to" not in drs.run("push", "s", input=DATA, **options).err


def test_doctor_ends_with_5_for_a_directory_that_may_not_be_opened(ordinary):
    drs, options = ordinary
    if "user" not in options:
        pytest.skip("it takes root to own what others may not open")
    os.chown(drs.path, 0, 0)
    drs.path.chmod(0o700)
    assert "Permission denied" in drs.run("doctor", expect=5, **options).err


def test_doctor_finds_a_state_directory_that_may_not_be_written(ordinary):
    drs, options = ordinary
    if "user" not in options:
        pytest.skip("it takes root to own what others may not write")
    drs.run("push", "s", input=DATA, **options)
    os.chown(drs.state / "heads", 0, 0)
    outcome = drs.run("doctor", expect=5, **options)
    (line,) = [line for line in outcome.out.decode().splitlines() if line.startswith("BAD")]
    assert " state directory " in line and "heads': Permission denied: no head can be recorded" in line
