"""The REST API: one router per resource, one envelope, honest errors."""
