"""One process leads a duty, by a lease with a term."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from jobs.dispatcher.leader import Leader
from jobs.models import Leadership

pytestmark = pytest.mark.django_db


def leader(name: str, duty: str = "dispatcher") -> Leader:
    return Leader(duty=duty, holder=name, lease_seconds=30)


def term_runs_out() -> None:
    Leadership.objects.update(expires_at=Now() - timedelta(seconds=1))


def test_the_first_to_ask_leads() -> None:
    first, second = leader("first"), leader("second")

    assert first.take()
    assert not second.take()
    assert (first.term, second.term) == (1, None)
    assert Leadership.objects.get().holder == "first"


def test_holding_extends_the_term() -> None:
    first = leader("first")
    first.take()
    Leadership.objects.update(expires_at=Now() + timedelta(seconds=1))

    assert first.hold()

    assert Leadership.objects.filter(expires_at__gt=Now() + timedelta(seconds=20)).exists()


def test_who_never_took_the_lead_does_not_hold_it() -> None:
    assert not leader("first").hold()


def test_a_term_that_ran_out_is_over_even_if_nobody_took_over() -> None:
    first = leader("first")
    first.take()
    term_runs_out()

    assert not first.hold()
    assert first.term is None
    assert first.take()
    assert first.term == 2


def test_a_leader_that_was_stopped_finds_its_successor() -> None:
    first, second = leader("first"), leader("second")
    first.take()
    term_runs_out()

    assert second.take()
    assert not first.hold()
    assert second.hold()
    assert not first.take()


def test_a_successor_need_not_wait_after_a_resignation() -> None:
    first, second = leader("first"), leader("second")
    first.take()

    first.resign()

    assert first.term is None
    assert second.take()


def test_a_resignation_after_the_term_does_not_end_the_successors() -> None:
    first, second = leader("first"), leader("second")
    first.take()
    term_runs_out()
    second.take()

    first.resign()

    assert second.hold()


def test_each_duty_has_its_own_leader() -> None:
    assert leader("first").take()
    assert leader("second", duty="another").take()


def test_terms_only_grow() -> None:
    terms = []
    for name in "abc":
        each = leader(name)
        each.take()
        terms.append(each.term)
        term_runs_out()

    assert terms == [1, 2, 3]
    Leadership.objects.update(term=F("term"))  # the row is one, whoever led
    assert Leadership.objects.count() == 1
