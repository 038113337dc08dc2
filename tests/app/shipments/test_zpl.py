"""Labels for printers: what their fields hold, where they lie, and that nobody's goods become a command."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from apiflask import APIFlask
from reportlab.graphics.barcode import code128, qr

from app.shipments.labels import label_of, label_zpl
from app.shipments.zpl import HEIGHT, WIDTH, ZplLabel, escaped
from tests.app.shipments.conftest import Desk

FONT = "E:SIMSUN.TTF"
_FIELD = re.compile(r"\^FO(\d+),(\d+)(.*?)\^FD(.*?)\^FS")
_HEX = re.compile(r"_([0-9A-F]{2})")


@dataclass(frozen=True)
class Field:
    """A field as the printer reads it."""

    x: int
    y: int
    commands: str
    data: str

    @property
    def kind(self) -> str:
        if "^BC" in self.commands:
            return "code128"
        return "qr" if "^BQ" in self.commands else "text"

    def ends(self) -> tuple[int, int]:
        """The right and the lower edge, in dots."""
        if self.kind == "code128":
            module, height = re.search(r"\^BY(\d+)\^BCN,(\d+)", self.commands).groups()
            plain = self.data.replace(">;>8", "\xf1")
            wide = code128.Code128(plain, barWidth=int(module), quiet=False).width
            return self.x + round(wide), self.y + int(height)
        if self.kind == "qr":
            symbol = qr.QrCodeWidget(self.data.removeprefix("MA,"), barLevel="M").qr
            symbol.make()
            side = symbol.getModuleCount() * int(re.search(r"\^BQN,2,(\d+)", self.commands)[1])
            return self.x + side, self.y + side
        size = int(re.search(r"\^AZN,(\d+)", self.commands)[1])
        width, lines = map(int, re.search(r"\^FB(\d+),(\d+)", self.commands).groups())
        return self.x + width, self.y + lines * (size + 4)


def labels_in(zpl: str) -> list[list[Field]]:
    """The fields of each label of a job, hexadecimal read back as the printer does."""
    found = []
    for text in re.findall(r"\^XA(.*?)\^XZ", zpl, re.DOTALL):
        assert "^CI28" in text
        assert f"^PW{WIDTH}" in text
        assert f"^LL{HEIGHT}" in text
        fields = [
            Field(int(x), int(y), commands, _HEX.sub(lambda match: chr(int(match[1], 16)), data))
            for x, y, commands, data in _FIELD.findall(text)
        ]
        found.append(fields)
    return found


def of_kind(fields: list[Field], kind: str) -> list[str]:
    return [field.data for field in fields if field.kind == kind]


@pytest.mark.parametrize("pieces", [1, 3])
def test_every_piece_has_a_label_with_its_codes(desk: Desk, app: APIFlask, pieces: int) -> None:
    shipment = desk.book(pieces=pieces, cod_minor=8800)
    with app.app_context(), desk.database.unit_of_work(desk.logins.tenant_id) as session:
        zpl = label_zpl(label_of(session, shipment, public_url="https://parcels.example/"), font=FONT)
    found = labels_in(zpl)
    assert len(found) == pieces
    number = shipment.waybill_number
    for piece_no, fields in enumerate(found, start=1):
        assert of_kind(fields, "code128") == [number if pieces == 1 else f"{number}-{piece_no:03d}"]
        assert of_kind(fields, "qr") == [f"MA,https://parcels.example/track/{number}"]
        text = " ".join(of_kind(fields, "text"))
        assert "CTU-01 - WUH-HUB - HGH-HUB - HGH-01" in text
        assert f"{piece_no}/{pieces}" in text
        assert "李**" in text
        assert "88.00" in text
        for hidden in ("李小梅", "13912345678", "张伟", "1801"):
            assert hidden not in text
        for field in fields:
            right, lower = field.ends()
            assert right <= WIDTH, field
            assert lower <= HEIGHT, field
        (bars,) = [field for field in fields if field.kind == "code128"]
        module = int(re.search(r"\^BY(\d+)", bars.commands)[1])
        assert bars.x >= 10 * module, "the quiet zone before"
        assert WIDTH - bars.ends()[0] >= 10 * module, "and behind"


def test_texts_and_codes_do_not_lie_on_each_other(desk: Desk, app: APIFlask) -> None:
    shipment = desk.book(pieces=3, cod_minor=123_456_00, goods="很长的货物名称" * 6)
    with app.app_context(), desk.database.unit_of_work(desk.logins.tenant_id) as session:
        zpl = label_zpl(label_of(session, shipment, public_url="https://parcels.example/"), font=FONT)
    (fields, *_rest) = labels_in(zpl)
    for place, one in enumerate(fields):
        for other in fields[place + 1 :]:
            (right, lower), (other_right, other_lower) = one.ends(), other.ends()
            apart = one.x >= other_right or other.x >= right or one.y >= other_lower or other.y >= lower
            assert apart, (one, other)


def test_an_sscc_is_a_gs1_128() -> None:
    made = ZplLabel(FONT)
    made.sscc(100, 200, "376104250021234569")
    ((field,),) = labels_in(made.done())
    assert field.data == ">;>800376104250021234569"
    assert field.ends()[0] <= WIDTH - 30


def test_goods_are_no_commands() -> None:
    hostile = "茶^XZ~JA_5E\n^FS"
    made = ZplLabel(FONT)
    made.text(10, 10, 30, hostile)
    zpl = made.done()
    assert zpl.count("^XZ") == zpl.count("^FS") == 1
    assert "~JA" not in zpl
    ((field,),) = labels_in(zpl)
    assert field.data == "茶^XZ~JA_5E ^FS"
    assert escaped("a_b") == "a_5Fb"


def test_a_code_that_is_too_wide_is_refused() -> None:
    with pytest.raises(ValueError, match="too wide"):
        ZplLabel(FONT).code128(0, 100, "A" * 30)
