"""Location problems: what merging covering sets, arrays and bounds buy, as ratios in one run.

Run it with ``python benchmarks/bench_locate.py``; it writes ``benchmarks/results/locate.md``.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from scipy import sparse

from deploy_opt.plan.cover import cover_within, merge_rows
from deploy_opt.plan.locate import locate
from deploy_opt.plan.solver import linear_model, solve, to_pulp
from deploy_opt.seeds import stream

RESULT = Path(__file__).parent / "results" / "locate.md"
STANDARD_S = 420.0


def city(posts, rows):
    """Scatter posts and demand rows in a 30 km square, driven at 60 km/h along the axes."""
    random = stream(1, "benchmarks", "city", posts, rows)
    place = random.random((posts + rows, 2)) * 30_000
    metres = np.abs(place[:posts, None, :] - place[None, posts:, :]).sum(axis=2)
    return (metres * 3.6 / 60).astype(np.float32), random.integers(1, 20, rows).astype(float)


def cover_model(sets, weights, num_posts):
    """Write the MCLP on given covering sets, without a start."""
    groups, posts = sets.shape
    budget = sparse.hstack([np.ones((1, posts)), sparse.csr_array((1, groups))])
    matrix = sparse.vstack([sparse.hstack([-sets, sparse.eye_array(groups)]), budget])
    return linear_model(
        np.concatenate([np.zeros(posts), weights]),
        matrix,
        rows=(
            np.append(np.full(groups, -np.inf), num_posts),
            np.append(np.zeros(groups), num_posts),
        ),
        bounds=(0, 1),
        integer=np.arange(posts + groups) < posts,
        maximise=True,
    )


def cpu(work):
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def merged_against_plain():
    lines = []
    for posts, rows in ((30, 1000), (40, 2000), (40, 5000), (60, 5000), (40, 50_000)):
        times, demand = city(posts, rows)
        sets = cover_within(times, STANDARD_S).T.tocsr()
        plain_s, plain = cpu(lambda s=sets, d=demand: solve(cover_model(s, d, 8), gap=1e-6))
        num_groups = merge_rows(sets, demand).cover.shape[0]
        ours_s, ours = cpu(
            lambda t=times, d=demand: locate("mclp", t, d, num_posts=8, standard_s=STANDARD_S)
        )
        assert np.isclose(plain.report.objective, ours.objective)
        lines.append(
            f"| {posts} x {rows} | {num_groups} | {ours.objective:.0f} | {plain_s:.2f} "
            f"| {ours_s:.2f} | {plain_s / ours_s:.1f} |"
        )
    return lines


def arrays_against_pulp():
    lines = []
    for posts, rows in ((100, 1000), (100, 4000)):
        times, demand = city(posts, rows)
        sets = cover_within(times, STANDARD_S).T.tocsr()
        array_s, model = cpu(lambda s=sets, d=demand: cover_model(s, d, 8))
        pulp_s, _ = cpu(lambda m=model: to_pulp(m))
        lines.append(
            f"| {posts} x {rows} | {model.matrix.nnz} | {array_s:.3f} | {pulp_s:.3f} "
            f"| {pulp_s / array_s:.0f} |"
        )
    return lines


def bounds_against_assignment():
    """Solve the p-median by bounds and radii against the textbook assignment model."""
    lines = []
    for size, num_posts in ((40, 5), (60, 8), (120, 10)):
        times, demand = city(size, 2 * size)
        ours_s, ours = cpu(
            lambda t=times, d=demand, p=num_posts: locate("p_median", t, d, num_posts=p)
        )
        rows = demand.size
        serve = sparse.hstack(
            [
                sparse.csr_array((rows, size)),
                sparse.kron(np.ones((1, size)), sparse.eye_array(rows)),
            ]
        )
        link = sparse.hstack(
            [
                -sparse.kron(sparse.eye_array(size), np.ones((rows, 1))),
                sparse.eye_array(size * rows),
            ]
        )
        count = sparse.hstack([np.ones((1, size)), sparse.csr_array((1, size * rows))])
        model = linear_model(
            np.concatenate([np.zeros(size), (times.astype(float) * demand).ravel()]),
            sparse.vstack([serve, link, count]),
            rows=(
                np.concatenate([np.ones(rows), np.full(size * rows, -np.inf), [num_posts]]),
                np.concatenate([np.ones(rows), np.zeros(size * rows), [num_posts]]),
            ),
            bounds=(0, 1),
            integer=np.arange(size + size * rows) < size,
        )
        text_s, text = cpu(lambda m=model: solve(m, gap=1e-6))
        assert np.isclose(text.report.objective, ours.objective, rtol=1e-5)
        lines.append(
            f"| {size} x {rows}, p = {num_posts} | {ours.objective:.0f} | {text_s:.2f} "
            f"| {ours_s:.2f} | {text_s / ours_s:.0f} |"
        )
    return lines


def main():
    solve(linear_model([1.0], [[1.0]], rows=(1, 2), integer=True))  # load the solver first
    text = [
        "# Location problems",
        "",
        "CPU seconds of one thread on one machine: read the ratios. Made by",
        "`python benchmarks/bench_locate.py`; every pair of answers was checked to be equal.",
        "",
        "## MCLP, 8 posts: every demand row against merged covering sets with a swap start",
        "",
        "| posts x rows | sets | covered | plain, s | `locate`, s | ratio |",
        "|---|---|---|---|---|---|",
        *merged_against_plain(),
        "",
        "## Building the model: sparse arrays against PuLP",
        "",
        "| posts x rows | non-zeros | arrays, s | PuLP, s | ratio |",
        "|---|---|---|---|---|",
        *arrays_against_pulp(),
        "",
        "## p-median: the textbook assignment model against bounds and radii",
        "",
        "| posts x rows | demand x s | assignment, s | `locate`, s | ratio |",
        "|---|---|---|---|---|",
        *bounds_against_assignment(),
        "",
    ]
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
