"""The modules of the OpenID Foundation's conformance suite, one test each, over https against a running server.

What each does and has to see is written after the suite's own descriptions; the code is ours. `plans.py` lists the
modules of every certification plan, `suite/` is the relying party that drives them.
"""
