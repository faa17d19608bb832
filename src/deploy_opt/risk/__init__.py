"""Risk of calls to people and officers: tiers by call type, sets of outcomes with a guarantee."""
