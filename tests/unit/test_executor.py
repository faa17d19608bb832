"""One door for serial, processes and Dask: the same results in the same order."""

from __future__ import annotations

import functools
import importlib.util
import operator
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from deploy_opt import executor as door
from deploy_opt.errors import InputError
from deploy_opt.executor import executor_for
from deploy_opt.seeds import stream

UNITS = list(range(7))


def drawn(executor):
    """Generators are drawn by name, so their states tell whether each unit got its own."""
    made = executor.map(functools.partial(stream, 5, "unit"), UNITS)
    return np.array([one.integers(0, 2**62) for one in made]).tobytes()


def test_serial_and_processes_give_the_same_bytes_in_the_order_of_the_units():
    with executor_for("serial") as one, executor_for("processes:2") as two:
        assert drawn(one) == drawn(two) == drawn(two)
        assert (one.name, two.name) == ("serial", "processes:2")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask's own resource warnings at shutdown
def test_dask_gives_the_same_bytes_by_name_and_by_address():
    distributed = pytest.importorskip("distributed")
    with executor_for("serial") as one:
        expected = drawn(one)
    with executor_for("dask") as local:
        assert local.name == "dask"
        assert drawn(local) == expected
        with pytest.raises(ZeroDivisionError):
            local.map(functools.partial(operator.truediv, 1), [1, 0, 2])
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        with executor_for(cluster.scheduler_address) as far:
            assert far.name == cluster.scheduler_address
            assert drawn(far) == expected
        cluster.scale(0)
        deadline = time.monotonic() + 20
        while cluster.scheduler.workers and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(InputError, match="found no worker"):
            executor_for(cluster.scheduler_address)


@pytest.mark.filterwarnings("ignore")  # a coroutine that Dask leaves behind when nobody answers
def test_an_address_that_does_not_answer_is_a_fault_with_a_way_out(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(door, "_ANSWER_WITHIN_S", 0.3)
    with pytest.raises(InputError, match=r"0\.1:9: found no answer .* Dask scheduler"):
        executor_for("tcp://127.0.0.1:9")


def test_without_dask_the_fault_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"Dask is not installed.*deploy-opt\[cluster\]"):
        executor_for("dask")


@pytest.mark.parametrize("text", ["proceses:4", "processes:0", "processes:9999", "threads", ""])
def test_an_unknown_executor_is_refused_with_the_allowed_ones(text):
    with pytest.raises(InputError, match="expected serial, processes"):
        executor_for(text)


def test_a_misspelt_executor_gets_the_nearest_name():
    with pytest.raises(InputError, match="did you mean 'processes'"):
        executor_for("proceses:4")


def test_the_error_of_the_first_failing_unit_is_raised_and_the_door_works_again():
    with executor_for("processes:2") as two:
        with pytest.raises(ZeroDivisionError):
            two.map(functools.partial(operator.truediv, 1), [1, 0, 2])
        assert two.map(abs, [-1, -2]) == [1, 2]


def test_a_worker_that_dies_is_told_from_a_fault_of_the_work():
    with executor_for("processes:2") as two, pytest.raises(InputError, match="fewer processes"):
        two.map(os._exit, [3, 3])


def test_a_single_unit_or_worker_starts_no_process():
    with executor_for("processes") as many:
        assert many.map(abs, [-4]) == [4]
        assert many._pool is None
    with executor_for("processes:1") as one:
        assert one.map(abs, [-4, 5]) == [4, 5]
        assert one._pool is None


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupt_ends_the_workers_at_once(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        textwrap.dedent(
            """
            import signal, sys, time
            from deploy_opt.executor import executor_for

            if __name__ == "__main__":
                # a shell that started the tests in the background has interrupts ignored
                signal.signal(signal.SIGINT, signal.default_int_handler)
                with executor_for("processes:2") as two:
                    two.map(abs, [1, 2])
                    print(*two._pool._processes, flush=True)
                    try:
                        two.map(time.sleep, [60, 60, 60])
                    except KeyboardInterrupt:
                        sys.exit(4)
            """
        )
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as child:
        workers = [int(pid) for pid in child.stdout.readline().split()]
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=30) == 4
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
