"""Local times survive both clock changes on the way in."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deploy_opt.inputs.records.times import read_times

ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "Europe/Amsterdam",
    "Australia/Lord_Howe",
    "UTC",
)
AROUND_CHANGES = [
    dt.datetime.fromisoformat(text)
    for text in (
        "2024-03-10 02:00",
        "2024-11-03 01:00",
        "2024-03-31 02:00",
        "2024-10-27 02:00",
        "2024-04-07 02:00",
        "2024-10-06 02:00",
    )
]
FORMATS = ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S")


@st.composite
def wall_times(draw):
    near = draw(st.sampled_from(AROUND_CHANGES))
    return near + dt.timedelta(seconds=draw(st.integers(-4 * 3600, 4 * 3600)))


@given(
    st.lists(wall_times(), min_size=1, max_size=30, unique=True),
    st.sampled_from(ZONES),
    st.sampled_from(FORMATS),
)
def test_wall_times_are_read_as_the_standard_library_reads_them(walls, zone, text_format):
    texts = np.array([w.strftime(text_format) for w in walls], dtype=object)
    formats = ("iso",) if text_format.startswith("%Y") else (text_format,)
    read = read_times(texts, formats, zone=zone)
    for wall, utc, gap, repeated in zip(walls, read.utc, read.gap, read.repeated, strict=True):
        local = wall.replace(tzinfo=ZoneInfo(zone))
        back = local.astimezone(dt.UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert bool(gap) == (back != wall)
        both = {local.replace(fold=f).utcoffset() for f in (0, 1)}
        assert bool(repeated) == (len(both) == 2 and back == wall)
        if zone != "Australia/Lord_Howe" or not gap:  # its gap is half an hour long
            expected = local.astimezone(dt.UTC).replace(tzinfo=None)
            assert utc == np.datetime64(expected, "ns")


@given(st.lists(wall_times(), min_size=1, max_size=30, unique=True), st.sampled_from(ZONES))
def test_instants_round_trip_through_text_with_an_offset(walls, zone):
    instants = [w.replace(tzinfo=dt.UTC) for w in walls]
    texts = np.array([i.astimezone(ZoneInfo(zone)).isoformat() for i in instants], dtype=object)
    read = read_times(texts, ("iso",), zone="America/New_York")
    assert read.utc.tolist() == [int(np.datetime64(w, "ns").astype(np.int64)) for w in walls]
    assert read.offset.all()
    assert not read.gap.any()
    assert not read.repeated.any()


@given(st.lists(wall_times(), min_size=1, max_size=30, unique=True), st.sampled_from(ZONES))
def test_reading_what_the_clock_shows_gives_the_wall_back(walls, zone):
    texts = np.array([w.isoformat(sep=" ") for w in walls], dtype=object)
    read = read_times(texts, ("iso",), zone=zone)
    for wall, utc, gap in zip(walls, read.utc, read.gap, strict=True):
        instant = utc.astype("datetime64[us]").item().replace(tzinfo=dt.UTC)
        shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == wall or bool(gap)
