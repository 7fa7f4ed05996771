"""moto, which emulates AWS: here STS, which issues credentials for a token, and S3, which accepts any credentials."""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import urlencode

from services.cache import install_once, run_installer
from services.http_client import expect, send
from services.server_process import ServerProcess, free_port

REQUIREMENTS = Path(__file__).with_name("moto_requirements.txt")


def install():
    """The Python of a virtual environment with moto."""

    def make(folder):
        run_installer(sys.executable, "-m", "venv", folder)
        run_installer(folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", REQUIREMENTS)

    version = next(line for line in REQUIREMENTS.read_text().split() if line.startswith("moto=="))
    return install_once(version.replace("==", "-"), make) / "bin/python"


class MotoServer(ServerProcess):
    """A context manager."""

    def __init__(self, folder):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__([install(), "-m", "moto.server", "-H", "127.0.0.1", "-p", self.port], folder, self._is_ready)

    def _is_ready(self):
        return send(f"{self.endpoint}/moto-api/").status == 200

    def assume_role_with_web_identity(self, token, role="arn:aws:iam::123456789012:role/backup"):
        """The credentials that STS issues for a token: AccessKeyId, SecretAccessKey, SessionToken, Expiration."""
        form = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": role,
                "RoleSessionName": "drstream", "WebIdentityToken": token}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = expect(send(f"{self.endpoint}/", "POST", headers, urlencode(form).encode()))
        found = ElementTree.fromstring(reply.body).find(".//{*}Credentials")
        return {item.tag.rpartition("}")[2]: item.text for item in found}
