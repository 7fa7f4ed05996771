"""The unit tests that are campaigns, at full size: only with DRSTREAM_TEST_FULL=1, since every other run has them small.

    DRSTREAM_BUILD=FOLDER   the build whose tests are run (default build/release)
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("program, tests", [
    ("engine/format/format_test", "ForgedObjects.*"),  # a million forgeries
    ("engine/format/format_test", "RecordMutations.*"),  # a million mutated record blocks
    ("engine/pipeline/drs_push_test", "PushPowerCut.*"),  # 10,000 power cuts of the simulated disk
    # all schedules of two actors with at most 3 preemptions, 100,000 random ones of all
    ("engine/pipeline/drs_schedule_test", "ScheduleTest.*"),
    ("engine/pipeline/drs_keeping_test", "AgeTest.*"),  # an old repository
    ("engine/topics/drs_topics_test", "RandomAccess.*"),  # 100 million records
    ("engine/topics/drs_topics_test", "SimulatedArchives.*"),  # a year of nights and of hours
])  # fmt: skip
def test_campaign_of(full_run, share, program, tests):
    """It reads its part and seed from the environment; so `share` is named here."""
    if not full_run:
        pytest.skip("in the full campaign only")
    path = Path(os.environ.get("DRSTREAM_BUILD", ROOT / "build/release")) / "tests" / program
    ran = subprocess.run([path, f"--gtest_filter={tests}"], check=False, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)  # fmt: skip
    print(ran.stdout[-2000:])
    assert ran.returncode == 0 and "[  PASSED  ]" in ran.stdout
