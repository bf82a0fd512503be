"""Streams that several processes share, on Valkey or Redis. Nothing imports this where none is set.

The text is produced by one process, the *owner*, and stored; on any other a stream is an ordinary
`Stream`, fed by what the owner publishes: a *follower*. Readers, runs and sinks know nothing of it.
"""
