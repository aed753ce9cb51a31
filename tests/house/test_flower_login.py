"""Flower's login, and the links that its pages get."""

import base64

import pytest

from config.addresses import base_url
from config.flower.links import Links, job_ids
from config.flower.login import SHORTEST_PASSWORD, LoginRefused, parsed

LOGIN = "celeriac:a password that is long"
ID = "0199a1c0-0000-7000-8000-000000000001"


def basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


@pytest.mark.parametrize(
    "text",
    ["", " , ", "nobody", ":a password that is long", f"celeriac:{'x' * (SHORTEST_PASSWORD - 1)}",
     "celeriac:pässword of some length", f"{LOGIN},other:short"],
)  # fmt: skip
def test_no_login_or_a_weak_one_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(LoginRefused, match="FLOWER_BASIC_AUTH"):
        parsed(text)


def test_each_of_several_logins_is_let_in() -> None:
    logins = parsed(f"{LOGIN}, other:another long password")
    assert logins.admit(basic(LOGIN))
    assert logins.admit(basic("other:another long password").replace("Basic", "basic"))


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ", "Basic !!!", LOGIN, basic(LOGIN).replace("Basic", "Bearer"),
     basic(LOGIN[:-1]), basic(LOGIN + "x"), basic(""), basic(":"), basic("celeriac:é"),
     basic(LOGIN) + "é"],
)  # fmt: skip
def test_every_other_header_is_turned_away(header: str) -> None:
    assert not parsed(LOGIN).admit(header)


def test_a_messages_arguments_name_each_job_once() -> None:
    assert job_ids(f"({ID} and 3 more)") == [ID]
    assert job_ids(f"[['{ID}', 1], ['{ID}', 2]]") == [ID]
    assert job_ids(None) == job_ids("('no job',)") == []


def test_a_job_is_linked_to_its_page_in_the_admin() -> None:
    links = Links(public_url="https://jobs.example/")
    assert links.job(ID) == f"https://jobs.example/admin/jobs/job/{ID}/change/"


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:80"), ("0.0.0.0", "http://127.0.0.1:80"),
     ("::", "http://127.0.0.1:80"), ("::1", "http://[::1]:80"), ("jobs", "http://jobs:80")],
)  # fmt: skip
def test_an_address_can_be_opened_from_this_machine(host: str, url: str) -> None:
    assert base_url(host, 80) == url
