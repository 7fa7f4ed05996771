"""The next step of a failure can be done, and helps."""

import shutil

import pytest
from repository import random_key, sample_bytes

STREAM = "pg/app"
DATA = sample_bytes(900_000)


def flip(path, offset=100):
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def next_step(outcome):
    lines = [line for line in outcome.err.splitlines() if line.startswith("  next step: ")]
    return lines[-1] if lines else ""


@pytest.mark.local_only("damages files")
@pytest.mark.parametrize("lost", ["config", "keys"])
def test_a_repository_that_cannot_be_opened_is_not_sent_to_verify(new_repository, lost):
    drs = new_repository()
    drs.run("init")
    drs.push(STREAM, DATA)
    if lost == "config":
        flip(drs.path / "config/00000001")
        scrubbed = drs.run("scrub", "--read-only", expect=4).out.decode()
        assert "first put back the damaged objects below config/ and keys/" in scrubbed
    else:
        shutil.rmtree(drs.path / "keys")
    for command in (["verify", "--read-data"], ["list"], ["stats"], ["pull", STREAM], ["push", STREAM]):
        step = next_step(drs.run(*command, expect=4))
        assert "from a replica of the repository or a backup of its config/ and keys/" in step, (command, step)
        assert "verify" not in step


@pytest.mark.local_only("damages files")
def test_what_is_damaged_in_the_target_of_a_copy_is_called_so_and_can_be_copied_anew(new_repository):
    source, target = new_repository("source"), new_repository("target")
    target.key = source.key
    source.run("init")
    source.push(STREAM, DATA)
    target.run("init", "--replica-of", source.path)
    copy = ["copy", "--from-repository", source.path]
    target.run(*copy)
    (manifest,) = target.names("manifests")
    (target.path / manifest).unlink()
    pack = target.path / target.largest_pack()
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-1])
    outcome = target.run(*copy, expect=4).out.decode()
    assert "damaged there " in outcome and "0 are damaged here, 1 are damaged there" in outcome
    assert "run `drstream repair packs` in the target, with this source as its --from-repository" in outcome
    target.run("repair", "packs", *copy[1:])
    assert "1 snapshots copied" in target.text(*copy)
    assert "1 were there (not read; `drstream verify` of the target proves them)" in target.text(*copy)
    target.run("verify", "--read-data")


@pytest.mark.local_only("directories with a ?")
def test_a_directory_may_bring_its_own_key_behind_a_question_mark(new_repository, tmp_path):
    first, second = new_repository("first"), new_repository("second")
    first.run("init")
    second.run("init")
    key = tmp_path / "second.key"
    key.write_text(second.key + "\r\n")  # as an editor of another system ends lines
    key.chmod(0o600)
    place = f"{second.path}?key-file={key}"
    first.push(STREAM, DATA, "--also", place, "--memory", "256MiB")
    assert second.pull(STREAM) == DATA
    literal = tmp_path / "drs?key-file=none"
    literal.mkdir()
    first.run("init", "-r", literal)
    assert (literal / "config/00000001").is_file()


def test_the_source_of_a_copy_says_which_options_give_its_key(new_repository):
    source, target = new_repository("source"), new_repository("target")
    source.run("init")
    target.run("init")
    outcome = target.run("copy", "--from-repository", source.path, "--from-unencrypted", expect=12)
    assert "--from-unencrypted says that it is not: give its key by --from-key-file" in outcome.err


def test_what_is_typed_wrongly_is_answered_with_what_is_accepted(new_repository):
    drs = new_repository()
    drs.run("init")
    drs.push(STREAM, DATA)
    assert "there is no command 'pul'; did you mean 'pull'? See `drstream help`" in drs.run("pul", "x", expect=2).err
    assert "did you mean 'push'? Topics of help are " in drs.run("help", "pusj", expect=2).err
    assert "there is no command 'key ad'; did you mean 'add'?" in drs.run("key", "ad", expect=2).err
    assert "what stands behind -- is the command that --exec runs" in drs.run("push", "--", "-x", expect=2).err
    assert "accepted for a flag are true and false" in drs.run("list", env={"DRSTREAM_JSON": "banana"}, expect=2).err
    assert "at least 8 digits" in drs.run("show", "abcdef0", expect=16).err
    for command in ("repair", "key"):
        assert drs.json(command, expect=2)["message"].startswith("a command is missing; accepted are ")
    for command in ("list", "show"):
        outcome = drs.run(command, drs.key, expect=16)
        assert drs.key not in outcome.err and "64 hex digits, not shown" in outcome.err
    examples = drs.text("help", "pull").split("Examples:")[1]
    assert examples.index("--exec -- pg_restore") < examples.index("| pg_restore") and "PIPESTATUS" in examples


@pytest.mark.local_only("directories")
def test_a_spool_inside_a_repository_is_refused_and_leaves_nothing(new_repository):
    drs = new_repository()
    drs.run("init")
    before = sorted(drs.path.rglob("*"))
    for place in (drs.path, drs.path / "packs"):
        assert "lies in the repository" in drs.run("push", STREAM, "--spool", place, input=DATA, expect=2).err
        assert "lies in the repository" in drs.run("resume", "--spool", place, expect=2).err
    assert sorted(drs.path.rglob("*")) == before


