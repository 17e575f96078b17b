"""Who did something: a person's token, a probe, or StatusPulse itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Origin:
    """The call that something was done by: its id, the caller's address where that is known, the key it carried."""

    request_id: str
    ip: str | None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Shown in timelines and audit entries as {type, id, label}.

    `origin` is for the audit log and events alone: it makes no other actor and is no part of the document.
    """

    type: str
    id: str | None
    label: str
    origin: Origin | None = field(default=None, compare=False)

    def document(self) -> dict[str, str | None]:
        return {"type": self.type, "id": self.id, "label": self.label}


SYSTEM = Actor("system", None, "statuspulse")
