"""The whole plan as one model at frozen busy fractions, for small cases."""
