"""Questions that follow a plan: fewest hours, move-up levels, prices, trade-offs."""
