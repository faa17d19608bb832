"""Rooms behind `deploy_opt.plan.districts`: the case, the search, the bound and the figures."""
