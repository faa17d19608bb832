"""Records of calls: columns, times, traps, quality of an export; the door is `inputs.incidents`."""
