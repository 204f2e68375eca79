-- Whoever ends a pause by hand may say why, as whoever began it could.
alter table pauses add column ended_note text;  -- NULL: nobody said, or it was not ended by hand
