# Written from `asynchronous/resources/access.py` by `python -m tests.client.write_blocking`.
"""Who may call the API, and for whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.blocking.resources.resource import Resource
from statuspulse.client.calls import PAGE, given, path_of


class Tokens(Resource):
    """The keys of programs and what they may do."""

    def list(self) -> Iterator[answers.Token]:
        return self._caller.each(answers.Token, path_of("tokens"), {"limit": PAGE})

    def get(self, token_id: str) -> answers.Token:
        return self._caller.answer(answers.Token, calls.get(path_of("tokens", token_id)))

    def create(
        self,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        ip_allowlist: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> answers.IssuedToken:
        """`token.reveal()` of the answer is the only time that its text is told."""
        body = given(name=name, scopes=scopes, expires_at=expires_at, ip_allowlist=ip_allowlist)
        return self._caller.answer(answers.IssuedToken, calls.post(path_of("tokens"), body, key=idempotency_key))

    def rotate(
        self, token_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.IssuedToken:
        """A new text under the same id; the old one is good for `overlap_seconds` more."""
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("tokens", token_id, "rotate"), body, key=idempotency_key)
        return self._caller.answer(answers.IssuedToken, call)

    def revoke(self, token_id: str) -> None:
        """Ends it for good, within a second."""
        self._caller.delete(path_of("tokens", token_id))


class Teams(Resource):
    """Owners of everything, and their people."""

    def list(self) -> Iterator[answers.Team]:
        return self._caller.each(answers.Team, path_of("teams"), {"limit": PAGE})

    def get(self, team_id: str) -> answers.Team:
        return self._caller.answer(answers.Team, calls.get(path_of("teams", team_id)))

    def create(self, *, name: str, slug: str, idempotency_key: str | None = None, **members: Any) -> answers.NewTeam:
        """Only for tokens of the first team; the answer has the first token of the new one."""
        call = calls.post(path_of("teams"), {"name": name, "slug": slug, **members}, key=idempotency_key)
        return self._caller.answer(answers.NewTeam, call)

    def update(self, team_id: str, *, if_match: int | None = None, **members: Any) -> answers.Team:
        """Changes these members and leaves the rest.

        `if_match` is the `version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("teams", team_id), members, if_match=if_match)
        return self._caller.answer(answers.Team, call)

    def delete(self, team_id: str, *, if_match: int | None = None) -> None:
        self._caller.delete(path_of("teams", team_id), if_match=if_match)

    def members(self, team_id: str) -> Iterator[answers.Member]:
        return self._caller.each(answers.Member, path_of("teams", team_id, "members"), {"limit": PAGE})

    def add_member(self, team_id: str, *, email: str, role: str, idempotency_key: str | None = None) -> answers.Member:
        body = {"email": email, "role": role}
        call = calls.post(path_of("teams", team_id, "members"), body, key=idempotency_key)
        return self._caller.answer(answers.Member, call)

    def update_member(self, team_id: str, user_id: str, **members: Any) -> answers.Member:
        call = calls.patch(path_of("teams", team_id, "members", user_id), members)
        return self._caller.answer(answers.Member, call)

    def remove_member(self, team_id: str, user_id: str) -> None:
        self._caller.delete(path_of("teams", team_id, "members", user_id))
