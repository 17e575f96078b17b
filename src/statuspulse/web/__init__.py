"""Dashboard and public pages, rendered by the server."""
