"""The root, liveness, readiness, and the start-up report."""
