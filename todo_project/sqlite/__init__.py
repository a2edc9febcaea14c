"""Django's SQLite back end, with the deadline of a request and a watch on the file."""
