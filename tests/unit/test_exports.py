import duckdb
import pandas as pd
import pytest

from deploy_opt.errors import InputError
from deploy_opt.report.exports import export_run
from deploy_opt.report.files import write_csv, write_parquet


@pytest.fixture
def folder(tmp_path):
    run = tmp_path / "a run's folder"
    run.mkdir()
    (run / "manifest.json").write_text("{}")
    write_csv(pd.DataFrame({"metric": ["reached"], "value": [0.9]}), run / "metrics.csv")
    write_parquet(pd.DataFrame({"num_calls": [1, 2, 3]}), run / "counts.parquet")
    (run / "index.html").write_text("<p>")
    return run


def test_every_table_of_a_run_becomes_a_table_of_the_database(folder):
    file = export_run(folder, to="duckdb")
    assert file == folder.with_name("a run's folder.duckdb")
    with duckdb.connect(str(file), read_only=True) as base:
        names = [row[0] for row in base.execute("show tables").fetchall()]
        total = base.execute("select sum(num_calls) from counts").fetchone()[0]
        value = base.execute("select value from metrics").fetchone()[0]
    assert (names, total, value) == (["counts", "metrics"], 6, 0.9)


def test_a_database_is_replaced_whole(folder, tmp_path):
    target = tmp_path / "x.duckdb"
    export_run(folder, to="duckdb", file=target)
    assert export_run(folder, to="duckdb", file=target) == target


def test_an_unknown_format_names_the_near_one(folder):
    with pytest.raises(InputError, match="did you mean 'duckdb'"):
        export_run(folder, to="duckdbb")


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no manifest\.json"):
        export_run(tmp_path, to="duckdb")


def test_a_file_inside_the_run_is_refused(folder):
    with pytest.raises(InputError, match="a file inside the run"):
        export_run(folder, to="duckdb", file=folder / "x.duckdb")
