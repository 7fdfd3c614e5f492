"""Load tests: each scenario starts a server of its own, asks one question of it, and says how it measured.

`python3 -m loadtests --help` shows how to run them; `RESULTS.md` has what came out.
"""
