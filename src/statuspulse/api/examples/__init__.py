"""Examples of the OpenAPI document; tests hold them against its schemas."""
