-- The cart: what somebody is about to ask for, kept until they send it. A working paper of one person: it opens nothing, is read by
-- nobody else, and is deleted when it is sent, emptied or forgotten, so it has no part in the audit log.

CREATE TABLE drafts (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person_id BLOB NOT NULL UNIQUE REFERENCES persons (id) CHECK (length(person_id) = 16),
  reason TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX drafts_touched ON drafts (updated_at, id);

-- What was typed for one package and one person, as it was typed; the rules look at it when it is sent.
CREATE TABLE draft_lines (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  draft_id BLOB NOT NULL REFERENCES drafts (id) CHECK (length(draft_id) = 16),
  package_id BLOB NOT NULL REFERENCES packages (id) CHECK (length(package_id) = 16),
  beneficiary_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(beneficiary_id) = 16),
  typed TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  UNIQUE (draft_id, package_id, beneficiary_id)
) STRICT;
