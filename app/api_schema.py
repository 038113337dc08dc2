"""What the machines' doors share: strict input models, pages, the description of errors."""

from __future__ import annotations

from typing import Any

import flask
from pydantic import BaseModel, ConfigDict, Field

from app.pagination import LIMIT_DEFAULT, LIMIT_MAX

BEARER = "bearer"


class ApiInput(BaseModel):
    """A request body or query; a field that is not known is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


class ApiOutput(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(from_attributes=True)


class PageQuery(ApiInput):
    """Which page of a list."""

    cursor: str | None = Field(default=None, max_length=500, description="`next_cursor` of the page before")
    limit: int = Field(default=LIMIT_DEFAULT, ge=1, le=LIMIT_MAX)


def page_answer(rows: list[dict[str, Any]], next_cursor: str | None) -> flask.Response:
    """A list's page: `{items, next_cursor}`, and a `Link` header to the next page (RFC 8288)."""
    response = flask.jsonify(items=rows, next_cursor=next_cursor)
    if next_cursor is not None:
        arguments: dict[str, Any] = {**flask.request.args.to_dict(), "cursor": next_cursor}
        endpoint = flask.request.endpoint
        assert endpoint is not None, "a view is answering"
        url = flask.url_for(endpoint, **(flask.request.view_args or {}), **arguments)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response
