-- A look is due when its run is: what was due since some time is found by its runs, and slots need
-- no index of their own for that. What is left to do of a run is found at once, however much of it
-- is done.
create index job_runs_by_due on job_runs (due_at);
drop index slots_by_due;
create index slots_open_by_run on slots (run_id) where outcome is null;
