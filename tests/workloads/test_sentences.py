"""Sentences, words and languages, by tables."""

import pytest

from workloads.notes.languages import known_languages, openers, recognise, small_words
from workloads.notes.sentences import LONGEST_SENTENCE, sentences, stem, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two! Three? Four", ("One.", "Two!", "Three?", "Four")),
        ("  Much\n white \t space. Here too. ", ("Much white space.", "Here too.")),
        ("See e.g. Smith. Then go on.", ("See e.g. Smith.", "Then go on.")),
        ("Written by J. Smith in May. It sold.", ("Written by J. Smith in May.", "It sold.")),
        ("Am 3. Oktober war es so. Danach nicht.", ("Am 3. Oktober war es so.", "Danach nicht.")),
        ("It grew by 3.5 per cent. Then it fell.", ("It grew by 3.5 per cent.", "Then it fell.")),
        ("It held token 34. Then it slept.", ("It held token 34.", "Then it slept.")),
        ("It ended in 1916. Then came more.", ("It ended in 1916.", "Then came more.")),
        ("He said “No.” Then he left.", ("He said “No.”", "Then he left.")),
        ("¿Qué es? ¡Nada! Bien.", ("¿Qué es?", "¡Nada!", "Bien.")),
        ("茶は植物です。葉を摘みます。", ("茶は植物です。", "葉を摘みます。")),
        ("It fell... and rose again.", ("It fell... and rose again.",)),
        ("École fermée. Éducation gratuite.", ("École fermée.", "Éducation gratuite.")),
        ("", ()),
        ("   ", ()),
    ],
)
def test_text_is_divided_where_sentences_end(text: str, found: tuple[str, ...]) -> None:
    assert sentences(text) == found


@pytest.mark.parametrize("text", ["word " * 1000, "x" * 5000])
def test_what_never_ends_is_cut_and_nothing_is_lost(text: str) -> None:
    parts = sentences(text)

    assert all(len(part) <= LONGEST_SENTENCE for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Don't stop-gap it", ["Don't", "stop-gap", "it"]),
        ("l'eau qu'on boit", ["eau", "on", "boit"]),
        ("snake_case 42 žluťoučký", ["snake", "case", "42", "žluťoučký"]),
    ],
)
def test_words_are_what_stands_between_marks(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [("lease", "Leases"), ("token", "tokens"), ("bus", "bus"), ("glass", "glass")],
)
def test_a_word_and_its_plural_meet(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The clocks of the town were set by the sun, and nobody minded that.", "en"),
        ("De klokken van de stad werden op de zon gezet, en niemand vond dat erg.", "nl"),
        ("Die Uhren der Stadt wurden nach der Sonne gestellt, und das war gut so.", "de"),
        ("Les horloges de la ville étaient réglées sur le soleil, et c'est bien.", "fr"),
        ("Los relojes de la ciudad se ponían según el sol y a nadie le importaba.", "es"),
        ("Zegary w mieście były ustawiane według słońca i to nie było dla nich ważne.", "pl"),
        ("Městské hodiny řídily slunce", None),
        ("", None),
    ],
)
def test_a_language_is_told_by_its_small_words(text: str, language: str | None) -> None:
    assert recognise(words(text)) == language


def test_every_language_has_both_lists_of_words() -> None:
    assert known_languages() == ["de", "en", "es", "fr", "nl", "pl"]
    for language in known_languages():
        assert len(small_words(language)) > 100
        assert openers(language)


def test_a_language_tag_may_have_a_region_and_may_be_unknown() -> None:
    assert small_words("en-GB") == small_words("en")
    assert small_words("cs") == frozenset()
