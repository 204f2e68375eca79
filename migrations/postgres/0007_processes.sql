-- A process says at short intervals that it is there, so that the others see when it no longer is.
alter table processes add column beat_at timestamptz;    -- when it last said so; NULL: made by an older version
alter table processes add column server_at timestamptz;  -- start of the server that holds its lock: after a restart of the server the lock is free for a moment; NULL in SQLite
alter table processes add column died_at timestamptz;    -- when another process found it dead; NULL: nobody did
create index processes_open on processes (started_at) where stopped_at is null and died_at is null;
