"""What no positions, or no plan at all, can reach."""
