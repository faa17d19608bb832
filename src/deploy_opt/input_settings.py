"""Base of the scenario's sections, and the sections that name the agency's files."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Service = Literal["ems", "police", "coresponse", "fire"]
Share = Annotated[float, Field(ge=0, le=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
DriveFactor = Annotated[float, Field(gt=0, le=5)]
HourOfWeek = Annotated[int, Field(ge=0, le=167)]


def _one_or_many(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


def _text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _file_or_section(value: object) -> object:
    return {"file": value} if isinstance(value, str) else value


def _for_all_services(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return dict.fromkeys(get_args(Service), value) if number else value


Id = Annotated[str, BeforeValidator(_text)]


class Section(BaseModel):
    """Base of every section: frozen, unknown keys refused, documented by its docstrings."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        coerce_numbers_to_str=False,
    )


class IncidentsInput(Section):
    """One CAD export (or several files of one layout) with its mapping."""

    file: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
    """CSV (also .gz) or Parquet; a list when the years stand in several files."""
    preset: str | None = None
    """Name of a shipped mapping preset, such as ``generic`` or ``nyc_ems``."""
    mapping: str | None = None
    """A mapping file of your own (YAML); instead of `preset`."""
    service: Service | None = None
    """Service of every row, when the mapping does not say."""
    keep: dict[str, Annotated[tuple[Id, ...], BeforeValidator(_one_or_many)]] = {}
    """Rows to keep, by canonical column: ``{area_id: ["10001"]}``."""

    @model_validator(mode="after")
    def _one_mapping(self) -> IncidentsInput:
        if (self.preset is None) == (self.mapping is None):
            msg = "either preset or mapping"
            raise ValueError(msg)
        return self


class AreasInput(Section):
    """Polygons of the areas, or how to make them."""

    file: str | None = None
    """GeoJSON, GeoPackage or shapefile."""
    id_column: str | None = None
    """Column of the area's stable id."""
    name_column: str | None = None
    """Column of the area's name."""
    crs: str | None = None
    """Reference system when the file does not say, such as ``EPSG:2263``."""
    merge_below_km2: float | None = Field(None, gt=0)
    """Merge areas smaller than this into the neighbour with the longest shared border, km²."""
    keep_with_roads: bool = False
    """Keep only areas that hold a node of the road graph."""
    make: Literal["grid", "voronoi"] | None = None
    """Make the areas: a grid over the calls, or the cells nearest to each current post."""
    shape: Literal["hex", "square"] = "hex"
    """Cell shape of a grid."""
    cell_km: float = Field(1.0, gt=0.05, le=50)
    """Width of a grid cell, km."""
    boundary: str | None = None
    """Polygon file that clips a grid or the Voronoi cells."""

    @model_validator(mode="after")
    def _file_or_make(self) -> AreasInput:
        if (self.file is None) == (self.make is None):
            msg = "either file or make (grid, voronoi)"
            raise ValueError(msg)
        return self


class SpeedProfile(Section):
    """A slowdown of the roads at some hours of the week."""

    name: str
    """Name in reports."""
    factor: float = Field(gt=0, le=10)
    """Drive times are multiplied by this."""
    hours: tuple[HourOfWeek, ...] = ()
    """Hours of the week it holds at; empty: every hour that no other profile names."""
    by_class: dict[str, PositiveFloat] = {}
    """Factor by road class, where it differs from `factor`."""


class RoadsInput(Section):
    """The road graph: node and arc tables, GraphML, OSM XML or a place name."""

    nodes: str | None = None
    """Table node_id, lon, lat (CSV or Parquet)."""
    arcs: str | None = None
    """Table from_node, to_node, length_m, siren_s, regular_s [, road_class]."""
    node_columns: dict[str, str] = {}
    """Our node column -> the file's."""
    arc_columns: dict[str, str] = {}
    """Our arc column -> the file's."""
    time_unit: Literal["s", "min", "h", "days"] = "s"
    """Unit of the arc times in the file."""
    graphml: str | None = None
    """GraphML as osmnx writes it."""
    osm_xml: str | None = None
    """OSM XML, also inside a .zip."""
    place: str | None = None
    """Place name to download from OpenStreetMap; needs the network."""
    speeds_kph: dict[str, PositiveFloat] = {}
    """Siren speed by road class where the file has no times, km/h."""
    regular_share: float = Field(0.8, gt=0, le=1)
    """Regular speed as a share of siren speed where the file has no times."""
    profiles: tuple[SpeedProfile, ...] = ()
    """Slow or fast hours of the week."""
    off_road_kph: float = Field(20.0, gt=0)
    """Speed of the leg between a point and its road node, km/h."""
    attribution: str | None = None
    """Credit line on maps, such as ``© OpenStreetMap contributors``."""

    @model_validator(mode="after")
    def _one_source(self) -> RoadsInput:
        tables = self.nodes is not None or self.arcs is not None
        given = [tables, self.graphml is not None, self.osm_xml is not None, self.place is not None]
        if sum(given) != 1:
            msg = "one source: nodes with arcs, graphml, osm_xml or place"
            raise ValueError(msg)
        if tables and (self.nodes is None or self.arcs is None):
            msg = "both nodes and arcs"
            raise ValueError(msg)
        return self


