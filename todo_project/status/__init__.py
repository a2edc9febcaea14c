"""The root, liveness, readiness, and the report at start-up."""
