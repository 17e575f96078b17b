"""Who did something: a person's token, a probe, or StatusPulse itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Shown in timelines and audit entries as {type, id, label}."""

    type: str
    id: str | None
    label: str

    def document(self) -> dict[str, str | None]:
        return {"type": self.type, "id": self.id, "label": self.label}


SYSTEM = Actor("system", None, "statuspulse")
