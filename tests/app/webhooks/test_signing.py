"""Signatures: the standard's own vector, its own library as a judge where it is installed, rotation."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.signing import key_of, new_key, secret_text, signature, signed_headers

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'


def test_the_vector_of_the_standard() -> None:
    headers = signed_headers([key_of(SECRET)], MESSAGE, datetime.fromtimestamp(1_614_265_330, UTC), BODY)
    assert headers == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_secret_is_32_random_bytes_in_base64() -> None:
    made = {secret_text(new_key()) for _ in range(50)}
    assert len(made) == 50
    for secret in made:
        assert secret.startswith("whsec_")
        assert len(key_of(secret)) == 32


@pytest.mark.parametrize("text", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64!", "whsec_abc"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        key_of(text)


def test_while_keys_overlap_each_of_them_signs() -> None:
    keys = [new_key(), new_key()]
    headers = signed_headers(keys, MESSAGE, datetime.fromtimestamp(1_614_265_330.9, UTC), BODY)
    assert headers["webhook-timestamp"] == "1614265330"
    assert headers["webhook-signature"].split(" ") == [
        signature(key, MESSAGE, 1_614_265_330, BODY) for key in keys
    ]


@given(key=st.binary(min_size=24, max_size=64), body=st.text(), seconds=st.integers(-100, 100))
def test_the_standards_own_library_verifies_what_we_sign(key: bytes, body: str, seconds: int) -> None:
    standard = pytest.importorskip(
        "standardwebhooks", reason="STANDARDWEBHOOKS NOT INSTALLED: our signatures were NOT judged by it"
    )
    at = datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC)
    raw = body.encode("utf-8", "replace")
    headers = signed_headers([new_key(), key], MESSAGE, at, raw)
    judge = standard.Webhook(secret_text(key))
    judge.verify(raw, headers, json_parse=False)
    with pytest.raises(standard.WebhookVerificationError):
        judge.verify(raw + b".", headers, json_parse=False)
