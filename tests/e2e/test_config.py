"""Configuration files: what comes before what, repositories by name, every mistake with its line, and `config check`."""

import re
from pathlib import Path

import pytest
from repository import random_key, sample_bytes

ROOT = Path(__file__).resolve().parents[2]
DATA = sample_bytes(200_000)

# What the tests give by variables, and here by files.
NO_VARIABLES = {"DRSTREAM_REPOSITORY": None, "DRSTREAM_MEMORY": None, "BACKUP_ENCRYPTION_KEY": None}


def write(path, text, mode=0o600):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def user_file(drs, text, mode=0o600):
    return write(drs.folder / ".config/drstream/config.toml", text, mode)


def key_file(drs, key=None):
    return write(drs.folder / "key", key or drs.key)


def settings(drs, *options, **more):
    return {value["name"]: (value["values"], value["origin"])
            for value in drs.json("config", "check", *options, **more)["settings"]}


@pytest.fixture
def local(new_repository):
    drs = new_repository()
    drs.run("init")
    return drs


def test_options_come_before_variables_before_the_file(local):
    path = user_file(local, f'repo = "{local.path}"\nmemory = "100MiB"\nthreads = 2\nquiet = true\n')
    found = settings(local, "--memory", "120MiB", env={"DRSTREAM_REPOSITORY": None, "DRSTREAM_THREADS": "3"})
    assert found["memory"] == (["120MiB"], "--memory")
    assert found["threads"] == (["3"], "DRSTREAM_THREADS")
    assert found["quiet"] == (["true"], f"{path}:4")
    assert found["repo"] == ([str(local.path)], f"{path}:1")


def test_a_file_is_all_that_a_backup_needs(local):
    user_file(local, f'repo = "{local.path}"\nmemory = "96MiB"\nkey-file = "{key_file(local)}"\n')
    local.run("push", "s", input=DATA, env=NO_VARIABLES)
    assert local.pull("s", env=NO_VARIABLES) == DATA


def test_what_copy_reads_from_may_stand_in_the_file(local, new_repository):
    other = new_repository("other", key=local.key)
    other.run("init")
    local.push("s", DATA)
    assert "--from-repository is required" in other.run("copy", expect=2).err
    user_file(other, f'from-repository = "{local.path}"\n')
    other.run("copy")
    assert other.pull("s") == DATA


def test_xdg_config_home_is_respected(local):
    user_file(local, "memroy = 1\n")
    write(local.folder / "xdg/drstream/config.toml", "threads = 7\n")
    assert settings(local, env={"XDG_CONFIG_HOME": str(local.folder / "xdg")})["threads"][0] == ["7"]
    local.run("list", expect=2)


def test_a_named_repository_is_taken_wherever_a_place_is(local, new_repository):
    other = new_repository("other", key=random_key())
    third = new_repository("third")
    third.run("init")
    other.run("init")
    user_file(
        local,
        f'[repository.near]\nplace = "{local.path}"\nkey-file = "{key_file(local)}"\n'
        f'[repository.other]\nplace = "{other.path}"\nkey-file = "{key_file(other)}"\n'
        f'[repository.third]\nplace = "{third.path}"\nkey-file = "{key_file(third)}"\n',
    )
    env = {**NO_VARIABLES, "DRSTREAM_MEMORY": "256MiB"}
    local.run("push", "s", "-r", "@near", "--also", "@other", input=DATA, env=env)
    local.run("copy", "--from-repository", "@other", "-r", "@third", env=env)
    for name in ["@near", "@other", "@third"]:
        assert local.pull("s", env={**env, "DRSTREAM_REPOSITORY": name}) == DATA
    # A key of the environment is for repositories that have none of their own.
    env["BACKUP_ENCRYPTION_KEY"] = random_key()
    assert local.pull("s", "-r", "@other", env=env) == DATA
    wrong = write(local.folder / "wrong", random_key())
    local.run("pull", "s", "-r", "@other", "--key-file", wrong, env=env, expect=12)
    err = local.run("list", "-r", "@othre", env=env, expect=2).err
    assert "[repository.othre]" in err and "@other" in err and "config check" in err


