"""The public document of a parcel, put together by the database in one statement and given as text.

It holds what `app.shipments.story` tells everybody: the state and the promise from the shipment's row, every
scan that counts with its city, the arrivals still to come, the sentence of status in one language, and the
state in other systems' words. Both say the same; a test holds them together.
"""

from __future__ import annotations

from app.i18n import ENGLISH, Language
from app.shipments.document_words import Words, all_vocabularies, local_time, table, text, texts
from app.shipments.estimates import COMING
from app.shipments.rounds import COURIER_COMES
from tracking.promise import WINDOW_S
from tracking.sentence import TELLS_ARRIVAL
from tracking.shipment import Milestone, ScanCode
from tracking.transitions import LATEST_WINS, RULES

ONE = "FROM shipment JOIN shipment_state ON shipment_id = id WHERE waybill_number = $1 OFFSET 0"
"""Which parcel: $1 is its waybill number."""

MANY = (
    "FROM unnest($1::text[]) WITH ORDINALITY AS asked (number, place) "
    "JOIN shipment ON shipment.waybill_number = asked.number "
    "JOIN shipment_state ON shipment_id = id ORDER BY asked.place"
)
"""Which parcels: $1 are their waybill numbers; documents come in that order."""

IN_MONTHS = "IN ($3::date, $4::date)"
"""By which month scans are looked for, given from outside: the database opens their partitions only."""

IN_OWN_MONTH = "= parcel.month"
"""Each parcel's own month: every partition is opened, one is read."""

_FIRST_WINS = [code.value for code, rule in RULES.items() if rule.tier not in LATEST_WINS]
_EXPECTED_FROM = f"coalesce(parcel.delivery_from, parcel.expected_to - interval '{WINDOW_S} seconds')"
_COURIER_COMES = f"(milestone = ANY ({texts(COURIER_COMES)}) AND round_to_at > $2::timestamptz)"
_BRINGS = f"({_COURIER_COMES} AND milestone = {text(Milestone.OUT_FOR_DELIVERY.value)})"
_BACK = text(Milestone.RETURNING.value)


def statement(language: Language, *, which: str = ONE, months: str = IN_MONTHS, places: bool = False) -> str:
    """The statement that gives (waybill number, month of booking, document) of each parcel found.

    $2 is the present moment. The session must keep its time zone at UTC. Where the scans are looked for in
    given months, a parcel of another month comes without its scans: ask again with the month that came.

    Args:
        language: of the sentence.
        which: `ONE` or `MANY`.
        months: `IN_MONTHS` or `IN_OWN_MONTH`.
        places: whether places are named, as they are to those who may see the details.
    """
    # Every value written into it is a constant of the code, quoted by `document_words`.
    return f"""
SELECT parcel.waybill_number, parcel.month::text, story.document
FROM ({_parcel(which)}) AS parcel
CROSS JOIN LATERAL (
    WITH heard AS MATERIALIZED (
        SELECT scan_key, code, occurred_at, received_at, offset_minutes, facility_id, reason, corrects
        FROM scan WHERE shipment_id = parcel.id AND shipment_month {months}
    ),
    facts AS MATERIALIZED (
        SELECT coalesce(array_agg(corrects) FILTER (WHERE corrects IS NOT NULL), '{{}}') AS wrong,
            array_agg(facility_id) AS seen
        FROM heard
    ),
    deciding AS (
        SELECT make_interval(mins => offset_minutes::integer) AS shift, reason
        FROM heard, facts
        WHERE heard.code = parcel.code AND least(occurred_at, received_at) = parcel.state_since
            AND facility_id IS NOT DISTINCT FROM parcel.state_facility_id AND scan_key <> ALL (wrong)
        ORDER BY CASE WHEN heard.code = ANY ({texts(_FIRST_WINS)}) THEN scan_key END, scan_key DESC
        LIMIT 1
    )
    SELECT {_document(language, places)} AS document
    FROM facts
    LEFT JOIN deciding ON true
    CROSS JOIN LATERAL ({_sentence(language, places)}) AS sentence
) AS story
"""  # noqa: S608


def _parcel(which: str) -> str:
    """The shipment's rows; `expected_to` by the clock of the place where it was booked.

    While a courier is on his way with it, it is expected when he is.
    """
    return f"""
    SELECT id, waybill_number, milestone, code, state_since, state_facility_id, receipt_confirmed_at,
        terminal, booked_offset_minutes, promised_from_at, promised_to_at, estimate_aged,
        make_interval(mins => booked_offset_minutes::integer) AS shift,
        date_trunc('month', booked_at AT TIME ZONE 'UTC')::date AS month,
        CASE WHEN {_COURIER_COMES} THEN round_from_at END AS round_from_at,
        CASE WHEN {_COURIER_COMES} THEN round_to_at END AS round_to_at, stops_away,
        CASE WHEN {_BRINGS} THEN
            round_from_at AT TIME ZONE 'UTC' + make_interval(mins => booked_offset_minutes::integer)
        END AS delivery_from,
        CASE WHEN {_BRINGS} THEN
            round_to_at AT TIME ZONE 'UTC' + make_interval(mins => booked_offset_minutes::integer)
        WHEN milestone = ANY ({texts(sorted(COMING))}) THEN date_trunc('hour',
            greatest(estimate_p80_at, $2::timestamptz) AT TIME ZONE 'UTC'
            + make_interval(mins => booked_offset_minutes::integer) + interval '00:59:59.999999'
        ) END AS expected_to
    {which}
"""


