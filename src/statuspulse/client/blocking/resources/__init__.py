# Written from `asynchronous/resources/__init__.py` by `python -m tests.client.write_blocking`.
"""The resources of the API, each with its calls. Members and filters are those of the API, under the same names."""
