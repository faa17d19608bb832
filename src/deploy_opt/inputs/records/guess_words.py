"""Weigh the words of headers, in the languages of common exports, for each field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy_opt.inputs.records.column_profiles import Profile

Weights = tuple[tuple[str, float], ...]

_NOT_A_STEP: Weights = (
    (r"updat|modif|\bedit|upload|\bload|extract|refresh|export|publish|birth|\bdob\b", -9),
    (r"\bsecond\b|\b2nd\b|next", -4),
    (r"\bfirst\b|\b1st\b", 0.3),
)
TIME_WORDS: dict[str, Weights] = {
    "received_at": (
        (r"receiv|queued|creat|request|pick ?up|phone|anruf|eingang|appel\b|recib|recep", 3),
        (
            (
                r"call|incident|event|report|opened|open\b"
                r"|entry|start|occur|\bocc\b|offen[cs]e|\badd\b"
            ),
            2,
        ),
        (r"melding|einsatzbeginn|beginn", 2),
        (r"\btoc\b|chiamata|llamada|chamada|larm", 3),
        (r"time ?stamp|date ?time|dttm|\bdate\b|datum|tijd", 1),
        (r"dispo|clos|clear|last|\bend\b|arriv|scene|route", -3),
        *_NOT_A_STEP,
    ),
    "dispatched_at": (
        (r"\bord\b|\binvio\b|allarm|larm", 2.5),
        (r"dispatch|\bdisp\b|assign|notif|alarm|mobili[sz]ed|alert|uitgif|despach|allocat", 2.5),
        *_NOT_A_STEP,
    ),
    "enroute_at": (
        (
            (
                r"en ?route|enrt|activation|responding|\bmobile\b"
                r"|roll(?:ing|out)|ausger|uitruk|vertrek"
            ),
            4,
        ),
        (r"(?:heure|date) (?:de )?depart", 5),
        (r"\bmob\b|partenza|salida|saida", 4),
        (r"response (?:dttm|date|time)", 2.4),
        *_NOT_A_STEP,
    ),
    "arrived_at": (
        (r"arr(?:i?v|\b)|ankunft|aankomst|llegad", 3),
        (r"(?:on|at) ?scene|onsc|scene|einsatzort|ter plaatse|sur (?:les )?lieux", 3),
        (r"\bia\b|framme|chegada", 3),
        *_NOT_A_STEP,
    ),
    "departed_at": (
        (r"depart|transport|to hosp|left scene|leav|\bleft\b|abfahrt", 4),
        *_NOT_A_STEP,
    ),
    "at_hospital_at": (
        (r"hosp(?:ital)?\b|klinik|ziekenhuis", 3),
        (r"hosp.*arriv|arriv.*hosp|at (?:dest|hosp)|destination", 4),
        *_NOT_A_STEP,
    ),
    "cleared_at": (
        (
            (
                r"clear|clos|available|in service|complet|finish|\bend\b"
                r"|\bfin\b|einsatzende|\bende\b|\bvrij\b|\bfrei\b"
            ),
            4,
        ),
        (r"\bavl\b|\bstop\b|\bklar\b|\bfine\b|\bfim\b|\bfree\b", 4),
        (r"einde|\blast\b", 0.5),
        *_NOT_A_STEP,
    ),
}
TEXT_WORDS: dict[str, Weights] = {
    "incident_id": (
        (
            r"(?:incident|event|cad|call|case|einsatz|run|inc|evn?t) .*(?:id|num|no|number|nr)\b",
            5,
        ),
        (r"(?:einsatz|meldings?|incident|event|call|case)(?:nummer|number|num|nr|id)\b", 5),
        (r"\w{3,}(?:nummer|numero|nr)\b", 3),
        (r"num(?:ero)? (?:d )?intervention|call key|\beid\b", 5),
        (r"\b(?:id|number|num|no|nr|item|ref|reference)\b", 2),
        (r"incident|event|cad|call|case", 1),
        (r"\bobject ?id|\bfid\b|\boid\b|^id 1$|row ?id|record ?id|unnamed|global", -3.5),
        (
            (
                r"resource|unit|units|station|ward|type|priority"
                r"|district|beat|block|pumps?|address|box"
            ),
            -5,
        ),
    ),
    "unit_id": (
        (
            (
                r"\bunit\b.*\b(?:id|name|no|number|num)\b|^unit$"
                r"|call ?sign|apparatus|vehicle|resource code"
            ),
            4,
        ),
        (r"fahrzeug|rufname|engin\b|eenheid|resource(?: mobilisation)? id|radio name|pump id", 3.5),
        (r"type|count|number of|num of|time|total|status|first|qty|quantity", -5),
    ),
    "call_type": (
        (r"(?:call|incident|event|problem|evt|inc) ?(?:type|group|nature|desc)|nature|problem", 4),
        (
            (
                r"determinant|complaint|stichwort|einsatzart"
                r"|\bmotif|final call|melding|tipo|classification"
            ),
            4,
        ),
        (r"offen[cs]e|crime|primary type|mci|tencode|ten code|radio code|call ?desc|calltype", 3),
        (r"\btyp\b|type|desc|title|category|subject|group|reason", 2),
        (r"^(?:event|incident|call)$", 1),
        (r"initial", 0.5),
        (r"desc|text|\bname\b", 0.7),
        (r"code|\bid\b|suffix|number", -1.5),
        (
            (
                r"unit|location|premis|address|source|agency"
                r"|property|dispo|flag|vehicle|zip|area|level"
            ),
            -4,
        ),
        (r"priority|severity|outcome|day of|box|special service|division|clos|weapon|status", -4),
        (r"patrol|boro|shift|block|road|street|census|council", -4),
    ),
    "initial_priority": ((r"(?:initial|original|orig).*(?:priorit|severity|acuity)", 6),),
    "priority": (
        (r"priori[dt]|\bpri\b|severity|acuity|dringlich|urgen[ct]", 4),
        (r"final", 0.5),
        (r"desc", -1),
    ),
    "area_id": (
        (r"\bzip|postal|postc|\bplz\b", 4),
        (
            r"\bbeat\b|precinct|\bpct\b|district|reporting area|sector|neighbou?rho?o?d|\brpt dist",
            3,
        ),
        (r"ortsteil|stadtteil|gemeinde|commune|plaats|wijk|quartier|barrio", 3),
        (r"township|\btwp\b|tract|borough|\bboro\b|zone|battalion|station area|\barea\b|city", 2),
        (r"\bdist\b|kommun|comune|\blga\b", 2),
        (r"\bgrid\b|\bward\b|division|\brpa\b|station ground", 2),
        (r"council|congress|school|community|state|box|geo ?id|council", -1.5),
    ),
}


def weight(words: str, wanted: Weights) -> float:
    """Sum of the weights of the patterns that a header holds.

    Examples
    --------
    >>> weight("call received", TIME_WORDS["received_at"])
    5.0
    """
    return float(sum(strength for pattern, strength in wanted if re.search(pattern, words)))


def matched(
    profiles: Sequence[Profile],
    wanted: Mapping[str, Weights],
    worth: Mapping[int, Mapping[str, float]],
) -> dict[str, Profile]:
    """Give each field the column that fits best; each column serves once.

    Parameters
    ----------
    profiles
        Columns to choose from.
    wanted
        Field to its words.
    worth
        Position of a profile, then field, to a factor for what its values look like; 1 by default.
    """
    pairs = []
    for field, words in wanted.items():
        for position, profile in enumerate(profiles):
            fit = weight(profile.words, words)
            if fit > 0:
                factor = (0.2 + profile.present) * worth.get(position, {}).get(field, 1.0)
                pairs.append((-fit * factor, position, field))
    chosen: dict[str, Profile] = {}
    used: set[int] = set()
    for score, position, field in sorted(pairs):
        if score < 0 and field not in chosen and position not in used:
            chosen[field] = profiles[position]
            used.add(position)
    return chosen
