"""Holds the call types of the sample city with their priorities and durations."""

from __future__ import annotations

from typing import Final, NamedTuple

Chances = tuple[float, ...]


class CallKind(NamedTuple):
    """One call type.

    Attributes
    ----------
    name
        As the records call it.
    weight
        Relative frequency by day.
    at_night, in_town
        Further factors at night, and downtown, in nightlife and on campus.
    initial
        Chances of the initial priorities 1, 2, ...
    final
        For each initial priority, chances of the final ones.
    scene_min
        Median minutes on scene.
    transport
        Share taken to a hospital (ems), or share with a second unit (others).
    """

    name: str
    weight: float
    at_night: float
    in_town: float
    initial: Chances
    final: tuple[Chances, ...]
    scene_min: float
    transport: float


_GRAVE = ((0.72, 0.22, 0.06), (0.18, 0.70, 0.12), (0.05, 0.25, 0.70))
_MILD = ((0.34, 0.48, 0.18), (0.06, 0.72, 0.22), (0.01, 0.12, 0.87))


def _ems(
    name: str, weight: float, initial: Chances, scene_min: float, transport: float, **more: float
) -> CallKind:
    final = _GRAVE if initial[0] >= 0.5 else _MILD
    night, town = more.get("night", 1.0), more.get("town", 1.0)
    return CallKind(name, weight, night, town, initial, final, scene_min, transport)


def _police(
    name: str, weight: float, initial: Chances, scene_min: float, second: float, **more: float
) -> CallKind:
    levels = len(initial)
    final = tuple(
        tuple(0.88 if a == b else 0.12 / (levels - 1) for b in range(levels)) for a in range(levels)
    )
    night, town = more.get("night", 1.0), more.get("town", 1.0)
    return CallKind(name, weight, night, town, initial, final, scene_min, second)


