"""Rollback of published loads: staging and its streams' state become what they would be if the loads had never been.

recompute.py works out what that is, row_effects.py counts what changes, apply.py changes it, and lifecycle.py plans,
records the approval, executes and undoes.
"""
