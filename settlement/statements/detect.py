"""A bank's file of whichever format it is in."""

from __future__ import annotations

from typing import IO

from settlement.errors import StatementError
from settlement.statements.camt import read_camt053
from settlement.statements.mt import read_mt
from settlement.statements.values import Statement

_ENCODINGS = ("utf-8-sig", "gb18030")


def read_statements(file: IO[bytes]) -> list[Statement]:
    """Read camt.053, MT940 or MT942, told apart by how the file begins.

    Args:
        file: open for reading bytes, seekable.

    Raises:
        StatementError: it is none of them, or cannot be read.
    """
    began = file.tell()
    head = file.read(4096)
    file.seek(began)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return read_camt053(file)
    return read_mt(_text(file.read()))


def _text(content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise StatementError(f"the file is in none of {', '.join(_ENCODINGS)}")
