import numpy as np

from deploy_opt import units
from deploy_opt.seeds import stream


def test_a_stream_depends_on_its_seed_and_name_alone():
    first = stream(7, "paths", "ems").random(4)
    stream(7, "another").random(100)
    assert np.array_equal(first, stream(7, "paths", "ems").random(4))
    assert not np.array_equal(first, stream(8, "paths", "ems").random(4))
    assert not np.array_equal(first, stream(7, "paths", "police").random(4))


def test_names_that_join_alike_are_different_streams():
    assert stream(1, "a", "b").random() != stream(1, "ab").random()


def test_water_freezes_and_boils_where_it_should():
    assert units.celsius(32.0) == 0.0
    assert round(units.celsius(212.0), 9) == 100.0
