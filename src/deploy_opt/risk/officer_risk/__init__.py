"""Officer risk: what is known at dispatch, a boosted model, honest sets and the proof of use."""
