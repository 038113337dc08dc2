"""Runs PostgreSQL without root's powers, because it refuses them; no user is made and no mode is changed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded_binaries import Binaries, ClusterError

# "nobody": a listed user on every Linux.
NOBODY = 65534
PROBE = 'test "$(id -u)" != 0 && test -x "$1" && test -x "$2"'


@dataclass(frozen=True, slots=True)
class Identity:
    """How the server's programs are started, and whose the files they make are."""

    prefix: tuple[str, ...]
    owner: int


def choose(binaries: Binaries, data_dir: Path) -> Identity:
    """The identity to run with: one's own, or where PostgreSQL refuses that one, the first other that works.

    Args:
        binaries: the programs, which the identity must be able to reach.
        data_dir: the server's data; its owner is kept when it exists already. Its parent must exist.

    Raises:
        ClusterError: root, and no way to step down; or the data belongs to somebody else.
    """
    me = os.geteuid()
    owner = data_dir.stat().st_uid if data_dir.exists() else None
    if me != 0:
        if owner not in (None, me):
            raise ClusterError(
                f"{data_dir} belongs to user id {owner}; run as that user, or delete the folder"
            )
        if _has_name(me):
            return Identity((), me)
    for identity in _steps_down(owner, me):
        if _works(identity, binaries, data_dir.parent):
            return identity
    raise ClusterError(
        f"PostgreSQL refuses to run as user id {me} (root, or a user without a name), user namespaces are "
        f"off, and no other user can reach {data_dir}. Run as an ordinary user, or name a server in "
        "DATABASE_URL"
    )


def _has_name(user: int) -> bool:
    """Whether the user is listed: initdb wants a name; containers run under ids that have none."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _steps_down(owner: int | None, me: int) -> Iterator[Identity]:
    """Ways to run as somebody else, the best first, given who owns the data (None: not made yet)."""
    if owner in (None, me):
        # Inside, one is "nobody"; outside, files and signals remain one's own, also below a private folder.
        yield Identity(("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"), me)
    if me == 0 and owner != 0:
        user = NOBODY if owner is None else owner
        plain = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups")
        yield Identity((*plain, "--"), user)
        # A checkout below a private folder such as /root: the server may pass through, as in the namespace.
        yield Identity((*plain, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--"), user)


def _works(identity: Identity, binaries: Binaries, home: Path) -> bool:
    if shutil.which(identity.prefix[0]) is None:
        return False
    command = [*identity.prefix, "sh", "-c", PROBE, "sh", binaries.program("initdb"), str(home)]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
