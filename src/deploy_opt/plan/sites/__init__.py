"""Busy fractions of each site: the hypercube and searches on it."""
