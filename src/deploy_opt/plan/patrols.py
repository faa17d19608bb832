"""Patrols: units needed per district and hour, and crews that belong to a district."""

from __future__ import annotations

from deploy_opt.plan.patrol.compare import compare_districts
from deploy_opt.plan.patrol.district_plan import plan_patrols
from deploy_opt.plan.patrol.district_pools import CoveringCrews, fewest_unit_hours
from deploy_opt.plan.patrol.ground import (
    PatrolCalls,
    PatrolGround,
    PatrolRules,
    neighbours_by_border,
)
from deploy_opt.plan.patrol.need import PatrolNeed, patrol_need
from deploy_opt.plan.patrol.priority_queue import QueueWaits, erlang_c, priority_waits
from deploy_opt.plan.patrol.records import patrol_calls_of_records
from deploy_opt.plan.patrol.results import PatrolPlan

__all__ = [
    "CoveringCrews",
    "PatrolCalls",
    "PatrolGround",
    "PatrolNeed",
    "PatrolPlan",
    "PatrolRules",
    "QueueWaits",
    "compare_districts",
    "erlang_c",
    "fewest_unit_hours",
    "neighbours_by_border",
    "patrol_calls_of_records",
    "patrol_need",
    "plan_patrols",
    "priority_waits",
]
