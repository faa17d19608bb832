"""Holds the words that go with the sample city's truth."""

from __future__ import annotations

CITY_NAME = "Alder Falls (synthetic)"
TRUTH_README = """\
# The truth behind the synthetic sample city

Nothing here may be read by a model; it is kept apart so that tests can score forecasts and plans
against it. All of it is synthetic: Alder Falls does not exist.

The calls of `ems`, `police` (from the public) and `coresponse`, and those that officers start
themselves (`police_self`), are Poisson counts per area and hour. The expected calls of an hour are

    calls_per_h[area] x shape[land use, weekend, hour] x city[hour] x product of local[area, hour]

and what was drawn has one more factor, that of the day, the same for the whole city.

- `levels.csv`: service, area_id, land_use, calls_per_h.
- `shapes.csv`: service, land_use, weekend (Saturday and Sunday = 1), hour, factor.
- `city_factors.csv.gz`: one row per real hour (the repeated autumn hour stands twice): hour (naive
  local), then a factor by service: weekday, season, trend, holidays, school, and the weather that
  happened.
- `local_factors.csv`: service, area_id, first_hour, last_hour (not included), factor, cause: crowds
  of events, university breaks, festival week, closed bridge, drift. Rows of one hour multiply.
- `day_factors.csv`: the factor of each day (gamma, mean 1, sd 0.05). Nobody can know it ahead, so
  it is no part of the expected rates.
- `effects.json`: every constant; the effects outside any model's family; the faults that were put
  into the records, by incident_id.
- `weather_actual.csv.gz`: what the weather did, also after the forecast was made.
- `realised_week_*.csv.gz`: the calls of the first planned week, 2026-03-02 to 2026-03-08, without
  faults.

`deploy_opt.inputs.sample_city.true_rates(folder, service)` multiplies the factors for the two years
of history and the twelve weeks after it.

Outside any model's family: a festival week in one area that no event file knows; a week with the
main bridge closed (ambulances drive round, calls shift); one area that drifts upwards for eight
months.
"""
