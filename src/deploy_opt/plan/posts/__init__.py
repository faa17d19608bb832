"""Which posts open: limits by week and hour, prices of opening, and their bounds."""
