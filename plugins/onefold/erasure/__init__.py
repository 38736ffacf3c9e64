"""Erasure of a person (GDPR Art. 17): find, plan, let another person approve, erase everywhere, keep it out for good.

lifecycle.py goes from the plan to the end; plan.py says what would be erased, without any value; execute.py erases;
wipe.py clears what deletion leaves on disk. What a person is to the warehouse is in onefold/privacy.
"""
