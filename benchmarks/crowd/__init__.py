"""Clients that come, start, wait and go in numbers: works that are no window of a steady state.

One process, one thread, plain sockets and epoll, frames made by hand: a connect costs it about
0.04 ms and a character 5 µs, less than they cost the fastest server, so that it neither limits
a server nor takes much of the second core.
"""
