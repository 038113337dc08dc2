"""What labels on PDF share: the fonts, lines, texts that fit, and codes."""

from __future__ import annotations

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode import code128, qr
from reportlab.graphics.shapes import Drawing
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tracking.numbers import is_sscc

PAGE = (100 * mm, 150 * mm)
MARGIN = 5 * mm
RIGHT = PAGE[0] - MARGIN
# An Adobe CID font: every PDF viewer brings its glyphs, so labels stay small.
FONT = "STSong-Light"
BOLD = "Helvetica-Bold"
_BAR_WIDTH = 0.42 * mm
_FUNCTION_1 = "\xf1"

pdfmetrics.registerFont(UnicodeCIDFont(FONT))


def rule(canvas: Canvas, height: float) -> None:
    """Draw a line from margin to margin of a label."""
    canvas.setLineWidth(0.4)
    canvas.line(MARGIN, height, RIGHT, height)


def size_that_fits(text: str, font: str, size: float, width: float) -> float:
    """The size at which a text fits into a width, at most the one wished for."""
    actual = pdfmetrics.stringWidth(text, font, size)
    return size if actual <= width else size * width / actual


def draw_bars(canvas: Canvas, number: str, middle: float, bottom: float, height: float) -> None:
    """Draw the Code 128 of a number around a middle; of an SSCC the GS1-128 with its identifier (00)."""
    data = f"{_FUNCTION_1}00{number}" if is_sscc(number) else number
    bars = code128.Code128(data, barWidth=_BAR_WIDTH, barHeight=height)
    bars.drawOn(canvas, middle - bars.width / 2, bottom)


def draw_qr(canvas: Canvas, text: str, left: float, bottom: float, side: float) -> None:
    """Draw the QR code of a text, error correction M."""
    code = qr.QrCodeWidget(text, barLevel="M")
    x, y, right, upper = code.getBounds()
    drawing = Drawing(side, side, transform=[side / (right - x), 0, 0, side / (upper - y), 0, 0])
    drawing.add(code)
    renderPDF.draw(drawing, canvas, left, bottom)
