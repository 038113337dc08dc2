"""Labels in Zebra's ZPL II: fields on 100 x 150 mm at 203 dots an inch, which is 8 dots a millimetre.

Texts are UTF-8 (`^CI28`); Chinese needs a font on the printer that has its letters, which a setting names.
What a text may not hold is written as hexadecimal (`^FH`), so that nobody's goods become a command.

Source: Zebra, ZPL II Programming Guide (^BC, ^BQ, ^BY, ^CI, ^CW, ^FB, ^FH, ^FO, ^LL, ^PW).
"""

from __future__ import annotations

from reportlab.graphics.barcode import code128, qr

DOTS_A_MM = 8
WIDTH, HEIGHT = 100 * DOTS_A_MM, 150 * DOTS_A_MM
MARGIN = 5 * DOTS_A_MM
_BAR = 3
# Ten modules of white on both sides, as the symbology demands.
_QUIET = 10 * _BAR
_SPECIAL = frozenset("^~_")


class ZplLabel:
    """One label, put together field by field; places are dots from the upper left corner.

    Args:
        font: the printer's font for texts, such as `E:SIMSUN.TTF`.
    """

    def __init__(self, font: str) -> None:
        self._parts = ["^XA", "^CI28", f"^CWZ,{font}", f"^PW{WIDTH}", f"^LL{HEIGHT}", "^LH0,0"]

    def text(
        self, x: int, y: int, size: int, text: str, *, width: int = WIDTH - 2 * MARGIN, lines: int = 1
    ) -> None:
        """Write a text, wrapped to a width and cut after some lines."""
        self._parts.append(f"^FO{x},{y}^AZN,{size},{size}^FB{width},{lines},4,L,0^FH_^FD{escaped(text)}^FS")

    def rule(self, y: int) -> None:
        """Draw a line from margin to margin."""
        self._parts.append(f"^FO{MARGIN},{y}^GB{WIDTH - 2 * MARGIN},2,2^FS")

    def code128(self, y: int, height: int, data: str) -> None:
        """Draw a Code 128 in the middle.

        Raises:
            ValueError: it is too wide for the label.
        """
        self._bars(y, height, code128.Code128(data, barWidth=_BAR, quiet=False).width, data, "A")

    def sscc(self, y: int, height: int, number: str) -> None:
        """Draw the GS1-128 of an SSCC in the middle: set C, function 1, application identifier 00."""
        symbol = code128.Code128(f"\xf100{number}", barWidth=_BAR, quiet=False)
        self._bars(y, height, symbol.width, f">;>800{number}", "N")

    def qr(self, x: int, y: int, data: str, *, side: int) -> None:
        """Draw a QR code as large as fits into a square of `side` dots, error correction M."""
        symbol = qr.QrCodeWidget(data, barLevel="M").qr
        symbol.make()
        dots = max(1, min(10, side // symbol.getModuleCount()))
        self._parts.append(f"^FO{x},{y}^BQN,2,{dots}^FH_^FDMA,{escaped(data)}^FS")

    def done(self) -> str:
        """The whole label."""
        return "\n".join([*self._parts, "^XZ", ""])

    def _bars(self, y: int, height: int, width: float, data: str, mode: str) -> None:
        left = (WIDTH - round(width)) // 2
        if left < _QUIET:
            raise ValueError(f"{data} is too wide for a label")
        self._parts.append(f"^FO{left},{y}^BY{_BAR}^BCN,{height},N,N,N,{mode}^FD{data}^FS")


def escaped(text: str) -> str:
    """A text for a field with `^FH_`: line ends become spaces, what ZPL reads as a command hexadecimal."""
    plain = " ".join(text.split())
    return "".join(f"_{ord(char):02X}" if char in _SPECIAL else char for char in plain)
