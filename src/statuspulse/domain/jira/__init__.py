"""Jira as values: its rich text, its work flows, what a team says about it."""
