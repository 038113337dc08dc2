"""Every word in both languages: nothing untranslated, nothing left over; and which language a page is in."""

import re
from pathlib import Path

import flask
import pytest
from babel.messages.mofile import read_mo
from flask_babel import gettext, lazy_gettext

from app import formatting, i18n
from app.i18n import bare_text, catalogs

PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%|%")


@pytest.fixture(scope="module")
def pages() -> flask.Flask:
    app = flask.Flask("app")
    i18n.init_app(app)
    formatting.init_app(app)

    @app.route("/list", methods=["GET", "POST"])
    def listing() -> str:
        return f"{gettext('Cancel')} {i18n.current().code}"

    @app.get("/data")
    def data() -> flask.Response:
        return flask.jsonify([])

    return app


def test_every_string_has_chinese() -> None:
    left = {room: [source.text for source in found] for room, found in catalogs.missing().items()}
    assert left == {}, "run `python -m app.i18n update <room>` and write the Chinese"


def test_extraction_finds_code_and_templates() -> None:
    """Guards the test above: an extraction that finds nothing would leave nothing untranslated."""
    found = {source.text: source for source in catalogs.extracted()}
    assert found["Skip to the content"].path == "templates/base.html"
    assert found["%(days)s d %(hours)s h"].path == "formatting.py"
    assert found["Username"].room == "accounts"
    assert found["%(num)s row on this page"].plural == "%(num)s rows on this page"


def test_no_entry_is_left_over() -> None:
    assert catalogs.orphans() == []


def test_every_entry_is_written_in_chinese() -> None:
    """A Chinese text without a Chinese character is a copy of the English, unless it holds no word at all."""
    copied = [
        key[0]
        for key, message in catalogs.entries(catalogs.merged())
        if not re.search(r"[\u3400-\u9fff]", "".join(message.string))
        and re.search(r"[a-z]{3}", PLACEHOLDER.sub("", "".join(message.string)))
    ]
    assert copied == []


def test_placeholders_are_the_same_on_both_sides() -> None:
    for key, message in catalogs.entries(catalogs.merged()):
        chinese = message.string if isinstance(message.string, tuple | list) else [message.string]
        english = message.id if isinstance(message.id, tuple | list) else [message.id]
        wanted = {name for form in english for name in PLACEHOLDER.findall(form) if name}
        for form in chinese:
            assert {name for name in PLACEHOLDER.findall(form) if name} == wanted, key[0]


def test_no_template_shows_words_that_cannot_be_translated() -> None:
    assert [str(finding) for finding in bare_text.findings()] == []


@pytest.mark.parametrize(
    "template",
    [
        "<p>Late parcels</p>",
        "<p>{{ name }} is late</p>",
        "<p>{% if late %}延误{% endif %}</p>",
        '<input placeholder="Waybill number">',
        '<button aria-label="Close"></button>',
        '<a title="See {{ number }}">{{ number }}</a>',
        '{{ page_header("Shipments") }}',
        '{{ alert(tone="bad", text="Not saved") }}',
        '{{ tabs([{"label": "Late", "url": "/"}], _("State")) }}',
        '{{ components.empty(_("None"), "Nothing is here") }}',
    ],
)
def test_the_check_finds_bare_words(template: str) -> None:
    assert [finding.line for finding in bare_text.findings_in(f"\n{template}", "sample.html")] == [2]


@pytest.mark.parametrize(
    "template",
    [
        '<p>{{ _("Late parcels") }}</p>',
        "<p>{% trans %}Late parcels{% endtrans %}</p>",
        '<p class="late-parcel" data-state="held">{{ number }} · 12 kg</p>',
        '<script type="application/json">{"state": "late"}</script><kbd>Enter</kbd><code>make run</code>',
        '{{ page_header(_("Shipments"), sentence) }}{{ status_pill(word, "warn") }}',
        '{{ tabs([{"label": _("Late"), "url": "/late/parcels"}], _("State")) }}',
        "{% block main_class %}page-narrow{% endblock %}{# a comment in words #}<!-- and another -->",
    ],
)
def test_the_check_leaves_the_rest_alone(template: str) -> None:
    assert bare_text.findings_in(template, "sample.html") == []


def po_file(folder: Path, name: str, *pairs: tuple[str, str]) -> Path:
    path = folder / name
    entries = "".join(f'msgid "{english}"\nmsgstr "{chinese}"\n\n' for english, chinese in pairs)
    path.write_text(f'msgid ""\nmsgstr ""\n"Language: zh_Hans_CN\\n"\n\n{entries}', encoding="utf-8")
    return path


