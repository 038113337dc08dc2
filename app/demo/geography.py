"""The divisions of China as the demo world knows them: provinces, prefectures, counties.

Codes are the six digits of GB/T 2260 ("adcode"), coordinates WGS 84 degrees; their source is told in
`data/ORIGIN.md`.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from routing.network.facility import distance_m

_DATA = Path(__file__).parent / "data"
_NOT_MAINLAND = frozenset({"71", "81", "82"})


@dataclass(frozen=True, slots=True)
class Province:
    """A province, autonomous region, municipality or special administrative region."""

    adcode: str
    name: str
    short_name: str
    latitude: float
    longitude: float

    @property
    def mainland(self) -> bool:
        """Whether it is one of the 31 that the demo's network serves."""
        return _mainland(self.adcode)


@dataclass(frozen=True, slots=True)
class Prefecture:
    """A city or other division of prefecture level."""

    adcode: str
    name: str
    short_name: str
    province_adcode: str
    latitude: float
    longitude: float

    @property
    def mainland(self) -> bool:
        """Whether its province is one of the 31 that the demo's network serves."""
        return _mainland(self.adcode)


@dataclass(frozen=True, slots=True)
class County:
    """A county, urban district or county-level city."""

    adcode: str
    name: str
    prefecture_adcode: str
    prefecture_name: str
    province_adcode: str
    province_name: str
    latitude: float
    longitude: float

    @property
    def mainland(self) -> bool:
        """Whether its province is one of the 31 that the demo's network serves."""
        return _mainland(self.adcode)

    @property
    def full_name(self) -> str:
        """Province, prefecture and county, each once: 湖北省武汉市武昌区, 北京市东城区."""
        return "".join(dict.fromkeys((self.province_name, self.prefecture_name, self.name)))


@dataclass(frozen=True, slots=True)
class Point:
    """A place on earth, WGS 84 degrees."""

    latitude: float
    longitude: float


def _mainland(adcode: str) -> bool:
    return adcode[:2] not in _NOT_MAINLAND


def _rows(file_name: str) -> list[dict[str, str]]:
    with (_DATA / file_name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@cache
def _english_names() -> Mapping[str, str]:
    return {row["adcode"]: row["name_en"] for row in _rows("romanised.csv")}


def english_name(adcode: str) -> str:
    """What a province or prefecture is called in Latin letters, for example Chengdu."""
    return _english_names()[adcode]


@cache
def provinces() -> tuple[Province, ...]:
    """All provinces, by code."""
    rows = (
        Province(
            row["province_adcode"],
            row["province_name"],
            row["short_name"],
            float(row["lat"]),
            float(row["lon"]),
        )
        for row in _rows("cn_province.csv")
    )
    return tuple(sorted(rows, key=lambda row: row.adcode))


@cache
def prefectures() -> tuple[Prefecture, ...]:
    """All prefectures, by code."""
    rows = (
        Prefecture(
            row["city_adcode"],
            row["city_name"],
            row["short_name"],
            row["province_adcode"],
            float(row["lat"]),
            float(row["lon"]),
        )
        for row in _rows("cn_city.csv")
    )
    return tuple(sorted(rows, key=lambda row: row.adcode))


@cache
def counties() -> tuple[County, ...]:
    """All counties, by code."""
    rows = (
        County(
            row["district_adcode"],
            row["district_name"],
            row["city_adcode"],
            row["city_name"],
            row["province_adcode"],
            row["province_name"],
            float(row["lat"]),
            float(row["lon"]),
        )
        for row in _rows("cn_district.csv")
    )
    return tuple(sorted(rows, key=lambda row: row.adcode))


@cache
def _counties_by_adcode() -> Mapping[str, County]:
    return {county.adcode: county for county in counties()}


def county(adcode: str) -> County:
    """The county of a code; KeyError when there is none."""
    return _counties_by_adcode()[adcode]


def search_counties(text: str, limit: int = 20) -> tuple[County, ...]:
    """Counties whose code begins with the text, or whose full name holds every word of it.

    Those whose own name begins with the text come first, then by code.
    """
    words = text.split()
    if not words or limit < 1:
        return ()
    found = [
        county
        for county in counties()
        if county.adcode.startswith(words[0]) or all(word in county.full_name for word in words)
    ]
    found.sort(key=lambda county: (not county.name.startswith(words[-1]), county.adcode))
    return tuple(found[:limit])


def nearest_county(latitude: float, longitude: float) -> County:
    """The county whose representative point is nearest to a place. Borders are not looked at."""
    place = Point(latitude, longitude)
    return min(counties(), key=lambda county: (distance_m(place, county), county.adcode))
