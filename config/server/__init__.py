"""The web server: an event loop reads requests and sends answers, under deadlines; threads run Django.

A thread gets a request when all of its body is here, and hands its answer over as a whole, so no client holds one. That
is what an established server would do for us if there were one: those for WSGI read bodies in the thread that answers
(granian, gunicorn, cheroot) or take three times the processor time for the loop (waitress), and bridges of those for
ASGI have neither a deadline for the head nor one for the answer, and give up a client that has closed its sending half.
"""
