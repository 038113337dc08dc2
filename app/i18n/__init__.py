"""The languages of the pages: which one a request is answered in, and what templates need to say so.

Strings stand in English in the code, inside `_()`; their Chinese in `app/translations/zh/<room>.po`, one file
a slice. A language is chosen by `?lang=` (kept in a cookie), else by that cookie, else by the browser's wish.
"""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask, Response, has_request_context, redirect, request
from flask_babel import Babel, force_locale, get_locale
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header, parse_cookie
from werkzeug.wrappers import Response as AnyResponse

from app.addresses import url_with
from app.i18n.catalogs import TRANSLATIONS, compile_if_changed

COOKIE = "lang"
COOKIE_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the pages: its code here, its HTML tag, its locale and its name in itself."""

    code: str
    tag: str
    locale: str
    name: str


ENGLISH = Language("en", "en", "en", "English")
CHINESE = Language("zh", "zh-Hans-CN", "zh_Hans_CN", "中文")
LANGUAGES = {language.code: language for language in (ENGLISH, CHINESE)}


def init_app(app: Flask) -> None:
    """Connects Flask-Babel, the language switch, and `html_lang` and `other_language` for templates."""
    compile_if_changed()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.config["BABEL_DEFAULT_LOCALE"] = ENGLISH.locale
    Babel(app, locale_selector=lambda: _requested().locale)
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals.update(html_lang=lambda: current().tag, other_language=other)
    app.before_request(_switch)
    app.after_request(_mark)


def current() -> Language:
    """The language being written now; English outside a request, unless `in_language` says otherwise."""
    locale = get_locale()
    return CHINESE if locale is not None and locale.language == CHINESE.code else ENGLISH


def other() -> Language:
    """The language that the switch on the page leads to."""
    return ENGLISH if current() is CHINESE else CHINESE


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Writes in the language of `code` ("en" or "zh") within the block: for messages to people not on a page.

    Raises:
        KeyError: the pages have no such language.
    """
    with force_locale(LANGUAGES[code].locale):
        yield


def _requested() -> Language:
    if not has_request_context():
        return ENGLISH
    asked = LANGUAGES.get(request.args.get("lang", ""))
    return asked or wished(request.headers.get("Cookie", ""), request.headers.get("Accept-Language", ""))


def wished(cookies: str, accept_language: str) -> Language:
    """The language of an asker by two of his headers: what he chose before, else his browser's wish."""
    if COOKIE in cookies:
        chosen = LANGUAGES.get(parse_cookie(cookies).get(COOKIE, ""))
        if chosen is not None:
            return chosen
    return _liked_best(accept_language)


@functools.lru_cache(maxsize=1024)  # browsers send few different ones
def _liked_best(accept_language: str) -> Language:
    # In the order of preference: Werkzeug's own best match takes an exact "zh" before a better liked "en-GB".
    for tag in parse_accept_header(accept_language, LanguageAccept).values():
        primary = tag.partition("-")[0].lower()
        if primary in LANGUAGES:
            return LANGUAGES[primary]
    return ENGLISH


def _switch() -> AnyResponse | None:
    """Keeps `?lang=` and leads back to the address without it, so that a link sent on carries no language."""
    code = request.args.get("lang")
    wants_page = "text/html" in request.headers.get("Accept", "")
    if request.method != "GET" or code not in LANGUAGES or not wants_page:
        return None
    response = redirect(url_with(lang=None))
    response.set_cookie(
        COOKIE, code, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response


def _mark(response: Response) -> Response:
    """Says which language a page is in, and that the same address has another."""
    if response.mimetype == "text/html":
        response.headers["Content-Language"] = current().tag
        response.vary.update(["Accept-Language", "Cookie"])
    return response
