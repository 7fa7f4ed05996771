"""The units of the package under systemd itself, booted in a container: a push, a verification and whole nights by
timers' services, hardened as they are, with the key as a credential."""

import os
import re
import subprocess

import pytest
from test_deb import install

pytestmark = pytest.mark.campaign

SERVICE = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
StandardOutput=append:/trial/log
StandardError=append:/trial/log
ExecStart=/bin/bash /trial/script
ExecStopPost=systemctl poweroff --force
"""
# Two jobs: one as it comes, with its repository in its own state folder; one as a user of the machine in a directory.
SCRIPT = r"""
set -ux
export DRSTREAM_KEY_FILE=/etc/drstream/app.key
systemd-analyze verify drstream-{push,verify,nightly,status}@app.{service,timer} drstream-sweep@app.service
echo "verify: $?"
man drstream-push | head -3
systemctl enable --now drstream-push@app.timer drstream-verify@app.timer
systemctl list-timers --all | grep drstream
for job in app files; do
  systemctl start drstream-push@$job; echo "push $job: $?"
  systemctl start drstream-verify@$job; echo "verify $job: $?"
done
# A night whose push succeeds, and one whose push fails: both go on with a sweep and a status.
for job in night broken; do
  systemctl start drstream-nightly@$job; echo "nightly $job: $?"
  for unit in sweep status; do
    for try in $(seq 60); do
      [ -n "$(systemctl show -P ExecMainExitTimestamp drstream-$unit@$job)" ] && break
      sleep 1
    done
    echo "$unit $job: $(systemctl show -P ExecMainStatus drstream-$unit@$job)"
  done
done
grep -H drstream_backup_last_status{ /srv/metrics/*.prom
grep -H drstream_verify_coverage_ratio{ /srv/metrics/*.prom
ls -l /srv/metrics
journalctl -u 'drstream-*' --no-pager
systemctl start drstream-push@failing; echo "push failing: $?"
systemctl show -p ExecMainStatus drstream-push@failing
systemctl start --no-block drstream-push@slow; sleep 3; systemctl stop drstream-push@slow
systemctl show -p ExecMainStatus drstream-push@slow
drstream -r /var/lib/private/drstream-jobs/app/repository pull pg/app 2>/dev/null
"""
JOBS = {
    "app": "DRSTREAM_REPOSITORY=/var/lib/drstream-jobs/app/repository\nSTREAM=pg/app\nPUSH_OPTIONS=--max-shrink 20%\n"
    'PUSH_COMMAND=sh -c "id; env; grep Cap /proc/self/status"\nVERIFY_OPTIONS=--read-data\n',
    "files": "DRSTREAM_REPOSITORY=/srv/repository\nSTREAM=files\nPUSH_COMMAND=cat /etc/passwd\n",
    "failing": "DRSTREAM_REPOSITORY=/var/lib/drstream-jobs/failing/repository\nSTREAM=x\nPUSH_COMMAND=false\n",
    "night": "DRSTREAM_REPOSITORY=/var/lib/drstream-jobs/night/repository\nSTREAM=pg/app\n"
    "PUSH_COMMAND=cat /etc/passwd\nFORGET_OPTIONS=--keep-daily 7\nSTATUS_OPTIONS=--newest-within 25h\n"
    "METRICS_DIR=/srv/metrics\n",
    "broken": "DRSTREAM_REPOSITORY=/var/lib/drstream-jobs/broken/repository\nSTREAM=pg/app\nPUSH_COMMAND=false\n"
    "FORGET_OPTIONS=--keep-daily 7\n",
    "slow": "DRSTREAM_REPOSITORY=/var/lib/drstream-jobs/slow/repository\nSTREAM=x\nPUSH_COMMAND=sleep 1000\n",
}
METRICS = "[Service]\nSupplementaryGroups=staff\nReadWritePaths=/srv/metrics\n"
OWN_USER = "[Service]\nUser=backup\nReadWritePaths=/srv/repository\n"


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_the_units_push_and_verify_hardened_and_as_another_user(new_root, deb):
    root = new_root("bookworm-systemd")
    install(root, deb)
    key = os.urandom(32).hex()
    for name, text in JOBS.items():
        write(root.path / f"etc/drstream/{name}.env", text, 0o600)
        write(root.path / f"etc/drstream/{name}.key", key, 0o400)
        for kind in ["push", "verify"]:
            if name == "files":
                write(root.path / f"etc/systemd/system/drstream-{kind}@files.service.d/user.conf", OWN_USER)
    for kind in ["nightly", "sweep", "status"]:
        write(root.path / f"etc/systemd/system/drstream-{kind}@night.service.d/metrics.conf", METRICS)
    root.run("sh", "-ec", "install -d -o backup /srv/repository; chmod 700 /srv/repository")
    root.run("sh", "-ec", "install -d -g staff -m 2775 /srv/metrics")
    # Repositories are made by the administrator; these, by the jobs' own user on their first start.
    init = "[Service]\nExecStartPre=-/usr/bin/drstream init\n"
    for kind in ["push", "nightly"]:
        write(root.path / f"etc/systemd/system/drstream-{kind}@.service.d/init.conf", init)
    write(root.path / "etc/systemd/system/trial.service", SERVICE)
    write(root.path / "trial/script", SCRIPT)
    boot = [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--directory",
        root.path,
        "--machine",
        "trial",
        "systemd.unit=trial.service",
        "systemd.wants=multi-user.target",
    ]
    subprocess.run(boot, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False, timeout=300)
    log = (root.path / "trial/log").read_text()
    print(log)
    for line in [
        "verify: 0",
        "push app: 0",
        "verify app: 0",
        "push files: 0",
        "verify files: 0",
        "nightly night: 0",
        "sweep night: 0",
        "status night: 0",
        "/srv/metrics/drstream-push-night.prom:drstream_backup_last_status{",
        "/srv/metrics/drstream-status-night.prom:drstream_verify_coverage_ratio{",
        "nightly broken: 1",
        "sweep broken: 0",
        "status broken: 0",
        "push failing: 1",
        "ExecMainStatus=3",
        "ExecMainStatus=143",
    ]:
        assert re.search(rf"^{re.escape(line)}" + (".* 1$" if line.endswith("{") else "$"), log, re.M)
    # What the producer of the job `app` saw: a user of its own, no capabilities, no word of the key.
    seen = log[log.index("uid=") :]
    assert "USER=drstream" in seen and "uid=0" not in seen
    assert re.findall(r"^CapEff:\t(\w+)$", seen, re.MULTILINE) == ["0" * 16]
    assert "STREAM=pg/app" in seen and "DRSTREAM_KEY_FILE" not in seen
