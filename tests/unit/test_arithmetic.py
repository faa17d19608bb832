"""Sums of linear algebra do not depend on how many cores a machine has."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from deploy_opt.arithmetic import on_one_thread, one_thread
from deploy_opt.executor import executor_for
from deploy_opt.progress import Progress


def most_threads(_=None):
    return max(each["num_threads"] for each in threadpool_info())


def test_one_thread_inside_and_as_many_as_before_after_it():
    with threadpool_limits(limits=2):
        before = most_threads()
        with one_thread():
            assert most_threads() == 1
        assert most_threads() == before
        with Progress(talk=False).stage("plan"):
            assert most_threads() == 1
        assert on_one_thread(most_threads, None) == 1
        assert most_threads() == before


@pytest.mark.parametrize("name", ["serial", pytest.param("processes:2", marks=pytest.mark.slow)])
def test_units_of_work_run_on_one_thread_wherever_they_run(name):
    with threadpool_limits(limits=2), executor_for(name) as workers:
        assert workers.map(most_threads, [0, 1]) == [1, 1]


def test_a_product_has_the_same_bytes_on_one_and_on_four_threads():
    code = textwrap.dedent(
        """
        import hashlib, numpy as np
        from deploy_opt.progress import Progress
        rng = np.random.default_rng(0)
        a, b = rng.random((300, 4001)), rng.random((4001, 200))
        with Progress(talk=False).stage("plan"):
            found = (a @ b, a @ b[:, 0], np.linalg.pinv(b[:500]))
        print(hashlib.sha256(b"".join(each.tobytes() for each in found)).hexdigest())
        """
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"OMP_NUM_THREADS": str(n), "OPENBLAS_NUM_THREADS": str(n)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for n in (1, 4)
    }
    assert len(said) == 1
    assert np.all([len(each.strip()) == 64 for each in said])
