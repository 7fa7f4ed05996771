"""kubernetes-validate, which checks manifests against the published schemas of Kubernetes' own types, without a
cluster: https://pypi.org/project/kubernetes-validate. It brings the schemas of several versions."""

import json
import subprocess
import sys
from pathlib import Path

from services.cache import install_once, run_installer

REQUIREMENTS = Path(__file__).with_name("kubernetes_validate_requirements.txt")
VERSIONS = ["1.30", "1.33", "1.37"]


def install():
    """The Python of a virtual environment with it, and with YAML."""

    def make(folder):
        run_installer(sys.executable, "-m", "venv", folder)
        run_installer(folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", REQUIREMENTS)

    version = next(line for line in REQUIREMENTS.read_text().split() if line.startswith("kubernetes-validate=="))
    return install_once(version.replace("==", "-"), make) / "bin/python"


def problems(python, manifest, version):
    """What is wrong with the objects of a file, unknown properties included; empty if nothing is."""
    done = subprocess.run(
        [python, "-m", "kubernetes_validate", "--strict", "--quiet", "--no-warn", "-k", version, manifest],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else (done.stdout + done.stderr) or "it failed"


def objects(python, manifest):
    """The objects of a file of YAML."""
    code = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))"
    return json.loads(subprocess.run([python, "-c", code, manifest], check=True, capture_output=True).stdout)
