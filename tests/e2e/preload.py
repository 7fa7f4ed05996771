"""Libraries of this folder that LD_PRELOAD puts below the command, to make its system behave otherwise."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def preload(name, folder, missing, *flags):
    """Compiles NAME.c into `folder`. The environment that loads it."""
    if shutil.which("cc") is None:
        missing("there is no C compiler")
    library = folder / f"{name}.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-Wall", "-Werror", *flags, "-o", library, HERE / f"{name}.c", "-ldl"],
                   check=True)  # fmt: skip
    return {"LD_PRELOAD": str(library)}
