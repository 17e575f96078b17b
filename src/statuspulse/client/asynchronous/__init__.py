"""The client for asyncio; `blocking` is written from it."""
