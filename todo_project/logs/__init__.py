"""The log: line formats, the line of each request, and redaction."""
