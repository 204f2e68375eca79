-- What is not to be in the archive again, since somebody asked for its deletion.

-- A note, a work, an author, or a short link. The id is all that is left of it: by it an answer that
-- speaks of it is known, and a watchlist that names it. It is the platform's own name of a thing that
-- says nothing of it; a hash would stand for the same, and could not be found inside an answer.
create table forgotten (
    id text not null,                       -- the platform's id, or a short link
    kind text not null,                     -- note, work, author; of a short link that of its item
    platform text not null,                 -- xiaohongshu, douyin
    because text,                           -- the id with which it was forgotten: of its author, or of the item behind a link; NULL: by itself
    forgotten_at timestamptz not null,
    note text,                              -- why, as somebody said; NULL: nobody did
    rows_deleted bigint not null,           -- by the same command, as are the next two
    documents_deleted bigint not null,
    documents_redacted bigint not null,
    primary key (id, kind, platform)
);

-- When what is forgotten was cut out of the answer, and null put there; NULL: it is as it came.
alter table documents add column redacted_at timestamptz;
