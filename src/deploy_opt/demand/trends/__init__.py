"""Watch counts of calls per area and type for what begins to rise."""
