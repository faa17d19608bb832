"""A small invented city of dispatches with its features, made once for all tests."""

from functools import cache

from deploy_opt.inputs.records_labels import events_of
from deploy_opt.inputs.synthetic_dispatches import make_dispatch_town
from deploy_opt.risk.officer_risk.features import Sources, dispatch_features
from deploy_opt.risk.officer_risk.past import learn_past


@cache
def town(num_calls=2600, share=1 / 6, seed=3):
    """Calls, events, truth and features of weapons calls alone."""
    made, truth = make_dispatch_town(
        num_calls, seed=seed, calls_per_day=8, categories={"weapons": (1.0, share)}
    )
    sources = sources_of(made)
    return made, truth, sources, dispatch_features(made.calls, sources)


def sources_of(made):
    """Past and weather of a town."""
    past = learn_past(
        made.calls,
        arrest=events_of(made.arrests, made.calls),
        injury=events_of(made.injuries, made.calls),
    )
    return Sources(past, weather=made.weather)
