"""Jobs that wait for each other, handed in together: chains, fans, any graph without a circle."""

from jobs.workflows.handing_in import HandedIn, hand_in
from jobs.workflows.steps import After, Step, behind, chain, result

__all__ = ["After", "HandedIn", "Step", "behind", "chain", "hand_in", "result"]