@pytest.mark.local_only("damages files")
def test_verify_of_a_damaged_manifest_alone_speaks_of_the_manifest(new_repository):
    drs = new_repository()
    drs.run("init")
    drs.push(STREAM, DATA)
    flip(drs.path / drs.names("manifests")[0])
    verified = drs.run("verify", "--read-only", expect=4).out.decode()
    assert "the snapshots whose manifests are named above cannot be restored" in verified


def test_options_that_can_do_nothing_are_refused(drs, tmp_path):
    started = tmp_path / "started"
    touch = ["--exec", "--", "touch", started]
    for wrong in (["--max-shrink", "100%"], ["--max-shrink", "250%"]):
        assert "no stream shrinks by more than 100%" in drs.run("push", STREAM, *wrong, *touch, expect=2).err
    assert "--file - does not mean stdin" in drs.run("push", STREAM, "--file", "-", input=DATA, expect=2).err
    assert not started.exists()
    drs.run("push", STREAM, "--max-shrink", "99.9%", input=DATA)


@pytest.mark.local_only("directories")
def test_a_limit_of_transfers_is_refused_for_a_directory(drs):
    for option in ("--limit-upload", "--limit-download"):
        assert f"{option} needs a repository in a bucket" in drs.run("list", option, "1MiB", expect=2).err
    drs.run("list", env={"DRSTREAM_LIMIT_UPLOAD": "1MiB"})


@pytest.mark.local_only("directories")
def test_a_place_that_other_programs_know_makes_no_directory(new_repository, tmp_path):
    drs = new_repository()
    for place in ("sftp:backup@host:drs", "backup@host:drs", "b2:bucket:x"):
        outcome = drs.run("init", "-r", place, cwd=tmp_path, expect=2)
        assert "s3://bucket/prefix, gs://bucket/prefix" in outcome.err and f"is ./{place}" in outcome.err
    assert "'key=abcd' is not a setting" in drs.run("init", "-r", "newq?key=abcd", cwd=tmp_path, expect=2).err
    assert list(tmp_path.glob("*[:?]*")) == []
    drs.run("init", "-r", "./b2:bucket:x", cwd=tmp_path)
    (tmp_path / "newq?key=abcd").mkdir()
    drs.run("init", "-r", "newq?key=abcd", cwd=tmp_path)
    assert (tmp_path / "b2:bucket:x/config").is_dir() and (tmp_path / "newq?key=abcd/config").is_dir()


@pytest.mark.local_only("damages files")
def test_doctor_finds_what_no_push_can_work_with(new_repository, tmp_path):
    drs = new_repository()

    def bad(code, name, said, **env):
        outcome = drs.run("doctor", env=env, expect=code)
        (line,) = [line for line in outcome.out.decode().splitlines() if line.startswith("BAD")]
        assert f" {name} " in line and said in line, line

    no_key = {"BACKUP_ENCRYPTION_KEY": None}
    drs.path.mkdir()
    drs.run("doctor")
    bad(12, "key", "cannot read the key file", DRSTREAM_KEY_FILE=str(tmp_path / "none"), **no_key)
    drs.run("init")
    drs.push(STREAM, DATA)
    checks = {check["name"]: check["state"] for check in drs.json("doctor")["checks"]}
    assert (checks["key"], checks["state-directory"], checks["repository"]) == ("ok", "ok", "ok")
    assert " key             none was given" in drs.text("doctor", env=no_key)
    bad(12, "key", "cannot read the key file", DRSTREAM_KEY_FILE=str(tmp_path / "none"), **no_key)
    bad(12, "key", "`drstream help keys`", BACKUP_ENCRYPTION_KEY=random_key())
    file = tmp_path / "file"
    file.write_text("")
    bad(2, "state directory", "is not a directory: no head can be recorded", DRSTREAM_STATE_DIR=str(file))
    bad(2, "state directory", "is not a directory", DRSTREAM_STATE_DIR=str(file / "below"))
    shutil.rmtree(drs.path / "keys")
    bad(4, "repository", "copy keys/ from a replica or a backup")
    (drs.path / "keys").mkdir()
    bad(4, "repository", "copy keys/ from a replica or a backup")
    shutil.rmtree(drs.path / "config")
    bad(10, "repository", "Copy config/ and keys/ from a backup or a replica")


def test_variables_that_no_option_has_are_named_with_what_was_meant(drs):
    env = {"DRSTREAM_REPO": "/x", "DRSTREAM_KEYFILE": "/y", "DRSTREAM_BANANA": "1", "DRSTREAM_TEST_X": "1",
           "DRSTREAM_QUIET": "1", "DRSTREAM_PASSPHRASE": ""}  # fmt: skip
    lines = [line for line in drs.run("list", env=env).err.splitlines() if "is ignored" in line]
    assert [line.split("the variable ")[1] for line in lines] == [
        "DRSTREAM_BANANA is ignored: drstream has no such variable; `drstream help environment` lists them",
        "DRSTREAM_KEYFILE is ignored: drstream has no such variable; did you mean DRSTREAM_KEY_FILE?",
        "DRSTREAM_REPO is ignored: drstream has no such variable; did you mean DRSTREAM_REPOSITORY?",
    ]
    outcome = drs.run("list", env={"DRSTREAM_STATE_DIR": "state"}, expect=2)
    assert "DRSTREAM_STATE_DIR: it takes a path that begins with /" in outcome.err
    drs.run("list", "--state-dir", "state", cwd=drs.folder)
