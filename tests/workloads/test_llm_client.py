"""The language model's client, against a real server on loopback."""

import time
from dataclasses import replace

import pytest
from pytest_django import Settings

from tests.workloads import model_server
from tests.workloads.model_server import Behaviour, Exchange, ModelServer, waited
from workloads.llm import (
    BadAnswer,
    Busy,
    LanguageModelError,
    OutOfTime,
    Prompt,
    Refused,
    Unavailable,
    configured_model,
    stream,
)
from workloads.llm.dialects import Ollama, OpenAIStyle
from workloads.llm.streaming_model import StreamingModel

PROMPT = Prompt(system="Be brief.", user="Sum up: nothing.")


def model(server: ModelServer, *, seconds: float = 10.0) -> StreamingModel:
    return StreamingModel(
        name="llama3.1", base_url=server.url + "/", dialect=Ollama(), total_seconds=seconds
    )


def nobody(pieces: int) -> None:
    """Listen to nothing."""


def test_an_answer_comes_whole_and_is_heard_while_it_grows(server: ModelServer) -> None:
    heard: list[int] = []

    assert model(server).answer(PROMPT, heard.append) == model_server.SUMMARY
    assert heard == sorted(heard)
    assert heard[0] == 0
    assert heard[-1] > 0


def test_ollama_is_asked_to_stream_by_the_models_name(server: ModelServer) -> None:
    asked: list[Exchange] = []

    def behaviour(exchange: Exchange) -> None:
        asked.append(exchange)
        model_server.well_behaved(exchange)

    server.behaviour = behaviour

    model(server).answer(PROMPT, nobody)

    assert asked[0].path == "/api/chat"
    assert asked[0].body["model"] == "llama3.1"
    assert asked[0].body["stream"] is True
    assert [message["role"] for message in asked[0].body["messages"]] == ["system", "user"]


def test_an_openai_style_server_is_read_as_an_event_stream(server: ModelServer) -> None:
    asked: list[Exchange] = []

    def behaviour(exchange: Exchange) -> None:
        asked.append(exchange)
        model_server.openai_style(exchange)

    server.behaviour = behaviour
    other = replace(
        model(server), base_url=f"{server.url}/v1", api_key="key", dialect=OpenAIStyle()
    )

    assert other.answer(PROMPT, nobody) == model_server.SUMMARY
    assert asked[0].path == "/v1/chat/completions"
    assert asked[0].authorization == "Bearer key"
    assert "key" not in repr(other)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (model_server.answering(500), Unavailable),
        (model_server.answering(503), Unavailable),
        (model_server.answering(503, Retry_After="7"), Busy),
        (model_server.answering(429), Busy),
        (model_server.answering(404), Refused),
        (model_server.answering(400), Refused),
        (model_server.answering(302, Location="http://127.0.0.1:1/"), Refused),
        (model_server.sending(b"not json\n"), BadAnswer),
        (model_server.sending(b"[1, 2]\n"), BadAnswer),
        (model_server.sending(b'{"message": {"content": 5}}\n'), BadAnswer),
        (model_server.sending(b'{"error": "model runner has stopped"}\n'), BadAnswer),
        (model_server.sending(b'{"message": {"content": "He'), BadAnswer),
        (model_server.sending(b"\xff\xfe\n"), BadAnswer),
        (model_server.sending(b""), BadAnswer),
        (model_server.saying("   "), BadAnswer),
        (model_server.cut_off, BadAnswer),
        (model_server.endless, BadAnswer),
    ],
)
def test_what_is_no_answer_becomes_a_typed_error(
    server: ModelServer, behaviour: Behaviour, error: type[LanguageModelError]
) -> None:
    server.behaviour = behaviour

    with pytest.raises(error):
        model(server).answer(PROMPT, nobody)


@pytest.mark.parametrize(
    "behaviour", [model_server.silent, model_server.silent_after_a_word, model_server.dripping]
)
def test_a_slow_server_is_left_at_the_deadline(server: ModelServer, behaviour: Behaviour) -> None:
    server.behaviour = behaviour
    started = time.monotonic()

    with pytest.raises(OutOfTime):
        model(server, seconds=0.6).answer(PROMPT, nobody)

    assert time.monotonic() - started < 8


@pytest.mark.parametrize("behaviour", [model_server.silent, model_server.endless])
def test_a_listener_that_raises_ends_the_conversation_at_once(
    server: ModelServer, behaviour: Behaviour
) -> None:
    server.behaviour = behaviour
    calls: list[int] = []

    def leave(pieces: int) -> None:
        calls.append(pieces)
        if len(calls) > 2:
            raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        model(server, seconds=60).answer(PROMPT, leave)
    assert len(calls) == 3
    assert time.monotonic() - started < 30  # half of what an answer may take


def test_a_conversation_that_was_left_is_over_for_the_server_too(server: ModelServer) -> None:
    left: list[bool] = []

    def behaviour(exchange: Exchange) -> None:
        try:
            model_server.dripping(exchange)
        except OSError:
            left.append(True)

    server.behaviour = behaviour
    with pytest.raises(OutOfTime):
        model(server, seconds=0.5).answer(PROMPT, nobody)

    assert waited(30, lambda: left == [True])


@pytest.mark.parametrize("url", ["http://me:secret@127.0.0.1:1", "file:///etc/passwd"])
def test_a_url_that_nothing_may_call_is_refused(server: ModelServer, url: str) -> None:
    with pytest.raises(Refused) as caught:
        replace(model(server), base_url=url).answer(PROMPT, nobody)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_away_is_unavailable() -> None:
    with ModelServer() as gone:
        away = model(gone)

    with pytest.raises(Unavailable) as caught:
        away.answer(PROMPT, nobody)
    assert "127.0.0.1" not in str(caught.value)


def test_a_busy_server_says_how_long_to_wait(server: ModelServer) -> None:
    server.behaviour = model_server.answering(429, Retry_After="42")

    with pytest.raises(Busy) as caught:
        model(server).answer(PROMPT, nobody)
    assert caught.value.retry_after == 42


def test_the_proxies_of_the_environment_are_not_used(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")

    assert model(server).answer(PROMPT, nobody) == model_server.SUMMARY


def test_the_size_of_an_answer_is_bounded(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.behaviour = model_server.sending(b" " * (stream.MAX_BYTES + 1))

    with pytest.raises(BadAnswer, match="too large"):
        model(server).answer(PROMPT, nobody)


def test_without_settings_there_is_no_model(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "a key alone names no server"

    assert configured_model() is None


def test_ollama_goes_before_an_openai_style_server(settings: Settings) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:11434"
    settings.LLM_BASE_URL = "http://127.0.0.1:8080/v1"
    settings.LLM_MODEL = "other"

    chosen = configured_model()

    assert chosen is not None
    assert chosen.name == "llama3.1"


def test_an_openai_style_server_can_be_configured(settings: Settings) -> None:
    settings.LLM_BASE_URL = "http://127.0.0.1:8080/v1"
    settings.LLM_MODEL = "other"

    chosen = configured_model()

    assert isinstance(chosen, StreamingModel)
    assert isinstance(chosen.dialect, OpenAIStyle)
    assert chosen.name == "other"
