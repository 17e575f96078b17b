"""The client for threads. All but its transport is written by `python -m tests.client.write_blocking`."""
