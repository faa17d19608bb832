"""Rooms behind `deploy_opt.plan.patrols`: the queue, the need, district pools and their results."""
