"""The API's reference for people: a page at `/docs` that a browser draws from this server's own `/openapi.json`.

Three static files, written by hand, that ask nobody else for anything: a venue's network often has no way out.
"""
