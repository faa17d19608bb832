"""The independent check: what happens when calls come and units answer, event by event."""
