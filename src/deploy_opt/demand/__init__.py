"""How many calls, where, in which hour: counts, rates, city series, forecasts, scores.

The way through the room: `counts` (incidents to calls per area and hour) -> `outages` (hours that
were not recorded) -> `windows` (one history with the hours ahead of it) -> `drivers`, `rates`,
`series` and `baselines` (one kind of model each) -> `members` (every model on one window) ->
`origins` (rolling origins, choice of the city model) -> `predictive` (spread, quantiles, integer
paths) -> `scores`, `scoring` -> `frames` -> `forecast`, with `backtest` beside it.
"""
