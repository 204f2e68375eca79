-- The open slots in the order in which they are handed out. The last column is the turn that `claim`
-- speaks of: of each fire other 32 neighbours come first, and of these another one. What is handed
-- out and settled together lies together in every table and index, and is written as few pages.
drop index slots_open;
create index slots_open on slots (kind, priority, retry_at, (
    (target_id / 32 * 7919 + run_id * 104729) % 10007 * 10007
    + (target_id * 7919 + run_id * 104729) % 10007)) where outcome is null;
