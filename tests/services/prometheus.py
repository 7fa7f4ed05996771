"""Prometheus and its node_exporter, as Debian packages them."""

import json
from urllib.parse import urlencode

from services.debian_program import debian_program
from services.http_client import expect, send
from services.server_process import ServerProcess, free_port

CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 500ms}}
rule_files: ["{rules}"]
scrape_configs: [{{job_name: node, static_configs: [{{targets: ["{target}"]}}]}}]
"""


def install():
    debian_program("prometheus", "usr/bin/prometheus")
    debian_program("prometheus-node-exporter", "usr/bin/prometheus-node-exporter")


class NodeExporter(ServerProcess):
    """A context manager. It reads the files *.prom of `metrics`, and has the sizes of file systems."""

    def __init__(self, folder, metrics):
        self.address = f"127.0.0.1:{free_port()}"
        folder.mkdir(parents=True, exist_ok=True)
        command = [debian_program("prometheus-node-exporter", "usr/bin/prometheus-node-exporter"),
                   "--collector.disable-defaults", "--collector.filesystem", "--collector.textfile",
                   f"--collector.textfile.directory={metrics}", f"--web.listen-address={self.address}"]  # fmt: skip
        super().__init__(command, folder, lambda: send(f"http://{self.address}/metrics").status == 200)


class Prometheus(ServerProcess):
    """A context manager. It scrapes a NodeExporter and evaluates a file of rules, each about once a second."""

    def __init__(self, folder, exporter, rules):
        self.url = f"http://127.0.0.1:{free_port()}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(rules=rules, target=exporter.address))
        command = [debian_program("prometheus", "usr/bin/prometheus"), f"--config.file={folder}/prometheus.yml",
                   f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address={self.url.removeprefix('http://')}"]  # fmt: skip
        super().__init__(command, folder, lambda: send(f"{self.url}/-/ready").status == 200)

    def _data(self, path):
        return json.loads(expect(send(f"{self.url}/api/v1/{path}")).body)["data"]

    def query(self, expression):
        """The series of an expression as (labels, value)."""
        found = self._data("query?" + urlencode({"query": expression}))["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def rules(self):
        """Of each rule: its name, health ("ok" once it was evaluated well), and state ("firing")."""
        return [rule for group in self._data("rules")["groups"] for rule in group["rules"]]

    def firing(self):
        return {rule["name"] for rule in self.rules() if rule["state"] == "firing"}
