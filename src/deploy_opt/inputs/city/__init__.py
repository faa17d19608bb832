"""The parts that make the synthetic sample city; `sample_city` is the door."""
