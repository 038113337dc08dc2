"""Every route with what fills it: arguments by name, bodies by endpoint; what is missing fails a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import service as accounts
from app.accounts.roles import SCOPES, Role, Scope
from app.security import MACHINES, access_of
from tests.flows.things import Things
from tests.support.app import Api


@dataclass(frozen=True, slots=True)
class Asker:
    """A login of one role in one company, as a person and as a machine, with a token that may be revoked."""

    role: Role
    browser: FlaskClient
    api: Api
    spare_token_id: int


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one rule, and what its view demands."""

    endpoint: str
    path: str
    method: str
    access: str
    arguments: frozenset[str]

    @property
    def room(self) -> str:
        """The blueprint without what tells a person's door from a machine's."""
        return self.endpoint.partition(".")[0].removesuffix("_api")

    @property
    def is_api(self) -> bool:
        return self.path.startswith(MACHINES)

    def is_open_to(self, role: Role) -> bool:
        """Whether the role's scopes cover it."""
        return self.access in ("public", "signed-in") or Scope(self.access) in SCOPES[role]

    def refusal(self, role: Role) -> int | None:
        """With which status the role is refused whatever it asks for; None when it is not."""
        if not self.is_open_to(role) or (role is Role.SHIPPER and self.endpoint in STAFF_ONLY):
            return 403
        return 404 if role is not Role.COURIER and self.endpoint in COURIERS_ONLY else None

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({self.endpoint})"


# What a role's scopes do not say. A shipper opens, reads and writes on cases, but the desk's own steps are
# not his; findings are the staff's; a receipt is confirmed by the consignee, or an agent who speaks with him.
STAFF_ONLY = frozenset(
    {
        "servicedesk.assign",
        "servicedesk.close",
        "servicedesk.propose",
        "servicedesk.take_one",
        "servicedesk.wait",
        "servicedesk_api.assign",
        "servicedesk_api.close",
        "servicedesk_api.propose",
        "servicedesk_api.resolve",
        "servicedesk_api.wait",
        "exceptions.board",
        "shipments.promises",
        "shipments_api.promises",
        "exceptions.export",
        "exceptions_api.count_exceptions",
        "exceptions_api.list_exceptions",
        "exceptions_api.show_exception",
        "shipments_api.receipt",
    }
)

# Only a courier has a round of his own.
COURIERS_ONLY = frozenset(
    {
        "day.positions",
        "day_api.take_positions",
        "deliveries.hand_over",
        "deliveries.phone_acts",
        "deliveries_api.acts",
        "dispatch.run_scan",
        "dispatch.run_version",
        "dispatch_api.run",
    }
)

# Open to everybody, on purpose. A new public view must be added here by hand.
PUBLIC = frozenset(
    {
        "accounts.login",
        "customers.registration.begin",
        "customers.registration.code",
        "day.worker",
        "deliveries.choose",
        "deliveries.agree",
        "deliveries.dispute",
        "deliveries.set_consent",
        "deliveries.undo",
        "deliveries_api.link_accept_price",
        "deliveries_api.link_ask",
        "deliveries_api.link_consent",
        "deliveries_api.link_delivery",
        "deliveries_api.link_dispute",
        "deliveries_api.link_withdraw",
        "livez",
        "metrics",
        "openapi",
        "notices.choose",
        "notices_api.choose",
        "readyz",
        "servicedesk.public_case",
        "servicedesk.public_complaint",
        "servicedesk_api.complain",
        "servicedesk_api.link_case",
        "servicedesk_api.link_message",
        "shipments.confirm_receipt",
        "shipments.public_proof",
        "shipments.track",
        "shipments.track_details",
        "shipments.track_link",
        "shipments.track_number",
        "shipments_api.confirm",
        "shipments_api.link",
        "shipments_api.track",
        "shipments_api.track_events",
        "shipments_api.track_many",
    }
)
SIGNED_IN = frozenset(
    {"accounts.logout", "accounts_api.me", "home.index", "network.districts", "network_api.districts"}
)

Filler = Callable[[Things, Asker], Any]

