"""The official Python client: stands alone."""
