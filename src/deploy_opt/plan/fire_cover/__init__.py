"""Fire companies: first-due cover and the effective response force, exactly."""
