import pytest

from deploy_opt.errors import Fault, FaultList, InfeasibleError, InputError, nearest


def test_a_fault_says_where_what_allowed_and_what_to_do():
    fault = Fault("a.yaml: fleet", "7", "a number below 5", "lower it")
    assert str(fault) == "a.yaml: fleet: found 7, expected a number below 5; lower it"


def test_all_faults_are_raised_together_one_a_line():
    faults = FaultList()
    assert not faults
    faults.add("x", "1", "2")
    faults.extend([Fault("y", "3", "4")])
    with pytest.raises(InputError) as raised:
        faults.raise_if_any()
    assert str(raised.value).count("\n") == 1
    assert raised.value.exit_code == 2
    assert len(raised.value.faults) == 2
    assert faults.faults == raised.value.faults


def test_no_fault_raises_nothing():
    FaultList().raise_if_any()


def test_the_nearest_name_keeps_the_case_it_is_allowed_in():
    assert nearest("buzy_cap", ["busy_cap", "min_units"]) == "did you mean 'busy_cap'?"
    assert nearest("LATITUDE", ["Latitude"]) == "did you mean 'Latitude'?"
    assert nearest("zzz", ["busy_cap"]) == ""


def test_infeasible_names_the_rules_and_has_its_own_exit_code():
    error = InfeasibleError(["post A holds 3", "capacity of A is 2"])
    assert error.exit_code == 3
    assert "capacity of A is 2" in str(error)
