"""A state machine: any order of events in the life of money, and what must hold after each."""

from collections import defaultdict
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from settlement import posting
from settlement.errors import BalanceLimitError, SettlementError
from settlement.ledger import AccountKey, Ledger, Purpose, balances_of, limit_broken
from settlement.money import Money, Ratio
from settlement.payout import ItemEvent, ItemState, PayoutBatch, payable, recoverable
from settlement.posting import Chart, Header
from settlement.split import Facts, PartyRole, refund_parts, split
from settlement.terms import PartyRef, Percent, Remainder, Role, Share, Terms

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PLATFORM, OUTLET, CARRIER, DELIVERY, PAYER = 1, 2, 3, 4, 9
PARTIES = (PLATFORM, OUTLET, CARRIER, DELIVERY)
CHART = Chart(tenant_id=1, platform_party_id=PLATFORM)
ROLES = {
    Role.PLATFORM: (PartyRole(PLATFORM),),
    Role.ORIGIN_OUTLET: (PartyRole(OUTLET),),
    Role.LINEHAUL_CARRIER: (PartyRole(CARRIER),),
    Role.DELIVERY_OUTLET: (PartyRole(DELIVERY),),
}
TERMS = Terms(
    "t", 1, "CNY", NOW, None,
    (
        Share(PartyRef(Role.ORIGIN_OUTLET), Percent(Ratio(1, 6))),
        Share(PartyRef(Role.LINEHAUL_CARRIER), Percent(Ratio(1, 3))),
        Share(PartyRef(Role.DELIVERY_OUTLET), Percent(Ratio(1, 7))),
        Share(PartyRef(Role.PLATFORM), Remainder()),
    ),
)  # fmt: skip
AMOUNTS = st.integers(1, 5000)
PICK = st.integers(0, 10**6)


def yuan(minor):
    return Money(minor, "CNY")


