"""Triage support: from the words of a call summary, redacted, to tiers that may fit."""
