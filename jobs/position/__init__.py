"""Which place a queued job has, and how many jobs of higher levels go first.

- `place`: the answers; `statements`: the SQL that counts; `guess`: the planner's word beyond that.
"""

from jobs.position.place import EXACT_TO, UNKNOWN, Number, Position, higher_than, position_of

__all__ = ["EXACT_TO", "UNKNOWN", "Number", "Position", "higher_than", "position_of"]
