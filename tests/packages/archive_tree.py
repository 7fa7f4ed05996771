"""The archive as it is unpacked."""

import subprocess


def unpack(archive, folder):
    """The archive's one folder, unpacked in `folder`."""
    subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
    return folder / archive.name.removesuffix(".tar.gz")
