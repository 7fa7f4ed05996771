"""Builds programs from Go modules, with the Go version they need."""

import json
import platform
import re
import shutil
from functools import cache
from pathlib import Path

from services.cache import Unavailable, install_once, run_installer

GO_NEEDED = (1, 26)
GO_TOOLCHAIN = "go1.26.0"


def go_module(name, package, version):
    """The path of the program that `go install package@version` builds."""

    def build(folder):
        # Without cgo the program does not depend on libraries of this machine.
        run_go("install", "-trimpath", f"{package}@{version}", GOBIN=folder, CGO_ENABLED=0)

    return install_once(f"{name}-{version}", build) / package.rsplit("/", 1)[-1]


def go_program_of_module(name, module, version, package):
    """The path of the program in the folder `package` of a module that `go install` refuses, since the module replaces
    modules that it needs. Builds it in its download folder."""

    def build(folder):
        source = json.loads(run_go("mod", "download", "-json", f"{module}@{version}"))["Dir"]
        run_go("-C", source, "build", "-trimpath", "-o", folder / package, f"./{package}", CGO_ENABLED=0)

    return install_once(f"{name}-{version}", build) / package


def run_go(*arguments, **variables):
    return run_installer(go(), *arguments, GOTOOLCHAIN="local", **variables)


@cache
def go():
    """The go on PATH, or a newer one fetched with it: Debian 12 has 1.19, which supports modules but not toolchains."""
    own = shutil.which("go")
    if own is None:
        raise Unavailable("no Go: install golang-go")
    version = re.search(r"go(\d+)\.(\d+)", run_installer(own, "version", GOTOOLCHAIN="local"))
    if version and tuple(map(int, version.groups())) >= GO_NEEDED:
        return Path(own)
    return install_once(GO_TOOLCHAIN, lambda folder: fetch_toolchain(own, folder)) / "go/bin/go"


def fetch_toolchain(own, folder):
    """Fetches a Go release. It is also a module, so any go can fetch it from its proxy and verify its checksum."""
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    module = f"golang.org/toolchain@v0.0.1-{GO_TOOLCHAIN}.linux-{architecture}"
    downloads = folder / "downloads"
    answer = run_installer(own, "mod", "download", "-modcacherw", "-json", module, GOMODCACHE=downloads,
                           GOTOOLCHAIN="local")
    Path(json.loads(answer)["Dir"]).rename(folder / "go")
    shutil.rmtree(downloads)
    for pattern in ("bin/*", "pkg/tool/*/*"):  # modules store no file modes
        for program in (folder / "go").glob(pattern):
            program.chmod(0o755)
