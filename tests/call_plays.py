"""Small fleets and calls to play, and what is read off a play."""

import pandas as pd


def fleet_at(*homes, **columns):
    names = [f"U{number}" for number in range(len(homes))]
    frame = {"unit_id": names, "unit_type": "als", "home_node": list(homes)}
    return pd.DataFrame({**frame, **columns})


def calls_at(*when_and_where, **columns):
    frame = {
        "call_id": [f"c{number}" for number in range(len(when_and_where))],
        "at_s": [float(at) for at, _ in when_and_where],
        "node": [node for _, node in when_and_where],
        "call_class": "p1",
        "on_scene_s": 600.0,
        "transport": False,
        "handover_s": 0.0,
    }
    return pd.DataFrame({**frame, **columns})


def who(result):
    return result.calls["unit_id"].tolist()


def responses(result):
    return result.calls["response_s"].tolist()
