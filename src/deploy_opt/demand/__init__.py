"""How many calls, where, in which hour: counts, rates, city series, forecasts, scores.

The way through the room: `counts` (incidents to calls per area and hour) -> `outages` (hours that
were not recorded) -> `windows` (one history with the hours ahead of it) -> `rates`, `series` and
`baselines` (one model each) -> `origins` (rolling origins, choice of the city model) ->
`predictive` (integer paths, quantiles) -> `forecast`, and `backtest` beside it.
"""
