"""What kinds have in common that dial something: hosts, ports, and the policy's word on a literal address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from statuspulse.catalog.hosts import host_fault
from statuspulse.catalog.members.common import one_line
from statuspulse.catalog.refusals import Detail, Path
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.policy import Policy, Purpose, literal_verdict

Host = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(one_line)]
Port = Annotated[int, Field(ge=1, le=65_535)]


def host_problems(host: str) -> Iterator[Detail]:
    """Refuses what is neither an address nor a name, and what can never be dialled."""
    try:
        message = host_fault(host)
    except ValueError as error:
        message = f"is no usable host: {error}"
    if message is not None:
        yield Detail(code="parameter_invalid_format", path=("host",), message=message)


def question_problems(name: str) -> Iterator[Detail]:
    """The same for a name that is asked about and not dialled: the DNS knows more of them than there can be hosts."""
    try:
        if literal_address(name) is None:
            ascii_name(name)
    except ValueError as error:
        yield Detail(code="parameter_invalid_format", path=("host",), message=f"is no usable host: {error}")


def policy_problems(host: str, port: int, purpose: Purpose, policy: Policy, path: Path) -> Iterator[Detail]:
    """Refuses a literal address of a denied class; a name is judged when it is dialled."""
    try:
        verdict = literal_verdict(host, port, purpose, policy)
    except ValueError:
        return
    if verdict is not None and not verdict.allowed:
        yield Detail(code="url_blocked", path=path, message=f"cannot be checked: {verdict.text}")


def is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535
