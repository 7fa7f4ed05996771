"""A cache of programs that tests need and Debian does not package: built once, shared by all runs.

    DRSTREAM_SERVICES_CACHE=FOLDER   the cache; default ${XDG_CACHE_HOME:-~/.cache}/drstream-services
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path


class Unavailable(Exception):
    """A service is not available on this machine; the text says why."""


def cache_folder():
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("DRSTREAM_SERVICES_CACHE") or base / "drstream-services").absolute()


def say(text):
    print(f"services: {text}", file=sys.stderr, flush=True)


def install_once(name, make):
    """The folder `name` of the cache. If it does not exist, one of the concurrent runs fills it with make(folder)."""
    final = cache_folder() / name
    if final.exists():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with open(final.with_name(f"{name}.lock"), "w", encoding="utf-8") as lock:
        wait_for(lock, f"waiting for another run that installs {name}")
        if not final.exists():
            partial = final.with_name(f"{name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            say(f"installing {name} in {final.parent}")
            started = time.monotonic()
            make(partial)
            partial.rename(final)
            say(f"installed {name} in {time.monotonic() - started:.0f} s")
    return final


def wait_for(lock, notice):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(notice)
        fcntl.flock(lock, fcntl.LOCK_EX)


def run_installer(*command, **variables):
    """The output of the command. Raises Unavailable with its last lines if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **{name: str(value) for name, value in variables.items()}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(map(str, command))} failed: {done.stderr.strip()[-1500:]}")
    return done.stdout
