-- Who stands in for whom, more ways of naming approvers, and stages that open together.

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''package_owner'', ''security''', '''package_owner'', ''entitlement_owner'', ''role'', ''security''') WHERE type = 'table' AND name IN ('stages', 'seats');
PRAGMA writable_schema = RESET;

-- Somebody stands in for somebody else between two instants; ended early or not. Who did it on whose behalf is kept with
-- each vote.
CREATE TABLE deputies (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  deputy_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(deputy_id) = 16),
  from_at INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  application_id BLOB REFERENCES applications (id) CHECK (length(application_id) = 16),
  approvers TEXT CHECK (approvers IN ('manager', 'managers_manager', 'sponsor', 'named')),
  made_by BLOB NOT NULL REFERENCES persons (id) CHECK (length(made_by) = 16),
  made_at INTEGER NOT NULL,
  ended_at INTEGER,
  ended_by BLOB REFERENCES persons (id) CHECK (length(ended_by) = 16),
  CHECK (person_id <> deputy_id),
  CHECK (until_at > from_at AND until_at - from_at <= 5184000000000),
  CHECK (application_id IS NULL OR approvers IS NULL),
  CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
) STRICT;
CREATE INDEX deputies_person ON deputies (person_id, until_at, id);
CREATE INDEX deputies_deputy ON deputies (deputy_id, until_at, id);

ALTER TABLE stages ADD COLUMN escalated INTEGER NOT NULL DEFAULT 0 CHECK (escalated IN (0, 1));
ALTER TABLE seats ADD COLUMN for_id BLOB REFERENCES persons (id) CHECK (length(for_id) = 16);
ALTER TABLE decisions ADD COLUMN for_id BLOB REFERENCES persons (id) CHECK (length(for_id) = 16 AND for_id <> decider_id);
-- A deputy's yes and that of whom they stand in for are one voice.
CREATE UNIQUE INDEX decisions_voice ON decisions (stage_id, COALESCE(for_id, decider_id));

CREATE TRIGGER deputies_fixed BEFORE UPDATE ON deputies
  WHEN OLD.ended_at IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.deputy_id IS DISTINCT FROM OLD.deputy_id OR NEW.from_at IS DISTINCT FROM OLD.from_at OR NEW.until_at IS DISTINCT FROM OLD.until_at OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.approvers IS DISTINCT FROM OLD.approvers OR NEW.made_by IS DISTINCT FROM OLD.made_by OR NEW.made_at IS DISTINCT FROM OLD.made_at
BEGIN
  SELECT RAISE(ABORT, 'a deputyship is only ever ended, once');
END;
CREATE TRIGGER deputies_kept BEFORE DELETE ON deputies
BEGIN
  SELECT RAISE(ABORT, 'a deputyship is never deleted');
END;
CREATE TRIGGER deputies_whole BEFORE INSERT ON deputies
  WHEN EXISTS (SELECT 1 FROM deputies WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'a deputyship is never deleted');
END;

-- Four eyes hold for whoever decides and for whom they decide; whoever stands in for a party is not a second pair.
DROP TRIGGER decisions_four_eyes;
CREATE TRIGGER decisions_four_eyes BEFORE INSERT ON decisions
  WHEN EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND (NEW.decider_id IN (lines.asker_id, lines.beneficiary_id) OR NEW.for_id IN (lines.asker_id, lines.beneficiary_id) OR EXISTS (
    SELECT 1 FROM deputies WHERE deputies.deputy_id = NEW.decider_id AND deputies.person_id IN (lines.asker_id, lines.beneficiary_id) AND deputies.from_at <= NEW.decided_at AND deputies.until_at > NEW.decided_at AND (deputies.ended_at IS NULL OR deputies.ended_at > NEW.decided_at))))
BEGIN
  SELECT RAISE(ABORT, 'nobody decides on their own access');
END;
CREATE TRIGGER decisions_deputy BEFORE INSERT ON decisions
  WHEN NEW.for_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deputies WHERE deputies.person_id = NEW.for_id AND deputies.deputy_id = NEW.decider_id AND deputies.from_at <= NEW.decided_at AND deputies.until_at > NEW.decided_at AND (deputies.ended_at IS NULL OR deputies.ended_at > NEW.decided_at))
BEGIN
  SELECT RAISE(ABORT, 'only a deputy decides for somebody else');
END;
DROP TRIGGER decisions_whole;
CREATE TRIGGER decisions_whole BEFORE INSERT ON decisions
  WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id OR (stage_id = NEW.stage_id AND (decider_id = NEW.decider_id OR slot = NEW.slot OR COALESCE(for_id, decider_id) = COALESCE(NEW.for_id, NEW.decider_id))))
BEGIN
  SELECT RAISE(ABORT, 'a decision is never deleted');
END;
