"""The public tracking page, put together from pieces that its templates made once.

Most of the page is the same for every parcel. What is the same is rendered by the page's own templates when
it is first needed, once for each language, with marks where a parcel's own facts belong; a page is then its
facts between those pieces. It is the page that `app.shipments.public_pages` renders whole; a test compares
them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final

import flask
from flask_babel import gettext as _
from markupsafe import escape

from app import formatting, i18n
from app.i18n import Language
from app.shipments.forms import PhoneForm
from app.shipments.phrases import COURIER_COMES, TONES, away_text
from app.shipments.words import CODES, MILESTONES
from app.web import services
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import TERMINAL

_MARK: Final = re.compile("QX([A-Z]+)XQ")
_LIST: Final = '<ol class="timeline">'


def _mark(name: str) -> str:
    """What stands in a piece where a fact belongs; it looks the same in an address as in a text."""
    return f"QX{name}XQ"


@dataclass(frozen=True, slots=True)
class _Piece:
    """HTML with gaps: a template of the operator `%`, which fills a whole page in a microsecond."""

    template: str

    @classmethod
    def of(cls, html: str) -> _Piece:
        return cls(_MARK.sub(r"%(\1)s", html.replace("%", "%%")))

    def filled(self, facts: Mapping[str, str]) -> str:
        return self.template % facts


def live_address(number: str) -> str | None:
    """Where changes of a parcel's document are told in the language of the page; None where nobody tells."""
    live_url = services().settings.live_url
    language = i18n.current().code
    return None if live_url is None else f"{live_url}/api/v1/track/{number}/events?lang={language}"


def comes_mark(to_at: datetime, stops_away: int | None) -> str:
    """What tells one answer about a courier on his way from another, for the script that follows it."""
    return f"{int(to_at.timestamp())}-{'' if stops_away is None else stops_away}"


class TrackPage:
    """The page in one language."""

    def __init__(self, app: flask.Flask, language: Language) -> None:
        self._app = app
        self._language = language
        self._story = functools.cache(self._make_story)
        self._event = functools.cache(self._make_event)
        self._away = functools.cache(self._make_away)
        with self._request():
            number = _mark("NUMBER")
            self._frame = _Piece.of(
                flask.render_template(
                    "shipments/_frame.html",
                    shipment=SimpleNamespace(waybill_number=number),
                    story=_mark("STORY"),
                    form=PhoneForm(formdata=None),
                    opened=False,
                )
            )
            day_and_hours = _(
                "%(day)s, %(start)s to %(end)s",
                day=_mark("DAY"),
                start=_mark("START"),
                end=_mark("END"),
            )
            self._window = _Piece.of(str(escape(day_and_hours)))

    def html(self, document: Mapping[str, Any], token: str) -> str:
        """The page that tells a public document.

        Args:
            document: as the API answers it.
            token: against forged requests, for the form on it.
        """
        number = escape(document["waybill_number"])
        return self._frame.filled({"NUMBER": number, "STORY": self._told(document), "TOKEN": token})

    def _told(self, document: Mapping[str, Any]) -> str:
        offset = document["offset_minutes"]
        window = document["promised_from"], document["promised_to"]
        expected = document["expected_from"], document["expected_to"]
        moved = expected[0] is not None and expected != window
        comes = document["round"]
        piece = self._story(
            document["milestone"], moved, document["expected_without_news"], comes is not None
        )
        facts = {
            "NUMBER": escape(document["waybill_number"]),
            "SENTENCE": escape(document["sentence"]),
            "PROMISED": self._hours(window, offset),
            "EVENTS": "".join(self._rows(document["events"])),
        }
        if comes is not None:
            words = self._hours((comes["from"], comes["to"]), offset)
            away = comes["stops_away"]
            facts["COMES"] = words if away is None else f"{words} · {self._away(away)}"
            facts["COMESMARK"] = comes_mark(datetime.fromisoformat(comes["to"]), away)
        if moved:
            facts["EXPECTED"] = self._hours(expected, offset)
        return piece.filled(facts)

    def _hours(self, window: tuple[str, str], offset_minutes: int) -> str:
        start, end = (datetime.fromisoformat(moment) for moment in window)
        return self._window.filled(
            {
                "DAY": self._local(start, offset_minutes, "date"),
                "START": self._local(start, offset_minutes, "time"),
                "END": self._local(end, offset_minutes, "time"),
            }
        )

    def _local(self, moment: datetime, offset_minutes: int, shape: str) -> str:
        return formatting.datetime_local(moment, offset_minutes, shape, self._language.code)

    def _rows(self, events: list[Mapping[str, Any]]) -> list[str]:
        rows: list[str] = []
        day, found = None, False
        for place, event in enumerate(events, 1):
            at, offset = datetime.fromisoformat(event["at"]), event["offset_minutes"]
            there = formatting.at_place(at, offset)
            if there.date() != day:
                day = there.date()
                rows.append(f'<li class="timeline-day">{self._local(at, offset, "date")}</li>')
            planned, city = event["planned"], event["city"]
            current = not (found or planned)
            found = found or current
            piece = self._event(event["code"], planned, current, place == len(events), city is not None)
            when = formatting.local_time(
                there, offset, shape="time", zone="place", language=self._language.code
            )
            rows.append(piece.filled({"WHEN": when, "PLACE": escape(city)}))
        return rows

    def _make_away(self, stops_away: int) -> str:
        with self._request():
            return str(escape(away_text(stops_away)))

    def _make_story(self, milestone: str, moved: bool, unheard: bool, comes: bool) -> _Piece:
        stands = Milestone(milestone)
        with self._request():
            html = flask.render_template(
                "shipments/_story.html",
                number=_mark("NUMBER"),
                sentence=_mark("SENTENCE"),
                stands=MILESTONES[stands],
                promised=None if stands in TERMINAL else _mark("PROMISED"),
                expected=_mark("EXPECTED") if moved else None,
                unheard=unheard,
                comes=(COURIER_COMES[stands], _mark("COMES")) if comes else None,
                comes_mark=_mark("COMESMARK"),
                events=[],
                live=None if stands in TERMINAL else live_address(_mark("NUMBER")),
            )
        start, _, rest = html.partition(_LIST)
        return _Piece.of(f"{start}{_LIST}{_mark('EVENTS')}{rest}")

    def _make_event(self, code: str, planned: bool, current: bool, last: bool, has_place: bool) -> _Piece:
        event = {
            "title": CODES[ScanCode(code)],
            "planned": planned,
            "tone": None if planned else TONES.get(ScanCode(code)),
            "place": _mark("PLACE") if has_place else None,
        }
        with self._request():
            html = flask.render_template(
                "shipments/_event.html", event=event, when=_mark("WHEN"), current=current, last=last
            )
        return _Piece.of(html)

    def _request(self) -> Any:
        """As if somebody who reads this language asked for the page of a number."""
        context = self._app.test_request_context(
            f"/track/{_mark('NUMBER')}", headers={"Accept-Language": self._language.tag}
        )
        return _Marked(context)


class _Marked:
    """A request whose token against forgery is a mark."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._context.__enter__()
        flask.g.csrf_token = _mark("TOKEN")

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(*error)
