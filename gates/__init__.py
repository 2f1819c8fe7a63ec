"""Gates: applications that know nothing of sign-in, behind a proxy that asks us about each request.

Owns the gates, the flows by which a browser comes to one, and the gate sessions, with tables of its
own. Imports accounts and the rooms below; never Flask's request, a page or the issuer, which stands
on the same floor: views/gate hands it what signs. Start reading at ``asked``, then ``flows``.
"""
