"""Which posts and crews: location problems, busy units, the weekly deployment."""
