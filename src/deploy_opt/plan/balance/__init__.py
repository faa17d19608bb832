"""Balance in the plan: floors for areas and groups, Nash welfare, mean drive, workload."""
