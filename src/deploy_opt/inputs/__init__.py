"""Readers of everything an agency brings: calls, areas, roads, posts, weather, events."""