def test_rooms_must_agree(tmp_path: Path) -> None:
    first = po_file(tmp_path, "first.po", ("Late", "延误"), ("Only here", "仅此"))
    same = po_file(tmp_path, "same.po", ("Late", "延误"))
    other = po_file(tmp_path, "other.po", ("Late", "晚点"))
    assert {key[0] for key, _ in catalogs.entries(catalogs.merged([first, same]))} == {"Late", "Only here"}
    with pytest.raises(catalogs.CatalogError, match=r"'Late' is '延误' in first\.po but '晚点' in other\.po"):
        catalogs.merged([first, other])


def test_empty_and_guessed_entries_do_not_count(tmp_path: Path) -> None:
    path = po_file(tmp_path, "room.po", ("Late", ""))
    path.write_text(
        path.read_text(encoding="utf-8") + '#, fuzzy\nmsgid "Held"\nmsgstr "暂存"\n', encoding="utf-8"
    )
    assert list(catalogs.entries(catalogs.merged([path]))) == []


def test_update_adds_new_strings_and_drops_old_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "CHINESE", tmp_path)
    po_file(tmp_path, "common.po", ("Cancel", "取消"), ("A string that nothing says", "无"))
    added, dropped = catalogs.update_room("common")
    entries = dict(catalogs.entries(catalogs.read_room(tmp_path / "common.po")))
    assert dropped == 1
    assert added == len(entries) - 1 > 20
    assert entries["Cancel", None].string == "取消"
    assert entries["Close", None].string == ""
    assert catalogs.update_room("common") == (0, 0)


def _decoded(key: tuple[str, str | bytes | None]) -> tuple[str, str | None]:
    """Babel reads the context of a compiled entry as bytes."""
    message, context = key
    return message, context.decode() if isinstance(context, bytes) else context


def test_compiled_catalog_holds_all_rooms() -> None:
    catalogs.compile_catalogs()
    with catalogs.COMPILED.open("rb") as file:
        compiled = {_decoded(catalogs.key_of(message)) for message in read_mo(file) if message.id}
    assert compiled == {key for key, _ in catalogs.entries(catalogs.merged())}


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("templates/accounts/login.html", "accounts"),
        ("accounts/forms.py", "accounts"),
        ("templates/base.html", "common"),
        ("templates/components/data.html", "common"),
        ("templates/errors/404.html", "common"),
        ("formatting.py", "common"),
        ("templates/styleguide.html", "styleguide"),
    ],
)
def test_room_of_a_file(path: str, room: str) -> None:
    assert catalogs.room_of(path) == room


@pytest.mark.parametrize(
    ("query", "cookie", "wish", "language"),
    [
        ("", None, None, "en"),
        ("", None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", None, "fr", "en"),
        ("", None, "de, en-GB;q=0.7, zh;q=0.3", "en"),
        ("", "zh", "en", "zh"),
        ("?lang=en", "zh", "zh", "en"),
        ("?lang=xx", None, "zh", "zh"),
    ],
)
def test_language_of_an_answer(
    pages: flask.Flask, query: str, cookie: str | None, wish: str | None, language: str
) -> None:
    client = pages.test_client()
    if cookie:
        client.set_cookie("lang", cookie)
    answer = client.get(f"/list{query}", headers={"Accept-Language": wish} if wish else {})
    assert answer.text == {"en": "Cancel en", "zh": "取消 zh"}[language]
    assert answer.headers["Content-Language"] == {"en": "en", "zh": "zh-Hans-CN"}[language]
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].split(", "))


def test_switching_is_remembered_and_leaves_the_address(pages: flask.Flask) -> None:
    client = pages.test_client()
    answer = client.get("/list?sort=number&lang=zh&page=2", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/list?sort=number&page=2")
    assert "SameSite=Lax" in answer.headers["Set-Cookie"]
    assert client.get("/list").text == "取消 zh"


def test_only_page_views_switch(pages: flask.Flask) -> None:
    client = pages.test_client()
    posted = client.post("/list?lang=zh", headers={"Accept": "text/html"})
    assert (posted.status_code, posted.text) == (200, "取消 zh")
    assert client.get("/data?lang=zh").status_code == 200
    assert client.get("/list").text == "Cancel en"


def test_language_for_somebody_who_is_not_on_a_page(pages: flask.Flask) -> None:
    word = lazy_gettext("Cancel")
    with pages.app_context():
        with i18n.in_language("zh"):
            assert str(word) == "取消"
        assert str(word) == "Cancel"
        with pytest.raises(KeyError), i18n.in_language("fr"):
            pass


def test_the_other_language(pages: flask.Flask) -> None:
    with pages.test_request_context("/?lang=zh"):
        assert (i18n.current(), i18n.other()) == (i18n.CHINESE, i18n.ENGLISH)
