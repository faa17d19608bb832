"""The published matrix of Seattle's Risk Managed Demand brief, as calls that give it."""

import numpy as np
import pandas as pd

# rows: very likely .. very unlikely; columns: severity 1 .. 5 (table 4 of the brief)
PUBLISHED = np.array(
    [
        [114, 0, 2, 1, 0],
        [0, 0, 1, 1, 3],
        [0, 0, 5, 4, 1],
        [0, 0, 14, 2, 0],
        [0, 2, 51, 87, 68],
    ]
)
_WORST_OF = {5: (60, 100), 4: (20, 100), 3: (8, 100), 2: (4, 100), 1: (2, 400)}


def published_counts():
    """Types of the brief, a row a type and severity: call_type, severity, n."""
    rows = []
    for row, column in np.ndindex(5, 5):
        likelihood, severity = 5 - row, column + 1
        worst, of = _WORST_OF[likelihood]
        for number in range(PUBLISHED[row, column]):
            name = f"L{likelihood} S{severity} {number:03d}"
            if severity == 1:
                rows.append((name, 1, of))
            else:
                rows += [(name, severity, worst), (name, 1, of - worst)]
    return pd.DataFrame(rows, columns=["call_type", "severity", "n"])


def calls_of(counts, *, start="2017-01-01", days=1095, hours=1.0):
    """One row a call, spread evenly over the days; always a call on the first and last day."""
    calls = counts.loc[counts.index.repeat(counts["n"]), ["call_type", "severity"]]
    calls = calls.reset_index(drop=True)
    day = np.linspace(0, days - 1, len(calls)).round() if len(calls) > 1 else np.zeros(1)
    rng = np.random.default_rng(0)
    calls["received_at"] = pd.Timestamp(start, tz="America/Los_Angeles") + pd.to_timedelta(
        rng.permutation(day), unit="D"
    )
    calls["unit_hours"] = hours
    return calls


def town(**types):
    """Calls of a few types: name = calls of severity 1, 2, 3, 4, 5."""
    rows = [
        (name.replace("_", " "), severity, n)
        for name, of in types.items()
        for severity, n in enumerate(of, start=1)
        if n
    ]
    return calls_of(pd.DataFrame(rows, columns=["call_type", "severity", "n"]))
