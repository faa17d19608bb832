"""Models as arrays or written row by row, what a solve gives, and engines through PuLP."""
