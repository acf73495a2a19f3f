-- What the targets hold against what the portal believes: scans, what they found, and what stopped them.

-- What becomes of a right that somebody gave out of band.
ALTER TABLE entitlements ADD COLUMN drift TEXT NOT NULL DEFAULT 'report' CHECK (drift IN ('report', 'adopt', 'repair'));

-- A finding may be about an account of the target that belongs to nobody here.
-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql, '''break_glass''', '''break_glass'', ''out_of_band'', ''vanished'''),
    'person_id BLOB NOT NULL REFERENCES', 'person_id BLOB REFERENCES')
  WHERE type = 'table' AND name = 'findings';
PRAGMA writable_schema = RESET;
ALTER TABLE findings ADD COLUMN holder TEXT CHECK (holder <> '');
CREATE INDEX findings_entitlement ON findings (entitlement_id) WHERE person_id IS NULL AND state <> 'closed';
CREATE TRIGGER findings_holder_begin BEFORE INSERT ON findings
  WHEN (NEW.person_id IS NULL) <> (NEW.holder IS NOT NULL)
    OR (NEW.holder IS NOT NULL AND (NEW.kind <> 'out_of_band' OR NEW.entitlement_id IS NULL))
BEGIN
  SELECT RAISE(ABORT, 'a finding is about a person, or about an account that belongs to nobody');
END;
CREATE TRIGGER findings_holder_fixed BEFORE UPDATE ON findings
  WHEN NEW.holder IS DISTINCT FROM OLD.holder
BEGIN
  SELECT RAISE(ABORT, 'what was found, and by when it is due, is fixed');
END;

-- One pass over a target: the newest. It has no end while it is under way.
CREATE TABLE scans (
  target_id BLOB NOT NULL PRIMARY KEY REFERENCES targets (id) CHECK (length(target_id) = 16),
  begun_at INTEGER NOT NULL,
  ended_at INTEGER,
  problem TEXT
) STRICT;

-- What the newest pass said of a right, or why it changed nothing; and how many changes an operator lets through the next time.
CREATE TABLE scanned_rights (
  entitlement_id BLOB NOT NULL PRIMARY KEY REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  scanned_at INTEGER NOT NULL,
  listed INTEGER NOT NULL,
  believed INTEGER NOT NULL,
  given INTEGER NOT NULL,
  vanished INTEGER NOT NULL,
  changes INTEGER NOT NULL,
  stopped TEXT CHECK (stopped IN ('empty', 'not_whole', 'too_many', 'unread')),
  detail TEXT NOT NULL DEFAULT '',
  allowed INTEGER NOT NULL DEFAULT 0 CHECK (allowed >= 0),
  allowed_by BLOB REFERENCES persons (id) CHECK (length(allowed_by) = 16),
  CHECK ((allowed > 0) = (allowed_by IS NOT NULL))
) STRICT;
CREATE INDEX scanned_rights_stopped ON scanned_rights (scanned_at, entitlement_id) WHERE stopped IS NOT NULL;

-- Who holds a right that no grant explains, by the target's own id.
CREATE TABLE drift (
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  holder TEXT NOT NULL CHECK (holder <> ''),
  account_id BLOB REFERENCES accounts (id) CHECK (length(account_id) = 16),
  person_id BLOB REFERENCES persons (id) CHECK (length(person_id) = 16),
  found_at INTEGER NOT NULL,
  PRIMARY KEY (entitlement_id, holder),
  CHECK ((account_id IS NULL) = (person_id IS NULL))
) STRICT;
CREATE INDEX drift_person ON drift (person_id);

-- A right that was taken away out of band: when it was put back, and since when it is not.
CREATE TABLE vanished (
  assignment_id BLOB NOT NULL PRIMARY KEY REFERENCES assignments (id) CHECK (length(assignment_id) = 16),
  put_back_at INTEGER,
  withheld_at INTEGER
) STRICT;