def test_a_source_without_a_key_of_its_own_gets_that_of_the_settings_or_the_environment(local, new_repository):
    offsite, replica = new_repository("offsite", key=random_key()), new_repository("replica", key=random_key())
    offsite.run("init")
    local.push("s", DATA)
    tables = f'[repository.nightly]\nplace = "{local.path}"\n' + "".join(
        f'[repository.{name}]\nplace = "{place.path}"\nkey-file = "{key_file(place)}"\n'
        for name, place in [("offsite", offsite), ("rep", replica)])
    copy = ["copy", "--from-repository", "@nightly", "-r"]
    user_file(local, f'repo = "@nightly"\nkey-file = "{key_file(local)}"\n' + tables)
    local.run(*copy, "@offsite", env=NO_VARIABLES)
    assert offsite.pull("s") == DATA
    local.run("init", "--replica-of", "@nightly", "-r", "@rep", env=NO_VARIABLES)
    user_file(local, tables)
    local.run(*copy, "@rep", env={**NO_VARIABLES, "BACKUP_ENCRYPTION_KEY": local.key})
    assert replica.pull("s") == DATA
    # Without a key elsewhere, that of the target is tried.
    local.run("key", "add", "--new-key-file", key_file(replica))
    local.run(*copy, "@rep", env=NO_VARIABLES)
    err = local.run(*copy, "@offsite", env=NO_VARIABLES, expect=12).err
    assert f"the source {local.path}: " in err and "--from-key-file" in err


def test_a_named_bucket_has_its_server_credentials_and_cache(new_s3_repository, minio, local):
    far = new_s3_repository(minio, "far")
    variables = far.environment()
    credentials = write(local.folder / "aws", f"[far]\naws_access_key_id = {variables['AWS_ACCESS_KEY_ID']}\n"
                        f"aws_secret_access_key = {variables['AWS_SECRET_ACCESS_KEY']}\n")
    cache = local.folder / "cache of far"
    user_file(
        local,
        f'endpoint-url = "http://127.0.0.1:9"\n[repository.far]\nplace = "{far.path}"\nendpoint-url = "{far.endpoint}"\n'
        f'region = "us-east-1"\nprofile = "far"\nkey-file = "{key_file(far)}"\ncache-dir = "{cache}"\n'
        'limit-upload = "50MiB"\n',
    )
    env = {**NO_VARIABLES, "AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_EC2_METADATA_DISABLED": "true"}
    local.run("init", "-r", "@far", env=env)
    local.run("push", "s", "-r", "@far", input=DATA, env=env)
    assert local.pull("s", "-r", "@far", env=env) == DATA
    assert list(cache.iterdir()) and not (local.folder / ".cache").exists()


