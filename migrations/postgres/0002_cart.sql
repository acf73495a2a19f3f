-- The cart: what somebody is about to ask for, kept until they send it. A working paper of one person: it opens nothing, is read by
-- nobody else, and is deleted when it is sent, emptied or forgotten, so it has no part in the audit log.

CREATE TABLE drafts (
  id UUID NOT NULL PRIMARY KEY,
  person_id UUID NOT NULL UNIQUE REFERENCES persons (id),
  reason TEXT NOT NULL DEFAULT '',
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX drafts_touched ON drafts (updated_at, id);

-- What was typed for one package and one person, as it was typed; the rules look at it when it is sent.
CREATE TABLE draft_lines (
  id UUID NOT NULL PRIMARY KEY,
  draft_id UUID NOT NULL REFERENCES drafts (id),
  package_id UUID NOT NULL REFERENCES packages (id),
  beneficiary_id UUID NOT NULL REFERENCES persons (id),
  typed TEXT NOT NULL DEFAULT '',
  created_at TIMESTAMPTZ NOT NULL,
  UNIQUE (draft_id, package_id, beneficiary_id)
);
