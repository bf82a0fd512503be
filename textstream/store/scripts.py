"""The steps that must be one: in Lua, run by the store. None of them is taken for each character.

Sent whole each time (``EVAL``): they are rare, and a store that has restarted knows no hashes.
"""

from __future__ import annotations

CREATE = """
if #KEYS > 1 then
  local known = redis.call('GET', KEYS[2])
  if known and known ~= ARGV[2] then return known end
  redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[1])
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return false
"""
"""Make a record. Keys: it, and the name of the request that starts the stream, if it has one.
Arguments: seconds to live, the id, fields and values. Returns the id of the stream that the same
request has already started."""

CLAIM = """
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return -1 end
if owner ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'owner', ARGV[2])
return redis.call('HINCRBY', KEYS[1], 'epoch', 1)
"""
"""Become the owner in the place of another. Key: the record. Arguments: the owner before, the new
one. Returns the new epoch; 0: it has another owner; -1: there is no record."""

RELEASE = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('HSET', KEYS[1], 'owner', '')
"""
"""Own a stream no longer. Key: the record. Argument: its owner."""

SEAL = """
if redis.call('HGET', KEYS[2], 'owner') ~= ARGV[1] then return 0 end
redis.call('XADD', KEYS[1], ARGV[3], 'e', ARGV[4], 'r', ARGV[5], 'h', ARGV[6], 'x', ARGV[7])
redis.call('HSET', KEYS[2], 'end', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
return 1
"""
"""End a stream. Keys: log and record. Arguments: its owner, seconds to keep it, the last id, units,
reason, hash and error. Whoever reads the log sees the record's ``end`` not later than text that may
lie behind it. Returns 0 where it has another owner."""

RENEW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local until_ = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[1])
local dead = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now))
return {(until_ and tonumber(until_) >= now) and 1 or 0, redis.call('ZCARD', KEYS[1]), dead}
"""
"""Renew a lease, by the store's own clock. Key: of the processes. Arguments: this process, the
lease in ms. Returns whether it had one, how many processes are known, and which are dead."""
