import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.tables import TABLES, check_frame, columns_page

POSTS = pd.DataFrame(
    {
        "hour": [0, 0],
        "post_id": ["a", "b"],
        "unit_type": "als",
        "name": ["A", "B"],
        "lon": [4.0, 4.1],
        "lat": [52.0, 52.1],
        "units": [1, 2],
    }
)


def test_a_frame_that_keeps_its_contract_passes():
    check_frame(POSTS, TABLES["posts.csv"], where="posts.csv")


def test_every_breach_is_said_together():
    wrong = POSTS.rename(columns={"units": "unit"}).assign(lon=[4.0, None], post_id=["a", "a"])
    with pytest.raises(InputError) as raised:
        check_frame(wrong, TABLES["posts.csv"], where="posts.csv")
    text = str(raised.value)
    assert len(raised.value.faults) == 3
    assert "did you mean 'unit'?" in text
    assert "row 2, lon" in text
    assert "each hour, post_id, unit_type once" in text


def test_every_key_is_a_column_and_every_table_is_on_the_page():
    page = columns_page()
    for table in TABLES.values():
        assert set(table.key) <= set(table.names)
        assert f"## {table.name}" in page


def test_the_pinned_forecast_columns_are_in_order():
    assert TABLES["forecast.parquet"].names[:6] == [
        "service", "area_id", "hour", "mean", "q0.025", "q0.05",
    ]  # fmt: skip
