"""What the warehouse holds of one person: how the person is recognised, where the values stand, what may not come back.

subject.py finds the person, places.py every row that has something of them; both change nothing. suppressions.py keeps
what was erased from coming in again. Nothing here logs or stores a value: what is stored are HMACs.
"""
