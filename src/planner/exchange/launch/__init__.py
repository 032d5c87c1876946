"""Launch settings: what a plan states, in the words of the software that runs it.

Each module writes for one tool and release, named in its docstring, and sets what the plan states and nothing else.
What the tool has no setting for is said in words, never dropped.
"""
