"""Hands over what the outbox owes: dispatcher and channels."""
