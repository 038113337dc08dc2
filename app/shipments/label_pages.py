"""Labels as answers: a PDF to be shown, ZPL to be sent to a printer."""

from __future__ import annotations

import flask
from sqlalchemy.orm import Session

from app.shipments.labels import label_of, label_pdf, label_zpl
from app.shipments.models import Shipment
from app.web import services

ZPL_TYPE = "application/zpl"


def label_response(session: Session, shipment: Shipment) -> flask.Response:
    """The labels of a shipment as a PDF."""
    label = label_of(session, shipment, public_url=services().settings.public_url)
    return pdf_answer(label_pdf(label), shipment.waybill_number)


def zpl_response(session: Session, shipment: Shipment) -> flask.Response:
    """The labels of a shipment as ZPL."""
    settings = services().settings
    label = label_of(session, shipment, public_url=settings.public_url)
    return zpl_answer(label_zpl(label, font=settings.zpl_font), shipment.waybill_number)


def pdf_answer(content: bytes, name: str) -> flask.Response:
    """A PDF to be shown."""
    return _answer(content, "application/pdf", f"{name}.pdf", "inline")


def zpl_answer(text: str, name: str) -> flask.Response:
    """ZPL to be kept or sent on."""
    return _answer(text.encode(), ZPL_TYPE, f"{name}.zpl", "attachment")


def _answer(content: bytes, kind: str, name: str, how: str) -> flask.Response:
    headers = {"Content-Disposition": f'{how}; filename="{name}"', "Cache-Control": "private, no-store"}
    return flask.Response(content, mimetype=kind, headers=headers)
