"""Who looks at which parcel, and what there is to tell them: asked of the database once for all together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

import sqlalchemy as sa
import structlog

from app.clock import Clock
from app.i18n import LANGUAGES, Language
from app.shipments.documents import Documents
from app.shipments.event_stream import Told

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class Onlooker:
    """Who looks at a number; `told` is what is there now, `news` is set when that is another."""

    number: str
    language: Language
    told: Told
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Watch:
    """Looks at every number that somebody looks at.

    Args:
        documents: reads them.
        clock: tells the present moment.
        every_s: how often it looks.
    """

    def __init__(self, documents: Documents, clock: Clock, every_s: float) -> None:
        self._documents = documents
        self._clock = clock
        self._every_s = every_s
        self._onlookers: defaultdict[str, set[Onlooker]] = defaultdict(set)
        self._versions: dict[str, bytes] = {}

    async def came(self, number: str, language: Language) -> Onlooker | None:
        """Somebody looks at a number; None where nobody booked it.

        Raises:
            sqlalchemy.exc.OperationalError: the database does not answer.
        """
        found = await self._read([number], language)
        if number not in found:
            return None
        onlooker = Onlooker(number, language, Told.of(found[number]))
        self._onlookers[number].add(onlooker)
        # What changed since its document was read is noticed at the next look.
        self._versions.pop(number, None)
        return onlooker

    def gone(self, onlooker: Onlooker) -> None:
        """He looks no more."""
        others = self._onlookers[onlooker.number]
        others.discard(onlooker)
        if not others:
            del self._onlookers[onlooker.number]
            self._versions.pop(onlooker.number, None)

    def wake(self) -> None:
        """Let every onlooker see what is new."""
        for some in self._onlookers.values():
            for one in some:
                one.news.set()

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._look()
            except sa.exc.OperationalError as error:
                log.warning("live.database_away", error=type(error.orig).__name__)

    async def _look(self) -> None:
        numbers = list(self._onlookers)
        if not numbers:
            return
        versions = await asyncio.to_thread(self._documents.versions, numbers)
        changed = [number for number in numbers if versions.get(number) != self._versions.get(number)]
        # Before they are read: what changes meanwhile has another version at the next look.
        self._versions.update({number: versions[number] for number in changed if number in versions})
        for language in LANGUAGES.values():
            wanted = [number for number in changed if self._looking(number, language)]
            found = await self._read(wanted, language) if wanted else {}
            for number, document in found.items():
                told = Told.of(document)
                for one in self._looking(number, language):
                    if one.told.id != told.id:
                        one.told = told
                        one.news.set()
        for number in changed:
            if number not in self._onlookers:
                self._versions.pop(number, None)

    def _looking(self, number: str, language: Language) -> list[Onlooker]:
        return [one for one in self._onlookers.get(number, ()) if one.language is language]

    async def _read(self, numbers: list[str], language: Language) -> dict[str, bytes]:
        return await asyncio.to_thread(self._documents.many, numbers, language=language, now=self._clock())
