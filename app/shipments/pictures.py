"""What a picture is, by how it begins; what a phone says of a file is not believed."""

from __future__ import annotations

_STARTS = (("image/png", b"\x89PNG\r\n\x1a\n"), ("image/jpeg", b"\xff\xd8\xff"), ("image/webp", b"RIFF"))


def picture_type(content: bytes) -> str | None:
    """The media type of a PNG, JPEG or WebP picture; None for anything else."""
    return next((name for name, start in _STARTS if content.startswith(start)), None)
