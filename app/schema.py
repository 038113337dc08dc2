"""The whole schema: imports every module that maps a table, so that the metadata knows them all."""

import sqlalchemy as sa

import app.accounts.models
import app.customers.models
import app.db.jobs
import app.db.outbox
import app.deliveries.door_models
import app.deliveries.models
import app.deliveries.point_models
import app.dispatch.area_models
import app.dispatch.day.models
import app.dispatch.edit_models
import app.dispatch.models
import app.dispatch.pickup_models
import app.dispatch.roster_models
import app.epcis.models
import app.idempotency
import app.ledger.models
import app.network.models
import app.notices.models
import app.notify.models
import app.orders.models
import app.parties.models
import app.payouts.models
import app.servicedesk.models
import app.shipments.container_models
import app.shipments.finding_models
import app.shipments.forwarding_models
import app.shipments.history_models
import app.shipments.merge_models
import app.shipments.models
import app.webhooks.models  # noqa: F401
from app.db.base import Base

METADATA: sa.MetaData = Base.metadata
