-- How jobs fire beyond their cron patterns, and how often the settings were read.

alter table jobs add column active text;                            -- windows, as written in jobs.toml; NULL: always
alter table jobs add column overlap text not null default 'skip';   -- skip, queue
alter table jobs add column spread_seconds integer not null default 0;  -- over how long the looks of one fire are spread

-- Each time a process has read jobs.toml: at its start, on SIGHUP, and when a file has changed.
create table config_loads (
    load_id integer primary key,
    owner integer not null,                 -- processes.owner
    read_at text not null,
    justoneapi_url text,                    -- where its calls go from then on; NULL: refused
    amagi_url text,
    error text                              -- what is wrong with it: the older settings stay in force; NULL: taken over
);
create index config_loads_by_owner on config_loads (owner, load_id);
