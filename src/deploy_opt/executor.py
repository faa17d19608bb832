"""Run independent units of work here, on the cores of this machine, or on a Dask cluster.

One door for all three, with results in the order of the units, so that a run gives the same bytes
wherever it was worked out. A unit draws its random numbers from its own `seeds.stream`, and its
linear algebra runs on one thread.
"""

from __future__ import annotations

import importlib.util
import os
import re
import signal
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from deploy_opt.arithmetic import on_one_thread
from deploy_opt.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import ProcessPoolExecutor
    from types import TracebackType

T = TypeVar("T")
R = TypeVar("R")

KINDS = ("serial", "processes", "dask")
WORDS = "serial, processes, processes:N, dask, or the address of a Dask scheduler (tcp://host:port)"
_MOST_PROCESSES = 512
_ANSWER_WITHIN_S = 10.0
_PROCESSES = re.compile(r"processes:(\d+)")
_ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://\S+")


class Executor(Protocol):
    """Works off independent units; closed by ``with``.

    Attributes
    ----------
    name
        What the manifest of a run says about it.
    """

    @property
    def name(self) -> str:
        """What the manifest of a run says about it."""

    def map(self, work: Callable[[T], R], units: Iterable[T]) -> list[R]:
        """Apply a function to every unit; results stand in the order of the units.

        Parameters
        ----------
        work
            A function of a module (not a lambda where processes are used); its result depends on
            its unit alone.
        units
            What it is applied to.

        Raises
        ------
        Exception
            The error of the first unit that failed; the rest is given up.
        """

    def __enter__(self) -> Self:
        """Give the executor."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the workers go."""


def executor_for(text: str = "serial") -> Executor:
    """Make the executor that a text names.

    Parameters
    ----------
    text
        ``serial``; ``processes`` (one per core) or ``processes:N``; ``dask`` (a cluster of
        processes on this machine) or the address of a scheduler such as ``tcp://10.0.0.5:8786``,
        whose workers have this version of deploy_opt installed.

    Raises
    ------
    InputError
        For another text, when Dask is not installed, or when the address does not answer.

    Examples
    --------
    >>> with executor_for("serial") as executor:
    ...     executor.map(abs, [-2, 1, -3])
    [2, 1, 3]
    """
    wanted = text.strip()
    if wanted == "serial":
        return _Serial()
    if wanted == "processes":
        return _Processes(os.cpu_count() or 1)
    counted = _PROCESSES.fullmatch(wanted)
    if counted is not None and 1 <= int(counted[1]) <= _MOST_PROCESSES:
        return _Processes(int(counted[1]))
    if wanted == "dask":
        return _Dask(None)
    if _ADDRESS.fullmatch(wanted):
        return _Dask(wanted)
    raise InputError.of("executor", repr(text), WORDS, nearest(wanted.split(":")[0], KINDS))


class _Serial:
    """Works off one unit after the other in this process."""

    name = "serial"

    def map(self, work: Callable[[T], R], units: Iterable[T]) -> list[R]:
        return [on_one_thread(work, unit) for unit in units]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to let go."""


class _Processes:
    """Works units off in processes of this machine, started when they are first needed.

    Workers are started afresh ("spawn"), as a copy of a process with threads can hang, and leave
    Ctrl-C to this process, which ends them.
    """

    def __init__(self, num_workers: int) -> None:
        self.name = f"processes:{num_workers}"
        self._num_workers = num_workers
        self._pool: ProcessPoolExecutor | None = None

    def map(self, work: Callable[[T], R], units: Iterable[T]) -> list[R]:
        from concurrent.futures.process import BrokenProcessPool

        waiting = list(units)
        if len(waiting) < 2 or self._num_workers == 1:
            return [on_one_thread(work, unit) for unit in waiting]
        pool = self._started()
        running = [pool.submit(on_one_thread, work, unit) for unit in waiting]
        try:
            return [one.result() for one in running]
        except BrokenProcessPool:
            self._stop()
            found = "a worker process that ended by itself"
            do = "it may have run out of memory: use fewer processes"
            raise InputError.of(f"executor {self.name}", found, "workers that live", do) from None
        except BaseException:
            self._stop()
            raise

    def _started(self) -> ProcessPoolExecutor:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._num_workers, mp_context=get_context("spawn"), initializer=_leave_interrupts
            )
        return self._pool

    def _stop(self) -> None:
        """End the workers without waiting for the units they are at."""
        if self._pool is None:
            return
        workers = list((self._pool._processes or {}).values())  # noqa: SLF001  (no public way before 3.14)
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if kind is not None:  # nobody waits for work that nobody will take
            self._stop()
        elif self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class _Dask:
    """Works units off on a Dask cluster: of this machine, or behind an address."""

    def __init__(self, address: str | None) -> None:
        self.name = address or "dask"
        if importlib.util.find_spec("distributed") is None:
            found = "Dask is not installed"
            do = 'pip install "deploy-opt[cluster]"'
            raise InputError.of(f"executor {self.name}", found, "the cluster extra", do)
        self._cluster, self._client = _connected(address)

    def map(self, work: Callable[[T], R], units: Iterable[T]) -> list[R]:
        placed = self._client.scatter(list(units), hash=False)
        running = [self._client.submit(on_one_thread, work, unit, pure=False) for unit in placed]
        try:
            results: list[R] = self._client.gather(running)
        except BaseException:
            self._client.cancel(running)
            raise
        return results

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def _connected(address: str | None) -> tuple[Any, Any]:
    """Start a local cluster, or reach the scheduler at an address: (cluster or None, client)."""
    import dask
    from distributed import Client, LocalCluster

    if address is None:
        dask.config.set({"distributed.worker.profile.enabled": False})
        cluster = LocalCluster(
            n_workers=os.cpu_count() or 1,
            threads_per_worker=1,
            dashboard_address=None,
            host="127.0.0.1",
        )
        return cluster, Client(cluster)
    try:
        client = Client(address, timeout=_ANSWER_WITHIN_S)
    except (OSError, ValueError) as error:
        found = f"no answer within {_ANSWER_WITHIN_S:g} s ({type(error).__name__})"
        do = "start it with `dask scheduler`, or use processes"
        raise InputError.of(f"executor {address}", found, "a Dask scheduler", do) from None
    if not client.scheduler_info()["workers"]:
        client.close()
        do = f"start workers with `dask worker {address}`"
        raise InputError.of(f"executor {address}", "no worker", "at least one worker", do)
    return None, client
