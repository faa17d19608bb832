"""Forecast 100, 1,000 and 10,000 areas with two years of hours: one core, processes, Dask.

    python benchmarks/bench_forecast_scale.py [--quick]

In one piece, `deploy_opt.demand.forecast` gets all areas and the executor, which fits the test
stretches and the horizon apart. In chunks of 250 areas, each is a district whose total is chosen,
forecast and spread over its areas by a `forecast` of its own; a chunk simulates its own counts, as
a worker of a cluster reads its own part, so that 10,000 x 17,544 hours are never in one memory.
Each line of the table is a process of its own, so that peaks do not mix. The digests of a way must
be the same with every executor. 10,000 areas run on two processes alone, to keep the whole near six
CPU minutes.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from deploy_opt.demand.forecast import DemandForecast, forecast
from deploy_opt.executor import executor_for
from deploy_opt.seeds import stream

CHUNK = 250
FIRST, START = pd.Timestamp("2024-01-01"), pd.Timestamp("2025-12-31")
HORIZON_H, NUM_PATHS, SEED = 168, 20, 7
WHOLE, CHUNKS = "one piece", "chunks"
RUNS = (
    *((100, "serial", WHOLE), (1000, "serial", WHOLE), (1000, "processes:2", WHOLE)),
    *((1000, "serial", CHUNKS), (1000, "processes:2", CHUNKS), (1000, "dask", CHUNKS)),
    (10_000, "processes:2", CHUNKS),
)
_READ = """\
Equal digests: the same bytes of quantiles and paths with every executor. In one piece the paths of
all areas share their day factors; CPU seconds count the workers and their start. In chunks a worker
holds one chunk at a time, so memory is that of a chunk times the workers, not that of all areas
(10,000 x 17,520 hours of float32 would be 700 MB for one array alone).

Where the cores are shared, wall seconds and their ratios say little. Chunks are districts of 250
areas, each forecast by itself. Means add up to the city's. Paths of different chunks share no day
factor, so the spread of a city's sum over chunks is too narrow; a city of up to a few thousand
areas is better forecast in one piece."""
RESULTS = Path(__file__).parent / "results" / "forecast_scale.md"


def simulated(first: int, last: int) -> pd.DataFrame:
    """Draw the counts of the areas first .. last - 1: a weekly course, own levels, a day factor."""
    hours = pd.date_range(FIRST, START, freq="h", inclusive="left")
    course = 1 + 0.5 * np.sin((hours.hour.to_numpy() - 9) / 24 * 2 * np.pi)
    course *= np.where(hours.dayofweek >= 5, 0.9, 1.04)
    day = stream(SEED, "day").gamma(400.0, 1 / 400.0, len(hours) // 24).repeat(24)
    calls = np.empty((last - first, len(hours)), dtype=np.int16)
    for area in range(first, last):
        rng = stream(SEED, "area", area)
        calls[area - first] = rng.poisson(rng.gamma(1.5, 0.05) * course * day)
    num = last - first
    names = [f"A{area:05d}" for area in range(first, last)]
    return pd.DataFrame(
        {
            "service": pd.Categorical.from_codes(np.zeros(calls.size, np.int8), ["ems"]),
            "area_id": pd.Categorical.from_codes(
                np.repeat(np.arange(num, dtype=np.int32), len(hours)), names
            ),
            "hour": np.tile(hours.to_numpy(), num),
            "num_calls": calls.reshape(-1),
            "observed": True,
        }
    )


def one_chunk(ends: tuple[int, int]) -> dict[str, object]:
    """Forecast one chunk; gives a digest of its quantiles and paths, and what it cost."""
    gc.collect()
    began = time.process_time()
    counts = simulated(*ends)
    ready = time.process_time()
    made = forecast(counts, start=START, horizon_h=HORIZON_H, seed=SEED, num_paths=NUM_PATHS)
    return {
        "digest": digest_of(made),
        "calls": float(made.quantiles["mean"].sum()),
        "simulate_s": ready - began,
        "forecast_s": time.process_time() - ready,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def digest_of(made: DemandForecast) -> str:
    digest = hashlib.sha256()
    for frame in (made.quantiles, made.paths):
        values = frame.select_dtypes("number").to_numpy(dtype=float)
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def cpu_s() -> float:
    """CPU seconds of this process and of its workers that have ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(one.ru_utime + one.ru_stime for one in used)


