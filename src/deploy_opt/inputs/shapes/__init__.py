"""Polygons: reading, repair, simplification, names; `inputs.areas` is the door."""
