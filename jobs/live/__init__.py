"""What happens to jobs, told while it happens.

- `entries`, `telling`: after each commit an entry goes to one capped Redis stream per tenant;
- `marks`, `grant`: which place in a stream, which jobs, who may see them;
- `log`, `loader`, `rows`, `events`, `listener`, `hub`: one reader of a web process takes entries
  in, loads the rows they name, and hands events to everybody who listens;
- `care`: what no entry tells, looked at every second;
- `streams`, `asking`, `sse`, `socket`: the view is asked, and the two protocols;
- `tickets`: who watches, for browsers.

Nothing durable depends on it: an entry that was lost delays what a watcher learns by seconds.
"""
