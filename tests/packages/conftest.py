"""What the tests of the packages share: the packages, made of a build by scripts/package, and roots to try them in.

DRSTREAM_BUILD=FOLDER   the build; else build/release
DRSTREAM_TEST_FULL=1    further releases of Debian, and systemd itself
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from archive_tree import unpack
from services import debian_root
from services.cache import Unavailable

ROOT = Path(__file__).resolve().parents[2]


def pytest_collection_modifyitems(items):
    full = os.environ.get("DRSTREAM_TEST_FULL") == "1"
    for item in items:
        if item.get_closest_marker("campaign") and not full:
            item.add_marker(pytest.mark.skip(reason="a campaign: DRSTREAM_TEST_FULL=1"))


def pytest_configure(config):
    config.addinivalue_line("markers", "campaign: only with DRSTREAM_TEST_FULL=1")


@pytest.fixture(scope="session")
def build(missing):
    folder = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release"))
    for file in ["tools/drstream", "tools/generated/stamp", "packaging/drstream_launcher"]:
        if not (folder / file).exists():
            missing(f"{folder / file} is not built: scripts/build release")
    return folder


def make_package(kind, build, folder):
    made = subprocess.run(
        [ROOT / "scripts/package", kind, "--build", build, "--output", folder],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(made.stdout.strip())


@pytest.fixture(scope="session")
def deb(build, tmp_path_factory):
    return make_package("deb", build, tmp_path_factory.mktemp("deb"))


@pytest.fixture(scope="session")
def archive(build, tmp_path_factory):
    return make_package("archive", build, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def as_root(missing):
    if os.geteuid() != 0:
        missing("needs root: it mounts and changes roots")


@pytest.fixture(scope="module")
def new_root(as_root, missing, tmp_path_factory):
    """new_root(name): an overlay over a Debian root (services/debian_root.py)."""
    overlays = []

    def make(name):
        try:
            root = debian_root.install(name)
        except (Unavailable, FileNotFoundError) as problem:
            missing(str(problem))
        overlays.append(debian_root.Overlay(root, tmp_path_factory.mktemp("overlay")))
        return overlays[-1].__enter__()

    yield make
    for overlay in overlays:
        overlay.__exit__()


@pytest.fixture(scope="session")
def unpacked_archive(archive, tmp_path_factory):
    return unpack(archive, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture
def empty_root(as_root, unpacked_archive, tmp_path, missing):
    """A root that holds the archive in /opt, a static busybox, and nothing else."""
    root = tmp_path / "empty"
    for folder in ["bin", "opt", "etc", "tmp"]:
        (root / folder).mkdir(parents=True)
    busybox = shutil.which("busybox")
    if busybox is None:
        missing("busybox is not installed: scripts/install-packages")
    shutil.copy(busybox, root / "bin/busybox")
    for name in ["sh", "cat", "env", "grep", "sleep", "head", "true"]:
        (root / "bin" / name).symlink_to("busybox")
    subprocess.run(["cp", "-a", "--link", unpacked_archive, root / "opt/drstream"], check=True)
    return root
