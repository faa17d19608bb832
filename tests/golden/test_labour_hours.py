"""Hours of the Fair Labor Standards Act, section 7(k): the table of 29 CFR 553.230."""

import pytest

from deploy_opt.errors import InputError
from deploy_opt.plan.rosters.labour_rules import max_hours_7k

# work period in days: fire protection, law enforcement (29 CFR 553.230(c); the rows of 22 to 27
# days by its rule, 7.57 and 6.11 h a day rounded to whole hours)
TABLE = {
    28: (212, 171), 27: (204, 165), 26: (197, 159), 25: (189, 153), 24: (182, 147),
    23: (174, 141), 22: (167, 134), 21: (159, 128), 20: (151, 122), 19: (144, 116),
    18: (136, 110), 17: (129, 104), 16: (121, 98), 15: (114, 92), 14: (106, 86),
    13: (98, 79), 12: (91, 73), 11: (83, 67), 10: (76, 61), 9: (68, 55), 8: (61, 49), 7: (53, 43),
}  # fmt: skip


@pytest.mark.parametrize(("days", "hours"), TABLE.items())
def test_the_hours_of_every_work_period_are_those_of_the_regulation(days, hours):
    assert (max_hours_7k("fire", days), max_hours_7k("law", days)) == hours


@pytest.mark.parametrize("days", [6, 29])
def test_a_work_period_that_the_section_does_not_know_is_refused(days):
    with pytest.raises(InputError, match="7 to 28 days"):
        max_hours_7k("law", days)


def test_a_kind_of_work_that_the_section_does_not_know_is_refused():
    with pytest.raises(InputError, match="law or fire"):
        max_hours_7k("ems", 28)
