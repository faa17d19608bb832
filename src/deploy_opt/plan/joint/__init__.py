"""One weekly plan for several unit types, call classes and services under shared budgets."""
