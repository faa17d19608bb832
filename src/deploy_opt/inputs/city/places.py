"""The hand-written gazetteer of the sample city.

Coordinates are kilometres east and north of the south-west corner of the city's frame. All of it
is invented: no person, address, agency or place is real.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

LandUse = Literal[
    "downtown", "nightlife", "campus", "dense", "residential", "suburban", "industrial", "retail"
]
LAND_USES: tuple[LandUse, ...] = (
    "downtown",
    "nightlife",
    "campus",
    "dense",
    "residential",
    "suburban",
    "industrial",
    "retail",
)
FRAME_KM = (14.0, 11.0)
SOUTH_WEST = (-75.435, 43.0)
METRES_PER_DEGREE = (81_477.0, 111_093.7)
DOWNTOWN_KM = (6.0, 2.35)


class Place(NamedTuple):
    """One neighbourhood: a point inside it, what stands there, who lives there."""

    name: str
    x_km: float
    y_km: float
    land_use: LandUse
    density_per_km2: float
    wealth: float


class Site(NamedTuple):
    """One station, street post, hospital or venue."""

    name: str
    x_km: float
    y_km: float
    size: float


WEST: tuple[Place, ...] = (
    Place("Old Harbor", 5.75, 1.55, "downtown", 4200, 0.2),
    Place("City Hall", 5.85, 2.45, "downtown", 4800, 0.1),
    Place("Market Square", 4.95, 2.45, "nightlife", 6500, -0.1),
    Place("Café Row", 4.80, 1.60, "nightlife", 6000, 0.3),
    Place("Exchange", 6.05, 3.35, "downtown", 3900, 0.3),
    Place("St. Brigid", 5.05, 3.40, "dense", 7600, -0.6),
    Place("Canal Street", 4.05, 2.55, "dense", 7200, -0.5),
    Place("Lakeview", 3.30, 1.75, "dense", 5200, 0.5),
    Place("University", 6.15, 4.45, "campus", 5600, -0.2),
    Place("Scholars Green", 6.05, 5.45, "campus", 4300, 0.1),
    Place("Côte Hill", 5.00, 4.50, "dense", 5900, 0.4),
    Place("Peña Park", 4.05, 3.65, "dense", 7000, -0.8),
    Place("Lower Mills", 4.85, 5.70, "residential", 4100, -0.3),
    Place("West End", 2.75, 2.90, "residential", 4000, 0.0),
    Place("Dunmore Sands", 1.85, 1.85, "suburban", 1700, 0.9),
    Place("Ashgrove", 1.55, 3.05, "suburban", 2100, 0.5),
    Place("Brickyard", 2.95, 4.15, "industrial", 1500, -0.7),
    Place("Railyards", 1.75, 4.40, "industrial", 900, -0.5),
    Place("Köhler Flats", 3.50, 5.35, "residential", 3900, -0.4),
    Place("Westgate Mall", 1.20, 5.70, "retail", 1500, 0.1),
    Place("Quarry Hill", 2.35, 6.05, "residential", 2900, -0.1),
    Place("Upper Mills", 6.35, 6.65, "residential", 3800, 0.0),
    Place("Gallows Green", 5.05, 7.00, "residential", 3600, 0.1),
    Place("Thornbury", 3.70, 6.85, "residential", 3000, 0.2),
    Place("Chapel Woods", 1.65, 7.35, "suburban", 1400, 0.7),
    Place("Fairmount", 7.05, 7.85, "residential", 3500, 0.3),
    Place("Orchard Park", 5.75, 8.35, "suburban", 2500, 0.5),
    Place("Larkspur", 4.25, 8.35, "suburban", 2000, 0.6),
    Place("Airport Road", 2.75, 8.50, "industrial", 600, 0.0),
    Place("North Ridge", 7.10, 9.50, "suburban", 1900, 0.8),
    Place("Saddle Rock", 5.15, 9.65, "suburban", 1300, 0.9),
)
EAST: tuple[Place, ...] = (
    Place("Foundry Quarter", 7.45, 1.75, "nightlife", 5600, 0.0),
    Place("Ironworks", 8.45, 1.65, "industrial", 1500, -0.4),
    Place("East Bridgehead", 7.65, 2.80, "dense", 6800, -0.7),
    Place("Little Łódź", 8.60, 2.75, "dense", 6400, -0.5),
    Place("St. Zoë's", 8.15, 4.05, "dense", 5200, -0.3),
    Place("Lighthouse", 9.75, 1.75, "residential", 3000, 0.4),
    Place("Garden Village", 9.40, 3.60, "residential", 4300, -0.2),
    Place("Eastmoor", 10.45, 2.70, "residential", 3700, -0.4),
    Place("Salt Works", 11.55, 1.95, "industrial", 700, -0.6),
    Place("Meadowbrook", 8.35, 5.35, "residential", 3700, 0.1),
    Place("Cedar Hollow", 9.55, 4.90, "residential", 3300, 0.2),
    Place("Stonebridge", 10.75, 4.15, "residential", 3000, 0.0),
    Place("Linden", 12.00, 3.25, "suburban", 2400, 0.1),
    Place("Glenwood", 9.05, 6.65, "residential", 3100, 0.3),
    Place("Rose Hill", 10.55, 5.80, "suburban", 2500, 0.6),
    Place("Mount Clare", 12.05, 4.85, "suburban", 1900, 0.7),
    Place("Mill Bridge", 9.35, 8.00, "residential", 3400, -0.2),
    Place("Hazelton", 10.75, 7.30, "suburban", 2100, 0.3),
    Place("Technology Park", 12.35, 6.45, "retail", 900, 0.6),
    Place("Northgate", 9.75, 9.45, "suburban", 1800, -0.1),
    Place("Fern Valley", 11.40, 8.55, "suburban", 1300, 0.8),
)
STATIONS: tuple[Site, ...] = (
    Site("Station 1 Exchange", 6.00, 3.10, 4),
    Site("Station 2 Lakeview", 3.35, 2.10, 3),
    Site("Station 3 Brickyard", 2.70, 4.20, 3),
    Site("Station 4 Westgate", 1.30, 5.45, 2),
    Site("Station 5 Lower Mills", 4.90, 5.85, 3),
    Site("Station 6 Larkspur", 4.60, 8.30, 2),
    Site("Station 7 Foundry", 8.00, 1.90, 3),
    Site("Station 8 Eastmoor", 10.60, 2.90, 3),
    Site("Station 9 Rose Hill", 10.60, 6.00, 3),
    Site("Station 10 Northgate", 9.60, 9.10, 2),
)
CANDIDATES: tuple[Site, ...] = (
    Site("Harbor quay", 5.60, 1.50, 2),
    Site("Market hall", 4.95, 2.35, 2),
    Site("Canal depot", 4.10, 2.70, 2),
    Site("Peña Park gate", 4.00, 3.75, 2),
    Site("Côte Hill water tower", 5.05, 4.60, 2),
    Site("University library", 6.10, 4.70, 2),
    Site("Köhler Flats school", 3.45, 5.30, 1),
    Site("Upper Mills market", 6.30, 6.60, 2),
    Site("Fairmount fire hall", 6.95, 7.80, 2),
    Site("Thornbury green", 3.70, 6.80, 1),
    Site("West End rink", 2.70, 2.85, 1),
    Site("Ashgrove clinic", 1.60, 3.10, 1),
    Site("East Bridgehead yard", 7.75, 2.85, 2),
    Site("Little Łódź hall", 8.70, 2.85, 2),
    Site("St. Zoë's hospital lot", 8.20, 4.00, 2),
    Site("Garden Village co-op", 9.40, 3.60, 1),
    Site("Meadowbrook plaza", 8.45, 5.40, 2),
    Site("Glenwood crossing", 9.10, 6.60, 1),
    Site("Mill Bridge east", 9.15, 7.80, 2),
    Site("Linden park and ride", 11.90, 3.30, 1),
    Site("Technology Park loop", 12.10, 6.30, 1),
    Site("North Ridge overlook", 7.00, 9.30, 1),
)
HOSPITALS: tuple[Site, ...] = (
    Site("Alder Falls General", 5.30, 3.90, 33),
    Site("St. Zoë's Medical Center", 8.25, 4.20, 38),
    Site("Lakeshore Community Hospital", 10.90, 4.60, 27),
)
STADIUM = Site("Ironworks Stadium", 8.55, 1.75, 24_000)
ARENA = Site("Exchange Arena", 6.15, 3.20, 9_000)
MAIN_BRIDGE = Site("Founders Bridge", 6.75, 2.75, 0)
MINOR_BRIDGE = Site("Mill Bridge", 8.35, 7.75, 0)
FESTIVAL_AREA = "Lighthouse"
DRIFTING_AREA = "Mount Clare"
NEAR_MAIN_BRIDGE = ("City Hall", "Exchange", "Foundry Quarter", "East Bridgehead")
NEAR_MINOR_BRIDGE = ("Fairmount", "Upper Mills", "Mill Bridge", "Glenwood")


def to_lon_lat(x_km: Any, y_km: Any) -> tuple[Any, Any]:  # noqa: ANN401  (number or array)
    """Turn frame kilometres into WGS 84 degrees."""
    lon = SOUTH_WEST[0] + 1000.0 * x_km / METRES_PER_DEGREE[0]
    lat = SOUTH_WEST[1] + 1000.0 * y_km / METRES_PER_DEGREE[1]
    return lon, lat
