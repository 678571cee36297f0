"""The NodePool API over HTTP: REST, OpenAPI, health, metrics and the documentation page."""
