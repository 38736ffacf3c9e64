"""Rollback of published loads: staging and what hangs on it become what they would be if the loads had never been.

fold.py works out what that is, settle.py makes it so, and rollback.py plans, approves, executes and undoes.
"""
