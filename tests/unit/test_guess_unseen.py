"""Exports of agencies without a preset: what the guess reads, what it asks for, what it refuses."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from deploy_opt.errors import InputError
from deploy_opt.inputs.incidents import read_incidents
from deploy_opt.inputs.records.guess import guess_mapping

FOLDER = Path(__file__).parent / "fixtures" / "unseen"
TRUTH = yaml.safe_load((FOLDER / "truth.yaml").read_text(encoding="utf-8"))
REFUSED = [name for name, case in TRUTH.items() if "refused" in case]
READ = [name for name in TRUTH if name not in REFUSED]
ABOUT_30_M = 3e-4


def guess(case):
    near = case.get("near")
    return guess_mapping(FOLDER / case["file"], near=(lambda: tuple(near)) if near else None)


def same(field, got, wanted, within_s):
    if wanted is None:
        return pd.isna(got)
    if field.endswith("_at"):
        return abs((got - pd.Timestamp(wanted)).total_seconds()) <= within_s
    if field in {"lon", "lat"}:
        return abs(got - wanted) < ABOUT_30_M
    return got == wanted


@pytest.mark.parametrize("name", READ)
def test_an_unseen_export_is_read_right_and_asks_what_it_does_not_tell(name):
    case = TRUTH[name]
    guessed = guess(case)
    found = read_incidents(FOLDER / case["file"], guessed.mapping, zone=case["zone"])
    assert found.num_kept == case["kept"], guessed.yaml_text
    wrong = {
        f"{place}.{field}": (row[field], wanted)
        for place, row in (("first", found.frame.iloc[0]), ("last", found.frame.iloc[-1]))
        for field, wanted in case[place].items()
        if not same(field, row[field], wanted, case.get("within_s", 1))
    }
    assert not wrong, guessed.yaml_text
    keys = {question.split(":")[0] for question in guessed.questions}
    assert set(case.get("asks", ())) <= keys


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_without_the_time_of_each_call_is_refused_with_what_it_has_instead(name):
    with pytest.raises(InputError, match=rf"{TRUTH[name]['refused']}.*ask the publisher"):
        guess(TRUTH[name])
