"""Layouts of weather files; `inputs.weather` is the door."""
