"""Holds the patrol districts of the sample city as they are drawn today."""

from __future__ import annotations

from typing import Final

TODAY: Final[dict[str, tuple[str, ...]]] = {
    "Harbor": (
        *("Old Harbor", "City Hall", "Market Square", "Café Row", "Exchange", "St. Brigid"),
    ),
    "Lakeside": (
        *("Canal Street", "Lakeview", "Peña Park", "West End", "Dunmore Sands", "Ashgrove"),
        *("Brickyard", "Railyards"),
    ),
    "University": (
        *("University", "Scholars Green", "Côte Hill", "Lower Mills", "Köhler Flats"),
        *("Westgate Mall", "Quarry Hill", "Thornbury"),
    ),
    "Ridge": (
        *("Upper Mills", "Gallows Green", "Chapel Woods", "Fairmount", "Orchard Park"),
        *("Larkspur", "Airport Road", "North Ridge", "Saddle Rock"),
    ),
    "Foundry": (
        *("Foundry Quarter", "Ironworks", "East Bridgehead", "Little Łódź", "St. Zoë's"),
        *("Lighthouse", "Garden Village", "Eastmoor", "Salt Works"),
    ),
    "Meadows": (
        *("Meadowbrook", "Cedar Hollow", "Stonebridge", "Linden", "Glenwood", "Rose Hill"),
        *("Mount Clare", "Mill Bridge", "Hazelton", "Technology Park", "Northgate"),
        *("Fern Valley",),
    ),
}
"""District -> its neighbourhoods: each in one piece, on one bank of the river, drawn long ago."""


def district_of() -> dict[str, str]:
    """Give the patrol district of every neighbourhood."""
    return {place: district for district, places in TODAY.items() for place in places}
