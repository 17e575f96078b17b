"""Jira Cloud: an issue for each incident (`WIRE.md` 8 and 9, REST API version 3 of developer.atlassian.com)."""
