"""Fire cover: first-due company and effective response force, planned, scored and explained."""

from __future__ import annotations

from deploy_opt.plan.fire_cover.coverage import FireCoverage, fire_coverage
from deploy_opt.plan.fire_cover.first_due import FirstDue, first_due, first_due_changes
from deploy_opt.plan.fire_cover.force import Aim, ForcePlan, fewest_companies, most_covered
from deploy_opt.plan.fire_cover.joint_units import fire_unit_type, first_engine_class
from deploy_opt.plan.fire_cover.question import (
    CompanyKind,
    FireQuestion,
    FireRules,
    FireStandard,
    Need,
    RiskClass,
    fire_standard,
)
from deploy_opt.plan.fire_cover.score import ForceScore, score_companies

__all__ = [
    "Aim",
    "CompanyKind",
    "FireCoverage",
    "FireQuestion",
    "FireRules",
    "FireStandard",
    "FirstDue",
    "ForcePlan",
    "ForceScore",
    "Need",
    "RiskClass",
    "fewest_companies",
    "fire_coverage",
    "fire_standard",
    "fire_unit_type",
    "first_due",
    "first_due_changes",
    "first_engine_class",
    "most_covered",
    "score_companies",
]
