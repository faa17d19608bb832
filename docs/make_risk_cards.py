"""Write the model cards of officer risk and triage, on invented data: about a minute.

``python docs/make_risk_cards.py`` keeps them in ``docs/model_cards``.
"""

from __future__ import annotations

from pathlib import Path

from deploy_opt.inputs.records_labels import events_of
from deploy_opt.inputs.synthetic_dispatches import make_dispatch_town
from deploy_opt.inputs.synthetic_transcripts import make_transcripts
from deploy_opt.report.officer_card import officer_card, triage_card
from deploy_opt.risk.officer_risk.features import Sources, dispatch_features
from deploy_opt.risk.officer_risk.past import learn_past
from deploy_opt.risk.officers import fit_officer_risk
from deploy_opt.risk.triage import fit_triage

TITLE = "an invented city (synthetic data)"


def officer_risk(card: Path) -> None:
    """Fit the invented dispatches of the benchmark and keep the card."""
    town, truth = make_dispatch_town(232_000)
    past = learn_past(
        town.calls,
        arrest=events_of(town.arrests, town.calls),
        injury=events_of(town.injuries, town.calls),
    )
    features = dispatch_features(town.calls, Sources(past, weather=town.weather))
    areas = sorted(set(town.calls["area_id"]))
    groups = {area: "first six areas" if n < 6 else "others" for n, area in enumerate(areas)}
    risk = fit_officer_risk(features, truth["high"].astype(int), group_of_area=groups)
    card.write_text(officer_card(risk, title=TITLE), encoding="utf-8")


def triage(card: Path) -> None:
    """Fit invented call summaries and keep the card."""
    calls, _ = make_transcripts(6000)
    fit = fit_triage(
        calls["text"].tolist(), calls["tier"].to_numpy(), groups=calls["area_group"].to_numpy()
    )
    card.write_text(triage_card(fit, title="invented summaries"), encoding="utf-8")


if __name__ == "__main__":
    folder = Path(__file__).parent / "model_cards"
    triage(folder / "triage.md")
    officer_risk(folder / "officer_risk.md")
