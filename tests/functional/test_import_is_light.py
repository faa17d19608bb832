"""Importing the package does nothing slow, and its names are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import deploy_opt

HEAVY = ("pandas", "numpy", "geopandas", "folium", "highspy", "pulp", "ortools", "statsforecast")


def modules_after(code):
    text = f"{code}\nimport sys; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


@pytest.mark.parametrize("code", ["import deploy_opt", "import deploy_opt.cli"])
def test_importing_loads_no_heavy_library(code):
    assert not modules_after(code) & set(HEAVY)


@pytest.mark.parametrize("name", deploy_opt.__all__)
def test_every_name_of_the_door_opens(name):
    assert getattr(deploy_opt, name) is not None
    assert name in dir(deploy_opt)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'plans'"):
        deploy_opt.plans  # noqa: B018  (the access is the test)


@pytest.mark.parametrize("order", ["highspy, pulp, ortools", "ortools, pulp, highspy"])
def test_the_solvers_share_a_process_in_both_orders(order):
    lines = "\n".join(
        f"import {name}{'.sat.python.cp_model' if name == 'ortools' else ''}"
        for name in order.split(", ")
    )
    solve = "h = highspy.Highs(); h.silent(); h.run(); print(h.getModelStatus())"
    code = f"{lines}\n{solve}"
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
