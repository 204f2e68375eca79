-- Whether a process asks by another token than the one before it, which may not be refused what that was.
alter table config_loads add column token_mark bigint;     -- one byte of a hash of the token, the same for one token in 256; NULL: no token, refused, or an older version
