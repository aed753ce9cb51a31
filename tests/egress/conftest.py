from tests.egress.fixtures import authority, names, no_verdicts, receiver

__all__ = ["authority", "names", "no_verdicts", "receiver"]
