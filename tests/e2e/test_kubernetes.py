"""The manifests of docs/kubernetes: Kubernetes' own schemas accept them, drstream accepts their arguments, failed pods
are tried again where that can help, and the shards of a sweep together prove everything. No cluster is needed."""

import re
import subprocess
from pathlib import Path

import pytest
from document_sandbox import PARSED
from repository import sample_bytes
from services.cache import Unavailable
from services.kubernetes_validate import VERSIONS, install, objects, problems

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs/kubernetes"
MANIFESTS = sorted(FOLDER.glob("*.yaml"))
HELPED_BY_ANOTHER_ATTEMPT = {3, 6, 7, 11}
ENDED_BY_KUBERNETES = {137, 143}


@pytest.fixture(scope="module")
def python(missing):
    try:
        return install()
    except Unavailable as problem:
        return missing(str(problem))


@pytest.fixture(scope="module")
def all_objects(python):
    return [one for manifest in MANIFESTS for one in objects(python, manifest)]


@pytest.fixture(scope="module")
def cron_jobs(all_objects):
    """By name."""
    return {one["metadata"]["name"]: one["spec"] for one in all_objects if one["kind"] == "CronJob"}


def job_of(cron_job):
    return cron_job["jobTemplate"]["spec"]


def pod_of(cron_job):
    return job_of(cron_job)["template"]["spec"]


def container_of(cron_job):
    [container] = pod_of(cron_job)["containers"]
    return container


def variables_of(container):
    return {one["name"]: one["value"] for one in container["env"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.name)
def test_kubernetes_accepts_the_manifest(manifest, version, python):
    assert problems(python, manifest, version) == ""


def test_the_page_on_kafka_has_a_manifest_that_kubernetes_accepts(python, tmp_path):
    blocks = re.findall(r"^```text\n(apiVersion:.*?)^```", (ROOT / "docs/KAFKA.md").read_text(), re.M | re.S)
    assert blocks
    for block in blocks:
        (tmp_path / "manifest.yaml").write_text(block)
        assert problems(python, tmp_path / "manifest.yaml", VERSIONS[-1]) == ""


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("concurrencyPolicy:", "concurencyPolicy:"),
        ("secretName:", "secretname:"),
        ("backoffLimit: 3", "backoffLimit: few"),
        ("restartPolicy", "restart"),
    ],
)
def test_a_mistake_in_a_manifest_is_found(right, wrong, python, tmp_path):
    text = (FOLDER / "nightly.yaml").read_text()
    assert right in text
    (tmp_path / "wrong.yaml").write_text(text.replace(right, wrong, 1))
    assert "did not validate" in problems(python, tmp_path / "wrong.yaml", VERSIONS[0])


def action_for(job, code):
    """What the first rule that matches says of a container that ends with `code`; None: it is tried again."""
    for rule in job["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes and (code in codes["values"]) == (codes["operator"] == "In"):
            return rule["action"]
    return None


def test_only_what_another_attempt_can_help_is_tried_again(cron_jobs):
    table = re.findall(r"^\| (\d+) \| ", (ROOT / "docs/REFERENCE.md").read_text().split("## Exit status")[1], re.M)
    codes = set(map(int, table)) - {0}
    assert HELPED_BY_ANOTHER_ATTEMPT < codes
    for cron_job in cron_jobs.values():
        job = job_of(cron_job)
        sharded = job.get("completionMode") == "Indexed"
        assert {code for code in codes if action_for(job, code) is None} == HELPED_BY_ANOTHER_ATTEMPT
        # A shard that found damage must not stop the others.
        stops = "FailIndex" if sharded else "FailJob"
        assert {action_for(job, code) for code in (codes | ENDED_BY_KUBERNETES) - HELPED_BY_ANOTHER_ATTEMPT} == {stops}
        assert job["backoffLimitPerIndex" if sharded else "backoffLimit"] > 0
        # Kubernetes applies the policy only to pods that never restart; a moved pod does not count.
        assert pod_of(cron_job)["restartPolicy"] == "Never"
        assert job["podFailurePolicy"]["rules"][0]["action"] == "Ignore"
        assert [rule["onExitCodes"]["containerName"] for rule in job["podFailurePolicy"]["rules"][1:]] == ["drstream"]


def test_pods_have_few_rights_a_key_as_a_file_and_a_bound_on_memory(cron_jobs):
    units = {"Mi": 1, "MiB": 1, "Gi": 1024}
    for cron_job in cron_jobs.values():
        container, pod = container_of(cron_job), pod_of(cron_job)
        assert cron_job["concurrencyPolicy"] == "Forbid" and pod["securityContext"]["runAsNonRoot"]
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] and rights["capabilities"] == {"drop": ["ALL"]}
        variables = variables_of(container)
        mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
        volumes = {one["name"]: one for one in pod["volumes"]}
        assert "secret" in volumes[mounts[variables["DRSTREAM_KEY_FILE"].rpartition("/")[0]]]
        assert {variables["DRSTREAM_STATE_DIR"], variables["DRSTREAM_CACHE_DIR"]} < set(mounts)
        memory, limit = (re.fullmatch(r"(\d+)(\w+)", text).groups() for text in
                         (variables["DRSTREAM_MEMORY"], container["resources"]["limits"]["memory"]))  # fmt: skip
        assert int(memory[0]) * units[memory[1]] + 32 < int(limit[0]) * units[limit[1]]