# By `room:argument`, else by the argument's name alone.
ARGUMENTS: Mapping[str, Filler] = {
    "account_id": lambda things, _asker: things.account_id,
    "area_id": lambda things, _asker: things.area_id,
    "capture_id": lambda things, _asker: things.capture_id,
    "change": lambda _things, _asker: "reopen",
    "containers:act": lambda _things, _asker: "seal",
    "containers:number": lambda things, _asker: things.container_number,
    "claim_id": lambda things, _asker: things.claim_id,
    "courier_id": lambda things, _asker: things.courier_id,
    "customer_id": lambda things, _asker: things.customer_id,
    "day": lambda _things, _asker: "2026-09-30",
    "deliveries:number": lambda things, _asker: things.booked,
    "deposit_id": lambda things, _asker: things.deposit_id,
    "drop_id": lambda things, _asker: things.other_customer_id,
    "endpoint_id": lambda things, _asker: things.endpoint_id,
    "entry_id": lambda things, _asker: things.entry_id,
    "event_id": lambda things, _asker: things.event_id,
    "finding_id": lambda things, _asker: things.finding_id,
    "facility_id": lambda things, _asker: things.facility_id,
    "identity_id": lambda things, _asker: things.identity_id,
    "instruction_id": lambda things, _asker: things.instruction_id,
    "key": lambda things, _asker: things.entry_key,
    "kind": lambda _things, _asker: "shipment",
    "lane_id": lambda things, _asker: things.lane_id,
    "notices:milestone": lambda _things, _asker: "delivered",
    "message_key": lambda things, _asker: things.message_key,
    "orders:number": lambda things, _asker: things.order_number,
    "pickup_id": lambda things, _asker: things.pickup_id,
    "recurring_id": lambda things, _asker: things.recurring_id,
    "payouts:number": lambda things, _asker: things.batch_number,
    "photo_id": lambda things, _asker: things.photo_id,
    "plan_id": lambda things, _asker: things.plan_id,
    "proof_id": lambda things, _asker: things.proof_id,
    "ref": lambda things, _asker: things.delivered,
    "servicedesk:number": lambda things, _asker: things.case_number,
    "shipments:number": lambda things, _asker: things.delivered,
    "study_id": lambda things, _asker: things.study_id,
    "stop_id": lambda things, _asker: things.stop_id,
    "token": lambda things, _asker: things.link_token,
    "token_id": lambda _things, asker: asker.spare_token_id,
    "version_id": lambda things, _asker: things.terms_id,
}

_CASE_STEP = {"form": {"version": "1"}}
_STEP: dict[str, Any] = {"json": {}}
_NOTHING: dict[str, Any] = {}
_POSITIONS = {"positions": [{"at": "2026-03-02T01:00:00Z", "latitude": 30.6, "longitude": 104.0}]}
_COURIER = {
    "shift_start_s": 28800,
    "shift_end_s": 64800,
    "capacity_g": 100_000,
    "capacity_cm3": 1_000_000,
    "capacity_pieces": 60,
    "vehicle_class": "van",
    "territory": [],
    "skills": [],
    "breaks": [{"from_s": 41400, "to_s": 46800, "minutes": 30}],
    "active": True,
}
_RING = [[30.60, 104.00], [30.60, 104.05], [30.65, 104.05]]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OPERATION = {
    "operator": "partner",
    "timezone": "Asia/Shanghai",
    "opening_hours": {day: ["09:00-19:00"] for day in _DAYS},
    "collection_cutoff": "15:00",
    "delivery_rounds": ["09:00"],
    "sort_s": 1200,
    "sort_per_hour": 500,
}
_OPERATION_FORM = {
    "operator": "own",
    "timezone": "Asia/Shanghai",
    **dict.fromkeys(_DAYS, "08:00-20:00"),
    "cutoff": "16:00",
    "rounds": "08:00, 14:00",
    "sort_minutes": "20",
}
_ENDPOINT = {"url": "https://shop.example/hooks", "event_types": ["shipment.booked"]}


def _acts(things: Things) -> dict[str, Any]:
    """What a phone kept."""
    arrived = {
        "client_id": "1",
        "stop_id": things.stop_id,
        "act": "arrived",
        "occurred_at": "2026-03-02T01:00:00Z",
    }
    return {"device_id": "phone", "acts": [arrived]}


