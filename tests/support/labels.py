"""What a scanner reads on printed labels."""

from __future__ import annotations

import pymupdf
import zxingcpp
from PIL import Image


def codes_by_page(pdf: bytes) -> list[set[str]]:
    """The texts of all barcodes on each page of a PDF, printed at 300 dots an inch."""
    with pymupdf.open(stream=pdf) as document:
        pages = [page.get_pixmap(dpi=300) for page in document]
    pictures = [Image.frombytes("RGB", (page.width, page.height), page.samples) for page in pages]
    return [{code.text for code in zxingcpp.read_barcodes(picture)} for picture in pictures]
