"""Who answers a call of each tier: the responder mix as data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from deploy_opt.input_settings import Id, Section, Service, Share


class Responder(Section):
    """A kind of responder besides patrols and ambulances, such as a clinician."""

    service: Service = "coresponse"
    """Service that its units belong to."""
    people: int = Field(1, ge=1, le=12)
    """People of this kind on a unit."""
    sworn: bool = False
    """Whether they are sworn officers, whose work periods follow other rules."""


class TierMix(Section):
    """Who answers the calls of a tier."""

    lead: Id = "patrol"
    """Who leads: patrol, or a responder of the list."""
    beside: tuple[Id, ...] = ()
    """Who comes along and stays for the call."""
    stands_by: Id | None = None
    """Who waits nearby without taking part."""
    stands_by_min: float = Field(0.0, ge=0, le=240)
    """Minutes of waiting nearby."""
    share: Share = 1.0
    """Share of the calls that are answered so; patrols answer the rest as today."""

    @model_validator(mode="after")
    def _each_once(self) -> TierMix:
        named = [self.lead, *self.beside, *([self.stands_by] if self.stands_by else [])]
        if len(named) != len(set(named)):
            msg = "each responder once in lead, beside and stands_by"
            raise ValueError(msg)
        if self.stands_by is not None and self.stands_by_min == 0:
            msg = "stands_by_min above 0, as somebody stands by"
            raise ValueError(msg)
        return self


MixTier = Annotated[int, Field(ge=1, le=4)]


def _seattle() -> dict[MixTier, TierMix]:
    return {
        2: TierMix(lead="patrol", beside=("clinician",)),
        3: TierMix(lead="clinician", stands_by="patrol", stands_by_min=20),
    }


class ResponderMix(Section):
    """Responders by tier; tiers that are not named keep a patrol alone."""

    responders: dict[Id, Responder] = {
        "clinician": Responder(),
        "community_officer": Responder(service="police"),
        "animal_control": Responder(service="police"),
        "community_team": Responder(),
    }
    """Kinds of responders."""
    tiers: dict[MixTier, TierMix] = Field(default_factory=_seattle)
    """Who answers each tier. Default: a clinician beside the patrol in Tier 2; a clinician with
    the patrol staged nearby for 20 minutes in Tier 3."""
    deferral: dict[Literal["online", "call_back", "civilian"], Share] = {}
    """What becomes of Tier 4 calls, as shares; the rest keep a patrol."""

    @model_validator(mode="after")
    def _known(self) -> ResponderMix:
        known = {"patrol", *self.responders}
        wrong = []
        for tier, mix in self.tiers.items():
            named = (mix.lead, *mix.beside, *([mix.stands_by] if mix.stands_by else []))
            strange = [name for name in named if name not in known]
            wrong += [f"responders of the list in tier {tier}, not {name!r}" for name in strange]
        if sum(self.deferral.values()) > 1 + 1e-9:
            wrong.append("shares of deferral of at most 1 together")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
