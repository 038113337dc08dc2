"""Addresses that keep what the address bar already holds (filters, sort, tab) and change a part of it."""

from urllib.parse import urlencode

from flask import request


def url_with(**changes: str | int | None) -> str:
    """This page's address with some query parameters set, or taken away where the value is None."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    added = [(name, str(value)) for name, value in changes.items() if value is not None]
    query = urlencode(kept + added)
    return f"{request.path}?{query}" if query else request.path
