-- Holding: what somebody holds back, lets go on, takes away, or does not want to be reminded of; and what a move shortens.

-- Grants: who held one back, when and why, until it goes on again or ends; who let it go on. Never on one's own access.
ALTER TABLE grants ADD COLUMN suspended_at TIMESTAMPTZ;
ALTER TABLE grants ADD COLUMN suspended_by UUID REFERENCES persons (id) CHECK (suspended_by <> person_id);
ALTER TABLE grants ADD COLUMN suspend_note TEXT;
ALTER TABLE grants ADD COLUMN suspend_cause TEXT CHECK (suspend_cause IN ('security', 'absence', 'kill_switch'));
ALTER TABLE grants ADD COLUMN resumed_by UUID REFERENCES persons (id) CHECK (resumed_by <> person_id);
-- The holder does not want it renewed: no more warnings.
ALTER TABLE grants ADD COLUMN not_renewed_at TIMESTAMPTZ;
-- Why its end lies where it lies, if a move brought it forward.
ALTER TABLE grants ADD COLUMN end_cause TEXT CHECK (end_cause IN ('mover'));

-- People: the kill switch. Whoever is held back signs in nowhere here, decides nothing and holds nothing.
ALTER TABLE persons ADD COLUMN suspended_at TIMESTAMPTZ;
ALTER TABLE persons ADD COLUMN suspended_by UUID REFERENCES persons (id) CHECK (suspended_by <> id);
ALTER TABLE persons ADD COLUMN suspend_note TEXT;
ALTER TABLE persons ADD COLUMN resumed_by UUID REFERENCES persons (id) CHECK (resumed_by <> id);

CREATE INDEX grants_suspended ON grants (person_id, id) WHERE state = 'suspended';
CREATE INDEX assignments_person ON assignments (person_id, desired_since, id);

CREATE TRIGGER grants_suspended BEFORE UPDATE ON grants FOR EACH ROW
  WHEN ((NEW.state = 'suspended' AND (NEW.suspended_at IS NULL OR NEW.suspended_by IS NULL OR NEW.suspend_cause IS NULL)) OR (NEW.state IN ('scheduled', 'active') AND NEW.suspended_at IS NOT NULL) OR (OLD.state = 'suspended' AND NEW.state = 'active' AND NEW.resumed_by IS NULL))
  EXECUTE FUNCTION latchkey_refuse('somebody holds a grant back, and somebody lets it go on');
CREATE TRIGGER grants_taken BEFORE UPDATE ON grants FOR EACH ROW
  WHEN (OLD.state <> 'ended' AND NEW.state = 'ended' AND NEW.end_reason = 'revoked' AND NEW.ended_by = NEW.person_id)
  EXECUTE FUNCTION latchkey_refuse('nobody takes away their own access: they give it back');
CREATE TRIGGER persons_suspended BEFORE UPDATE ON persons FOR EACH ROW
  WHEN ((NEW.suspended_at IS NOT NULL AND NEW.suspended_by IS NULL) OR (OLD.suspended_at IS NOT NULL AND NEW.suspended_at IS NULL AND NEW.resumed_by IS NULL))
  EXECUTE FUNCTION latchkey_refuse('somebody holds a person back, and somebody lets them go on');
