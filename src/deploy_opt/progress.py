"""Say on standard error what runs and how long it took; silent where nobody looks."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy_opt.arithmetic import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class StageTime:
    """What a stage cost."""

    stage: str
    seconds: float
    peak_memory_mb: float
    reused: bool


@dataclass(slots=True)
class Progress:
    """Times the stages of one run.

    Attributes
    ----------
    talk
        Whether to write lines for a person.
    times
        What the finished stages cost.
    """

    talk: bool = True
    times: list[StageTime] = field(default_factory=list)

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage, on one thread of linear algebra; on a terminal a moving line shows it."""
        began = time.perf_counter()
        with self._moving_line(name), one_thread():
            yield
        self.note(name, time.perf_counter() - began, reused=False)

    def note(self, name: str, seconds: float, *, reused: bool) -> None:
        """Note a finished stage."""
        self.times.append(StageTime(name, round(seconds, 3), _peak_memory_mb(), reused))
        if self.talk:
            how = "taken up" if reused else f"{seconds:.1f} s"
            sys.stderr.write(f"  {name:<12} {how}\n")
            sys.stderr.flush()

    def _moving_line(self, name: str) -> contextlib.AbstractContextManager[object]:
        if not (self.talk and sys.stderr.isatty()):
            return contextlib.nullcontext()
        from rich.console import Console

        return Console(stderr=True).status(f"{name} ...")


def _peak_memory_mb() -> float:
    try:
        import resource
    except ImportError:  # Windows has no resource module
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024.0 * 1024.0 if sys.platform == "darwin" else 1024.0), 1)