class LifeOfMoney(RuleBasedStateMachine):
    """The ledger beside a model that knows only who is owed what, in plain numbers."""

    postings = posting

    def __init__(self):
        super().__init__()
        self.ledger = Ledger(PLATFORM)
        self.orders = []
        self.batches = []
        self.held = defaultdict(int)
        self.due = defaultdict(int)
        self.paid_out = defaultdict(int)
        self.bank = 0
        self.numbers = 0

    def header(self):
        self.numbers += 1
        return Header(f"e{self.numbers}", NOW)

    def apply(self, entry):
        """Apply and replay: the second time has no effect."""
        assert self.ledger.apply(entry)
        head, balances = self.ledger.head, self.ledger.balances
        assert not self.ledger.apply(entry)
        assert (self.ledger.head, self.ledger.balances) == (head, balances)

    def refused(self, entry):
        """Try an entry that must be refused: nothing changes."""
        head, balances = self.ledger.head, self.ledger.balances
        with pytest.raises(BalanceLimitError):
            self.ledger.apply(entry)
        assert (self.ledger.head, self.ledger.balances) == (head, balances)

    def balance(self, purpose, party_id=None):
        return self.ledger.balance(AccountKey(1, party_id, purpose, "CNY"))

    def available(self, party_id):
        return yuan(-self.balance(Purpose.AVAILABLE, party_id))

    def some(self, orders, pick):
        return orders[pick % len(orders)] if orders else None

    @rule(total=AMOUNTS)
    def place(self, total):
        result = split(TERMS, Facts("o", yuan(total), 1000, 1, "standard", None, ROLES))
        self.apply(self.postings.order_placed_split_held(CHART, self.header(), result, PAYER))
        parts = {party: amount for party, amount in result.by_party().items() if amount.amount_minor}
        self.orders.append(SimpleNamespace(left=parts, paid=False, released=False))
        for party, amount in parts.items():
            self.held[party] += amount.amount_minor

    @rule(pick=PICK)
    def pay(self, pick):
        order = self.some([o for o in self.orders if not o.paid and o.left], pick)
        if order:
            amount = yuan(sum(part.amount_minor for part in order.left.values()))
            self.apply(self.postings.paid(CHART, self.header(), PAYER, amount))
            self.apply(self.postings.channel_settled(CHART, self.header(), amount))
            order.paid = True
            self.bank += amount.amount_minor

    @rule(pick=PICK)
    def release(self, pick):
        order = self.some([o for o in self.orders if o.paid and not o.released and o.left], pick)
        if order:
            self.apply(self.postings.receipt_released(CHART, self.header(), order.left))
            order.released = True
            for party, part in order.left.items():
                self.held[party] -= part.amount_minor
                self.due[party] += part.amount_minor

    @rule(pick=PICK, amount=AMOUNTS)
    def refund(self, pick, amount):
        order = self.some([o for o in self.orders if o.left], pick)
        if not order:
            return
        whole = sum(part.amount_minor for part in order.left.values())
        amount = min(amount, whole)
        if order.paid and amount > self.bank:
            return
        parts = {p: m for p, m in refund_parts(order.left, yuan(amount)).items() if m.amount_minor}
        back_to = Purpose.CUSTODY if order.paid else Purpose.CUSTOMER_RECEIVABLE
        if order.released:
            available = {party: self.available(party) for party in parts}
            entry = self.postings.refunded_after_release(
                CHART, self.header(), parts, available, PAYER, back_to
            )
        else:
            entry = self.postings.refunded_before_release(CHART, self.header(), parts, PAYER, back_to)
        self.apply(entry)
        self.bank -= amount if order.paid else 0
        for party, part in parts.items():
            (self.due if order.released else self.held)[party] -= part.amount_minor
            order.left[party] -= part
            if not order.left[party].amount_minor:
                del order.left[party]

    @rule(bearer=st.sampled_from(PARTIES), amount=AMOUNTS)
    def compensate(self, bearer, amount):
        entry = self.postings.compensation_awarded(
            CHART, self.header(), yuan(amount), bearer, self.available(bearer), PAYER
        )
        self.apply(entry)
        self.due[bearer] -= amount
        self.due[PAYER] += amount

    @rule()
    def recover(self):
        for party, amount in recoverable(self.ledger.balances, "CNY").items():
            self.apply(self.postings.debt_recovered(CHART, self.header(), party, amount))

    @rule(amount=AMOUNTS)
    def top_up(self, amount):
        self.apply(self.postings.custody_topped_up(CHART, self.header(), yuan(amount)))
        self.due[PLATFORM] += amount
        self.bank += amount

    @rule(threshold=st.integers(0, 300))
    def prepare(self, threshold):
        items = payable(self.ledger.balances, [], yuan(threshold))
        if items:
            for item in items:
                self.apply(self.postings.payout_prepared(CHART, self.header(), item.party_id, item.amount))
            self.batches.append(PayoutBatch("b", "CNY", items).prepare(11).approve(12).export())

    @precondition(lambda self: self.batches)
    @rule(pick=PICK, item_pick=PICK, event=st.sampled_from(ItemEvent))
    def bank_reports(self, pick, item_pick, event):
        index = pick % len(self.batches)
        batch = self.batches[index]
        item = batch.items[item_pick % len(batch.items)]
        minor = item.amount.amount_minor
        if event is ItemEvent.PAY and item.state is ItemState.OPEN and minor > self.bank:
            self.refused(self.postings.payout_paid(CHART, self.header(), item.party_id, item.amount))
            return
        try:
            self.batches[index] = batch.report(item.party_id, event)
        except SettlementError:
            return
        make = {
            ItemEvent.PAY: self.postings.payout_paid,
            ItemEvent.BOUNCE: self.postings.payout_bounced,
            ItemEvent.RETURN: self.postings.payout_returned,
        }[event]
        self.apply(make(CHART, self.header(), item.party_id, item.amount))
        moved = {ItemEvent.PAY: minor, ItemEvent.BOUNCE: 0, ItemEvent.RETURN: -minor}[event]
        self.paid_out[item.party_id] += moved
        self.bank -= moved

    @rule(party=st.sampled_from(PARTIES[1:]), excess=AMOUNTS)
    def nobody_takes_more_than_is_available(self, party, excess):
        too_much = self.available(party) + yuan(excess)
        self.refused(posting.payout_prepared(CHART, self.header(), party, too_much))

    @invariant()
    def every_entry_sums_to_zero(self):
        for entry in self.ledger.entries[-3:]:
            sums = defaultdict(int)
            for line in entry.entries:
                sums[line.account.purpose.book] += line.amount_minor
            assert not any(sums.values())

    @invariant()
    def balances_are_the_sums_of_the_entries_and_within_limits(self):
        balances = {account: minor for account, minor in self.ledger.balances.items() if minor}
        assert balances == balances_of(self.ledger.entries)
        assert not any(limit_broken(account, minor, PLATFORM) for account, minor in balances.items())

    @invariant()
    def held_is_what_open_orders_hold(self):
        for party in PARTIES:
            assert -self.balance(Purpose.HELD, party) == self.held[party]

    @invariant()
    def each_party_has_what_it_is_due_less_what_was_paid(self):
        debts = sum(self.balance(Purpose.PARTY_DEBT, party) for party in PARTIES)
        for party in (*PARTIES, PAYER):
            net = -self.balance(Purpose.AVAILABLE, party) - self.balance(Purpose.IN_PAYOUT, party)
            net += debts if party == PLATFORM else -self.balance(Purpose.PARTY_DEBT, party)
            assert net == self.due[party] - self.paid_out[party]

    @invariant()
    def what_is_on_its_way_is_what_open_items_say(self):
        for party in (*PARTIES, PAYER):
            open_minor = sum(
                item.amount.amount_minor
                for batch in self.batches
                for item in batch.items
                if item.party_id == party and item.state is ItemState.OPEN
            )
            assert -self.balance(Purpose.IN_PAYOUT, party) == open_minor

    @invariant()
    def custody_is_the_bank_and_the_own_book_mirrors_the_platform_s_part(self):
        assert self.balance(Purpose.CUSTODY) == self.bank >= 0
        in_custody = self.balance(Purpose.AVAILABLE, PLATFORM) + self.balance(Purpose.IN_PAYOUT, PLATFORM)
        assert self.balance(Purpose.PLATFORM_CLAIM, PLATFORM) == -in_custody