def test_the_record_of_heads_outlives_all_pods_but_those_of_sweeps(cron_jobs, all_objects):
    """Each has a volume of its own: one that pods of two jobs mount at one time must be on one node."""
    claims = [one["metadata"]["name"] for one in all_objects if one["kind"] == "PersistentVolumeClaim"]
    used = []
    for cron_job in cron_jobs.values():
        mounts = {one["mountPath"]: one["name"] for one in container_of(cron_job)["volumeMounts"]}
        volumes = {one["name"]: one for one in pod_of(cron_job)["volumes"]}
        state = volumes[mounts[variables_of(container_of(cron_job))["DRSTREAM_STATE_DIR"]]]
        used += [state["persistentVolumeClaim"]["claimName"]] if "persistentVolumeClaim" in state else []
    assert sorted(used) == sorted(claims) == sorted(set(cron_jobs) - {"drstream-sweep"})


def test_each_role_has_credentials_of_its_own(cron_jobs):
    """docs/BUCKETS.md, "Who may do what": the command that a job runs decides its role."""
    roles = {"push": "drstream-nightly", "status": "drstream-nightly", "sweep": "drstream-sweep",
             "forget": "drstream-prune"}  # fmt: skip
    for cron_job in cron_jobs.values():
        container = container_of(cron_job)
        [secret] = [one["secretRef"]["name"] for one in container["envFrom"]]
        assert secret == roles[container["args"][0]]


def test_drstream_accepts_the_arguments(cron_jobs, binary):
    assert set(cron_jobs) == {"drstream-push", "drstream-status", "drstream-prune", "drstream-sweep"}
    for cron_job in cron_jobs.values():
        container = container_of(cron_job)
        environment = {**variables_of(container), "DRSTREAM_PROGRESS_FD": "99", "JOB_COMPLETION_INDEX": "0"}
        done = subprocess.run([binary, *container["args"]], env=environment, check=False, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)  # fmt: skip
        assert PARSED in done.stderr, done.stderr


def test_the_shards_of_a_sweep_together_prove_everything(cron_jobs, drs):
    for seed in range(12):
        drs.push(f"s/{seed % 3}", sample_bytes(300_000, seed=seed))
    job, arguments = job_of(cron_jobs["drstream-sweep"]), container_of(cron_jobs["drstream-sweep"])["args"]
    assert job["completions"] == job["parallelism"] == int(arguments[arguments.index("--shard") + 1])
    read = [drs.json(*arguments, env={"JOB_COMPLETION_INDEX": str(index)})["packs_read"]
            for index in range(job["completions"])]  # fmt: skip
    assert sum(read) == len(drs.names("packs")) > max(read)
    assert drs.json("status", "--newest-within", "25h", "--verified-within", "30d")["coverage"]["ratio"] == 1
