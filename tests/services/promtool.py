"""promtool, Prometheus' own checker of metrics and rules, from Debian's package, which is not installed: it would start
a server."""

from services.cache import Unavailable, install_once, run_installer

DOWNLOAD = 'cd "$1" && apt-get download prometheus && dpkg-deb -x prometheus_*.deb . && rm prometheus_*.deb'


def install():
    """The path of the program; raises Unavailable where it cannot be had."""

    def make(folder):
        try:
            run_installer("sh", "-c", DOWNLOAD, "sh", folder)
        except Unavailable:  # the lists of packages may be old, or none
            run_installer("apt-get", "update")
            run_installer("sh", "-c", DOWNLOAD, "sh", folder)

    return install_once("prometheus", make) / "usr/bin/promtool"
