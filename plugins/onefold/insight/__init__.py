"""Read models of what the engine has recorded: each question that a person asks is one function here.

The CLI shows them; the console, the API and the metrics will. All are frozen dataclasses; every query is bounded, and
what can grow without end is given page by page.
"""
