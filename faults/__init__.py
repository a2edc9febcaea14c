"""Fault tests: real servers, real signals, measured figures."""
