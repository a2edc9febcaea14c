"""The log: formatters, the line of each request, and redaction."""
