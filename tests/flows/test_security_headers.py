"""Every answer carries the security headers, whatever its kind: page, data, error, file, redirect."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.app import Logins

PAGES = ("/login", "/track", "/register?tenant=nobody", "/no-such-page")
DATA = ("/livez", "/readyz", "/openapi.json", "/api/v1/me", "/api/v1/no-such-thing")
FILES = ("/static/favicon.svg",)


def policy(answer: TestResponse) -> dict[str, set[str]]:
    """A Content-Security-Policy as sources by directive."""
    directives = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: set(sources) for name, *sources in directives}


@pytest.mark.parametrize("path", [*PAGES, *DATA, *FILES, "/"])
def test_every_kind_of_answer_carries_the_headers(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (200, 302, 401, 404), answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "geolocation=(self)" in answer.headers["Permissions-Policy"]
    assert answer.headers["X-Request-Id"]
    sources = policy(answer)
    assert sources["default-src"] == sources["script-src"] == sources["style-src"] == {"'self'"}
    assert sources["object-src"] == sources["base-uri"] == sources["frame-ancestors"] == {"'none'"}
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & set().union(*sources.values())


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/me", "/", "/metrics"])
def test_what_may_be_personal_is_never_kept_by_a_cache(tenant: Logins, path: str) -> None:
    answer = tenant.browser("admin").get(path, follow_redirects=True)
    assert answer.headers["Cache-Control"] == "no-store"


def test_over_https_browsers_are_told_to_stay_there(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/login").headers
    told = client.get("/login", base_url="https://example.test").headers["Strict-Transport-Security"]
    assert int(told.partition("=")[2]) >= 365 * 24 * 3600


def test_the_login_cookie_is_out_of_reach_of_scripts_and_other_sites(tenant: Logins) -> None:
    browser = tenant.browser("agent")
    cookie = browser.get_cookie("wheelhouse")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    # A random handle in a signed cookie; neither role nor name of the login stands in it.
    assert "agent" not in cookie.decoded_value


def test_a_cookie_opens_no_machines_door_and_a_token_no_page(tenant: Logins) -> None:
    assert tenant.browser("admin").get("/api/v1/me").status_code == 401
    api = tenant.api("admin")
    assert api.get("/api/v1/me").status_code == 200
    assert api.get("/orders").headers["Location"].startswith("/login")


def test_pages_hold_no_inline_script_or_style(tenant: Logins) -> None:
    browser = tenant.browser("admin")
    for path in ("/", "/book", "/orders", "/network", "/ledger/", "/payouts/", "/terms", "/customers"):
        page = browser.get(path)
        assert page.status_code == 200, path
        for tag in page.text.split("<script")[1:]:
            head, _, body = tag.partition(">")
            inline = body.partition("</script>")[0].strip()
            assert not inline or 'type="application/json"' in head, f"{path}: {head} {inline[:80]}"
        assert " style=" not in page.text, path
        assert "<style" not in page.text, path
        assert " onclick=" not in page.text, path
