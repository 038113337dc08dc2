"""Numbers on a parcel and on what holds parcels: house waybill and container numbers, UPU S10, GS1 SSCC.

**House waybill number**: two letters and twelve digits. The last digit is an ISO/IEC 7064 MOD 11,10 check
digit over the eleven before it, which finds every wrong digit and nearly every swap of neighbours. The eleven
are the serial number under a keyed permutation of 0 .. 10**11 - 1, so that numbers never collide and do not
tell the next one. The permutation is an alternating Feistel network on the digits themselves (as in NIST
SP 800-38G, FF1): five digits and six, added modulo 10**5 and 10**6, with keyed BLAKE2 as the round function;
its domain is exactly 10**11. A number is never proof of access: it is hard to guess, and printed on the box.

**House container number**: the letter of its kind (B bag, M manifest, T trip), ten digits of a serial number
and an ISO/IEC 7064 MOD 11,10 check digit. It has one letter where a waybill number has two, so that none is
ever both. Whoever has a GS1 company prefix uses SSCCs instead.

Sources: ISO/IEC 7064:2003 section 9 (hybrid system MOD 11,10); UPU S10-12; GS1 General Specifications,
section 7.9.1 (check digit).
"""

import hashlib
import re
import unicodedata

from tracking.errors import NumberError

KEY_BYTES_MIN, KEY_BYTES_MAX = 16, 32
SERIAL_MAX = 10**11 - 1
CONTAINER_SERIAL_MAX = 10**10 - 1

_ROUNDS = 10
_DECIMAL = "0123456789"
_HIGH, _LOW = 10**5, 10**6

_WAYBILL = re.compile(r"[A-Z]{2}[0-9]{12}")
_PREFIX = re.compile(r"[A-Z]{2}")
_CONTAINER = re.compile(r"[BMT][0-9]{11}")
_S10 = re.compile(r"([A-Z]{2})([0-9]{8})([0-9])([A-Z]{2})")
_SSCC = re.compile(r"(?:00)?([0-9]{17})([0-9])")
_SEPARATORS = re.compile(r"[\s\-\u00ad\u2010-\u2015\u2212\u3000()]+")

# ISO 3166-1 alpha-2, officially assigned.
_COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE "
    "EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA "
    "NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES = frozenset(_COUNTRY_CODES.split())