class MatrixInput(Section):
    """A ready travel-time matrix."""

    file: str
    """Long table from_id, to_id, [period,] seconds; or an OSRM or r5py result."""
    unit: Literal["s", "min"]
    """Unit of the times; a matrix without a unit is refused."""
    layout: Literal["long", "osrm", "r5py"] = "long"
    """Layout of the file."""


class PointsInput(Section):
    """A table of posts or hospitals, with candidates from the road graph on request."""

    file: str
    """CSV."""
    columns: dict[str, str] = {}
    """Our column -> the file's."""
    skip_rows: int = Field(0, ge=0, le=20)
    """Lines above the header."""
    candidates: int = Field(0, ge=0, le=5000)
    """Number of candidate posts to add on the road graph, spread by demand."""


class WeatherInput(Section):
    """One weather file."""

    file: str
    """CSV or Parquet."""
    layout: Literal["open_meteo", "noaa_ghcn", "noaa_lcd", "table"]
    """Layout of the file."""
    units: Literal["us", "metric", "tenths"] | None = None
    """Units of a GHCN file."""
    columns: dict[str, str] = {}
    """Our column -> the file's, for ``table``."""


class HolidaysInput(Section):
    """Public holidays by country, and extra dates."""

    country: str
    """ISO code, such as ``US``."""
    subdivision: str | None = None
    """State or province, such as ``NY``."""
    file: str | None = None
    """Extra dates: date, name."""


class SignalsInput(Section):
    """Community reports, 311 requests or posts, counted by area, hour and topic for the watch."""

    file: str
    """Table of at, text, and area_id or lon and lat. A column about persons is refused."""
    topics: dict[Id, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(min_length=1)
    """Topic -> its words; ``*`` at the end of a word stands for any ending."""


class Inputs(Section):
    """Files of the agency: relative to the scenario file, ``${NAME}`` from the environment."""

    incidents: Annotated[tuple[IncidentsInput, ...], BeforeValidator(_one_or_many)] = ()
    """CAD exports."""
    counts: str | None = None
    """Ready counts (service, area_id, hour, num_calls) instead of incidents."""
    areas: Annotated[AreasInput, BeforeValidator(_file_or_section)]
    """The areas."""
    roads: RoadsInput | None = None
    """The road graph."""
    travel_matrix: MatrixInput | None = None
    """A ready matrix from posts to areas, instead of roads."""
    drive_factor: Annotated[dict[Service, DriveFactor], BeforeValidator(_for_all_services)] = {}
    """Drives take this many times as long as roads or matrix say, by service (a number: all), such
    as ``{ems: 1.2}``; ``deploy-opt calibrate`` fits it. Teams drive as ambulances do."""
    posts: Annotated[PointsInput, BeforeValidator(_file_or_section)]
    """Posts: post_id, name, lon, lat, capacity, current, units_today."""
    hospitals: Annotated[PointsInput | None, BeforeValidator(_file_or_section)] = None
    """Hospitals: hospital_id, name, lon, lat [, handover_min]."""
    base_map: str | None = None
    """Polygons behind the map: property kind = land or water; without it all are land."""
    weather: Annotated[tuple[WeatherInput, ...], BeforeValidator(_one_or_many)] = ()
    """Weather, observed and forecast."""
    events: str | None = None
    """Events: .ics or CSV."""
    school_days: str | None = None
    """School days: date; or terms: start, end."""
    holidays: HolidaysInput | None = None
    """Public holidays."""
    population: str | None = None
    """Table area_id, population and group shares."""
    signals: SignalsInput | None = None
    """What people report besides calls; ``deploy-opt trends`` watches it."""

    def drive_factor_of(self, service: Service) -> float:
        """Give the factor of a service's drives; 1 where none is named."""
        return self.drive_factor.get(service, 1.0)

    @model_validator(mode="after")
    def _calls_and_times(self) -> Inputs:
        wrong = []
        if bool(self.incidents) == bool(self.counts):
            wrong.append("either incidents or counts")
        if (self.roads is None) == (self.travel_matrix is None):
            wrong.append("either roads or travel_matrix")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self
