"""The web server: an event loop reads requests and sends answers, under deadlines; threads run Django.

A thread gets a request when all of its body is here, and hands its answer over as a whole, so no client holds one.
Established servers were looked at first. Those for WSGI read bodies in the thread that answers (granian, gunicorn,
cheroot); waitress and bridges from ASGI to WSGI lack a deadline for one of head, body and answer, and give up a client
that has closed its sending half. If one of them learns that, take it.
"""
