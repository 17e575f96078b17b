"""The operations, one router per resource."""
