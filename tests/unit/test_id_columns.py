"""The column of an areas file that holds the codes of the calls is found by its values."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import box

from deploy_opt.errors import InputError
from deploy_opt.inputs.shapes.id_columns import id_column_for

AREAS = gpd.GeoDataFrame(
    {
        "OBJECTID": [1, 2, 3],
        "postalCode": ["10001", "10002", "10003"],
        "BLDG": [10001, None, 0],
        "borough": ["M", "M", "M"],
    },
    geometry=[box(k, 0, k + 1, 1) for k in range(3)],
    crs="EPSG:4326",
)


def test_the_column_that_most_calls_name_is_taken():
    codes = pd.Series(["10001"] * 5 + ["10003"] * 4 + ["1"] * 3)
    assert id_column_for(AREAS, codes, "zips.geojson") == "postalCode"


def test_numbers_stand_for_their_text():
    assert id_column_for(AREAS, pd.Series(["1", "2", "2", "9"]), "zips.geojson") == "OBJECTID"


def test_codes_of_another_place_are_refused_with_what_the_columns_hold():
    with pytest.raises(InputError) as raised:
        id_column_for(AREAS, pd.Series(["90210", "90210", "10001"]), "zips.geojson")
    (fault,) = raised.value.faults
    assert "no column with the area codes of the calls, such as 90210" in str(fault)
    assert "postalCode such as 10001" in str(fault)
    assert "BLDG" not in str(fault)
