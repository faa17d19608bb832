"""Plans against sample paths of the forecast."""
