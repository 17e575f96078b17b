"""Jira Cloud: an issue for each incident (REST API version 3 of developer.atlassian.com)."""