def normalise(text: str) -> str:
    """Return a number as people type it in the form in which it is stored.

    Full-width letters and digits become plain ones, lower case becomes upper case; spaces, hyphens, dashes
    and the brackets around an application identifier are dropped.
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()


def iso7064_check_digit(digits: str) -> int:
    """Return the ISO/IEC 7064 MOD 11,10 check digit of a string of decimal digits.

    Raises:
        NumberError: `digits` is empty or holds anything but 0 to 9.
    """
    _require_digits(digits, None)
    return int(iso7064_check_character(digits, _DECIMAL))


def iso7064_check_character(text: str, alphabet: str) -> str:
    """Return the check character of a hybrid system of ISO/IEC 7064, such as MOD 11,10 or MOD 37,36.

    Raises:
        NumberError: `text` is empty or holds what is not in `alphabet`.
    """
    modulus = len(alphabet)
    values = [alphabet.find(character) for character in text]
    if not values or -1 in values:
        raise NumberError(f"expected characters of {alphabet!r}, not {text!r}")
    product = modulus
    for value in values:
        total = (product + value) % modulus or modulus
        product = total * 2 % (modulus + 1)
    return alphabet[(modulus + 1 - product) % modulus]


def waybill_number(serial: int, *, prefix: str, key: bytes) -> str:
    """Return the house waybill number of a serial number.

    Args:
        serial: 0 to `SERIAL_MAX`, each used once; a database sequence.
        prefix: two capital letters. The same serial under another prefix gives unrelated digits.
        key: 16 to 32 secret bytes; whoever has them can list all numbers.

    Raises:
        NumberError: serial, prefix or key is out of its range.
    """
    if not 0 <= serial <= SERIAL_MAX:
        raise NumberError(f"serial must be between 0 and {SERIAL_MAX}, not {serial}")
    payload = f"{_permute(serial, _round_keys(prefix, key)):011d}"
    return f"{prefix}{payload}{iso7064_check_digit(payload)}"


def waybill_serial(number: str, *, key: bytes) -> int:
    """Return the serial number from which a house waybill number was made.

    With a key other than the one it was made with, some unrelated serial number comes out.

    Raises:
        NumberError: `number` is not a well-formed waybill number, or the key is out of its range.
    """
    plain = normalise(number)
    if not is_waybill_number(plain):
        raise NumberError(f"{number!r} is not a waybill number")
    return _unpermute(int(plain[2:13]), _round_keys(plain[:2], key))


def is_waybill_number(text: str) -> bool:
    """Tell whether `text`, normalised, is two letters and twelve digits with a right check digit."""
    plain = normalise(text)
    return bool(_WAYBILL.fullmatch(plain)) and iso7064_check_digit(plain[2:13]) == int(plain[13])


def container_number(letter: str, serial: int) -> str:
    """Return the house container number of a serial number.

    Args:
        letter: B for a bag, M for a manifest, T for a trip.
        serial: 0 to `CONTAINER_SERIAL_MAX`, each used once.

    Raises:
        NumberError: one of them is out of its range.
    """
    if letter not in ("B", "M", "T"):
        raise NumberError(f"letter must be B, M or T, not {letter!r}")
    if not 0 <= serial <= CONTAINER_SERIAL_MAX:
        raise NumberError(f"serial must be between 0 and {CONTAINER_SERIAL_MAX}, not {serial}")
    digits = f"{serial:010d}"
    return f"{letter}{digits}{iso7064_check_digit(digits)}"


def container_number_in(text: str) -> str | None:
    """Return the container number that `text` is, as it is stored; None where it has not the form of one.

    House numbers and SSCCs, the latter with or without their application identifier (00). The form and the
    check digit alone decide; whether there is such a container is not known here.
    """
    plain = normalise(text)
    if _CONTAINER.fullmatch(plain):
        return plain if iso7064_check_digit(plain[1:11]) == int(plain[11]) else None
    return plain[-18:] if is_sscc(plain) else None


def _round_keys(prefix: str, key: bytes) -> hashlib.blake2s:
    if not _PREFIX.fullmatch(prefix):
        raise NumberError(f"prefix must be two capital letters, not {prefix!r}")
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise NumberError(f"key must have {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes, not {len(key)}")
    return hashlib.blake2s(key=key, person=prefix.encode(), digest_size=16)


def _round(keyed: hashlib.blake2s, number: int, half: int) -> int:
    state = keyed.copy()
    state.update(b"%d:%d" % (number, half))
    # 128 bits modulo 10**6: the bias is beyond measure.
    return int.from_bytes(state.digest(), "big")


def _permute(value: int, keyed: hashlib.blake2s) -> int:
    high, low = divmod(value, _LOW)
    for number in range(0, _ROUNDS, 2):
        high = (high + _round(keyed, number, low)) % _HIGH
        low = (low + _round(keyed, number + 1, high)) % _LOW
    return high * _LOW + low


def _unpermute(value: int, keyed: hashlib.blake2s) -> int:
    high, low = divmod(value, _LOW)
    for number in range(_ROUNDS - 2, -1, -2):
        low = (low - _round(keyed, number + 1, high)) % _LOW
        high = (high - _round(keyed, number, low)) % _HIGH
    return high * _LOW + low


def s10_check_digit(serial: str) -> int:
    """Return the UPU S10 check digit of eight digits.

    Raises:
        NumberError: `serial` is not eight digits.
    """
    _require_digits(serial, 8)
    weighted = sum(
        weight * int(digit) for weight, digit in zip((8, 6, 4, 2, 3, 5, 9, 7), serial, strict=True)
    )
    check = 11 - weighted % 11
    return {10: 0, 11: 5}.get(check, check)


def is_s10(text: str) -> bool:
    """Tell whether `text`, normalised, is a UPU S10 number: its check digit is right, its country exists."""
    match = _S10.fullmatch(normalise(text))
    return match is not None and match[4] in COUNTRIES and s10_check_digit(match[2]) == int(match[3])


def s10_number(service: str, serial: int, country: str) -> str:
    """Return the UPU S10 number of a service indicator, a serial and the issuing country.

    The UPU forbids using a number again within 12 months and recommends 24; that is the caller's to keep.

    Args:
        service: two capital letters, such as EE (express mail) or CP (parcel).
        serial: 0 to 99,999,999.
        country: ISO 3166-1 alpha-2 code of the postal operator that issues it.

    Raises:
        NumberError: one of them is out of its range.
    """
    if not _PREFIX.fullmatch(service):
        raise NumberError(f"service must be two capital letters, not {service!r}")
    if not 0 <= serial <= 99_999_999:
        raise NumberError(f"serial must be between 0 and 99999999, not {serial}")
    if country not in COUNTRIES:
        raise NumberError(f"{country!r} is not a country of ISO 3166-1")
    digits = f"{serial:08d}"
    return f"{service}{digits}{s10_check_digit(digits)}{country}"


def sscc_check_digit(digits: str) -> int:
    """Return the GS1 check digit of the 17 digits before it (weights 3, 1, 3 ... from the left).

    Raises:
        NumberError: `digits` is not seventeen digits.
    """
    _require_digits(digits, 17)
    weighted = sum((3, 1)[place % 2] * int(digit) for place, digit in enumerate(digits))
    return -weighted % 10


def is_sscc(text: str) -> bool:
    """Tell whether `text`, normalised, is an SSCC, with or without its application identifier (00)."""
    match = _SSCC.fullmatch(normalise(text))
    return match is not None and sscc_check_digit(match[1]) == int(match[2])


def sscc(extension: int, company_prefix: str, serial: int) -> str:
    """Return the 18 digits of an SSCC.

    Args:
        extension: 0 to 9, free to the company.
        company_prefix: a GS1 company prefix of 4 to 12 digits; a real one is licensed from GS1.
        serial: fills what the prefix leaves of 16 digits.

    Raises:
        NumberError: one of them is out of its range.
    """
    if not 0 <= extension <= 9:
        raise NumberError(f"extension must be one digit, not {extension}")
    if not re.fullmatch(r"[0-9]{4,12}", company_prefix):
        raise NumberError(f"company_prefix must be 4 to 12 digits, not {company_prefix!r}")
    places = 16 - len(company_prefix)
    if not 0 <= serial < 10**places:
        raise NumberError(f"serial must have at most {places} digits, not {serial}")
    digits = f"{extension}{company_prefix}{serial:0{places}d}"
    return f"{digits}{sscc_check_digit(digits)}"


def _require_digits(text: str, count: int | None) -> None:
    if not re.fullmatch(r"[0-9]+", text) or (count is not None and len(text) != count):
        raise NumberError(f"expected {count or 'at least one'} decimal digits, not {text!r}")
