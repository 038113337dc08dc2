"""A person at pages without a browser: reads what is there, fills in forms as they are offered, presses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lxml.html
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was answered."""

    client: FlaskClient
    answer: TestResponse

    @property
    def path(self) -> str:
        """Where it is, after redirects."""
        return self.answer.request.path

    @property
    def document(self) -> lxml.html.HtmlElement:
        return lxml.html.fromstring(self.answer.text)

    @property
    def text(self) -> str:
        """The words of the page's main part, blanks folded."""
        main = self.document.find(".//main")
        return " ".join((self.document if main is None else main).text_content().split())

    def link(self, end: str) -> str:
        """The address of the link that ends so."""
        found = [a.get("href") for a in self.document.iter("a") if (a.get("href") or "").endswith(end)]
        assert found, f"{self.path} has no link to {end}"
        return str(found[0])

    def submit(
        self, action: str, *, press: tuple[str, str] | None = None, expect: int = 200, **fields: Any
    ) -> Page:
        """Fill in the form whose address ends so, and send it.

        Fields must be there, and choices must be among those offered.

        Args:
            action: how the form's address ends; a form without one goes to its own page.
            press: name and value of the button, where that says what is done.
            expect: the status of the page that follows.
            fields: what is filled in; the rest is sent as it stands.
        """
        forms = [form for form in self.document.forms if (form.action or self.path).endswith(action)]
        if press is not None:
            forms = [form for form in forms if _button(form, *press) is not None]
        assert forms, f"{self.path} has no form for {action}: {[form.action for form in self.document.forms]}"
        form = forms[0]
        for name, value in fields.items():
            assert name in form.fields, f"{self.path}: no field {name}, but {sorted(form.fields.keys())}"
            form.fields[name] = value
        sent = list(form.form_values())
        if press is not None:
            sent.append(press)
        data: dict[str, list[str]] = {}
        for name, value in sent:
            data.setdefault(name, []).append(value)
        address = form.action or self.answer.request.full_path
        method = form.method.upper()
        options = {"query_string": data} if method == "GET" else {"data": data}
        answer = self.client.open(address, method=method, follow_redirects=True, **options)
        assert answer.status_code == expect, f"{address}: {answer.status_code} {_errors(answer)}"
        return Page(self.client, answer)


def visit(client: FlaskClient, path: str, *, expect: int = 200) -> Page:
    """Open a page."""
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == expect, f"{path}: {answer.status_code} {_errors(answer)}"
    return Page(client, answer)


def _button(form: lxml.html.FormElement, name: str, value: str) -> lxml.html.HtmlElement | None:
    for button in form.iter("button", "input"):
        if button.get("name") == name and button.get("value") == value:
            return button
    return None


def _errors(answer: TestResponse) -> str:
    """What a refused page says, for the report of a failed test."""
    if answer.mimetype != "text/html":
        return answer.text[:500]
    document = lxml.html.fromstring(answer.text)
    said = [one for part in ("invalid-feedback", "alert", "field-error") for one in document.find_class(part)]
    return " | ".join(" ".join(one.text_content().split()) for one in said) or document.text_content()[:500]
