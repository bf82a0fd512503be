"""How far a request travels: calls of our own code, and files it comes back to, on a live server.

A **trip** begins with bytes on the server's socket and ends with the write that a person waits for:

======  ===================================  ============================
trip    the client sends, on a WebSocket     the write that ends it
======  ===================================  ============================
start   ``start_stream``, on a connection    the first ``new_char``
        on which a stream was stopped before
resume  ``resume_stream``, on a new          the first ``new_char``
        connection, after the old one broke
stop    ``stop_stream`` with the stream's    ``stream_end``
        id, right after a character
======  ===================================  ============================

The source is ``text``, the unit ``char``, the pace 50/s; every event asks for its answer. The
server runs in a process of its own, with a profiler (`sys.setprofile`) in all its threads. The
client is in another, so that it is not counted. What is counted:

- **calls**: of functions in ``textstream/``. Whatever the profiler sees with a code object in one
  of our files is one: functions, methods, properties, lambdas, comprehensions (not from Python 3.12
  on, which has no call for them), and each time that a generator or a generator expression is
  resumed. Functions of C (pydantic's, ``json``'s) and other people's are none.
- **library calls**: the same in python-socketio and python-engineio.
- **files**: of ours, in which a function was called.
- **moves**: in each thread the calls make a sequence; a move is a call in another file than the
  thread's call before. Coming back by returning is none.
- **re-entries**: moves into a file in which this thread has been already on this trip: what makes
  a reader of the code go back to a page that he had turned.

Which calls belong to a trip: in the thread that reads the bytes, those since it last waited for
sockets; in the others, those from the reading on; in the thread that writes, those up to the write;
in the others also those after it until they have come out of what they were in, such as the worker
that answers the event. So the count does not hang on which thread is first: it is the same each
time, but for timers and the like that come in between. Hence the median of several trips; the
interpreter's switch interval is long, so that a thread goes on until it waits.

A character that is due while a trip is under way would be counted with it; the trips leave no time
for one.
"""
