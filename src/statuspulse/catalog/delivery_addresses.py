"""Addresses that users name for deliveries, held against the policy when they are stored."""

from __future__ import annotations

from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.egress.policy import Policy, Purpose, literal_verdict
from statuspulse.egress.urls import parse_url


def check_address(member: str, text: str, purpose: Purpose, policy: Policy) -> None:
    """A literal address is judged at once, a name when it is dialled; plain http goes to listed addresses alone.

    Raises InvalidInputError about the member.
    """
    url = parse_url(text)
    effective = policy.effective(purpose, url.host, url.port)
    verdict = literal_verdict(url.host, url.port, effective, policy)
    if verdict is not None and not verdict.allowed:
        raise InvalidInputError([Detail(code="url_blocked", path=(member,), message=f"is refused: {verdict.text}")])
    if url.scheme == "https" or effective is Purpose.CONTROL or policy.lists(url.ip):
        return
    message = "has to begin with https://; http is for addresses that STATUSPULSE_DELIVERY_ALLOW lists"
    raise InvalidInputError([Detail(code="scheme_unsupported", path=(member,), message=message)])
