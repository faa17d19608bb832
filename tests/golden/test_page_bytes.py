import hashlib
import os
import subprocess
import sys
from pathlib import Path

from deploy_opt.report.page import render_page
from deploy_opt.report.tables import make_tables
from report_fixtures import report_inputs

TESTS = Path(__file__).parents[1]
PROGRAM = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from report_fixtures import report_inputs
from deploy_opt.report.page import render_page
from deploy_opt.report.tables import make_tables
inputs = report_inputs(loser=2)
print(hashlib.sha256(render_page(inputs, make_tables(inputs)).encode()).hexdigest())
"""


def test_the_page_has_the_same_bytes_in_another_process_with_another_hash_seed():
    inputs = report_inputs(loser=2)
    here = hashlib.sha256(render_page(inputs, make_tables(inputs)).encode()).hexdigest()
    environment = os.environ | {"PYTHONHASHSEED": "123", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(TESTS)],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.strip() == here
