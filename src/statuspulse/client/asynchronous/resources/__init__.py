"""The resources of the API, each with its calls. Members and filters are those of the API, under the same names."""
