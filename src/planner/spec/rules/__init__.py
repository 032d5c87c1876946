"""Every rule about a whole plan: what makes a layout impossible, and what a planner should know about it.

A rule is a function from a resolved plan to problems. Only problems of severity `error` make a plan impossible; a
warning is about a layout that runs and is likely to disappoint, an info about one that does what its reader may not
expect. Rules about one object alone (a share between 0 and 1, heads a multiple of key-value heads) are in its class.
"""

from planner.spec.rules.check import check, errors
from planner.spec.rules.choices import CHOOSABLE, Choice, choices, with_value

__all__ = ["CHOOSABLE", "Choice", "check", "choices", "errors", "with_value"]