@pytest.mark.parametrize(
    "text, message",
    [
        ("\nmemroy = '1G'\n", ":2: there is no setting 'memroy'; did you mean 'memory'?"),
        ("memory = 'lots'\n", ":1: memory: 'lots'"),
        ("quiet = 1.5\n", ":1: 'quiet'"),
        ("force = true\n", ":1: --force is not a setting: give it on the command line"),
        ("memory = = 1\n", ":1: not valid TOML"),
        ("[retention]\n", ":1: the rules of a retention stand below [[retention]]"),
        ("[[retention]]\nstreams = '*'\n", ":1: the retention has no rule"),
        ("[prune]\n", ":1: there is no table 'prune'; accepted are [repository.NAME], [[retention]] and [[expect]]"),
        ("[repository.a]\nplace = '/a'\nkey_file = '/k'\n", ":3: a repository has no setting 'key_file'"),
        ("memory = 1\nrepo = '@nope'\n", ":2: 'repo': the configuration has no [repository.nope]"),
        ("also = ['/a', '@off']\n", ":1: 'also': the configuration has no [repository.off]"),
        ("passphrase = 'hunter2 hunter2'\n", ":1: 'passphrase' holds a secret"),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_key(local, text, message):
    path = user_file(local, text)
    outcome = local.run("list", expect=2)
    assert f"{path}{message}" in outcome.err and "hunter2" not in outcome.err


def test_config_check_finds_names_and_files_that_are_not_there(local):
    path = user_file(local, f'key-file = "/nowhere/key"\n[repository.a]\nplace = "/a"\npassphrase-file = "{local.path}/b"\n')
    outcome = local.run("config", "check", env=NO_VARIABLES)
    assert f"{path}:1: 'key-file' cannot be read: /nowhere/key: No such file" in outcome.err
    assert f"{path}:4: 'passphrase-file' cannot be read: {local.path}/b: No such file" in outcome.err
    err = local.run("config", "check", env={"DRSTREAM_REPOSITORY": "@nope"}, expect=2).err
    assert "DRSTREAM_REPOSITORY: the configuration has no [repository.nope]" in err


def test_a_broken_file_does_not_stop_help_versions_and_manuals(local):
    user_file(local, "memory = = 1\n")
    assert local.json("config", "check", expect=2)["schema"] == "drstream.error/1"
    for words in [["help"], ["push", "--help"], ["version"], ["completion", "bash"], ["man"]]:
        local.run(*words)


def test_a_file_that_others_may_write_runs_no_command(local):
    mark = local.folder / "ran"
    text = f'passphrase-command = "touch {mark}"\n'
    for mode in [0o660, 0o602]:
        path = user_file(local, text, mode)
        err = local.run("list", env={"BACKUP_ENCRYPTION_KEY": None}, expect=2).err
        assert str(path) in err and f"{mode:04o}" in err and "chmod" in err
    assert not mark.exists()


def test_config_names_the_only_file(local):
    user_file(local, "memroy = 1\n")
    own = write(local.folder / "own.toml", "threads = 5\n")
    assert settings(local, "--config", own)["threads"] == (["5"], f"{own}:1")
    assert settings(local, env={"DRSTREAM_CONFIG": str(own)})["threads"] == (["5"], f"{own}:1")
    local.run("list", "--config", "/dev/null")
    err = local.run("list", "--config", local.folder / "absent.toml", expect=2).err
    assert "there is no configuration file" in err and "absent.toml" in err


def test_config_check_shows_files_settings_and_repositories(local):
    path = user_file(local, f'threads = 4\n[repository.near]\nplace = "{local.path}"\nkey-file = "/etc/near.key"\n')
    text = local.text("config", "check")
    assert f"read     {path}" in text and "/etc/drstream/config.toml" in text
    assert re.search(rf"threads +4  \({re.escape(str(path))}:1\)", text)
    assert re.search(r"repo +\S+  \(DRSTREAM_REPOSITORY\)", text)
    assert f"heads are kept in {local.state}" in text
    assert f"@near is {local.path}, with a key of its own  ({path}:2)" in text
    document = local.json("config", "check")
    assert document["files"][0] == {"path": str(path), "found": True}
    assert document["repositories"] == [
        {"name": "near", "place": str(local.path), "own_key": True, "origin": f"{path}:2",
         "settings": [{"name": "key-file", "values": ["/etc/near.key"], "origin": f"{path}:4"}]}
    ]  # fmt: skip


def test_the_example_is_a_configuration(local, tmp_path):
    example = write(tmp_path / "config.toml", (ROOT / "docs/config.example.toml").read_text())
    document = local.json("config", "check", "--config", example, env=NO_VARIABLES)
    assert {r["name"]: r["place"] for r in document["repositories"]} == {
        "nightly": "/var/backups/drs", "offsite": "s3://acme-backups/pg", "google": "gs://acme-backups/pg"
    }  # fmt: skip
    assert "compression" in {value["name"] for value in document["settings"]}


def test_the_manual_names_the_variables_that_are_read(local, tmp_path):
    local.run("man", "--output-dir", tmp_path)
    pages = "".join(page.read_text() for page in tmp_path.glob("*.1")).replace("\\-", "-")
    read = set(re.findall(r"^Variable: (DRSTREAM_\w+)\.$", pages, re.M)) | set(re.findall(r"BACKUP_\w+KEY(?:_FILE)?", pages))
    section = (ROOT / "docs/OPERATIONS.md").read_text().split("\n## Configuration\n")[1].split("\n## ")[0]
    table = "".join(line for line in section.splitlines() if line.startswith("|"))
    assert set(re.findall(r"`((?:DRSTREAM|BACKUP)_\w+)`", table)) == read | {"DRSTREAM_PASSPHRASE"}
