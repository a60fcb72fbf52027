"""The second language is complete, and nothing that people read stands outside the catalogues."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils.formats import date_format
from django.utils.translation import override
from making import judge, trace_row

from reviews import assigning
from reviews.models import Trace
from reviews.templatetags.winnow import lasting, number, of, words

ROOT = Path(__file__).parent.parent
LOCALE = ROOT / "locale" / "de" / "LC_MESSAGES"
PLACEHOLDERS = re.compile(r"%\(\w+\)s|%%")
# What is the same in every language: names, formats, keys, file names, and one letter that is a symbol.
SAME = {"Winnow", "API", "SHA", "K", "README", "md", "manifest", "json"}
DATES = ("DATETIME_FORMAT", "DATE_FORMAT", "SHORT_DATETIME_FORMAT")
TAGS = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.S)
TRANSLATED = re.compile(r"{%\s*blocktranslate\b.*?{%\s*endblocktranslate\s*%}", re.S)
ALONE = re.compile(r"<(code|kbd|pre|style|script)\b.*?</\1>", re.S)
SAID = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"]*)"')


@pytest.fixture(autouse=True)
def catalogues():
    for domain in ("django", "djangojs"):
        assert (LOCALE / f"{domain}.mo").exists(), (
            f"{domain}.mo is missing: run `make install`, which compiles it."
        )


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_every_message_has_a_german_one_with_the_same_placeholders(domain):
    with (LOCALE / f"{domain}.po").open("rb") as file:
        messages = [message for message in read_po(file, locale="de") if message.id]
    assert len(messages) > 50
    for message in messages:
        assert not message.fuzzy, f"{message.id} is only guessed"
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        german = message.string if isinstance(message.string, tuple) else (message.string,)
        assert len(german) == len(source), message.id
        for text in german:
            assert (text or "").strip(), f"{message.id} has no German"
            assert sorted(PLACEHOLDERS.findall(text)) == sorted(PLACEHOLDERS.findall(source[-1])), message.id


def letters(text: str) -> list[str]:
    text = re.sub(r"&#?\w+;", " ", text)
    return [word for word in re.findall(r"[^\W\d_]+", text) if word not in SAME]


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_no_template_says_anything_outside_the_catalogue(path):
    if path.name == "500.html":  # stands even where nothing else does, so it asks nothing of the catalogue
        return
    text = TAGS.sub("", TRANSLATED.sub("", path.read_text()))
    text = ALONE.sub("", text)
    said = " ".join(SAID.findall(text))
    assert letters(said) == []
    assert letters(re.sub(r"<[^>]*>", " ", text)) == []


def test_no_script_says_a_sentence_outside_the_catalogue():
    for path in (ROOT / "static" / "reviews").rglob("*.js"):
        bare = re.sub(r"gettext\(\s*\"[^\"]*\"", "", path.read_text())
        bare = re.sub(r"^\s*//.*$|/\*.*?\*/|\s//\s.*$", "", bare, flags=re.M)
        said = re.findall(r"\"([A-Z][^\"]* [^\"]*[.:…])\"|`([A-Z][^`]* [^`]*)`", bare)
        assert said == [], path.name


@pytest.fixture
def deutsch(ada):
    client = Client(headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})
    client.force_login(ada)
    return client


def test_the_desk_speaks_german_to_a_german_browser(deutsch, leased, round):
    page = deutsch.get(f"/p/pilot/rounds/{round.pk}/review").content.decode()
    assert '<html lang="de" dir="ltr">' in page
    for german in (
        "Annehmen",
        "Ablehnen",
        "Schlechter Prompt",
        "Leitung fragen",
        "Begründung",
        "Vorgabe, 2 Klauseln",
    ):
        assert german in page
    assert 'name="verdict" value="accept"' in page


def test_the_rounds_page_has_german_words_and_numbers(leased, lea, ada, round):
    judge(leased, "accept", ada)
    client = Client(headers={"accept-language": "de"})
    client.force_login(lea)
    page = client.get(f"/p/pilot/rounds/{round.pk}").content.decode()
    assert "angenommen</a> 1 von 6 (17 %)" in page
    assert 'data-state="accepted"' in page
    assert "Auswahldruck" in page
    assert re.search(r"\d,\d{3}\b", page), "no number with a German comma"


def test_numbers_and_words_follow_the_language_and_english_is_as_it_was():
    with override("en"):
        assert (of(1234, 5000), number(0.78, 2), lasting(9000), words("bad-prompt")) == (
            "1,234 of 5,000 (25 %)",
            "0.78",
            "2.5 h",
            "bad-prompt",
        )
    with override("de"):
        assert (of(1234, 5000), number(0.78, 2), lasting(9000), words("bad-prompt")) == (
            "1.234 von 5.000 (25 %)",
            "0,78",
            "2,5 h",
            "schlechter Prompt",
        )
        assert words(["lead", "something else"]) == ["Leitung", "something else"]


def test_dates_are_written_as_the_language_writes_them():
    at = datetime(2026, 3, 9, 14, 5)
    with override("en"):
        assert [date_format(at, name) for name in DATES] == [
            "9 Mar 2026, 14:05",
            "9 Mar 2026",
            "9 Mar, 14:05",
        ]
    with override("de"):
        assert [date_format(at, name) for name in DATES] == [
            "9. März 2026, 14:05",
            "9. März 2026",
            "09.03., 14:05",
        ]


def test_the_language_chosen_on_the_account_page_holds(ada):
    client = Client(headers={"accept-language": "en"})
    client.force_login(ada)
    assert "Language of these pages" in client.get("/me").content.decode()
    assert client.post("/language", {"language": "de", "next": "/me"})["Location"] == "/me"
    assert '<html lang="de"' in client.get("/").content.decode()
    assert "Sprache dieser Seiten" in client.get("/me").content.decode()
    client.post("/language", {"language": "en", "next": "/me"})
    assert "Language of these pages" in client.get("/me").content.decode()


def test_a_refusal_is_said_in_the_language_of_who_is_refused(deutsch, round):
    page = deutsch.post(f"/p/pilot/rounds/{round.pk}/undo")
    assert page.status_code == 409
    assert "In dieser Runde gibt es kein Urteil von Ihnen" in page.content.decode()


def test_scripts_get_their_german_from_the_servers_catalogue(client):
    assert "Wird hochgeladen" in client.get("/jsi18n", headers={"accept-language": "de"}).content.decode()
    assert "Wird hochgeladen" not in client.get("/jsi18n", headers={"accept-language": "en"}).content.decode()


def test_a_reader_with_nothing_to_read_is_told_so_in_german(ada, round):
    with override("de"):
        assert assigning.next_for(ada, round).empty == "es wurden noch keine Traces importiert"


class Directions(HTMLParser):
    """For each text of a page the `dir` of the nearest element around it that has one."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.around: list[tuple[str, str | None]] = []
        self.found: dict[str, str | None] = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "link", "input", "br", "path", "rect", "img"):
            self.around.append((tag, dict(attrs).get("dir")))

    def handle_endtag(self, tag):
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data):
        self.found[data.strip()] = next((way for _, way in reversed(self.around) if way), None)


def test_right_to_left_text_takes_its_own_direction(client, import_rows, lea, round):
    import_rows([trace_row(0, prompt="מה זה?", reasoning="שלום עולם", answer="طيب")])
    client.force_login(lea)
    trace = Trace.objects.get(round=round)
    for address in (f"/p/pilot/traces/{trace.pk}", f"/p/pilot/prompts/{trace.round_prompt_id}"):
        ways = Directions(client.get(address).content.decode()).found
        assert [ways[text] for text in ("מה זה?", "שלום עולם", "طيب")] == ["rtl"] * 3
