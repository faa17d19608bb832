"""Manhattan: a plan made from the calls of 2013 and 2014 meets the incidents of 2015.

Run it with ``DEPLOY_OPT_REAL_DATA=... python benchmarks/bench_manhattan.py``; it writes
``benchmarks/results/manhattan.md``. The records are a sample of the calls, so weeks of 2015 are
laid on top of each other until there are as many calls a day as the fleet was built for: every
call keeps its own time of the week, place and kind. How long calls take is drawn from the laws of
the scenario by the incident's id, the same for every plan.
"""

from __future__ import annotations

import resource
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from deploy_opt.commands.plays import fleet_of, options_of, walk
from deploy_opt.scenario import load_scenario
from deploy_opt.seeds import stream
from deploy_opt.simulation.draws import uniforms
from deploy_opt.simulation.replicate import Arm, replicate
from deploy_opt.simulation.simulate import simulate
from deploy_opt.simulation.stress import stress
from deploy_opt.stages.recorded_calls import recorded_calls
from deploy_opt.stages.simulation_ground import WARM_UP_H
from deploy_opt.stages.stress_defaults import default_variants
from deploy_opt.stages.stress_ground import lay_spell

RESULT = Path(__file__).parent / "results" / "manhattan.md"
SCENARIO = Path(__file__).parents[1] / "scenarios" / "manhattan.yaml"
FROZEN = ("demand.history_end=2015-01-01", "horizon.start=2015-01-05")
FIRST, NUM_WEEKS, CALLS_PER_DAY = pd.Timestamp("2015-01-05"), 51, 451
WEEKS_PER_YEAR, CALLS_PER_YEAR, REPLICATIONS = 52, 300_000, 30
HOUR_S, WEEK_S = 3600.0, 7 * 86_400.0
WARM_UP_S = WARM_UP_H * HOUR_S
WHAT = ("late, %", "mean response, min", "hours to recover")
STATISTICS = {"late_share": 100, "mean_response_s": 1 / 60, "hours_to_recover": 1}
CHANGE = "late, plan less today, points"


