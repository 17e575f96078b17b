"""Carries results from the API to the engine."""
