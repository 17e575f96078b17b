"""Asks the other side which incidents of ours an object of theirs stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from statuspulse.delivery.provider import Account, Provider
from statuspulse.storage.integrations import Integration
from statuspulse.storage.sealing import Keyring, WrongKeyError


class ProviderLookup:
    """By the provider of the integration's kind."""

    def __init__(self, keyring: Keyring, providers: Mapping[str, Provider]) -> None:
        self._keyring = keyring
        self._providers = providers

    async def __call__(self, integration: Integration, external_id: str) -> Sequence[str]:
        """None where the secrets of the integration do not open."""
        provider = self._providers.get(integration.kind.value)
        if provider is None:
            return ()
        try:
            account = Account(config=integration.config, secrets=integration.secrets(self._keyring))
        except WrongKeyError:
            return ()
        return await provider.incidents_of(account, external_id)
