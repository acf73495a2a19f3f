-- Who stands in for whom, more ways of naming approvers, and stages that open together.

ALTER TABLE stages DROP CONSTRAINT stages_approvers_check, ADD CONSTRAINT stages_approvers_check
  CHECK (approvers IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'entitlement_owner', 'role', 'security', 'named'));
ALTER TABLE seats DROP CONSTRAINT seats_via_check, ADD CONSTRAINT seats_via_check
  CHECK (via IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'entitlement_owner', 'role', 'security', 'named'));

-- Somebody stands in for somebody else between two instants; ended early or not. Who did it on whose behalf is kept with
-- each vote.
CREATE TABLE deputies (
  id UUID NOT NULL PRIMARY KEY,
  person_id UUID NOT NULL REFERENCES persons (id),
  deputy_id UUID NOT NULL REFERENCES persons (id),
  from_at TIMESTAMPTZ NOT NULL,
  until_at TIMESTAMPTZ NOT NULL,
  application_id UUID REFERENCES applications (id),
  approvers TEXT CHECK (approvers IN ('manager', 'managers_manager', 'sponsor', 'named')),
  made_by UUID NOT NULL REFERENCES persons (id),
  made_at TIMESTAMPTZ NOT NULL,
  ended_at TIMESTAMPTZ,
  ended_by UUID REFERENCES persons (id),
  CHECK (person_id <> deputy_id),
  CHECK (until_at > from_at AND until_at - from_at <= INTERVAL '60 days'),
  CHECK (application_id IS NULL OR approvers IS NULL),
  CHECK (ended_by IS NULL OR ended_at IS NOT NULL)
);
CREATE INDEX deputies_person ON deputies (person_id, until_at, id);
CREATE INDEX deputies_deputy ON deputies (deputy_id, until_at, id);

ALTER TABLE stages ADD COLUMN escalated BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE seats ADD COLUMN for_id UUID REFERENCES persons (id);
ALTER TABLE decisions ADD COLUMN for_id UUID REFERENCES persons (id) CHECK (for_id <> decider_id);
-- A deputy's yes and that of whom they stand in for are one voice.
CREATE UNIQUE INDEX decisions_voice ON decisions (stage_id, COALESCE(for_id, decider_id));

CREATE TRIGGER deputies_fixed BEFORE UPDATE ON deputies FOR EACH ROW
  WHEN (OLD.ended_at IS NOT NULL OR NEW.id IS DISTINCT FROM OLD.id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.deputy_id IS DISTINCT FROM OLD.deputy_id OR NEW.from_at IS DISTINCT FROM OLD.from_at OR NEW.until_at IS DISTINCT FROM OLD.until_at OR NEW.application_id IS DISTINCT FROM OLD.application_id OR NEW.approvers IS DISTINCT FROM OLD.approvers OR NEW.made_by IS DISTINCT FROM OLD.made_by OR NEW.made_at IS DISTINCT FROM OLD.made_at)
  EXECUTE FUNCTION latchkey_refuse('a deputyship is only ever ended, once');
CREATE TRIGGER deputies_kept BEFORE DELETE ON deputies FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a deputyship is never deleted');
CREATE TRIGGER deputies_whole BEFORE TRUNCATE ON deputies FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a deputyship is never deleted');

-- Four eyes hold for whoever decides and for whom they decide; whoever stands in for a party is not a second pair.
CREATE OR REPLACE FUNCTION decisions_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND (NEW.decider_id IN (lines.asker_id, lines.beneficiary_id) OR NEW.for_id IN (lines.asker_id, lines.beneficiary_id) OR EXISTS (
    SELECT 1 FROM deputies WHERE deputies.deputy_id = NEW.decider_id AND deputies.person_id IN (lines.asker_id, lines.beneficiary_id) AND deputies.from_at <= NEW.decided_at AND deputies.until_at > NEW.decided_at AND (deputies.ended_at IS NULL OR deputies.ended_at > NEW.decided_at)))) THEN
    RAISE EXCEPTION 'nobody decides on their own access' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION decisions_deputy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.for_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deputies WHERE deputies.person_id = NEW.for_id AND deputies.deputy_id = NEW.decider_id AND deputies.from_at <= NEW.decided_at AND deputies.until_at > NEW.decided_at AND (deputies.ended_at IS NULL OR deputies.ended_at > NEW.decided_at)) THEN
    RAISE EXCEPTION 'only a deputy decides for somebody else' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decisions_deputy BEFORE INSERT ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_deputy();
