"""Keys: every way to give one, every way in which one is wrong, slots, and that no key is ever to be seen."""

import os
import random

import pytest
from repository import random_key, sample_bytes

DATA = sample_bytes(200_000)


def key_file(folder, text, name="key", mode=0o600):
    path = folder / name
    path.write_text(text)
    path.chmod(mode)
    return path


def no_key(**more):
    return {"BACKUP_ENCRYPTION_KEY": None, **more}


def test_init_prints_how_to_keep_the_key_and_not_the_key(new_repository):
    repository = new_repository()
    outcome = repository.run("init")
    assert "Keep the key apart" in outcome.out.decode()
    assert repository.key not in outcome.out.decode() + outcome.err


@pytest.mark.local_only("a directory, not a bucket")
def test_init_needs_a_directory_of_its_own(drs, tmp_path):
    before = drs.tree()
    for inside in ["packs", "new"]:
        err = drs.run("init", "-r", drs.path / inside, expect=2).err
        assert "lies in the repository" in err and str(drs.path) in err
    assert drs.tree() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "letter.txt" in drs.run("init", "-r", tmp_path / "mine", expect=2).err
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    drs.run("init", "-r", tmp_path / "disk")


@pytest.mark.local_only("a directory, not a bucket")
def test_init_refuses_what_is_no_directory(drs, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for place, word in [("file", "is not a directory"), ("dangling", "a dangling link"),
                        ("loop", "cannot be a directory"), ("loop/new", "cannot be a directory"),
                        ("x" * 256, "cannot be a directory")]:  # fmt: skip
        assert word in drs.run("init", "-r", tmp_path / place, expect=2).err
    assert (tmp_path / "file").read_bytes() == b"mine" and not (tmp_path / "absent").exists()


def test_init_twice_is_refused_and_touches_nothing(drs):
    drs.push("s", DATA)
    before = drs.tree()
    outcome = drs.run("init", expect=2)
    assert "nothing was changed" in outcome.err
    drs.run("init", env={"BACKUP_ENCRYPTION_KEY": random_key()}, expect=2)
    assert drs.tree() == before


def test_init_needs_a_key_or_to_be_told_that_none_is_wanted(new_repository):
    repository = new_repository(key=None)
    outcome = repository.run("init", expect=12)
    assert "--encryption none" in outcome.err
    assert not repository.exists()


@pytest.mark.every_store
@pytest.mark.parametrize("command", [["list"], ["push", "s"], ["pull", "s"], ["verify"], ["stats"], ["key", "test"]])
def test_no_repository_has_an_exit_code_of_its_own(new_repository, command):
    repository = new_repository()
    outcome = repository.run(*command, input=b"x", expect=10)
    assert str(repository.path) in outcome.err
    assert not repository.exists()
    repository.run("scrub", expect=10)


@pytest.mark.local_only("a bucket has no folders")
def test_an_empty_folder_is_no_repository_and_stays_empty(new_repository):
    repository = new_repository()
    repository.path.mkdir()
    for command in [["list"], ["push", "s"], ["pull", "s"], ["verify"], ["stats"], ["key", "test"], ["scrub"]]:
        repository.run(*command, input=b"x", expect=10)
    assert list(repository.path.rglob("*")) == []


BAD_KEYS = {
    "missing": None,
    "63 digits": random_key()[:63],
    "65 digits": random_key() + "0",
    "not hex": "g" + random_key()[1:],
    "empty": "",
    "another": random_key(),
    "a placeholder": "0" * 64,
}


@pytest.mark.parametrize("what", BAD_KEYS)
@pytest.mark.parametrize("command", [["list"], ["push", "s"], ["pull", "s"], ["verify"], ["repair", "index"]])
def test_a_bad_key_is_refused_and_not_echoed(drs, what, command):
    before = drs.tree()
    outcome = drs.run(*command, input=b"x", env={"BACKUP_ENCRYPTION_KEY": BAD_KEYS[what]}, expect=12)
    assert drs.tree() == before
    if BAD_KEYS[what]:
        assert BAD_KEYS[what][:32] not in outcome.err
    assert outcome.out == b""


def test_a_key_comes_from_a_file_by_variable_and_by_option(drs, tmp_path):
    drs.push("s", DATA)
    path = key_file(tmp_path, drs.key + "\n")
    drs.run("key", "test", env=no_key(BACKUP_ENCRYPTION_KEY_FILE=str(path)))
    drs.run("key", "test", env=no_key(DRSTREAM_KEY_FILE=str(path)))
    assert drs.pull("s", "--key-file", path, env=no_key()) == DATA
    # An option wins over the environment.
    assert drs.pull("s", "--key-file", path, env={"BACKUP_ENCRYPTION_KEY": random_key()}) == DATA
    drs.run("key", "test", "--key-file", tmp_path / "absent", env=no_key(), expect=12)


def test_a_key_file_that_others_may_read_is_warned_of(drs, tmp_path):
    outcome = drs.run("key", "test", "--key-file", key_file(tmp_path, drs.key, mode=0o644), env=no_key())
    assert "chmod 600" in outcome.err


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users: needs root")
def test_roots_key_file_may_be_read_by_one_group_as_a_secret_of_kubernetes_is(drs, tmp_path):
    path = key_file(tmp_path, drs.key)
    for owner, mode, warned in [(0, 0o440, False), (0, 0o640, False), (0, 0o444, True), (1000, 0o440, True)]:
        os.chown(path, owner, 1000)
        path.chmod(mode)
        outcome = drs.run("key", "test", "--key-file", path, env=no_key())
        assert ("other users may read it" in outcome.err) == warned, (owner, oct(mode), outcome.err)


def test_a_damaged_key_file_is_not_echoed(drs, tmp_path):
    outcome = drs.run("key", "test", "--key-file", key_file(tmp_path, drs.key[:40]), env=no_key(), expect=12)
    assert drs.key[:40] not in outcome.err


MISPLACED = {
    "variable of a file": ([], "BACKUP_ENCRYPTION_KEY_FILE"),
    "variable of an option": ([], "DRSTREAM_KEY_FILE"),
    "key file": (["--key-file", "{key}"], None),
    "passphrase file": (["--passphrase-file", "{key}"], None),
    "passphrase command": (["--passphrase-command", "{key}"], None),
    "setting of the place": (["-r", "file:///nowhere?key={key}"], None),
    "repository": (["-r", "{key}"], None),
    "argument": (["{key}"], None),
}


@pytest.mark.parametrize("how", MISPLACED)
@pytest.mark.parametrize("form", [[], ["--json"], ["--log-format", "json"]])
def test_a_key_in_the_place_of_a_name_is_not_echoed(drs, how, form):
    arguments, variable = MISPLACED[how]
    words = [word.replace("{key}", drs.key) for word in arguments]
    env = no_key(**({variable: drs.key} if variable else {}))
    outcome = drs.run("key", "test", *words, *form, env=env, expect=None)
    assert outcome.code in (2, 10, 12), outcome
    assert drs.key not in outcome.err and drs.key.encode() not in outcome.out
    assert "64 hex digits, not shown" in outcome.err


@pytest.mark.every_store
def test_a_passphrase_opens_from_a_file_and_from_a_command(new_repository, tmp_path):
    phrase = "correct horse battery staple"
    repository = new_repository(key=None)
    path = key_file(tmp_path, phrase + "\n", name="phrase")
    repository.run("init", "--passphrase-file", path)
    repository.run("push", "s", "--passphrase-file", path, input=DATA)
    assert repository.pull("s", "--passphrase-command", f"cat {path}") == DATA
    wrong = key_file(tmp_path, "incorrect horse", name="wrong")
    outcome = repository.run("pull", "s", "--passphrase-file", wrong, expect=12)
    assert "incorrect horse" not in outcome.err
    outcome = repository.run("pull", "s", "--passphrase-command", "false", expect=12)
    assert phrase not in outcome.err


def test_an_option_wins_over_every_other_way_to_give_a_key(drs, tmp_path):
    """In the environment and in a configuration file."""
    phrase = key_file(tmp_path, "correct horse battery staple", name="phrase")
    drs.run("key", "add", "--new-passphrase-file", phrase)
    right = {"--key-file": key_file(tmp_path, drs.key), "--passphrase-file": phrase,
             "--passphrase-command": f"cat {phrase}"}  # fmt: skip
    variables = {"--key-file": "DRSTREAM_KEY_FILE", "--passphrase-file": "DRSTREAM_PASSPHRASE_FILE",
                 "--passphrase-command": "DRSTREAM_PASSPHRASE_COMMAND"}  # fmt: skip
    absent = str(tmp_path / "absent")
    for option, value in right.items():
        for other in right:
            drs.run("key", "test", option, value, env=no_key(**{variables[other]: absent}))
            config = key_file(tmp_path, f'{other[2:]} = "{absent}"\n', name="config.toml")
            drs.run("key", "test", f"{option}={value}", "--config", config, env=no_key())
        wrong = {name: absent for name in [*variables.values(), "BACKUP_ENCRYPTION_KEY_FILE"]}
        wrong |= {"BACKUP_ENCRYPTION_KEY": random_key(), "DRSTREAM_PASSPHRASE": "incorrect horse"}
        drs.run("key", "test", option, value, env=wrong)
    assert "exclude each other" in drs.run("key", "test", env=wrong, expect=2).err


def test_an_option_wins_for_the_key_of_the_source_and_for_the_new_key_too(drs, new_repository, tmp_path):
    drs.push("s", DATA)
    replica, clear = new_repository("replica"), new_repository("clear", key=None)
    source, absent = key_file(tmp_path, drs.key), str(tmp_path / "absent")
    wrong = {"DRSTREAM_FROM_PASSPHRASE_FILE": absent, "DRSTREAM_FROM_UNENCRYPTED": "1"}
    replica.run("init", "--replica-of", drs.path, "--from-key-file", source, env=wrong)
    assert replica.json("copy", "--from-repository", drs.path, "--from-key-file", source, env=wrong)["copied"] == 1
    clear.run("init", "--encryption", "none")
    drs.run("copy", "--from-repository", clear.path, "--from-unencrypted", env={"DRSTREAM_FROM_KEY_FILE": absent})
    new = key_file(tmp_path, random_key(), name="new")
    drs.run("key", "add", "--new-key-file", new, env={"DRSTREAM_NEW_PASSPHRASE_FILE": absent})


def test_two_ways_at_once_are_refused(drs, tmp_path):
    path = key_file(tmp_path, drs.key)
    drs.run("key", "test", "--key-file", path, "--passphrase-file", path, expect=2)


@pytest.mark.every_store
def test_a_slot_can_be_added_used_and_removed_but_never_the_last(drs, tmp_path):
    drs.push("s", DATA)
    second = random_key()
    drs.run("key", "add", "--new-key-file", key_file(tmp_path, second), "--label", "offline safe")
    slots = drs.json("key", "list")["slots"]
    assert sorted(slot.get("label", "") for slot in slots) == ["", "offline safe"]
    assert sum(slot["current"] for slot in slots) == 1
    with_second = {"BACKUP_ENCRYPTION_KEY": second}
    assert drs.pull("s", env=with_second) == DATA
    drs.push("s", DATA + b"more", env=with_second)
    assert drs.pull("s") == DATA + b"more"

    old = next(slot["id"] for slot in slots if slot["current"])
    outcome = drs.run("key", "remove", old[:8], env=with_second)
    assert "master key is the same" in outcome.err
    drs.run("list", expect=12)
    assert drs.pull("s", env=with_second) == DATA + b"more"

    (last,) = drs.json("key", "list", env=with_second)["slots"]
    before = drs.tree()
    outcome = drs.run("key", "remove", last["id"], env=with_second, expect=None)
    assert outcome.code not in (0, 1), outcome
    assert "last" in outcome.err
    assert drs.tree() == before


def test_the_only_slot_of_the_given_key_is_removed_with_force_alone(drs, tmp_path):
    second = random_key()
    path = key_file(tmp_path, second)
    added = drs.json("key", "add", "--new-key-file", path, "--label", "offline safe")["slot"]
    own = drs.json("key", "test")["slot"]
    outcome = drs.run("key", "remove", own, expect=2)
    assert f"The slots that remain: {added} (key, offline safe)" in outcome.err and "--force" in outcome.err
    drs.run("list")
    drs.run("key", "remove", own, "--force")
    drs.run("list", expect=12)
    drs.run("list", env={"BACKUP_ENCRYPTION_KEY": second})


def test_a_key_that_has_a_slot_gets_no_second_one(drs, tmp_path):
    phrase = key_file(tmp_path, "a phrase of many words\n", name="phrase")
    for option, path in [("--new-key-file", key_file(tmp_path, random_key())), ("--new-passphrase-file", phrase)]:
        first = drs.json("key", "add", option, path)
        again = drs.json("key", "add", option, path, "--label", "again")
        assert first["added"] and not again["added"] and again["slot"] == first["slot"]
        assert f"already has key slot {first['slot']}: nothing was added" in drs.text("key", "add", option, path)
    assert len(drs.json("key", "list")["slots"]) == 3


def test_a_passphrase_file_of_several_lines_is_refused(drs, tmp_path):
    for text, code in [("one phrase\n", 0), ("one phrase", 0), ("one phrase\r\n", 0), ("one\ntwo\n", 2), ("one\n\n", 2)]:
        path = key_file(tmp_path, text, name="phrase")
        outcome = drs.run("key", "add", "--new-passphrase-file", path, expect=code)
        assert ("more than one line" in outcome.err) == (code == 2)
    assert len(drs.json("key", "list")["slots"]) == 2


def test_a_slot_that_does_not_exist_cannot_be_removed(drs):
    drs.run("key", "remove", "00000000", expect=2)


def test_a_passphrase_slot_can_be_added(drs, tmp_path):
    path = key_file(tmp_path, "a phrase of many words", name="phrase")
    drs.run("key", "add", "--new-passphrase-file", path)
    drs.run("key", "test", "--passphrase-file", path, env=no_key())
    drs.run("verify", "--read-data")


def test_without_encryption_it_is_loud_and_refuses_a_key(new_repository):
    repository = new_repository(key=None)
    outcome = repository.run("init", "--encryption", "none", "-q")
    assert "NOT ENCRYPTED" in outcome.err
    outcome = repository.run("push", "s", input=DATA)
    assert "NOT encrypted" in outcome.err
    assert repository.pull("s") == DATA
    # A caller who supplies a key expects encryption.
    with_key = {"BACKUP_ENCRYPTION_KEY": random_key()}
    for command in [["push", "s"], ["pull", "s"], ["list"], ["verify"]]:
        repository.run(*command, input=DATA, env=with_key, expect=12)


def test_init_without_encryption_refuses_a_supplied_key(new_repository):
    repository = new_repository()
    repository.run("init", "--encryption", "none", expect=2)
    assert not repository.exists()


@pytest.mark.every_store
def test_a_repository_exchanged_for_a_clear_one_is_refused(drs, new_repository):
    clear = new_repository("clear", key=None)
    clear.run("init", "--encryption", "none")
    drs.put_back({name: clear.read_object(name) for name in clear.objects()})
    drs.run("push", "s", input=DATA, expect=12)


def test_the_key_is_nowhere_to_be_seen(new_repository, tmp_path):
    """A sentinel key goes through every command; then everything that was printed or written is searched."""
    sentinel = random.Random(7).randbytes(32)
    repository = new_repository(key=sentinel.hex())
    phrase = "sentinel phrase that nobody may see"
    phrase_file = key_file(tmp_path, phrase, name="phrase")
    printed = []

    def run(*arguments, **options):
        outcome = repository.run(*arguments, "-vv", expect=None, **options)
        printed.append(outcome.out + outcome.err.encode())
        return outcome

    run("init", "--label", "first")
    watch = "import os; print([open(f'/proc/{os.getppid()}/{f}', 'rb').read() for f in ('cmdline', 'environ')])"
    assert run("push", "watched", "--exec", "--", "/usr/bin/python3", "-c", watch).code == 0
    assert run("key", "add", "--new-passphrase-file", phrase_file).code == 0
    for command in [
        ["push", "s"], ["list", "--json"], ["show", "s"], ["verify", "--read-data", "s"], ["stats"], ["doctor"],
        ["version"], ["key", "list"], ["key", "test"], ["repair", "index", "--all"], ["scrub"], ["pull", "watched"],
        ["pull", "s"], ["pull", "nothing"], ["key", "remove", "0000"], ["init"], ["init", "--encryption", "none"],
        ["push", "s", "--log-format", "json", "--exec", "--", "false"],
    ]:  # fmt: skip
        run(*command, input=DATA)
    run("list", env={"BACKUP_ENCRYPTION_KEY": sentinel.hex()[:63]})
    run("list", env={"BACKUP_ENCRYPTION_KEY": sentinel.hex() + "\n\n"})
    written = [path.read_bytes() for path in repository.folder.rglob("*") if path.is_file()]
    written += [repository.read_object(name) for name in repository.objects()]
    forbidden = [sentinel, sentinel.hex().encode(), sentinel.hex().upper().encode(), phrase.encode()]
    forbidden.append(sentinel.hex()[:32].encode())
    for text in printed + written:
        for secret in forbidden:
            assert secret not in text


@pytest.mark.local_only("permissions of files")
def test_files_of_the_repository_are_for_their_owner_only(drs):
    drs.push("s", DATA)
    for path in [drs.path, *drs.path.rglob("*"), *drs.state.rglob("*")]:
        mode = path.stat().st_mode
        assert mode & 0o007 == 0, f"{path} {oct(mode)}"
    assert os.access(drs.path, os.R_OK)


def test_a_passphrase_may_come_from_a_variable_and_no_child_gets_it(new_repository):
    drs = new_repository(key=None)
    env = {"DRSTREAM_PASSPHRASE": "correct horse battery staple"}
    assert "prefer --passphrase-file" in drs.run("init", env=env).err
    drs.run("push", "s", "--exec", "--", "sh", "-c", "echo [$DRSTREAM_PASSPHRASE]", env=env)
    outcome = drs.run("pull", "s", env=env)
    assert outcome.out == b"[]\n"
    assert "DRSTREAM_PASSPHRASE" in outcome.err and "correct horse" not in outcome.err
