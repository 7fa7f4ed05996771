"""promtool, Prometheus' own checker of metrics and rules."""

from services.debian_program import debian_program


def install():
    """The path of the program; raises Unavailable where it cannot be had."""
    return debian_program("prometheus", "usr/bin/promtool")
