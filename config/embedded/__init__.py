"""Private PostgreSQL and Valkey servers for a machine that has neither.

A server here is a process of ours on a loopback port with a generated password. Its data outlive
it; `place.py` says where they lie, `account.py` as whom it runs.
"""
