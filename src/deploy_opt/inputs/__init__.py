"""Readers of everything an agency brings."""
