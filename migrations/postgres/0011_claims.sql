-- The open slots in the order in which they are handed out, so that a few of very many are found
-- without looking at the others. The last column is the turn that `claim` speaks of.
drop index slots_open;
create index slots_open
    on slots (kind, priority, retry_at, ((target_id * 7919 + run_id * 104729) % 10007))
    where outcome is null;
