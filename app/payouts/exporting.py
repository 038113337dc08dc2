"""The file for the bank as an answer."""

from __future__ import annotations

import flask


def export_response(number: str, text: str) -> flask.Response:
    """A batch's CSV as a download that bears its number."""
    response = flask.Response(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{number}.csv"'
    return response
