"""The contract as an OpenAPI document, and the two pages that show it.

Nothing but ``views`` is imported, and drf-spectacular not at all, before the document is asked for.
"""
