"""Programs of Debian packages that are not installed, since that would start a server: unpacked into the cache."""

from services.cache import Unavailable, install_once, run_installer

DOWNLOAD = 'cd "$1" && apt-get download "$2" && dpkg-deb -x "$2"_*.deb . && rm "$2"_*.deb'


def debian_program(package, program):
    """The path of `program`, as "usr/bin/promtool", of a package; raises Unavailable where it cannot be had."""

    def make(folder):
        try:
            run_installer("sh", "-c", DOWNLOAD, "sh", folder, package)
        except Unavailable:  # the lists of packages may be old, or none
            run_installer("apt-get", "update")
            run_installer("sh", "-c", DOWNLOAD, "sh", folder, package)

    return install_once(package, make) / program
