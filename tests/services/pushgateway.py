"""Prometheus' Pushgateway, which keeps what jobs send it until Prometheus reads it."""

import base64
import json

from services.debian_program import debian_program
from services.http_client import send
from services.server_process import ServerProcess, free_port


def install():
    return debian_program("prometheus-pushgateway", "usr/bin/prometheus-pushgateway")


USER, PASSWORD = "drstream", "a password"
PASSWORD_BCRYPT = "$2b$04$5SMqEjfi5XO6SRoVDu/I3e8S8WvP2v72f7JKxKrqGz2W/lIpgieZq"  # of PASSWORD


class Pushgateway(ServerProcess):
    """A context manager. `url`: its address. With certificates: HTTPS, and requests need USER and PASSWORD."""

    def __init__(self, folder, certificates=None):
        port = free_port()
        self.url = f"{'https' if certificates else 'http'}://127.0.0.1:{port}"
        self.certificates = certificates
        folder.mkdir(parents=True, exist_ok=True)
        command = [install(), f"--web.listen-address=127.0.0.1:{port}"]
        if certificates:
            config = folder / "web.yml"
            config.write_text(f"tls_server_config: {{cert_file: {certificates.certificate_file}, "
                              f"key_file: {certificates.key_file}}}\nbasic_auth_users: {{{USER}: {PASSWORD_BCRYPT}}}\n")
            command.append(f"--web.config.file={config}")
        super().__init__(command, folder, self.is_ready)

    def get(self, path):
        """The reply, as the user asks."""
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return send(f"{self.url}{path}", headers={"Authorization": f"Basic {login}"},
                    ca_file=self.certificates and self.certificates.ca_file)

    def is_ready(self):
        return self.get("/-/ready").status == 200

    def groups(self):
        """The labels of each group."""
        return [group["labels"] for group in json.loads(self.get("/api/v1/metrics").body)["data"]]

    def text(self):
        """What Prometheus would read."""
        return self.get("/metrics").body.decode()