# What is posted to each endpoint, complete enough to reach the thing that the path names.
BODIES: Mapping[str, Callable[[Things], dict[str, Any]]] = {
    "accounts.login": lambda _things: {"form": {"username": "nobody", "password": "nothing at all"}},
    "accounts.logout": lambda _things: _NOTHING,
    "accounts.revoke_token": lambda _things: _NOTHING,
    "accounts.tokens": lambda _things: _NOTHING,
    "containers.open_container": lambda things: {
        "form": {"kind": "bag", "facility_id": str(things.facility_id)}
    },
    "containers.scan": lambda things: {"form": {"number": things.booked, "code": "pack"}},
    "containers.scan_queued": lambda _things: {"json": []},
    "containers.step": lambda _things: {"form": {"seal_number": "S-1"}},
    "containers_api.break_up": lambda _things: _STEP,
    "containers_api.check": lambda things: {"json": things.packing_body},
    "containers_api.count": lambda _things: _STEP,
    "containers_api.dispatch": lambda _things: _STEP,
    "containers_api.open_container": lambda things: {
        "json": {"kind": "bag", "facility_id": things.facility_id}
    },
    "containers_api.pack": lambda things: {"json": things.packing_body},
    "containers_api.receive": lambda _things: _STEP,
    "containers_api.seal": lambda _things: _STEP,
    "containers_api.unpack": lambda things: {"json": things.packing_body},
    "customers.add_identity": lambda _things: {"form": {"kind": "card", "value": "CARD-77"}},
    "customers.edit": lambda _things: {
        "form": {"name": "新名", "kind": "person", "locale": "zh", "version": "0"}
    },
    "customers.merge": lambda _things: _NOTHING,
    "customers.new": lambda _things: _NOTHING,
    "customers.registration.begin": lambda _things: _NOTHING,
    "customers.registration.code": lambda _things: _NOTHING,
    "customers.reveal": lambda _things: {"form": {"reason": "asked on the phone"}},
    "customers_api.find_or_create": lambda _things: {"json": {"name": "周强", "phone": "13600000099"}},
    "customers_api.reveal": lambda _things: {"json": {"reason": "asked on the phone"}},
    "deliveries.choose": lambda _things: {"form": {"what": "hold_at_outlet"}},
    "deliveries.compartment": lambda _things: _NOTHING,
    "deliveries.decide": lambda _things: {"form": {"accepted": "no"}},
    "deliveries.deposit": lambda _things: _NOTHING,
    "deliveries.dispute": lambda _things: _NOTHING,
    "deliveries.hand_over": lambda _things: {"form": {"what": "done", "asked_at": "1", "received_by": "x"}},
    "deliveries.set_consent": lambda _things: {"form": {"channel": "locker", "granted": "yes"}},
    "deliveries.shipment": lambda _things: {"form": {"what": "intercept"}},
    "deliveries.take_back": lambda _things: _NOTHING,
    "deliveries.take_out": lambda _things: _NOTHING,
    "deliveries.accept_price": lambda _things: _NOTHING,
    "deliveries.agree": lambda _things: _NOTHING,
    "deliveries.undo": lambda _things: _NOTHING,
    "deliveries.withdraw": lambda _things: _NOTHING,
    "deliveries_api.accept_price": lambda _things: _NOTHING,
    "deliveries_api.ask": lambda _things: {"json": {"kind": "intercept"}},
    "deliveries_api.deposit": lambda things: {
        "json": {"items": [{"number": things.booked, "facility_id": things.facility_id}]}
    },
    "deliveries_api.decide": lambda _things: {"json": {"accepted": False}},
    "deliveries_api.hand_over": lambda things: {
        "json": {
            "number": things.booked,
            "received_by": "x",
            "occurred_at": "2026-03-02T09:00:00+08:00",
            "device_id": "d",
            "client_id": "c",
        }
    },
    "deliveries_api.link_ask": lambda _things: {"json": {"kind": "hold_at_outlet"}},
    "deliveries_api.link_consent": lambda _things: {"json": {"channel": "locker", "granted": True}},
    "deliveries_api.link_accept_price": lambda _things: _NOTHING,
    "deliveries_api.link_withdraw": lambda _things: _NOTHING,
    "deliveries_api.link_dispute": lambda _things: {"json": {"kind": "damaged", "body": "wet"}},
    "deliveries_api.record_consent": lambda _things: {"json": {"channel": "locker", "granted": True}},
    "deliveries_api.set_compartment": lambda _things: {
        "json": {"code": "A1", "length_mm": 100, "width_mm": 100, "height_mm": 100}
    },
    "deliveries_api.take_back": lambda _things: _NOTHING,
    "deliveries_api.take_out": lambda things: {
        "json": {"number": things.deposited, "facility_id": things.facility_id, "code": "none"}
    },
    "deliveries_api.withdraw": lambda _things: _NOTHING,
    "day.positions": lambda _things: {"json": _POSITIONS},
    "day.put_back": lambda _things: _NOTHING,
    "day.take_off": lambda _things: {"form": {"reason": "a flat tyre"}},
    "day_api.put_back": lambda _things: _NOTHING,
    "day_api.take_off": lambda _things: {"json": {"reason": "a flat tyre", "until": "2030-01-01T00:00:00Z"}},
    "day_api.take_positions": lambda _things: {"json": _POSITIONS},
    "deliveries.phone_acts": lambda things: {"json": _acts(things)},
    "deliveries_api.acts": lambda things: {"json": _acts(things)},
    "dispatch.area": lambda _things: _NOTHING,
    "dispatch.new_area": lambda _things: _NOTHING,
    "dispatch.remove_area": lambda _things: _NOTHING,
    "dispatch.cancel": lambda _things: _NOTHING,
    "dispatch.cancel_pickup": lambda _things: _NOTHING,
    "dispatch.end_recurring": lambda _things: _NOTHING,
    "dispatch.pickups": lambda _things: _NOTHING,
    "dispatch.correct": lambda _things: {"form": {"latitude": "30.6", "longitude": "104.05"}},
    "dispatch.courier": lambda _things: _NOTHING,
    "dispatch.enough": lambda _things: _NOTHING,
    "dispatch.lock": lambda _things: {"form": {"version": "1", "locked": "yes"}},
    "dispatch.lock_round": lambda _things: {"form": {"version": "1", "locked": "yes"}},
    "dispatch.move": lambda things: {"form": {"version": "1", "place": f"{things.courier_id}:1"}},
    "dispatch.plan": lambda things: {
        "form": {"facility": str(things.facility_id), "day": "2026-03-20", "seconds": "1"}
    },
    "dispatch.postpone": lambda _things: _NOTHING,
    "dispatch.publish": lambda _things: {"form": {"version": "1"}},
    "dispatch.redo": lambda _things: {"form": {"version": "1"}},
    "dispatch.run_scan": lambda _things: {
        "form": {"what": "failed", "reason": "cannot_contact", "asked_at": "1"}
    },
    "dispatch.save_roster": lambda _things: {"form": {"day": "2026-03-20"}},
    "dispatch.undo": lambda _things: {"form": {"version": "1"}},
    "dispatch_api.draw_area": lambda things: {
        "json": {"facility_id": things.facility_id, "name": "A", "ring": _RING}
    },
    "dispatch_api.redraw_area": lambda _things: {"json": {"name": "B", "ring": _RING}},
    "dispatch_api.delete_area": lambda _things: _NOTHING,
    "dispatch_api.ask_pickup": lambda things: {"json": things.pickup_body},
    "dispatch_api.begin_recurring": lambda things: {"json": things.pickup_body | {"weekdays": [1]}},
    "dispatch_api.cancel_pickup": lambda _things: _NOTHING,
    "dispatch_api.change_courier": lambda _things: {"json": _COURIER},
    "dispatch_api.correct_place": lambda _things: {"json": {"latitude": 30.6, "longitude": 104.05}},
    "dispatch_api.set_skills": lambda _things: {"json": {"skills": ["lift"]}},
    "dispatch_api.end_recurring": lambda _things: _NOTHING,
    "dispatch_api.cancel_plan": lambda _things: _NOTHING,
    "dispatch_api.keep_best": lambda _things: _NOTHING,
    "dispatch_api.lock_round": lambda _things: {"json": {"version": 1, "locked": True}},
    "dispatch_api.lock_stop": lambda _things: {"json": {"version": 1, "locked": True}},
    "dispatch_api.move": lambda things: {
        "json": {"stop_id": things.stop_id, "courier_id": things.courier_id, "version": 1}
    },
    "dispatch_api.publish": lambda _things: {"json": {"version": 1}},
    "dispatch_api.redo": lambda _things: {"json": {"version": 1}},
    "dispatch_api.set_day": lambda _things: {
        "json": {"day": "2026-03-20", "state": "off", "shift_start_s": 28_800, "shift_end_s": 64_800}
    },
    "dispatch_api.undo": lambda _things: {"json": {"version": 1}},
    "dispatch_api.request_plan": lambda things: {
        "json": {"facility_id": things.facility_id, "day": "2026-03-20", "seconds": 1}
    },
    "dispatch_api.vroom": lambda _things: {"json": {"vehicles": [], "jobs": []}},
    "exceptions.act": lambda things: {"form": {"do": "acknowledge", "finding": str(things.finding_id)}},
    "exceptions_api.act": lambda things: {
        "json": {"action": "acknowledge", "finding_ids": [things.finding_id]}
    },
    "epcis_api.capture": lambda things: {"json": things.epcis_document},
    "epcis_api.capture_event": lambda things: {"json": things.epcis_event},
    "network_api.cancel_design": lambda _things: _NOTHING,
    "network_api.request_design": lambda _things: {"json": {"hubs": 2, "seconds": 1}},
    "network.cancel_study": lambda _things: _NOTHING,
    "network.request_design": lambda _things: _NOTHING,
    "network_api.add_holidays": lambda _things: {"json": {"first_day": "2026-10-01", "reason": "holiday"}},
    "network_api.remove_holiday": lambda _things: {"json": {"day": "2026-09-29"}},
    "network.add_holidays": lambda _things: {"form": {"first_day": "2026-10-02", "why": "holiday"}},
    "network.remove_holiday": lambda _things: _NOTHING,
    "network_api.change_operation": lambda _things: {"json": _OPERATION},
    "network.change_operation": lambda _things: {"form": _OPERATION_FORM},
    "network_api.add_facility_holidays": lambda _things: {
        "json": {"first_day": "2026-10-01", "reason": "holiday"}
    },
    "network_api.remove_facility_holiday": lambda _things: {"json": {"day": "2026-09-29"}},
    "network.add_facility_holidays": lambda _things: {"form": {"first_day": "2026-10-02", "why": "holiday"}},
    "network.remove_facility_holiday": lambda _things: _NOTHING,
    "accounts_api.change_company": lambda _things: {"json": {"gs1_company_prefix": "4012345"}},
    "accounts.change_company": lambda _things: {"form": {"gs1_company_prefix": "4012345"}},
    "network.change_facility": lambda _things: {"form": {"reason": "repaired"}},
    "network.change_lane": lambda _things: {"form": {"reason": "repaired"}},
    "notices.choose": lambda _things: {"form": {"wanted": "yes"}},
    "notices.drop": lambda _things: _NOTHING,
    "notices.edit": lambda _things: _NOTHING,
    "notices.quiet_hours": lambda _things: {"form": {"begins": "22:00", "ends": "07:30"}},
    "notices_api.choose": lambda _things: {"json": {"wanted": True}},
    "notices_api.drop": lambda _things: _NOTHING,
    "notices_api.quiet_hours": lambda _things: {"json": {"from_minute": 1320, "to_minute": 450}},
    "notices_api.write": lambda _things: {"json": {"body_zh": "{number}", "body_en": "{number}"}},
    "orders.approve_terms": lambda _things: _NOTHING,
    "orders.book": lambda _things: _NOTHING,
    "orders.cancel": lambda _things: {"form": {"reason": "not needed"}},
    "orders.new_terms": lambda _things: _NOTHING,
    "orders.pay": lambda _things: _NOTHING,
    "orders.quote": lambda _things: _NOTHING,
    "orders.settle_channel": lambda _things: _NOTHING,
    "orders.try_terms": lambda _things: _NOTHING,
    "orders.withdraw_terms": lambda _things: _NOTHING,
    "orders_api.book": lambda things: {"json": things.company.booking_body(customer_id=things.customer_id)},
    "orders_api.approve": lambda _things: _NOTHING,
    "orders_api.cancel": lambda _things: {"json": {"reason": "not needed"}},
    "orders_api.draft": lambda things: {
        "json": {"body": things.terms_body, "effective_from": "2026-12-01T00:00:00+08:00"}
    },
    "orders_api.pay": lambda _things: _NOTHING,
    "orders_api.quote": lambda things: {"json": things.quote_body},
    "orders_api.settle_channel": lambda _things: {"json": {"amount_minor": 1, "reference": "one cent"}},
    "orders_api.trial": lambda things: {"json": {"body": things.terms_body}},
    "orders_api.withdraw": lambda _things: _NOTHING,
    "payouts.approve": lambda _things: _NOTHING,
    "payouts.cancel": lambda _things: {"form": {"reason": "a mistake"}},
    "payouts.export": lambda _things: _NOTHING,
    "payouts.prepare": lambda _things: _NOTHING,
    "payouts.settle": lambda _things: _NOTHING,
    "payouts_api.approve": lambda _things: _NOTHING,
    "payouts_api.cancel": lambda _things: {"json": {"reason": "a mistake"}},
    "payouts_api.export": lambda _things: _NOTHING,
    "payouts_api.report": lambda _things: {"json": {"items": [{"party_id": 1, "paid": True}]}},
    "payouts_api.prepare": lambda _things: {"json": {"currency": "CNY"}},
    "servicedesk.approve": lambda _things: _NOTHING,
    "servicedesk.assign": lambda things: {
        "form": {"version": "1", "owner_id": str(things.company.shop.agent.user_id)}
    },
    "servicedesk.close": lambda _things: _CASE_STEP,
    "servicedesk.draft": lambda _things: {"form": {"body": "I began to write"}},
    "servicedesk.new_case": lambda _things: _NOTHING,
    "servicedesk.propose": lambda _things: {
        "form": {"version": "1", "kind": "partly_damaged", "claimed": "12.50"}
    },
    "servicedesk.public_case": lambda _things: _NOTHING,
    "servicedesk.public_complaint": lambda _things: _NOTHING,
    "servicedesk.refuse": lambda _things: {"form": {"reason": "no"}},
    "servicedesk.take": lambda things: {"form": {"number": things.case_number}},
    "servicedesk.take_one": lambda _things: _CASE_STEP,
    "servicedesk.wait": lambda _things: _CASE_STEP,
    "servicedesk.write": lambda _things: {"form": {"body": "a word", "version": "1"}},
    "servicedesk_api.approve": lambda _things: _NOTHING,
    "servicedesk_api.assign": lambda _things: _STEP,
    "servicedesk_api.close": lambda _things: _STEP,
    "servicedesk_api.complain": lambda _things: {"json": {"category": "other", "body": "where is it?"}},
    "servicedesk_api.link_message": lambda _things: {"json": {"body": "one word more"}},
    "servicedesk_api.open_case": lambda things: {
        "json": {"waybill_number": things.delivered, "category": "other", "body": "a question"}
    },
    "servicedesk_api.propose": lambda _things: {"json": {"kind": "partly_damaged", "claimed_minor": 1250}},
    "servicedesk_api.refuse": lambda _things: {"json": {"reason": "no"}},
    "servicedesk_api.resolve": lambda _things: {"json": {"resolution": "settled"}},
    "servicedesk_api.wait": lambda _things: _STEP,
    "servicedesk_api.write": lambda _things: {"json": {"body": "a word"}},
    "shipments.cancel": lambda _things: _NOTHING,
    "shipments.confirm_receipt": lambda _things: _NOTHING,
    "shipments.forget_forwarding": lambda _things: {"form": {"number": "1Z5R89390357567127"}},
    "shipments.forward": lambda _things: {"form": {"number": "1Z5R89390357567127"}},
    "shipments.retry_unmatched": lambda _things: _NOTHING,
    "shipments.scan": lambda things: {"form": {"number": things.booked, "code": "sorted"}},
    "shipments.scan_queued": lambda _things: {"json": []},
    "shipments.scan_undo": lambda things: {"form": {"number": things.booked, "scan_key": "none"}},
    "shipments_api.cancel": lambda _things: _NOTHING,
    "shipments_api.confirm": lambda _things: _NOTHING,
    "shipments_api.forget": lambda _things: {"json": {"number": "1Z5R89390357567127"}},
    "shipments_api.forward": lambda _things: {"json": {"number": "1Z5R89390357567127"}},
    "shipments_api.receipt": lambda _things: _NOTHING,
    "shipments_api.scans": lambda _things: {"json": []},
    "shipments.track_details": lambda _things: {"form": {"digits": "0000"}},
    "webhooks.edit": lambda _things: _NOTHING,
    "webhooks.new": lambda _things: _NOTHING,
    "webhooks.pause": lambda _things: _NOTHING,
    "webhooks.ping": lambda _things: _NOTHING,
    "webhooks.remove": lambda _things: _NOTHING,
    "webhooks.replay": lambda _things: _NOTHING,
    "webhooks.replay_failed": lambda _things: {"form": {"since": "2026-03-01T00:00"}},
    "webhooks.resume": lambda _things: _NOTHING,
    "webhooks.rotate": lambda _things: {"form": {"overlap_hours": "24"}},
    "webhooks_api.change": lambda _things: {"json": _ENDPOINT},
    "webhooks_api.pause": lambda _things: _NOTHING,
    "webhooks_api.ping": lambda _things: _NOTHING,
    "webhooks_api.register": lambda _things: {"json": _ENDPOINT},
    "webhooks_api.remove": lambda _things: _NOTHING,
    "webhooks_api.replay": lambda _things: _NOTHING,
    "webhooks_api.replay_failed": lambda _things: {"json": {"since": "2026-03-01T00:00:00+08:00"}},
    "webhooks_api.resume": lambda _things: _NOTHING,
    "webhooks_api.rotate": lambda _things: {"json": {}},
}


