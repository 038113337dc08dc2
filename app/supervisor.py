"""Child processes that are kept alive and, at the end, all gone. Linux only."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

BACKOFF_S_MIN = 1.0
BACKOFF_S_MAX = 30.0
HEALTHY_AFTER_S = 60.0
STOP_S_MAX = 20.0
LOG_BYTES_MAX = 10_000_000
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(slots=True)
class Child:
    """A process group of its own, so that the terminal's Ctrl-C reaches it only through its parent.

    Its output goes to a log file; without one, to where the parent's goes. If the parent is killed, the
    kernel sends the child SIGTERM.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _started_at: float = field(default=0.0, init=False)
    _restart_at: float = field(default=0.0, init=False)
    _backoff_s: float = field(default=BACKOFF_S_MIN, init=False)

    def start(self) -> None:
        """Start it; where its program is missing, OSError."""
        if self.log is None:
            self.process = self._spawn(None)
        else:
            if self.log.exists() and self.log.stat().st_size > LOG_BYTES_MAX:
                self.log.replace(self.log.with_name(f"{self.log.name}.old"))
            with self.log.open("ab") as output:
                self.process = self._spawn(output)
        self._started_at = time.monotonic()

    def exit_code(self) -> int | None:
        """How it ended: 0 and up as it said itself, below 0 the signal that ended it; None while it runs."""
        assert self.process is not None, f"{self.name} was never started"
        return self.process.poll()

    def revive(self) -> str | None:
        """Start it anew if it has ended, later and later the quicker it ends; returns the news, if any."""
        code = self.exit_code()
        if code is None:
            return None
        now = time.monotonic()
        if self._restart_at == 0:
            # A process of its group may have outlived it and still hold the port.
            self._signal(signal.SIGKILL)
            if now - self._started_at > HEALTHY_AFTER_S:
                self._backoff_s = BACKOFF_S_MIN
            self._restart_at = now + self._backoff_s
            news = f"{self.name} ended with {code}; starting it again in {self._backoff_s:.0f} s"
            return f"{news}\n{self.last_words()}"
        if now < self._restart_at:
            return None
        self._restart_at = 0
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_S_MAX)
        self.start()
        return f"{self.name} was started again"

    def stop(self) -> None:
        """Ask its whole group to end and wait for it; what does not end in time is killed."""
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_S_MAX)
        # Also after a good end: nothing of its group may stay behind.
        self._signal(signal.SIGKILL)
        self.process.wait()

    def last_words(self) -> str:
        """The end of its log."""
        if self.log is None:
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])

    def _spawn(self, output: BinaryIO | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command,
            env=self.environment,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
            preexec_fn=_end_with_parent,  # safe: the supervisor has one thread
        )

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(self.process.pid, number)


# Loaded once and here: between fork and exec nothing may be imported or loaded.
_libc = ctypes.CDLL(None)


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