def _document(language: Language, places: bool) -> str:
    """The text of JSON."""
    return f"""'{{"waybill_number":"' || parcel.waybill_number || '","milestone":"' || parcel.milestone
        || '","code":"' || parcel.code || '","sentence":' || to_json(
            upper(left(sentence.words, 1)) || substr(sentence.words, 2))::text
        || ',"offset_minutes":' || parcel.booked_offset_minutes
        || ',"promised_from":' || to_json(parcel.promised_from_at)::text
        || ',"promised_to":' || to_json(parcel.promised_to_at)::text
        || coalesce(
            ',"expected_from":' || to_json(({_EXPECTED_FROM} - parcel.shift) AT TIME ZONE 'UTC')::text
            || ',"expected_to":' || to_json((parcel.expected_to - parcel.shift) AT TIME ZONE 'UTC')::text,
            ',"expected_from":null,"expected_to":null')
        || ',"expected_without_news":'
        || CASE WHEN parcel.estimate_aged AND parcel.expected_to IS NOT NULL THEN 'true' ELSE 'false' END
        || ',"round":' || coalesce(
            '{{"from":' || to_json(parcel.round_from_at)::text
            || ',"to":' || to_json(parcel.round_to_at)::text
            || ',"stops_away":' || coalesce(parcel.stops_away::text, 'null') || '}}', 'null')
        || ',"events":[' || concat_ws(',', ({_to_come(language, places)}), ({_happened(language, places)}))
        || '],"vocabularies":' || coalesce(
            CASE WHEN parcel.code = 'attempt_failed' AND parcel.milestone <> {_BACK}
                THEN {all_vocabularies()} ->> deciding.reason END,
            {all_vocabularies()} ->> CASE parcel.milestone WHEN {_BACK} THEN {_BACK} ELSE parcel.code END
        ) || ',"details_access":"not_asked","details":null}}'"""


def _to_come(language: Language, places: bool) -> str:
    """Arrivals that are planned and can still be kept, the last one first."""
    return f"""
            SELECT string_agg(
                '{{"code":"arrived","at":' || to_json(leg.planned_arrival_at)::text
                || ',"offset_minutes":' || parcel.booked_offset_minutes || {_place(language, places)}
                || ',"planned":true}}', ',' ORDER BY leg.sequence DESC)
            FROM (
                SELECT sequence, to_facility_id, planned_arrival_at,
                    max(sequence) FILTER (WHERE to_facility_id = ANY (facts.seen)) OVER () AS reached
                FROM shipment_leg WHERE shipment_id = parcel.id
            ) AS leg
            JOIN facility ON facility.id = leg.to_facility_id
            JOIN district ON district.adcode = facility.district_adcode
            WHERE leg.planned_arrival_at > $2::timestamptz AND leg.sequence > coalesce(leg.reached, -1)
                AND NOT parcel.terminal AND parcel.milestone NOT IN ({_BACK}, 'ready_for_pickup')
"""  # noqa: S608


def _happened(language: Language, places: bool) -> str:
    """What was scanned and counts, the latest first."""
    return f"""
            SELECT string_agg(
                '{{"code":"' || heard.code || '","at":' || to_json(heard.occurred_at)::text
                || ',"offset_minutes":' || heard.offset_minutes || {_place(language, places)}
                || ',"planned":false}}', ','
                ORDER BY heard.occurred_at DESC, ({table({code.value: code.rank for code in ScanCode})}
                    ->> heard.code)::integer DESC, heard.scan_key DESC)
            FROM heard
            LEFT JOIN facility ON facility.id = heard.facility_id
            LEFT JOIN district ON district.adcode = facility.district_adcode
            WHERE heard.code <> 'voided' AND heard.scan_key <> ALL (facts.wrong)
"""  # noqa: S608


def _city(language: Language) -> str:
    """The city in the language of the document."""
    name = "NULLIF(district.city_name_en, '')" if language is ENGLISH else "NULL"
    return f"coalesce({name}, district.city_name)"


def _place(language: Language, places: bool) -> str:
    """Where an event was: the city, and to those who may know it the place."""
    place = "coalesce(to_json(facility.name)::text, 'null')" if places else "'null'"
    return f"""',"city":' || coalesce(to_json({_city(language)})::text, 'null') || ',"place":' || {place}"""


def _sentence(language: Language, places: bool) -> str:
    """The status in words. The fence behind it lets them be put together once, wherever they are used."""
    words = Words.of(language)
    name = "NULLIF(facility.name_en, '')" if language is ENGLISH else "NULL"
    where = f"coalesce({name}, facility.name)" if places else _city(language)
    since = local_time("(parcel.state_since AT TIME ZONE 'UTC' + deciding.shift)", "short", language)
    day, start = (local_time(_EXPECTED_FROM, shape, language) for shape in ("date", "time"))
    end = local_time("parcel.expected_to", "time", language)
    return f"""
        SELECT format(CASE WHEN parcel.milestone = ANY ({texts(sorted(TELLS_ARRIVAL))})
                THEN {words.coming} ELSE {words.standing} END ->> CASE
                    WHEN parcel.milestone = 'delivered' AND parcel.receipt_confirmed_at IS NOT NULL
                        THEN 'receipt_confirmed'
                    WHEN parcel.milestone = {_BACK} AND parcel.code <> {_BACK} THEN 'on_the_way_back'
                    ELSE parcel.code END,
            {since},
            coalesce((
                SELECT {where} FROM facility JOIN district ON district.adcode = facility.district_adcode
                WHERE facility.id = parcel.state_facility_id), {words.unnamed}),
            coalesce({words.reasons} ->> deciding.reason, NULLIF(deciding.reason, ''), {words.no_reason}),
            {day}, {start}, {end}
        ) AS words
        OFFSET 0
"""  # noqa: S608
