from tests.chaos.conftest import _open_arena, arena

__all__ = ["_open_arena", "arena"]
