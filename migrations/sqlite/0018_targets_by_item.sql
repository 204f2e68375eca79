-- What was planned for an item is found by its id, however many targets there are: by the page, and
-- by the view timeline.
create index targets_by_item on targets (item_id);
