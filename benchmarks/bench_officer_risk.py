"""Officer risk at the size of the Camden study: 232,000 calls fitted, one dispatch scored.

Run it with ``python benchmarks/bench_officer_risk.py``; it writes
``benchmarks/results/officer_risk.md``. The city is invented and its true risk known.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from scipy import stats

from deploy_opt.inputs.records_labels import events_of
from deploy_opt.inputs.synthetic_dispatches import make_dispatch_town
from deploy_opt.risk.officer_risk.features import Sources, dispatch_features
from deploy_opt.risk.officer_risk.past import learn_past
from deploy_opt.risk.officers import (
    OfficerRiskParams,
    fit_officer_risk,
    load_officer_risk,
    save_officer_risk,
    score_dispatch,
)

RESULT = Path(__file__).parent / "results" / "officer_risk.md"
NUM_CALLS, SCORES = 232_000, 200


def cpu(work):
    """Run it and say how many CPU seconds went by."""
    start = time.process_time()
    value = work()
    return time.process_time() - start, value


def auc(score, high):
    """Area under the curve (Mann and Whitney)."""
    rank, ones = stats.rankdata(score), int(high.sum())
    return (rank[high].sum() - ones * (ones + 1) / 2) / (ones * (len(high) - ones))


def lines_of(risk):
    """Write a line for each category."""
    table = risk.report.query("split == 'temporal'").set_index(["category", "measure", "label"])
    values = table["value"]
    lines = []
    for category in risk.report["category"].unique():
        v = values[category]
        constants = " / ".join(f"{v['cost_of_always', k]:.3f}" for k in (0, 1))
        lines.append(
            f"| {category} | {int(table.loc[(category, 'cost_per_call', -1), 'n']):,} "
            f"| {v['prevalence', 1]:.3f} | {v['cost_per_call', -1]:.3f} | {constants} "
            f"| {'yes' if category in risk.models else 'no'} "
            f"| {v['coverage', 0]:.3f} / {v['coverage', 1]:.3f} "
            f"| {v['singleton_precision', 1]:.3f} | {v['cannot_tell_share', -1]:.3f} |"
        )
    return lines


def main():
    """Make the city, fit it, score it, write the page."""
    town, truth = make_dispatch_town(NUM_CALLS)
    past_s, past = cpu(
        lambda: learn_past(
            town.calls,
            arrest=events_of(town.arrests, town.calls),
            injury=events_of(town.injuries, town.calls),
        )
    )
    sources = Sources(past, weather=town.weather)
    features_s, features = cpu(lambda: dispatch_features(town.calls, sources))
    high = truth["high"].to_numpy()
    lines = {}
    for objective in ("expected_cost", "count_ratio"):
        params = OfficerRiskParams(objective=objective)
        lines[objective] = cpu(lambda p=params: fit_officer_risk(features, high.astype(int), p))
    fit_s, risk = lines["expected_cost"]
    file = RESULT.with_name("officer_risk_model.json")
    save_officer_risk(risk, file)
    size_kb = file.stat().st_size / 1024
    load_s, loaded = cpu(lambda: load_officer_risk(file))
    file.unlink()
    own = town.calls[town.calls["category"] == "weapons"].tail(SCORES)
    took = [cpu(lambda row=row: score_dispatch(loaded, own.iloc[[row]], sources))[0]
            for row in range(len(own))]  # fmt: skip
    late = (features["category"] == "weapons").to_numpy() & features["complete"].to_numpy()
    late &= features["day"].to_numpy() >= np.quantile(features.loc[late, "day"], 0.75)
    model = risk.models["weapons"]
    found = auc(model.probabilities(features[late])[:, 1], high[late])
    best = auc(truth.loc[late, "probability"].to_numpy(), high[late])
    complete = int(features["complete"].sum())
    RESULT.write_text(
        f"""# Officer risk

Made by `python benchmarks/bench_officer_risk.py`; CPU seconds on a shared machine with two cores.
{len(town.calls):,} invented calls (with a warm-up), {complete:,} of them with whole windows.

| | CPU s |
|---|---|
| past of every area sorted | {past_s:.2f} |
| features of {len(features):,} calls | {features_s:.2f} |
| five categories fitted, two splits each, `expected_cost` | {fit_s:.1f} |
| the same, `count_ratio` (weights searched out of fold) | {lines["count_ratio"][0]:.1f} |
| saved models ({size_kb:.0f} kB) read back and their seal checked | {load_s:.3f} |
| one dispatch scored: median, 99 % | {np.median(took):.4f}, {np.quantile(took, 0.99):.4f} |

Cost ratio 10, coverage .75 by class, the last quarter of the time held out (`expected_cost`):

| category | held out | high | cost a call | always low / high | published | coverage low / high \
| a lone "high" is right | cannot tell |
|---|---|---|---|---|---|---|---|---|
{chr(10).join(lines_of(risk))}

Weapons, held out: area under the curve {found:.3f}; with the true risk itself {best:.3f}.
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
