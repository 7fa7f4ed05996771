"""Prometheus' Pushgateway, which keeps what jobs send it until Prometheus reads it."""

import json

from services.debian_program import debian_program
from services.http_client import send
from services.server_process import ServerProcess, free_port


def install():
    return debian_program("prometheus-pushgateway", "usr/bin/prometheus-pushgateway")


class Pushgateway(ServerProcess):
    """A context manager. `url`: its address."""

    def __init__(self, folder):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__([install(), f"--web.listen-address=127.0.0.1:{port}"], folder, self.is_ready)

    def is_ready(self):
        return send(f"{self.url}/-/ready").status == 200

    def groups(self):
        """The labels of each group."""
        return [group["labels"] for group in json.loads(send(f"{self.url}/api/v1/metrics").body)["data"]]

    def text(self):
        """What Prometheus would read."""
        return send(f"{self.url}/metrics").body.decode()
