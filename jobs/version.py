"""The version of this code, as CHANGELOG.md counts it. Workers report it."""

VERSION = "0.1.0"
