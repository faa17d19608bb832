import json

import numpy as np
import pytest

from deploy_opt.errors import InputError
from deploy_opt.inputs.base_map import load_base_map


def square(west, south, side=0.1):
    east, north = west + side, south + side
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def written(tmp_path, *rows):
    features = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for properties, geometry in rows
    ]
    file = tmp_path / "base.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def test_land_and_water_come_as_rings_with_their_holes(tmp_path):
    lake = square(4.123456789, 52.02, 0.01)
    islands = {"type": "MultiPolygon", "coordinates": [[square(5, 52)], [square(6, 52)]]}
    file = written(
        tmp_path,
        ({"kind": "Land "}, polygon(square(4.1, 52.0), lake)),
        ({"kind": "land"}, islands),
        ({"kind": "water"}, polygon(lake)),
    )
    base = load_base_map(file)
    assert [len(shape) for shape in base.land] == [2, 1, 1]
    assert [len(shape) for shape in base.water] == [1]
    outer, hole = base.land[0]
    assert outer.shape == (5, 2)
    assert np.array_equal(outer[0], outer[-1])
    assert hole[:, 0].min() == 4.12346
    assert base.notes == ()


def test_a_kind_that_is_neither_is_one_line_with_the_nearest(tmp_path):
    file = written(tmp_path, ({"kind": "watr"}, polygon(square(4, 52))))
    with pytest.raises(InputError, match=r"'watr', expected land or water; did you mean 'water'"):
        load_base_map(file)


def test_without_kinds_every_polygon_is_land(tmp_path):
    found = load_base_map(written(tmp_path, ({"name": "Over there"}, polygon(square(4, 52)))))
    assert len(found.land) == 1
    assert not found.water


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no such file, expected polygons of land and water"):
        load_base_map(tmp_path / "base.geojson")
