"""The root path, liveness, readiness and the startup report."""
