"""`init` finds what the roads tell, asks for the rest, and takes the answers."""

from __future__ import annotations

import pandas as pd
import yaml
from pyproj import Transformer


def test_roads_tell_the_reference_system_and_the_rest_is_asked_and_answered(
    town, tmp_path, deploy_opt
):
    data = town.parent / "data"
    calls = pd.read_csv(data / "calls.csv")
    turn = Transformer.from_crs("EPSG:4326", "EPSG:25832", always_xy=True)
    east, north = turn.transform(calls["lon"].to_numpy(), calls["lat"].to_numpy())
    table = pd.DataFrame(
        {
            "Einsatznummer": [f"E{i}" for i in range(len(calls))],
            "Eingang": calls["received_at"].str[:19],
            "Stichwort": "Sturz",
            "Rechtswert": east.round(1),
            "Hochwert": north.round(1),
        }
    )
    export = tmp_path / "einsaetze.csv"
    table.to_csv(export, index=False, sep=";", decimal=",", encoding="cp1252")
    roads = f"{data / 'nodes.csv'},{data / 'arcs.csv'}"
    words = ("--from-cad", export, "--roads", roads)
    code, _, err = deploy_opt("init", tmp_path / "none", *words)
    assert code == 2
    assert "name it: --zone" in err
    code, out, err = deploy_opt("init", tmp_path / "mine", *words, "--zone", "Europe/Berlin")
    assert code == 0, err
    mapping = tmp_path / "mine" / "mapping.yaml"
    point = yaml.safe_load(mapping.read_text(encoding="utf-8"))["point"]
    assert point["crs"] == "EPSG:25832"
    assert "asks: point: Rechtswert, Hochwert are read in EPSG:25832; with the older datum" in out
    assert "asks: zone" not in out
    answered = tmp_path / "answered.yaml"
    text = mapping.read_text(encoding="utf-8")
    answered.write_text(text + "zone: Europe/Berlin\n", encoding="utf-8")
    more = ("--mapping", answered)
    code, _, err = deploy_opt("init", tmp_path / "again", *words, *more)
    assert code == 0, err
    again = (tmp_path / "again" / "mapping.yaml").read_text(encoding="utf-8")
    assert again == answered.read_text(encoding="utf-8")
