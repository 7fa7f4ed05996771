"""The units of a night, drstream-nightly@ and what it starts: what they name exists, and their commands, run in the
order of the units, back up, prove and measure. tests/packages/test_systemd.py runs them under systemd itself."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "packaging/systemd"
PROGRAM = "/usr/bin/drstream"


class Unit:
    """A service of the package, as systemd.service(5) reads it."""

    def __init__(self, name):
        lines = (FOLDER / f"drstream-{name}@.service").read_text().replace("\\\n", " ").splitlines()
        self.settings = [line.partition("=")[::2] for line in lines if re.match(r"\w+=", line)]

    def all(self, key):
        return [value for name, value in self.settings if name == key]

    def next(self):
        """The unit that follows, however this one ends."""
        [good] = self.all("OnSuccess") or [None]
        [bad] = self.all("OnFailure") or [None]
        assert good == bad, "a night goes on the same after a failure"
        return good and good.removeprefix("drstream-").removesuffix("@%i.service")


class Night:
    """The units as job `app`, with the lines of its .env file."""

    def __init__(self, repository, **job):
        self.repository, self.job = repository, job
        self.folder = repository.folder / "jobs"
        self.folder.mkdir(exist_ok=True)
        (repository.folder / "key").write_text(repository.key)

    def specifiers(self, text):
        places = {"%i": "app", "%d": self.repository.folder, "%S/drstream-jobs": self.folder, "%C": self.folder}
        for name, place in places.items():
            text = text.replace(name, str(place))
        return text

    def run(self, unit):
        """Its exit codes: those of a service of type oneshot, which ends at the first command that fails."""
        (self.folder / "app").mkdir(exist_ok=True)
        settings = dict(pair.split("=", 1) for line in unit.all("Environment")
                        for pair in shlex.split(self.specifiers(line)))  # fmt: skip
        settings |= self.job
        codes = []
        for line in unit.all("ExecStart"):
            words = [word for text in self.specifiers(line).split() for word in expanded(text, settings)]
            assert words[0] == PROGRAM
            codes.append(self.repository.run(*words[1:], env=settings, expect=None).code)
            if codes[-1] != 0:
                break
        return codes

    def run_all(self):
        """By unit, in order."""
        codes, name = {}, "nightly"
        while name:
            unit = Unit(name)
            codes[name] = self.run(unit)
            name = unit.next()
        return codes

    def metrics(self, work):
        text = (self.folder / f"app/drstream-{work}-app.prom").read_text()
        return {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line[0] != "#"}


def expanded(word, settings):
    """${FOO} is a part of a word; $FOO alone is split into words."""
    if re.fullmatch(r"\$\w+", word):
        return shlex.split(settings.get(word[1:], ""))
    return [re.sub(r"\$\{(\w+)\}", lambda found: settings[found[1]], word)]


@pytest.fixture
def night(drs):
    drs.state.mkdir(exist_ok=True)
    return Night(drs, STREAM="pg/app", PUSH_COMMAND="echo 'a dump'", FORGET_OPTIONS="--keep-daily 7",
                 STATUS_OPTIONS="--newest-within 25h --verified-within 30d")  # fmt: skip


@pytest.mark.local_only("units keep their state in folders")
def test_a_night_backs_up_proves_and_measures(night):
    assert night.run_all() == {"nightly": [0, 0], "sweep": [0], "status": [0]}
    assert night.metrics("push")["drstream_backup_last_status"] == 1
    assert night.metrics("sweep")["drstream_sweep_last_status"] == 1
    assert night.metrics("status")["drstream_verify_coverage_ratio"] == 1


@pytest.mark.local_only("units keep their state in folders")
def test_a_night_whose_push_fails_drops_nothing_and_still_proves(night):
    assert night.run_all()["nightly"] == [0, 0]
    night.job["PUSH_COMMAND"] = "false"
    assert night.run_all() == {"nightly": [3], "sweep": [0], "status": [0]}
    assert night.metrics("push")["drstream_backup_last_exit_code"] == 3
    night.job["STATUS_OPTIONS"] = "--newest-within 0s"
    assert night.run_all() == {"nightly": [3], "sweep": [0], "status": [15]}


@pytest.mark.local_only("it damages a file")
def test_a_night_that_finds_damage_ends_with_it(night):
    night.run_all()
    night.repository.flip(night.repository.largest_pack(), 100)
    night.job["SWEEP_OPTIONS"] = "--verified-within 0s"
    assert night.run_all() == {"nightly": [0, 0], "sweep": [4], "status": [4]}
    assert night.metrics("status")["drstream_repo_damaged_packs"] == 1
    assert night.metrics("sweep")["drstream_sweep_last_exit_code"] == 4


def test_what_the_units_start_is_there():
    for timer in FOLDER.glob("*.timer"):
        assert timer.with_suffix(".service").exists(), timer.name
    named = {unit.next() for unit in map(Unit, ("nightly", "sweep"))}
    assert named == {"sweep", "status"} and Unit("status").next() is None


@pytest.mark.parametrize("service", sorted(FOLDER.glob("*.service")), ids=lambda path: path.name)
def test_a_service_is_sound_and_hardened(service, binary, tmp_path):
    for unit in FOLDER.iterdir():
        (tmp_path / unit.name).write_text(unit.read_text().replace(PROGRAM, str(binary)))
    here = tmp_path / service.name
    checked = subprocess.run(["systemd-analyze", "--man=no", "verify", here], check=False, capture_output=True,
                             text=True)  # fmt: skip
    assert (checked.returncode, checked.stderr) == (0, "")
    rated = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", here], check=False,
                           capture_output=True, text=True)  # fmt: skip
    assert rated.returncode == 0, rated.stdout
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "DynamicUser=yes", "StateDirectory=drstream-jobs/%i",
                 "LoadCredential=key:/etc/drstream/%i.key"):  # fmt: skip
        assert line in service.read_text().splitlines()
