-- Why nothing is given at a target, or nothing changed there at all: the database was restored from a backup, or the target is not
-- switched on yet.

-- Since when nothing is given there, because the database was restored and an operator has not let it go on.
ALTER TABLE targets ADD COLUMN restored_at TIMESTAMPTZ;
-- Whether the target is only looked at: nothing is written there.
ALTER TABLE targets ADD COLUMN shadow BOOLEAN NOT NULL DEFAULT FALSE;

-- What told of a restore: a checkpoint that the log contradicts, or somebody at the command line; each once.
CREATE TABLE restores (
  proof TEXT NOT NULL PRIMARY KEY CHECK (proof <> ''),
  why TEXT NOT NULL,
  noted_at TIMESTAMPTZ NOT NULL,
  gone_on_at TIMESTAMPTZ,
  gone_on_by UUID REFERENCES persons (id),
  CHECK ((gone_on_at IS NULL) = (gone_on_by IS NULL))
);
