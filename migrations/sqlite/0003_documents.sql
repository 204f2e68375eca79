-- Every answer that may have been paid for, and what answers say of targets as a whole.

-- One kept answer. Its id is that of its call.
create table documents (
    document_id integer primary key references calls,
    endpoint text not null,
    target_id integer references targets,   -- NULL: it was asked for by no target
    asked text not null,                    -- the id, keyword, filter or link that was asked for
    page integer not null,
    fetched_at text not null,
    http_status integer not null,
    outcome text not null,                  -- as on the ledger
    normaliser integer not null,            -- version of the code that made rows of it
    -- what was not understood, or is not what was asked for; NULL: nothing
    drift text,
    -- the answer, JSONB; where exact is set, a cleaned form of it; NULL: it is in a cold file
    body blob,
    cleaned text,                           -- why JSONB cannot hold the answer faithfully; NULL: it does
    exact blob,                             -- the bytes as received, where cleaned is set
    -- when it was brought in, fetched elsewhere at fetched_at; NULL: fetched by tidewatch
    imported_at text,
    -- when what is forgotten was cut out of it, and null put there; NULL: it is as it came
    redacted_at text,
    -- the file that has body and exact since it went cold; NULL: this row has them
    cold_file_id integer,
    cold_row integer,                       -- its place in that file, from 0
    check ((body is null) = (cold_file_id is not null)),
    check ((cold_row is null) = (cold_file_id is null))
);
create index documents_by_target on documents (target_id, fetched_at);
create index documents_adrift on documents (fetched_at) where drift is not null;
create index documents_in_order on documents (fetched_at, document_id);
create index documents_hot on documents (endpoint, target_id, fetched_at)
    where cold_file_id is null;

-- A Parquet file of old answers of one endpoint, in the order of targets and times. Its bytes never
-- change, and each of its rows belongs to one row of documents.
create table cold_files (
    cold_file_id integer primary key autoincrement,
    state text not null,                    -- live
    format integer not null,                -- of the file: 1
    endpoint text not null,
    location text,                          -- NULL: cold_contents has its bytes
    documents integer not null,
    bytes integer not null,                 -- of the file
    text_bytes integer not null,            -- of the answers in it, as text
    footer_bytes integer not null,          -- of its end, which says what is where
    sha256 blob not null,                   -- of its bytes
    first_fetched_at text not null,
    last_fetched_at text not null,
    made_at text not null,
    verified_at text not null               -- when its bytes last had this sha256
);

-- The bytes of cold files that are kept in the database.
create table cold_contents (
    cold_file_id integer primary key,
    content blob not null
);

-- An entity whose rows wait to be derived from all its documents, because an answer came that is
-- older than others about it. Until then its rows are as they were.
create table stale (
    kind text not null,                     -- note, work, kol, author, music
    platform text not null,                 -- xiaohongshu, douyin
    id text not null,                       -- the platform's
    primary key (kind, platform, id)
) without rowid;

-- A short link and the item behind it, asked for once and kept for ever.
create table links (
    link text not null primary key,
    kind text not null,                     -- note, work
    item_id text not null,
    resolved_at text not null,
    document_id integer not null
);

-- A stretch of time in which a target was gone, or in which asking about it was refused. It lasts
-- until an answer says otherwise; what became of a target is the list of its stretches.
create table availability (
    availability_id integer primary key,
    target_id integer not null references targets,
    -- gone: deleted or hidden; refused: upstream will not take the question; unreadable: its
    -- answers are not understood
    state text not null,
    since text not null,                    -- when the first answer that says so came
    until text,                             -- NULL: it lasts
    -- what the last answer that says so was: outcome, code, upstream's words
    evidence text not null,
    confirmations integer not null,         -- answers that say so
    first_call_id integer not null,         -- the first of them: calls.call_id
    last_call_id integer not null,          -- the last of them
    confirmed_at text not null,             -- when that came
    -- the answer that ended it; NULL: none did, the entry or the settings changed
    ended_call_id integer,
    endpoint text not null,                 -- what the last of them was asked
    server text not null,                   -- at which address
    probes integer not null,                -- answers since it was marked
    probe_at text                           -- from then on a scheduled slot asks again; NULL: none does
);
create unique index availability_lasting on availability (target_id, state) where until is null;
create index availability_by_target on availability (target_id, since);

-- What is not to be in the archive again, since somebody asked for its deletion: a note, a work, an
-- author, or a short link. The id is all that is left of it: by it an answer that speaks of it is
-- known, and a watchlist that names it. It is the platform's own name of a thing that says nothing of
-- it; a hash would stand for the same, and could not be found inside an answer.
create table forgotten (
    id text not null,                       -- the platform's id, or a short link
    kind text not null,                     -- note, work, author; of a short link that of its item
    platform text not null,                 -- xiaohongshu, douyin
    -- the id with which it was forgotten: of its author, or of the item behind a link; NULL: by
    -- itself
    because text,
    forgotten_at text not null,
    note text,                              -- why, as somebody said; NULL: nobody did
    rows_deleted integer not null,          -- by the same command, as are the next two
    documents_deleted integer not null,
    documents_redacted integer not null,
    primary key (id, kind, platform)
);

-- The state of erasure: one row.
create table erasure (
    version integer not null,                -- grows with every change of `forgotten`
    -- since when deleted rows have left remains in the files that are not cleared away; NULL: none
    uncleared_since text
);
insert into erasure (version) values (0);

-- The archive itself: one row.
create table archive (
    archive_id text not null,               -- random; that of its backups and copies, too
    backed_up_at text                       -- as of when its last backup is; NULL: none is on record
);
insert into archive (archive_id) values (lower(hex(randomblob(16))));

-- A path of the answers of an endpoint. Contains field names and types, no values. An answer lacks a path
-- if it has the parent object without it; null counts as missing.
create table answer_paths (
    endpoint text not null,
    path text not null,                     -- a JSON pointer: [] is any list item, * any key that is data
    -- string, number, boolean, object, array, joined by |; NULL: only [] or {} so far
    json_type text,
    first_seen_at text not null,
    first_document_id integer not null,
    answers integer not null,               -- with it, counted up to 20: it is known from then on
    longest_gap integer not null,           -- most consecutive answers without it, before it returned
    -- newest consecutive answers without it, updated once a minute; 0: the newest has it
    gap integer not null,
    gap_at text,                            -- first of these
    gap_document_id integer,
    is_vanished integer not null,           -- known, and gap is at least 3 and 10 times longest_gap
    old_type text,                          -- json_type before the last new type, once known
    retyped_at text,                        -- first answer with the new type
    retyped_document_id integer,
    is_new integer not null,                -- its parent was known before it appeared
    primary key (endpoint, path)
) without rowid;
