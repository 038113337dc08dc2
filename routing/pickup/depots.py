"""Problems of many depots in files, and a folder of their plans that is filled in one night or in several.

Problems are the `*.json` files of a folder, each named by its file, or the lines of a file in NDJSON:
`{"name": "shanghai-3", "problem": {...}}`. The plan of each is `NAME.plan.json` in the folder of plans.
Beside them, `results.ndjson` has one line for every problem that was tried: an interrupted run goes on after
it, and what is planned already with the same document, seconds and seed is not planned again.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

import msgspec

from routing.pickup.errors import ProblemError
from routing.pickup.many import Answer, Made, Order, Search

_NAME = re.compile(r"\w[\w.@+ -]{0,199}")
_JOURNAL = "results.ndjson"


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    problem: msgspec.Raw


class Result(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line of `results.ndjson`.

    Attributes:
        name: of the problem.
        key: digest of its document and of how it was searched.
        status: whether there is a plan.
        at: when it was written, in UTC.
        seconds: spent on it.
        cost_minor, unserved: figures of the plan.
        reason: why there is none.
    """

    name: str
    key: str
    status: Literal["planned", "failed"]
    at: datetime
    seconds: float
    cost_minor: int | None = None
    unserved: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Problems:
    """Problems in a folder or in a file.

    Attributes:
        source: a folder with `*.json` files, or a file in NDJSON.
    """

    source: Path

    def __post_init__(self) -> None:
        if not self.source.exists():
            raise ProblemError(f"{self.source}: there is no such folder or file")

    def __len__(self) -> int:
        if self.source.is_dir():
            return len(self._files())
        with self.source.open("rb") as lines:
            return sum(1 for line in lines if line.strip())

    def __iter__(self) -> Iterator[Order | Answer]:
        """Each as an order, or as the failure to read it; read as they are asked for."""
        return iter(self._of_folder() if self.source.is_dir() else self._of_lines())

    def _files(self) -> list[Path]:
        return sorted(self.source.glob("*.json"))

    def _of_folder(self) -> Iterator[Order | Answer]:
        for path in self._files():
            try:
                yield Order(path.stem, path.read_bytes())
            except OSError as error:
                yield _unreadable(path.stem, b"", str(error))

    def _of_lines(self) -> Iterator[Order | Answer]:
        seen: set[str] = set()
        with self.source.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    read = msgspec.json.decode(line, type=_Line)
                except msgspec.MsgspecError as error:
                    yield _unreadable(f"line {number}", line, f"line {number}: {error}")
                    continue
                if _NAME.fullmatch(read.name) is None:
                    reason = f"line {number}: {read.name!r} cannot name a file"
                    yield _unreadable(f"line {number}", line, reason)
                elif read.name in seen:
                    reason = f"line {number}: there is a problem named {read.name!r} before"
                    yield _unreadable(f"line {number}", line, reason)
                else:
                    seen.add(read.name)
                    yield Order(read.name, bytes(read.problem))


class Plans:
    """A folder of plans, for one run at a time.

    Args:
        folder: made if it is not there.
        search: how plans are searched now.

    Raises:
        ProblemError: another run writes to it.
        OSError: it cannot be written to.
    """

    def __init__(self, folder: Path, search: Search) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._search = search
        self._journal: BinaryIO = (folder / _JOURNAL).open("a+b")
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._journal.close()
            raise ProblemError(f"{folder}: another run is writing its plans there") from error
        self._planned = self._read()

    def __enter__(self) -> "Plans":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def has(self, order: Order) -> bool:
        """Whether this very problem is planned already, searched in this way."""
        return self._planned.get(order.name) == self._key(order) and self._path(order.name).exists()

    def keep(self, answer: Answer) -> None:
        """Write a plan, or why there is none; what is told as planned is on the disk."""
        order, made = answer.order, answer.made
        result = Result(
            name=order.name,
            key=self._key(order),
            status="failed" if made.plan is None else "planned",
            at=datetime.now(UTC),
            seconds=made.seconds,
            reason=made.failure,
        )
        if made.plan is not None:
            result.cost_minor, result.unserved = made.cost_minor, made.unserved
            _write(self._path(order.name), made.plan)
        self._journal.write(msgspec.json.encode(result) + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())
        self._planned[order.name] = result.key if made.plan is not None else ""

    def _read(self) -> dict[str, str]:
        """Key by name of what the journal tells as planned."""
        self._journal.seek(0)
        text = self._journal.read()
        if text and not text.endswith(b"\n"):
            self._journal.write(b"\n")  # the last run was cut off in the middle of a line
        planned: dict[str, str] = {}
        for line in text.splitlines():
            try:
                result = msgspec.json.decode(line, type=Result)
            except msgspec.MsgspecError:
                continue  # such a line; its problem is planned again
            planned[result.name] = result.key if result.status == "planned" else ""
        return planned

    def _key(self, order: Order) -> str:
        how = f"{self._search.seconds:g} {self._search.seed} "
        return hashlib.sha256(how.encode() + order.document).hexdigest()

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.plan.json"


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content + b"\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _unreadable(name: str, document: bytes, reason: str) -> Answer:
    return Answer(Order(name, document), Made(None, reason))
