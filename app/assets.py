"""Built front-end files by their plain names: `asset("app.js")` is the address of `app-3F2A9C.js`.

`scripts/setup_frontend.py` builds the files and the manifest read here. Their names hold a hash of their
content, so browsers are told to keep them for ever.
"""

import json
from pathlib import Path

from flask import Flask, Response, request

KEEP_FOR_EVER = "public, max-age=31536000, immutable"


class FrontendNotBuiltError(RuntimeError):
    """The front end has not been built, or not since a file was added to it."""


class Manifest:
    """Plain names to hashed names, read again whenever a build has replaced the manifest."""

    def __init__(self, path: Path) -> None:
        """Reads nothing yet: processes without pages (scheduler, commands) need no front end."""
        self._path = path
        self._read_at_ns = -1
        self._names: dict[str, str] = {}

    def hashed(self, name: str) -> str:
        """The file that holds `name` now."""
        try:
            changed_at_ns = self._path.stat().st_mtime_ns
        except FileNotFoundError as missing:
            raise FrontendNotBuiltError(
                f"{self._path} is missing: build the front end with `python scripts/setup_frontend.py`."
            ) from missing
        if changed_at_ns != self._read_at_ns:
            self._names = json.loads(self._path.read_text(encoding="utf-8"))
            self._read_at_ns = changed_at_ns
        if name not in self._names:
            raise FrontendNotBuiltError(
                f"{name} is not among the built files: {', '.join(sorted(self._names))}."
            )
        return self._names[name]


def init_app(app: Flask) -> None:
    """Gives templates `asset(name)` and lets browsers keep what it points to."""
    if app.static_folder is None:
        raise ValueError("The application has no static folder to serve the front end from.")
    manifest = Manifest(Path(app.static_folder) / "build" / "manifest.json")
    built_below = f"{app.static_url_path}/build/"

    def asset(name: str) -> str:
        return f"{built_below}{manifest.hashed(name)}"  # a page asks dozens of times

    def keep_built_files(response: Response) -> Response:
        if request.path.startswith(built_below) and response.status_code == 200:
            response.headers["Cache-Control"] = KEEP_FOR_EVER
        return response

    app.jinja_env.globals["asset"] = asset
    app.after_request(keep_built_files)