KINDS: Final[dict[str, tuple[CallKind, ...]]] = {
    "ems": (
        _ems("sick person", 14, (0.08, 0.52, 0.40), 17, 0.70),
        _ems("breathing problem", 11.5, (0.78, 0.20, 0.02), 16, 0.82),
        _ems("fall", 13, (0.10, 0.46, 0.44), 19, 0.66),
        _ems("chest pain", 9, (0.80, 0.18, 0.02), 16, 0.83),
        _ems("unconscious", 6, (0.90, 0.09, 0.01), 17, 0.68, night=1.3, town=1.5),
        _ems("abdominal pain", 5.5, (0.08, 0.54, 0.38), 15, 0.78),
        _ems("traffic injury", 6.5, (0.42, 0.48, 0.10), 18, 0.58, night=0.7, town=1.2),
        _ems("seizure", 3.8, (0.74, 0.24, 0.02), 16, 0.72),
        _ems("overdose", 4.2, (0.82, 0.16, 0.02), 19, 0.66, night=1.6, town=1.9),
        _ems("mental health", 5.5, (0.10, 0.52, 0.38), 22, 0.64, night=1.1, town=1.2),
        _ems("stroke", 3.2, (0.92, 0.08, 0.0), 14, 0.92),
        _ems("assault injury", 3.2, (0.36, 0.50, 0.14), 18, 0.55, night=2.0, town=2.2),
        _ems("diabetic problem", 2.6, (0.42, 0.50, 0.08), 18, 0.55),
        _ems("bleeding", 3.6, (0.30, 0.50, 0.20), 16, 0.68),
        _ems("cardiac arrest", 1.3, (1.0, 0.0, 0.0), 31, 0.55),
        _ems("back pain", 2.4, (0.03, 0.32, 0.65), 17, 0.68),
        _ems("intoxicated person", 3.0, (0.08, 0.50, 0.42), 18, 0.58, night=2.4, town=2.6),
        _ems("allergic reaction", 1.3, (0.62, 0.34, 0.04), 16, 0.68),
        _ems("lift assist", 3.4, (0.0, 0.06, 0.94), 18, 0.06),
        _ems("medical alarm", 3.6, (0.06, 0.42, 0.52), 13, 0.22),
    ),
    "police": (
        _police("disturbance", 13, (0.06, 0.46, 0.40, 0.08), 19, 0.55, night=1.6, town=1.5),
        _police("domestic violence", 7, (0.30, 0.60, 0.09, 0.01), 38, 0.85, night=1.4),
        _police("alarm", 10, (0.02, 0.22, 0.66, 0.10), 11, 0.30),
        _police("theft", 10, (0.01, 0.10, 0.47, 0.42), 31, 0.15, night=0.5, town=1.3),
        _police("shoplifting", 5, (0.01, 0.22, 0.55, 0.22), 34, 0.25, night=0.2, town=1.5),
        _police("burglary", 4, (0.14, 0.38, 0.36, 0.12), 42, 0.55, night=0.9),
        _police("vehicle theft", 4, (0.02, 0.14, 0.50, 0.34), 30, 0.15),
        _police("traffic collision", 9, (0.14, 0.46, 0.34, 0.06), 36, 0.45, night=0.6),
        _police("traffic complaint", 6, (0.01, 0.12, 0.57, 0.30), 12, 0.10),
        _police("trespass", 6, (0.01, 0.20, 0.61, 0.18), 18, 0.40, town=1.4),
        _police("suspicious person", 7, (0.05, 0.42, 0.44, 0.09), 15, 0.45, night=1.3),
        _police("noise", 5, (0.0, 0.03, 0.37, 0.60), 11, 0.30, night=2.8, town=1.4),
        _police("assault", 3.6, (0.52, 0.36, 0.10, 0.02), 40, 0.80, night=1.9, town=1.8),
        _police("fight", 2.4, (0.44, 0.48, 0.07, 0.01), 20, 0.90, night=2.6, town=2.4),
        _police("robbery", 1.4, (0.78, 0.20, 0.02, 0.0), 52, 0.95, night=1.5, town=1.5),
        _police("weapon", 1.8, (0.82, 0.16, 0.02, 0.0), 34, 0.95, night=1.7, town=1.2),
        _police("missing person", 2, (0.10, 0.40, 0.40, 0.10), 48, 0.30),
        _police("vandalism", 3, (0.01, 0.08, 0.45, 0.46), 22, 0.12),
        _police("fraud", 3, (0.0, 0.02, 0.28, 0.70), 35, 0.05, night=0.2),
        _police("assist other agency", 4, (0.20, 0.42, 0.30, 0.08), 24, 0.35),
    ),
    "police_self": (
        _police("traffic stop", 40, (0.0, 0.02, 0.28, 0.70), 12, 0.18, night=1.2),
        _police("premise check", 24, (0.0, 0.0, 0.15, 0.85), 9, 0.05, night=1.3, town=1.2),
        _police("foot patrol", 12, (0.0, 0.0, 0.10, 0.90), 21, 0.25, night=0.5, town=2.0),
        _police("suspicious vehicle", 10, (0.01, 0.12, 0.57, 0.30), 13, 0.35, night=1.6),
        _police("warrant service", 6, (0.02, 0.28, 0.55, 0.15), 37, 0.90, night=0.3),
        _police("follow-up", 8, (0.0, 0.01, 0.19, 0.80), 26, 0.10, night=0.3),
    ),
    "coresponse": (
        _police("suicidal person", 24, (0.62, 0.34, 0.04), 68, 0.35),
        _police("behavioural crisis", 30, (0.24, 0.56, 0.20), 58, 0.30),
        _police("welfare check", 26, (0.06, 0.48, 0.46), 36, 0.10),
        _police("person in distress in public", 12, (0.12, 0.54, 0.34), 41, 0.15, town=1.8),
        _police("follow-up visit", 8, (0.0, 0.05, 0.95), 52, 0.05, night=0.05),
    ),
}
"""Call types by service; ems and coresponse have priorities 1 to 3, police 1 to 4."""
