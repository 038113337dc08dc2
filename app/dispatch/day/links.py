"""Where a phone finds its way: an address that its own navigation opens; nothing is loaded from others."""

from __future__ import annotations

from urllib.parse import quote

from app.config import Navigation


def way_link(navigation: Navigation, latitude: float, longitude: float, name: str) -> str:
    """A link that opens the navigation to a place.

    Args:
        navigation: `geo` for whatever the phone has, `amap` or `google` for one of these.
        latitude, longitude: degrees (WGS 84).
        name: what the place is called there.
    """
    if navigation == "amap":
        place = quote(f"{longitude},{latitude},{name}", safe=",")
        return f"https://uri.amap.com/navigation?to={place}&mode=car&coordinate=wgs84&callnative=1"
    if navigation == "google":
        return f"https://www.google.com/maps/dir/?api=1&destination={latitude},{longitude}&travelmode=driving"
    return f"geo:{latitude},{longitude}?q={latitude},{longitude}"
