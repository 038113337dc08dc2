"""The order of a transaction's locks: rows by their ids, last what everybody waits for, and nothing after it.

A row that every transaction of a tenant must lock, as the head of the ledger, is safe from deadlock only if
whoever holds it never waits for another lock. So the work that needs it is put off until everything else of
the transaction is written, and is done all at once just before the commit; from then on the session refuses
to lock anything. `docs/decisions/0028-the-ledger-is-locked-last.md` tells why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

_LOCKS = re.compile(r"\b(update|delete|merge|truncate|lock|for\s+(key\s+)?share)\b", re.IGNORECASE)
_INFO = "ending"
LAST = {"locks_last": True}
"""Execution options of a statement that takes the last locks."""

Work = Callable[[Session, Sequence[Any]], None]
"""Does what was put off, in its order; what it locks it locks by statements with the options `LAST`."""


class LockOrderError(AssertionError):
    """A lock was asked for out of turn: a bug, since two who do so can wait for each other."""


@dataclass(slots=True)
class _PutOff:
    work: Work
    item: Any
    within: frozenset[SessionTransaction]


@dataclass(slots=True)
class _Ending:
    """What a session has locked in order, has put off, and whether it has begun to end."""

    locked: dict[str, set[int]] = field(default_factory=dict)
    put_off: list[_PutOff] = field(default_factory=list)
    begun_within: frozenset[SessionTransaction] | None = None


def note_locked(session: Session, kind: str, ids: Collection[int]) -> None:
    """Hold a transaction to locking the rows of a kind in the order of their ids, whoever else is there.

    Args:
        session: which has just locked them, by a statement that locks in this order.
        kind: what they are rows of.
        ids: some of them may have been locked before.

    Raises:
        LockOrderError: one that is new lies below one that was locked before.
    """
    before = _of(session).locked.setdefault(kind, set())
    more = set(ids) - before
    if before and more and min(more) < max(before):
        raise LockOrderError(f"{kind} {min(more)} is locked after {kind} {max(before)}")
    before |= more


def put_off(session: Session, work: Work, items: Sequence[Any]) -> None:
    """Have something done just before the commit; what a rollback undoes is not done.

    Args:
        session: whose transaction it is part of.
        work: is given everything that was put off for it at once.
        items: what for.
    """
    within = _transactions(session)
    _of(session).put_off.extend(_PutOff(work, item, within) for item in items)


def waiting(session: Session, work: Work) -> list[Any]:
    """What has been put off for a work and is not done yet."""
    return [one.item for one in _of(session).put_off if one.work is work]


def has_begun(session: Session) -> bool:
    """Whether the session may not lock anything any more."""
    return _of(session).begun_within is not None


def begin(session: Session) -> None:
    """Write what the session has changed, with the locks that needs, and do what was put off.

    For a decision under the last locks; the commit does it by itself. From here to the end of the
    transaction the session refuses statements that lock rows.
    """
    session.flush()  # what it locks has to be locked before the last locks
    ending = _of(session)
    if ending.begun_within is None:
        ending.begun_within = _transactions(session)
    while ending.put_off:
        work = ending.put_off[0].work
        items = [one.item for one in ending.put_off if one.work is work]
        ending.put_off = [one for one in ending.put_off if one.work is not work]
        work(session, items)


def refuse_locks(session: Session, statement: str) -> None:
    """Hold a plain statement to the order of locks.

    Raises:
        LockOrderError: it may wait for a row, and the session has taken its last locks.
    """
    if has_begun(session) and _LOCKS.search(statement):
        raise LockOrderError(f"after the last lock: {statement[:200]}")


def _of(session: Session) -> _Ending:
    ending: _Ending = session.info.setdefault(_INFO, _Ending())
    return ending


def _transactions(session: Session) -> frozenset[SessionTransaction]:
    """The open transaction and the savepoints in it."""
    if not session.in_transaction():
        session.begin()
    found = set()
    current = session.get_nested_transaction() or session.get_transaction()
    while current is not None:
        found.add(current)
        current = current.parent
    return frozenset(found)


@event.listens_for(Session, "before_commit")
def _end(session: Session) -> None:
    if not session.in_nested_transaction() and _of(session).put_off:
        begin(session)


@event.listens_for(Session, "after_commit")
def _done(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_INFO, None)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, undone: SessionTransaction) -> None:
    ending = _of(session)
    if undone.parent is None:
        ending.locked.clear()
    ending.put_off = [one for one in ending.put_off if undone not in one.within]
    if ending.begun_within is not None and undone in ending.begun_within:
        ending.begun_within = None


@event.listens_for(Session, "do_orm_execute")
def _lock_no_more(state: ORMExecuteState) -> None:
    if not has_begun(state.session) or state.execution_options.get("locks_last"):
        return
    locks = isinstance(state.statement, sa.Select) and state.statement._for_update_arg is not None
    if locks or state.is_update or state.is_delete:
        raise LockOrderError(f"after the last lock: {str(state.statement)[:200]}")


@event.listens_for(Session, "before_flush")
def _change_no_more(session: Session, _context: Any, _instances: Any) -> None:
    if not has_begun(session):
        return
    changed = [row for row in session.dirty if session.is_modified(row)]
    for row in (*changed, *session.deleted):
        raise LockOrderError(f"after the last lock: a change of {type(row).__name__}")
