-- The open slots in the order in which they are handed out. The last column is the turn that `claim`
-- speaks of: of each fire other 32 neighbours come first, and of these other ones, each turned by a
-- number of its own, so that every target comes first at times. What is handed out and settled together
-- lies together in every table and index, and is written as few pages.
drop index slots_open;
create index slots_open on slots (kind, priority, retry_at, (
    (target_id / 32 * 2654435761 + run_id * 1779033703) % 4294967296 * 1009
    + (target_id * 623 + run_id * 283) % 1009)) where outcome is null;
