"""The published schema: what `drf_spectacular` cannot know by looking at the views."""