def routes_of(app: flask.Flask) -> list[Route]:
    """Every route but the files of the front end."""
    return [
        Route(
            rule.endpoint,
            rule.rule,
            method,
            access_of(app.view_functions[rule.endpoint]) or "unsaid",
            frozenset(rule.arguments),
        )
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def filler(route: Route, argument: str) -> Filler:
    """How an argument of a route is filled.

    Raises:
        KeyError: nobody has said.
    """
    return ARGUMENTS.get(f"{route.room}:{argument}") or ARGUMENTS[argument]


def path_of(app: flask.Flask, route: Route, things: Things, asker: Asker) -> str:
    """The route's path with somebody's own ids in it."""
    values = {name: filler(route, name)(things, asker) for name in route.arguments}
    return app.url_map.bind("localhost").build(route.endpoint, values, method=route.method)


def ask(route: Route, path: str, body: Mapping[str, Any], asker: Asker) -> TestResponse:
    """Ask as the person or the machine that the route is for."""
    options: dict[str, Any] = {}
    if route.method == "POST":
        options = {"data": body.get("form")} if "form" in body else {"json": body.get("json")}
    if route.is_api:
        return (asker.api.get if route.method == "GET" else asker.api.post)(path, **options)
    return asker.browser.open(path, method=route.method, **options)


def asker_of(things: Things, role: Role) -> Asker:
    """A login of the role: the shipper's, one at the home facility, its courier's, or any of the staff's."""
    logins = things.company.logins
    subjects = {
        Role.SHIPPER: things.customer_id,
        Role.HUB: things.facility_id,
        Role.COURIER: things.courier_id,
    }
    who = {"subject_id": subjects.get(role), "who": "asker"}
    actor = logins.actor(role, **who)
    with things.company.work() as session:
        spare, _secret = accounts.create_token(
            session, actor, name="spare", scopes=actor.scopes, now=things.company.now
        )
    return Asker(role, logins.browser(role, **who), logins.api(role, **who), spare.id)
