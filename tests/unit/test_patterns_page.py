"""The page of patterns: what it says, that user text stays text, the same bytes twice."""

from __future__ import annotations

import pandas as pd
import pytest

from deploy_opt.report.patterns_page import effect_line, lead_sentence, render_patterns, week_curve


def rows(*given):
    names = ["service", "pattern", "key", "label", "effect", "lo", "hi", "n"]
    return pd.DataFrame(given, columns=names)


def week(service="ems", hours=range(168)):
    return rows(
        *(
            (
                service,
                "hour_of_week",
                str(h),
                f"Day {h // 24} {h % 24:02d}:00",
                e,
                e - 0.1,
                e + 0.1,
                9,
            )
            for h in hours
            for e in [1.5 if h == 30 else 0.4 if h == 100 else 1.0]
        )
    )


OTHERS = rows(
    ("ems", "holiday", "X Day", "X Day, against the same day without it", 0.7, 0.6, 0.8, 2),
    (
        "ems",
        "weather",
        "high:30..",
        "a day's high of 30 °C or more, against mild",
        1.1,
        1.05,
        1.2,
        9,
    ),
    ("ems", "weather", "snow:3..", "new snow of 3 cm or more, against none", 1.0, 0.9, 1.1, 9),
    ("ems", "trend", "per_year", "a year later, all else equal", 9.0, 8.0, 10.0, 700),
)


def page(frame, **changes):
    values = {
        "name": "Squareville",
        "synthetic": False,
        "window": "2024-01-01 to 2025-12-31",
        "notes": (),
        "provenance": "Run abc.",
    }
    return render_patterns(frame, **(values | changes))


def test_the_lead_names_the_extreme_hours_and_the_clearest_effects():
    said = lead_sentence(pd.concat([week(), OTHERS]))
    assert said == (
        "Busiest Day 1 06:00 (+50 % on the average hour), quietest Day 4 04:00 (−60 %). "
        "Clearest outside effects: X Day −30 % (−40 to −20); a day's high of 30 °C or more +10 % "
        "(+5 to +20)."
    )


def test_effects_that_may_be_chance_are_not_praised():
    said = lead_sentence(OTHERS.iloc[[2]])
    assert said == "No holiday or weather has an effect that stands clear of chance."
    assert lead_sentence(week()).endswith("(−60 %).")


def test_an_effect_beyond_the_scale_is_cut_at_its_edge():
    line = effect_line(OTHERS.iloc[3].to_dict(), 0.5)
    assert (line.at, line.low, line.high) == (100.0, 100.0, 100.0)
    assert (line.words, line.tone, line.interval) == ("+800 %", "more", "+700 to +900")
    assert effect_line(OTHERS.iloc[2].to_dict(), 0.5).tone == "open"
    assert effect_line(OTHERS.iloc[0].to_dict(), 0.5).tone == "fewer"


def test_hours_that_were_never_recorded_leave_a_gap_in_the_curve():
    curve = week_curve(week(hours=[*range(10), *range(20, 168)]))
    assert curve.line.count("M") == 2
    assert week_curve(week(hours=[])) is None


def test_services_stand_in_the_order_of_the_vocabulary_and_the_label_synthetic_is_shown():
    text = page(pd.concat([week("police"), week("ems")]), synthetic=True)
    assert text.index("<h2>EMS</h2>") < text.index("<h2>Police</h2>")
    assert "synthetic data" in text
    assert "synthetic" not in page(week()).split("</style>")[1]


def test_text_of_users_stays_text_and_nothing_is_fetched():
    hostile = "{{ 7*7 }}</title><img src=x onerror=alert(1)>"
    frame = pd.concat([week(), OTHERS.assign(label=f"{hostile}, against none")])
    text = page(frame, name=hostile, notes=[hostile], provenance=hostile)
    assert "<img" not in text
    assert "{{ 7*7 }}&lt;/title&gt;" in text
    assert "default-src 'none'" in text
    assert "<script" not in text


def test_the_same_numbers_give_the_same_bytes():
    frame = pd.concat([week(), OTHERS])
    assert page(frame) == page(frame.copy())


@pytest.mark.parametrize("frame", [week(hours=range(3)), OTHERS])
def test_a_page_of_a_short_history_can_be_written(frame):
    assert page(frame).endswith("</html>")
