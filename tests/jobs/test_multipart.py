"""Forms are read strictly, and wherever their pieces fall."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.files import multipart, names
from jobs.files.multipart import Malformed, parts
from jobs.files.stretch import Stretch
from tests.support.forms import BOUNDARY, FORM, form, part


def contents(body: bytes, content_type: str = FORM) -> list[bytes]:
    file = io.BytesIO(body)
    return [
        Stretch(file, one.start, one.size).as_file().read() for one in parts(file, content_type)
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"\r\n",
        b"\r\n--",
        b"--" + BOUNDARY.encode()[:-1],
        b"a\r\n\r\nb\r\n--\r\n",
        bytes(range(256)) * 3,
        b"\r" * 70_000,
    ],
)
def test_a_part_has_exactly_the_bytes_that_were_sent(content: bytes) -> None:
    assert contents(form(part(content))) == [content]


@pytest.mark.parametrize("before", range(-100, 100, 7))
def test_a_boundary_is_seen_wherever_a_chunk_ends(before: int) -> None:
    content = b"x" * (multipart.CHUNK + before)
    assert contents(form(part(content), part(b"second"))) == [content, b"second"]


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 50))
def test_any_contents_come_back(given_contents: list[bytes], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(multipart, "CHUNK", chunk)
        assert contents(form(*(part(one) for one in given_contents))) == given_contents


def test_words_before_and_after_the_form_are_passed_over() -> None:
    body = b"a preamble\r\n" + form(part(b"x")) + b"an epilogue"
    assert contents(body) == [b"x"]
    assert contents(form(part(b"x"), end=b"--")) == [b"x"]


def test_a_part_tells_its_names_and_its_type() -> None:
    sent = part(b"x", name="file", filename="Überblick.pdf", content_type="application/pdf")
    (one,) = parts(io.BytesIO(form(sent)), FORM)
    assert (one.name, one.filename, one.content_type) == (
        "file", "Überblick.pdf", "application/pdf",
    )  # fmt: skip
    encoded = b"Content-Disposition: form-data; name=file; filename*=utf-8''%C3%9Cber.pdf\r\n\r\nx"
    (one,) = parts(io.BytesIO(form(encoded)), FORM)
    assert one.filename == "Über.pdf"


def test_a_field_that_is_no_file_has_no_file_name() -> None:
    (one,) = parts(io.BytesIO(form(part(b"x", filename=None))), FORM)
    assert one.filename is None


WHOLE = form(part(b"some content"))
NAMED = b'Content-Disposition: form-data; name="file"; filename="f"\r\n'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (b"no form at all", FORM),
        (b"--" + BOUNDARY.encode(), FORM),
        (form(b"no headers"), FORM),
        (form(b"Content-Type: text/plain\r\n\r\nx"), FORM),
        (form(b"Content-Disposition: attachment; name=file\r\n\r\nx"), FORM),
        (form(b"Content-Disposition: form-data; filename=f\r\n\r\nx"), FORM),
        (form(b"Content-Disposition: form-data; name*=z; name*1=y\r\n\r\nx"), FORM),
        (form(b"Content-Disposition: form-data; name*=undefined''x\r\n\r\nx"), FORM),
        (form(NAMED + b"nonsense\r\n\r\nx"), FORM),
        (form(NAMED + NAMED + b"\r\nx"), FORM),
        (form(NAMED + b"Content-Transfer-Encoding: base64\r\n\r\neA=="), FORM),
        (form(NAMED + b"X: y\r\n" * 2000 + b"\r\nx"), FORM),
        (form(NAMED + b"X: " + b"y" * 10_000 + b"\r\n\r\nx"), FORM),
        (form(*[part(b"x")] * 9), FORM),
        (form(part(b"x"), end=b"and more\r\n"), FORM),
        (WHOLE, "multipart/form-data"),
        (WHOLE, "multipart/form-data; boundary="),
        (WHOLE, f"multipart/form-data; boundary={'x' * 71}"),
        (WHOLE, 'multipart/form-data; boundary="ä"'),
        (WHOLE, "multipart/form-data; boundary=another"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Malformed):
        parts(io.BytesIO(body), content_type)


def test_a_form_that_breaks_off_anywhere_is_refused() -> None:
    ends = len(form(part(b"some content"), end=b"--"))
    for length in range(ends):
        with pytest.raises(Malformed):
            parts(io.BytesIO(WHOLE[:length]), FORM)


# --- names and types ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("notes.txt", "notes.txt"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\x", "x"),
        ("C:\\docs\\a b.pdf", "a b.pdf"),
        ("a\x00b.txt", "ab.txt"),
        ("a\r\nb\x7f\x1b[31m", "ab[31m"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("half\ud800", "half"),
        ("Überblick 日本 😀.pdf", "Überblick 日本 😀.pdf"),
        ("", "file"),
        ("..", "file"),
        ("a/", "file"),
        (" \t", "file"),
        ("x" * 300, "x" * 255),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("." + "x" * 300, "." + "x" * 254),
    ],
)
def test_a_name_is_the_last_part_without_what_cannot_be_shown(given_name: str, kept: str) -> None:
    assert names.cleaned(given_name) == kept


@given(st.text(max_size=400))
def test_no_name_is_a_path_or_too_long(text: str) -> None:
    name = names.cleaned(text)
    assert 0 < len(name) <= names.MAX_LENGTH
    assert not set(name) & set("/\\\0\n\r")
    assert name not in (".", "..")
    name.encode()


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("text/plain", "text/plain"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("application/vnd.ms-excel", "application/vnd.ms-excel"),
        ("", names.UNKNOWN_TYPE),
        ("text", names.UNKNOWN_TYPE),
        ("text/<script>", names.UNKNOWN_TYPE),
        ("text/plain\nX: y", names.UNKNOWN_TYPE),
        (f"text/{'x' * 300}", names.UNKNOWN_TYPE),
    ],
)
def test_a_type_is_a_media_type_or_unknown(declared: str, kept: str) -> None:
    assert names.media_type(declared) == kept
