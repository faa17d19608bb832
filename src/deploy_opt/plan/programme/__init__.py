"""Prevention programmes: slots by area from a need measure, with floors for groups."""
