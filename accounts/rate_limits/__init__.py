"""How many calls of the API a tenant and a token may make in a time.

`limiting` is the door: it counts a call in its windows, or tells how they stand.
"""
