"""The simulation engine: speed against SimPy, a year of a large city, the ladder of Utrecht plans.

Run it with ``python benchmarks/bench_simulation.py [all|speed|year|ladder]``; it writes
``benchmarks/results/simulation.md`` and leaves the other parts there as they are. The ladder needs
``DEPLOY_OPT_REAL_DATA``. Seconds are CPU seconds of one process; ratios compare runs of one process
on one machine.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import simpy

from deploy_opt.plan.locate import locate
from deploy_opt.plan.sites.hypercube_search import search_on_hypercube
from deploy_opt.seeds import stream
from deploy_opt.simulation import engine
from deploy_opt.simulation.draws import draw_poisson, uniforms
from deploy_opt.simulation.policies import Policy
from deploy_opt.simulation.replicate import Arm, replicate
from deploy_opt.simulation.simulate import simulate

RESULT = Path(__file__).parent / "results" / "simulation.md"
MINUTE, DAY = 60.0, 86_400.0
REPLICATIONS, DAYS = 12, 15


def city(num_calls, *, num_units=30, num_nodes=200, calls_per_h=20.0, seed=1):
    """Make a square city with nodes at random, hospitals, a fleet and calls."""
    rng = stream(seed, "benchmarks", "simulation", num_calls)
    places = rng.uniform(0, 1800, (num_nodes, 2))
    times = np.abs(places[:, None] - places[None]).sum(axis=2) / 2
    names = [f"u{number}" for number in range(num_units)]
    homes = rng.integers(0, num_nodes, num_units)
    fleet = pd.DataFrame({"unit_id": names, "unit_type": "als", "home_node": homes})
    calls = pd.DataFrame(
        {
            "call_id": np.arange(num_calls),
            "at_s": np.cumsum(rng.exponential(3600 / calls_per_h, num_calls)),
            "node": rng.integers(0, num_nodes, num_calls),
            "call_class": "p1",
            "on_scene_s": rng.exponential(1500, num_calls),
            "transport": rng.random(num_calls) < 0.6,
            "handover_s": rng.exponential(1200, num_calls),
        }
    )
    return fleet, calls, times, np.arange(0, num_nodes, num_nodes // 10), places


def simpy_run(  # noqa: C901 - one model, one function, as its readers know it
    fleet, calls, times, hospitals, places=None
):
    """Play the same model in SimPy: closest idle unit, also on its way home, first come first."""
    env = simpy.Environment()
    drive = times.tolist()
    home = fleet["home_node"].tolist()
    units = range(len(home))
    busy, left, back = [False] * len(home), [0.0] * len(home), [0.0] * len(home)
    start = list(home)
    nearest = hospitals[np.argmin(times[:, hospitals], axis=1)].tolist()
    xs, ys = (None, None) if places is None else places.T.copy()
    waiting, response = deque(), [0.0] * len(calls)
    rows = list(
        zip(
            calls["at_s"].tolist(),
            calls["node"].tolist(),
            calls["on_scene_s"].tolist(),
            calls["transport"].tolist(),
            calls["handover_s"].tolist(),
            strict=True,
        )
    )

    def place(unit, now):
        if now >= back[unit]:
            return home[unit]
        share = (now - left[unit]) / (back[unit] - left[unit])
        if places is None or share <= 0:
            return start[unit] if share < 0.5 else home[unit]
        x = xs[start[unit]] + share * (xs[home[unit]] - xs[start[unit]])
        y = ys[start[unit]] + share * (ys[home[unit]] - ys[start[unit]])
        return int(np.argmin((xs - x) ** 2 + (ys - y) ** 2))

    def serve(unit, node, number):
        while True:
            at, scene, on_scene, transport, handover = rows[number]
            busy[unit] = True
            yield env.timeout(drive[node][scene])
            response[number] = env.now - at
            yield env.timeout(on_scene)
            node = scene
            if transport:
                node = nearest[scene]
                yield env.timeout(drive[scene][node])
                yield env.timeout(handover)
            if not waiting:
                break
            number = waiting.popleft()
        busy[unit] = False
        start[unit], left[unit] = node, env.now
        back[unit] = env.now + drive[node][home[unit]]

    def source():
        for number, row in enumerate(rows):
            yield env.timeout(row[0] - env.now)
            now, best, best_node, best_s = env.now, -1, -1, float("inf")
            for unit in units:
                if not busy[unit]:
                    node = place(unit, now)
                    if drive[node][row[1]] < best_s:
                        best, best_node, best_s = unit, node, drive[node][row[1]]
            if best >= 0:
                env.process(serve(best, best_node, number))
                busy[best] = True
            else:
                waiting.append(number)

    env.process(source())
    env.run()
    return np.array(response)


def speed():
    """Compare the loop, and the loop with its frames, with SimPy on the same draws."""
    rows = []
    cases = (
        (100_000, 12, 0.33, False),
        (100_000, 12, 0.33, True),
        (100_000, 30, 0.33, False),
        (100_000, 30, 0.33, True),
        (100_000, 30, 1.0, False),
    )
    for num_calls, num_units, load, on_line in cases:
        fleet, calls, times, hospitals, places = city(
            num_calls, num_units=num_units, calls_per_h=num_units * load
        )
        xy = places if on_line else None
        options = {"hospitals": hospitals, "node_xy": xy}
        simulate(fleet, calls[:50], times, **options)  # compiled or taken from the disk
        loop_s = []
        original = engine.run_events

        def timed(case, original=original, loop_s=loop_s):
            begin = time.process_time()
            state = original(case)
            loop_s.append(time.process_time() - begin)
            return state

        engine.run_events = timed
        whole_s = []
        for _ in range(3):
            begin = time.process_time()
            ours = simulate(fleet, calls, times, **options)
            whole_s.append(time.process_time() - begin)
        engine.run_events = original
        simpy_s = []
        for _ in range(3):
            begin = time.process_time()
            theirs = simpy_run(fleet, calls, times, hospitals, xy)
            simpy_s.append(time.process_time() - begin)
        apart = float(np.abs(ours.calls["response_s"].to_numpy() - theirs).max())
        busy = ours.units["busy_fraction"].mean()
        where = "by coordinates" if on_line else "half-way rule"
        rows.append((num_units, busy, where, min(loop_s), min(whole_s), min(simpy_s), apart))
        print(rows[-1])
    lines = [
        "## Speed against SimPy",
        "",
        "The same model and draws in one process, responses equal: closest unit, also on its",
        "way home, one queue, the nearest of 10 hospitals, 200 nodes, 100,000 calls. Seconds are",
        "CPU seconds, the best of three; the first call ever compiles the loop (about 12 s).",
        "",
        "| units | busy | on the way home | loop, s | all, s | SimPy, s | / loop | / all | apart |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {n} | {q:.2f} | {w} | {a:.3f} | {b:.3f} | {c:.2f} | {c / a:.0f} | {c / b:.0f} | {d:g} |"
        for n, q, w, a, b, c, d in rows
    ]
    return lines


def year():
    """Time a year of 300,000 calls: replications on two threads."""
    num_calls, made = 300_000, 30
    fleet, calls, times, hospitals, _ = city(num_calls, num_units=30, calls_per_h=num_calls / 8760)
    simulate(fleet, calls[:50], times, hospitals=hospitals)
    ids = calls["call_id"].to_numpy()

    def draw(number):
        luck = uniforms(1, f"bench/{number}", ids)
        return calls.assign(on_scene_s=-1500 * np.log1p(-luck))

    def one(number):
        found = simulate(fleet, draw(number), times, hospitals=hospitals)
        return found.mean_response_s

    begin, wall = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        means = list(pool.map(one, range(made)))
    cpu_s, wall_s = time.process_time() - begin, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(cpu_s, wall_s, peak, np.mean(means))
    return [
        "## A year of a large city",
        "",
        f"{num_calls:,} calls, 30 units, 200 nodes, {made} replications on two threads, frames and",
        f"draws included: {cpu_s:.0f} CPU s, {wall_s:.0f} s wall, {peak:,.0f} MB.",
    ]


def utrecht():
    """Read the Utrecht instance."""
    folder = Path(os.environ["DEPLOY_OPT_REAL_DATA"]) / "utrecht"
    nodes = pd.read_csv(folder / "nodes_Utrecht_2021.csv", encoding="utf-8-sig")
    minutes = pd.read_csv(folder / "siren_driving_matrix_2022.csv", index_col=0)
    node_of = {int(code): row for row, code in enumerate(minutes.index)}
    bases = pd.read_csv(folder / "RAVU_base_locations_Utrecht_2021.csv", encoding="utf-8-sig")
    doors = pd.read_csv(folder / "Hospital_Postal_Codes_Utrecht_2021.csv", encoding="utf-8-sig")
    share = nodes["inhabitants"].to_numpy(dtype=np.float64)
    at = [next(c for c in frame if frame[c].isin(node_of).all()) for frame in (bases, doors)]
    posts = bases[at[0]].map(node_of).to_numpy()
    hospitals = doors[at[1]].map(node_of).to_numpy()
    return minutes.to_numpy() * MINUTE, nodes[["x", "y"]], share / share.sum(), posts, hospitals


def ladder():
    """Climb from the textbook plan to the best one, on the same simulated days."""
    times, xy, share, posts, hospitals = utrecht()
    fleet_size, rate, standard_s = 19, 6.3, 12 * MINUTE
    from_posts = times[posts]

    def fleet_of(units):
        homes = np.repeat(posts, units)
        names = [f"A{n:02d}" for n in range(homes.size)]
        return pd.DataFrame({"unit_id": names, "unit_type": "als", "home_node": homes})

    def draw(number):
        rates = np.broadcast_to(rate * share, (DAYS * 24, share.size))
        calls = draw_poisson(rates, seed=7, replication=number)
        ids = calls["call_id"].to_numpy()
        luck = {k: uniforms(7, f"{k}/{number}", ids) for k in ("scene", "door", "handover")}
        return calls.assign(
            call_class="p1",
            on_scene_s=-12 * MINUTE * np.log1p(-luck["scene"]),
            transport=luck["door"] < 0.8,
            handover_s=18 * MINUTE * (-np.log1p(-luck["handover"])) ** (1 / 1.5),
        )

    def mexclp(q):
        return locate(
            "mexclp", from_posts, share, num_units=fleet_size, busy_fraction=q,
            standard_s=standard_s,
        ).units  # fmt: skip

    plans = {q: Arm(fleet_of(mexclp(q))) for q in (0.6, 0.5, 0.4, 0.3, 0.2)}
    options = {
        "replications": REPLICATIONS,
        "standards_s": standard_s,
        "warm_up_s": DAY,
        "hospitals": hospitals,
        "node_xy": xy,
    }

    def value(table, arm, statistic):
        mine = (table["arm"] == arm) & (table["scope"] == "all") & (table["statistic"] == statistic)
        return table[mine].iloc[0]

    late = {}
    for q, arm in plans.items():
        table = replicate({"plan": arm}, draw, times, **options).table
        late[q] = value(table, "plan", "late_share")["value"]
        busy = value(table, "plan", "busy_fraction")["value"]
    best_q = min(late, key=late.get)
    service_h = busy * fleet_size / rate
    start = np.repeat(np.arange(posts.size), mexclp(best_q))
    found = search_on_hypercube(from_posts, rate * share, start, service_h, standard_s=standard_s)
    moving = {}
    settings = {"posts": posts, "demand": share, "standard_s": standard_s}
    hypercube = Arm(fleet_of(found.units))
    for q in (0.2, 0.3, 0.4):
        policy = Policy(relocation="dmexclp", busy_fraction=q, **settings)
        moving[q] = Arm(hypercube.fleet, policy)
    scores = {}
    for q, arm in moving.items():
        table = replicate({"plan": arm}, draw, times, **options).table
        scores[q] = value(table, "plan", "late_share")["value"]
    move_q = min(scores, key=scores.get)
    rungs = {
        "MEXCLP, q 0.6": plans[0.6],
        f"MEXCLP, best q ({best_q})": plans[best_q],
        "swaps on the hypercube": hypercube,
        f"DMEXCLP moves (q {move_q})": moving[move_q],
    }
    lines = [
        "## Ladder of Utrecht plans",
        "",
        f"{fleet_size} vehicles, 21 posts, 6.3 calls an hour, late = wait and drive over 12 min;",
        f"{REPLICATIONS} replications of {DAYS} days, the first day left out, seed 7. Step = less",
        "the row above on the same days, in points, with its paired 95 % interval.",
        "",
        "| plan | late, % | mean, min | step, points | interval |",
        "|---|---|---|---|---|",
    ]
    before = None
    for name, arm in rungs.items():
        arms = {"plan": arm} if before is None else {"plan": arm, "baseline": before}
        table = replicate(arms, draw, times, **options).table
        share_late = value(table, "plan", "late_share")["value"] * 100
        mean = value(table, "plan", "mean_response_s")["value"] / MINUTE
        step = "| |"
        if before is not None:
            gain = value(table, "difference", "late_share")
            step = (
                f"{gain['value'] * 100:+.2f} | {gain['lo'] * 100:+.2f} to {gain['hi'] * 100:+.2f} |"
            )
        lines.append(f"| {name} | {share_late:.2f} | {mean:.2f} | {step}")
        print(lines[-1])
        before = arm
    others = ", ".join(f"q {q} {value_ * 100:.2f}" for q, value_ in late.items())
    lines += ["", f"MEXCLP by q, late %: {others}. Mean busy fraction {busy:.3f}."]
    return lines


def main():
    """Run the parts asked for; the page keeps what it says of the others."""
    asked = sys.argv[1:] or ["all"]
    known = {"speed": speed, "year": year, "ladder": ladder}
    page = RESULT.read_text() if RESULT.exists() else ""
    parts = {part.partition("\n")[0]: part.rstrip() for part in page.split("\n## ")[1:]}
    for name, part in known.items():
        if name in asked or "all" in asked:
            made = "\n".join(part()).removeprefix("## ")
            parts[made.partition("\n")[0]] = made
    head = (
        "# The simulation engine\n\n"
        "Made by `python benchmarks/bench_simulation.py` on two cores. Seconds are of one machine."
    )
    RESULT.write_text("\n\n## ".join([head, *parts.values()]) + "\n")


if __name__ == "__main__":
    main()
