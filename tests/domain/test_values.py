"""Small values: secrets that do not show themselves, failures from outside, actors, observations."""

from __future__ import annotations

import json
import logging

import pytest

from statuspulse.domain.access import Principal, Team
from statuspulse.domain.actor import SYSTEM, Actor, Origin
from statuspulse.domain.failure import DETAIL_LIMIT, Failure, FailureClass
from statuspulse.domain.grant import Grant
from statuspulse.domain.result import Observation, Result, ResultKind, Verdict
from statuspulse.domain.secret import Secret
from statuspulse.domain.team_settings import TeamSettings

TEXT = "sk_live_8f3a9c2d1e4b7f6a"
VOID = {
    FailureClass.BLOCKED_BY_POLICY,
    FailureClass.PROBE_BLIND,
    FailureClass.SELF_STALL,
    FailureClass.PROBE_ERROR,
}


def test_a_secret_is_shown_only_on_demand(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(TEXT)
    assert secret.reveal() == TEXT
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("token %s %r", secret, [secret])
    shown = [str(secret), repr(secret), f"{secret}", f"{[secret]}", str({"token": secret}), caplog.text]
    assert not any(TEXT in text for text in shown)
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert not hasattr(secret, "__dict__")


def test_equal_secrets_are_equal() -> None:
    assert Secret(TEXT) == Secret(TEXT) != Secret("other")
    assert len({Secret(TEXT), Secret(TEXT)}) == 1
    assert Secret(TEXT) != TEXT


@pytest.mark.parametrize("kind", list(FailureClass))
def test_only_faults_of_ours_are_void(kind: FailureClass) -> None:
    assert kind.is_void is (kind in VOID)
    expected = Verdict.VOID if kind in VOID else Verdict.FAILED
    assert Observation(failure=Failure(kind, "")).verdict is expected


def test_without_a_failure_an_observation_is_ok() -> None:
    result = Result(
        monitor_id="mon_9x2k4p7q",
        region="local",
        scheduled_at=1,
        kind=ResultKind.SCHEDULED,
        round=0,
        lag_us=0,
        observed_at=2,
        attempt=1,
        config_version=1,
        observation=Observation(),
    )
    assert result.verdict is Verdict.OK


def test_words_from_outside_are_cut_and_cleaned() -> None:
    failure = Failure.of(FailureClass.PROTOCOL_ERROR, "220 mail\r\n\x1b[31mRED\u202e\x00" + "é" * 1000)
    assert failure.detail.startswith("220 mail   [31mRED  é")
    assert len(failure.detail) == DETAIL_LIMIT
    assert failure.detail.isprintable()


def test_who_did_it_is_shown_as_type_id_and_label() -> None:
    team = Team(id="team_1a2b3c4d", slug="ours", is_first=True, settings=TeamSettings())
    scopes = frozenset({"monitors:read"})
    principal = Principal(
        token_id="tok_7h3k9m2p",
        label="ops",
        team=team,
        teams=(team,),
        scope_names=("monitors:read",),
        scopes=scopes,
        grant=Grant(team_ids=frozenset({team.id}), scopes=scopes, expires_at=None, networks=()),
        origin=Origin("req_01m83gs9k4r2t6w8y1a3c5e7g9", "192.0.2.17"),
    )
    assert principal.team_id == "team_1a2b3c4d"
    assert principal.actor.origin == principal.origin
    assert principal.actor == Actor("token", "tok_7h3k9m2p", "ops")
    assert principal.actor.document() == {"type": "token", "id": "tok_7h3k9m2p", "label": "ops"}
    assert SYSTEM.document() == {"type": "system", "id": None, "label": "statuspulse"}
