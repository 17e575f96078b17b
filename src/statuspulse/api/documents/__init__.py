"""Answers as they are written: from what the layers below know to members of the API."""