def whole_run(num_areas: int, name: str) -> dict[str, object]:
    """Forecast all areas at once, the stretches and the horizon apart on the executor."""
    started = cpu_s()
    counts = simulated(0, num_areas)
    ready, began = cpu_s(), time.perf_counter()
    with executor_for(name) as executor:
        made = forecast(
            counts, start=START, horizon_h=HORIZON_H, seed=SEED, num_paths=NUM_PATHS,
            executor=executor,
        )  # fmt: skip
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return {
        "areas": num_areas,
        "executor": name,
        "way": WHOLE,
        "chunks": 1,
        "simulate_s": ready - started,
        "forecast_s": cpu_s() - ready,
        "wall_s": time.perf_counter() - began,
        "worker_peak_mb": max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024,
        "calls": float(made.quantiles["mean"].sum()),
        "digest": digest_of(made)[:12],
    }


def one_run(num_areas: int, name: str) -> dict[str, object]:
    units = [(k, min(k + CHUNK, num_areas)) for k in range(0, num_areas, CHUNK)]
    with executor_for(name) as executor:
        began = time.perf_counter()
        parts = executor.map(one_chunk, units)
        wall = time.perf_counter() - began
    joined = hashlib.sha256("".join(str(part["digest"]) for part in parts).encode())
    return {
        "areas": num_areas,
        "executor": name,
        "way": CHUNKS,
        "chunks": len(units),
        "simulate_s": sum(float(part["simulate_s"]) for part in parts),
        "forecast_s": sum(float(part["forecast_s"]) for part in parts),
        "wall_s": wall,
        "worker_peak_mb": max(float(part["peak_mb"]) for part in parts),
        "calls": sum(float(part["calls"]) for part in parts),
        "digest": joined.hexdigest()[:12],
    }


def table(rows: list[dict[str, object]]) -> str:
    serial = {(row["areas"], row["way"]): row for row in rows if row["executor"] == "serial"}
    where = f"Python {platform.python_version()}, two cores shared with other work"
    what = f"{HORIZON_H} h ahead, {NUM_PATHS} paths, chunks of {CHUNK} areas"
    heads = (
        *("areas", "executor", "pieces", "CPU s to forecast", "CPU s per 1,000 areas", "wall s"),
        *("wall against serial", "peak MB of a worker", "CPU s to simulate", "digest"),
    )
    lines = [
        "# Forecast at scale",
        "",
        f"`python benchmarks/bench_forecast_scale.py`: two years of hours per area, {what};",
        f"{where}, so CPU seconds are the trustworthy ones and ratios are of this one run.",
        "",
        "| " + " | ".join(heads) + " |",
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        base = serial.get((row["areas"], row["way"]))
        ratio = "–" if base is None else f"{row['wall_s'] / base['wall_s']:.2f}"
        lines.append(
            f"| {row['areas']:,} | {row['executor']} | {row['chunks']} | {row['forecast_s']:.1f} | "
            f"{row['forecast_s'] / row['areas'] * 1000:.1f} | {row['wall_s']:.1f} | {ratio} | "
            f"{row['worker_peak_mb']:,.0f} | {row['simulate_s']:.1f} | {row['digest']} |"
        )
    return "\n".join([*lines, "", _READ]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=3, metavar=("AREAS", "EXECUTOR", "WAY"))
    parser.add_argument("--quick", action="store_true", help="100 areas alone, nothing written")
    asked = parser.parse_args()
    if asked.one:
        run = whole_run if asked.one[2] == WHOLE else one_run
        print(json.dumps(run(int(asked.one[0]), asked.one[1])))
        return
    quick = ((100, "serial", WHOLE), (100, "processes:2", WHOLE), (100, "serial", CHUNKS))
    rows = []
    for num_areas, name, way in quick if asked.quick else RUNS:
        words = [sys.executable, __file__, "--one", str(num_areas), name, way]
        done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        print(rows[-1], flush=True)
    for key in {(row["areas"], row["way"]) for row in rows}:
        digests = {row["digest"] for row in rows if (row["areas"], row["way"]) == key}
        assert len(digests) == 1, f"{key}: {digests}"
    if not asked.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(table(rows), encoding="utf-8")
        print(RESULTS)


if __name__ == "__main__":
    main()