def weeks_of_calls(scenario, calls, stage):
    """Lay weeks of the year on top of each other; the last day of each comes first as warm-up."""
    end = FIRST + pd.Timedelta(weeks=NUM_WEEKS)
    played = recorded_calls(scenario, calls, stage, FIRST.date(), end.date(), luck="manhattan")
    at = played["received_at"].dt.tz_localize(None)
    week = ((at - FIRST) // pd.Timedelta(weeks=1)).to_numpy()
    layers = int(CALLS_PER_DAY / (len(played) / (7 * NUM_WEEKS)))
    num = NUM_WEEKS // layers
    rest = week >= num * layers  # what is wanted beyond whole layers is drawn from these weeks
    wanted = 7 * CALLS_PER_DAY * num - np.count_nonzero(~rest)
    luck = uniforms(scenario.seed, "manhattan/rest", played["call_id"].to_numpy()) * rest.sum()
    week = np.where(rest, np.where(luck < wanted, luck * num // wanted, -1), week % num)
    played["at_s"] = (at - FIRST).dt.total_seconds().to_numpy() % WEEK_S
    weeks = []
    for number in range(num):
        own = played[week == number]
        before = own[own["at_s"] >= WEEK_S - WARM_UP_S]
        before = before.assign(
            at_s=before["at_s"] - WEEK_S, call_id=before["call_id"].astype(str) + "-before"
        )
        both = pd.concat([before, own]).sort_values("at_s", kind="stable", ignore_index=True)
        weeks.append(both.assign(at_s=both["at_s"] + WARM_UP_S))
    return weeks, layers


def paired(arms, weeks, stage, options):
    """Replay every week under two plans."""
    return replicate(
        arms,
        lambda number: weeks[number],
        stage.times_s,
        replications=len(weeks),
        **options,
    ).table


def line(table, arm, statistic, scale=1.0):
    """Give a statistic of all calls with its interval."""
    whole = table[(table["arm"] == arm) & (table["scope"] == "all")].set_index("statistic")
    value, low, high = scale * whole.loc[statistic, ["value", "lo", "hi"]]
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def row(*cells):
    """Make a row of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def by_area(table, names):
    """List the areas, those that gain least against today first."""
    own = table[(table["scope"] == "area") & (table["statistic"] == "late_share")]
    wide = own.pivot_table(index="scope_id", columns="arm", values="value")
    gap = own[own["arm"] == "difference"].set_index("scope_id")
    wide["n"] = own[own["arm"] == "plan"].set_index("scope_id")["n"]
    wide = wide[wide["n"] >= 100].sort_values("difference", ascending=False)
    rows = [row("area", "calls", "late today", "late, plan", "plan less today, points")]
    rows.append(row(*["---"] * 5))
    for area, found in wide.iterrows():
        low, high = 100 * gap.loc[area, ["lo", "hi"]]
        change = f"{100 * found['difference']:+.1f} ({low:+.1f} to {high:+.1f})"
        shares = f"{found['baseline']:.1%}", f"{found['plan']:.1%}"
        rows.append(row(names[area], f"{found['n']:.0f}", *shares, change))
    return rows


def stressed(arms, weeks, walked, scenario):
    """Play every bad spell in every week."""
    comparison, ground, stage = walked.comparison, walked.ground, walked.stage
    hours = comparison.plan.units.sum(axis=0) + comparison.baseline.units.sum(axis=0)
    named = default_variants(comparison.rates, hours, ground, walked.roads)
    spells = {
        name: lay_spell(
            scenario,
            name,
            variant,
            calls=walked.calls,
            roads=walked.roads,
            ground=ground,
            stage=stage,
        )
        for name, variant in named.items()
    }
    table = stress(
        arms,
        lambda number: weeks[number],
        stage.times_s,
        {name: spell.stress for name, spell in spells.items()},
        standard_s=stage.standard_s,
        seed=scenario.seed,
        replications=len(weeks),
        first_s=WARM_UP_S,
        **options_of(scenario, ground, stage, measured=False),
    )
    own = table[table["scope"] == "spell"].set_index(["variant", "arm", "statistic"])
    rows = [
        row("spell", *(f"{what}, {arm}" for what in WHAT for arm in ("today", "plan")), CHANGE),
        row(*["---"] * 8),
    ]
    for name, spell in spells.items():
        cells = [
            f"{scale * own.loc[(name, arm, what), 'value']:.1f}"
            for what, scale in STATISTICS.items()
            for arm in ("baseline", "plan")
        ]
        gap = 100 * own.loc[(name, "plan_less_baseline", "late_share"), ["value", "lo", "hi"]]
        change = f"{gap['value']:+.1f} ({gap['lo']:+.1f} to {gap['hi']:+.1f})"
        rows.append(row(f"{name}: {' '.join(spell.words)}", *cells, change))
    return rows


def year(walked, scenario):
    """Time a year of calls on Manhattan's drives: thirty replications on two threads."""
    comparison = walked.comparison
    stage = replace(walked.stage, hours=WEEKS_PER_YEAR * walked.stage.hours)
    expected = np.tile(comparison.rates, WEEKS_PER_YEAR)
    expected *= CALLS_PER_YEAR / expected.sum()
    at_post = np.ceil(2.0 * comparison.plan.units.mean(axis=0)).astype(int)
    homes = np.repeat(np.arange(stage.num_posts), at_post)
    names = [f"A{number:02d}" for number in range(homes.size)]
    fleet = pd.DataFrame({"unit_id": names, "unit_type": stage.unit_type, "home_node": homes})

    def one(number):
        counts = stream(scenario.seed, "year", number).poisson(expected)
        calls = stage.draw(counts, number)
        found = simulate(
            fleet,
            calls,
            stage.times_s,
            hospitals=stage.hospitals,
            node_xy=stage.node_xy,
            period_of_hour=stage.period_of_hour,
        )
        return len(calls), found.mean_response_s

    one(0)
    begin, wall = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(one, range(REPLICATIONS)))
    cpu_s, wall_s = time.process_time() - begin, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    calls, response_s = np.mean(made, axis=0)
    return [
        f"{calls:,.0f} calls in {WEEKS_PER_YEAR} weeks, {homes.size} units,",
        f"{stage.times_s.shape[1]} places, {REPLICATIONS} replications on two threads, draws and",
        f"frames included: {cpu_s:.0f} CPU s, {wall_s:.0f} s wall, {peak:,.0f} MB at most. Mean",
        f"response {response_s / 60:.1f} min.",
    ]


def main():
    """Plan, replay, stress and write the table."""
    began = time.process_time()
    scenario = load_scenario(SCENARIO, overrides=list(FROZEN))
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        walked = walk(scenario, run, fresh=False, talk=True)
    comparison, stage = walked.comparison, walked.stage
    planned_s = time.process_time() - began
    weeks, layers = weeks_of_calls(scenario, walked.calls, stage)
    arms = {"plan": comparison.plan, "baseline": comparison.baseline, "simple": comparison.simple}
    fleets = {name: Arm(fleet_of(scenario, arm.units, stage)) for name, arm in arms.items()}
    how = options_of(scenario, walked.ground, stage)
    both = {name: fleets[name] for name in ("plan", "baseline")}
    today = paired(both, weeks, stage, how)
    simple = paired({"plan": fleets["plan"], "baseline": fleets["simple"]}, weeks, stage, how)
    areas = walked.areas.frame
    names = dict(zip(areas["area_id"], areas["name"], strict=True))
    rates = comparison.rates
    model = {
        name: f"{100 * float((arm.cover * rates).sum() / rates.sum()):.1f}"
        for name, arm in arms.items()
    }
    counted = sum(np.count_nonzero(own["at_s"] >= WARM_UP_S) for own in weeks)
    per_day = counted / len(weeks) / 7
    hours = {name: int(arm.units.sum()) for name, arm in arms.items()}

    def figures(table, arm):
        return line(table, arm, "late_share", 100), line(table, arm, "mean_response_s")

    text = [
        "# Manhattan: a plan of 2013-2014 on the incidents of 2015",
        "",
        "Made by `REAL python benchmarks/bench_manhattan.py`. Fleet and lengths of calls are those",
        "of a published model; incidents keep their time of the week, place and kind.",
        f"{layers} weeks of 2015 lie on top of each other, calls of the weeks that are left fill",
        f"up: {len(weeks)} such weeks of {per_day:.0f} calls a day. Unit-hours: {hours}.",
        f"Late: more than {stage.standard_s:.0f} s from call to arrival.",
        "Intervals: 95 %, Student's, over weeks, differences paired.",
        "",
        row("", "reached by the model, %", "late in the replay, %", "mean response, s"),
        row(*["---"] * 4),
        row("plan", model["plan"], *figures(today, "plan")),
        row("eight stations of today", model["baseline"], *figures(today, "baseline")),
        row("fleet follows calls, best q", model["simple"], *figures(simple, "baseline")),
        row("plan less today", "", *figures(today, "difference")),
        row("plan less fleet follows calls", "", *figures(simple, "difference")),
        "",
        "## By area, those that gain least first",
        "",
        "Areas with at least 100 calls.",
        "",
        *by_area(today, names),
        "",
        "## Stress",
        "",
        "The spells of a scenario that names none; means over weeks, of the calls of the spell.",
        "Recovery: hours until three hours on end are within 30 s of the same week without it;",
        "where that is not within the week, the hours that were left of it.",
        "",
        *stressed(both, weeks, walked, scenario),
        "",
        "## A year",
        "",
        *year(walked, scenario),
        "",
        f"CPU s: planning {planned_s:.0f}, replays, stress and year",
        f"{time.process_time() - began - planned_s:.0f}.",
        "",
    ]
    RESULT.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
