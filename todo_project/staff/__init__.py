"""The pages for people: what is around them, and the API does not pay for."""
