"""The service over HTTP: routes, problems, limits, probes. No SQL and no model is in here."""
