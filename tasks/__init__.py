"""The tasks: what they are, what may be sent, who sees them."""
