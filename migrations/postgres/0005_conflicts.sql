-- Separation of duties: the rules of the published edition, what breaks them or needs somebody to look, and who answers
-- for what is tolerated for a time.

INSERT INTO counters (name, value) VALUES ('exception', 0);

-- Rules as the published edition says them. A rule keeps its id while its key stays; one that is gone is retired.
CREATE TABLE conflicts (
  id UUID NOT NULL PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  name TEXT COLLATE "C" NOT NULL,
  explain TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'high', 'critical')),
  owner_id UUID NOT NULL REFERENCES persons (id),
  catalogue_version_id UUID NOT NULL REFERENCES catalogue_versions (id),
  retired BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX conflicts_list ON conflicts (retired, name, id);
CREATE INDEX conflicts_owner ON conflicts (owner_id) WHERE retired = FALSE;

-- The rights of each side; packages stand for what they hold. No right is on both sides of a rule.
CREATE TABLE conflict_rights (
  conflict_id UUID NOT NULL REFERENCES conflicts (id),
  entitlement_id UUID NOT NULL REFERENCES entitlements (id),
  side TEXT NOT NULL CHECK (side IN ('left', 'right')),
  PRIMARY KEY (conflict_id, entitlement_id)
);
CREATE INDEX conflict_rights_entitlement ON conflict_rights (entitlement_id, conflict_id);

-- A tolerated breach of one rule by one person, with a control, an owner of that control, and an end.
CREATE TABLE exceptions (
  id UUID NOT NULL PRIMARY KEY,
  number BIGINT NOT NULL UNIQUE,
  conflict_id UUID NOT NULL REFERENCES conflicts (id),
  person_id UUID NOT NULL REFERENCES persons (id),
  proposed_by UUID NOT NULL REFERENCES persons (id),
  proposed_at TIMESTAMPTZ NOT NULL,
  reason TEXT NOT NULL,
  control TEXT NOT NULL,
  control_owner_id UUID NOT NULL REFERENCES persons (id),
  cadence_seconds BIGINT NOT NULL CHECK (cadence_seconds >= 86400),
  falls TEXT NOT NULL CHECK (falls IN ('left', 'right')),
  renewals BIGINT NOT NULL DEFAULT 0 CHECK (renewals >= 0),
  state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'live', 'ended')),
  ends_at TIMESTAMPTZ NOT NULL,
  accepted_by UUID REFERENCES persons (id),
  accepted_at TIMESTAMPTZ,
  confirmed_by UUID REFERENCES persons (id),
  confirmed_at TIMESTAMPTZ,
  attest_by TIMESTAMPTZ,
  missed_at TIMESTAMPTZ,
  ended_at TIMESTAMPTZ,
  end_reason TEXT CHECK (end_reason IN ('refused', 'expired', 'revoked', 'missed_attestation', 'renewed', 'person_left')),
  ended_by UUID REFERENCES persons (id),
  end_note TEXT NOT NULL DEFAULT '',
  version BIGINT NOT NULL DEFAULT 0,
  CHECK (control_owner_id <> person_id),
  CHECK (accepted_by IS NULL OR (accepted_by <> person_id AND accepted_by <> proposed_by)),
  CHECK (confirmed_by IS NULL OR (confirmed_by <> person_id AND confirmed_by <> proposed_by AND confirmed_by <> accepted_by)),
  CHECK ((accepted_by IS NULL) = (accepted_at IS NULL)),
  CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL)),
  CHECK (state NOT IN ('accepted', 'live') OR accepted_by IS NOT NULL),
  CHECK (state <> 'live' OR (confirmed_by IS NOT NULL AND attest_by IS NOT NULL)),
  CHECK (confirmed_by IS NULL OR accepted_by IS NOT NULL),
  CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
  CHECK ((state = 'ended') = (end_reason IS NOT NULL)),
  CHECK (ends_at > proposed_at AND ends_at <= proposed_at + INTERVAL '180 days')
);
CREATE UNIQUE INDEX exceptions_one_live ON exceptions (conflict_id, person_id) WHERE state = 'live';
CREATE UNIQUE INDEX exceptions_one_waiting ON exceptions (conflict_id, person_id) WHERE state IN ('proposed', 'accepted');
CREATE INDEX exceptions_register ON exceptions (state, ends_at, id);
CREATE INDEX exceptions_person ON exceptions (person_id, state);
CREATE INDEX exceptions_control_owner ON exceptions (control_owner_id, state);

-- What the control owner says each period, with evidence.
CREATE TABLE attestations (
  id UUID NOT NULL PRIMARY KEY,
  exception_id UUID NOT NULL REFERENCES exceptions (id),
  by_id UUID NOT NULL REFERENCES persons (id),
  text TEXT NOT NULL CHECK (length(text) >= 5),
  due_at TIMESTAMPTZ NOT NULL,
  attested_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX attestations_exception ON attestations (exception_id, attested_at, id);

-- What the standing scan found; one row while it is not closed. `subject` names the breach: who, and which rule or right.
CREATE TABLE findings (
  id UUID NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('conflict', 'import', 'orphan', 'standing_privilege', 'role_change')),
  subject TEXT NOT NULL,
  person_id UUID NOT NULL REFERENCES persons (id),
  account_id UUID REFERENCES accounts (id),
  entitlement_id UUID REFERENCES entitlements (id),
  conflict_id UUID REFERENCES conflicts (id),
  owner_id UUID REFERENCES persons (id),
  state TEXT NOT NULL CHECK (state IN ('open', 'being_removed', 'excepted', 'closed')),
  opened_at TIMESTAMPTZ NOT NULL,
  due_at TIMESTAMPTZ NOT NULL,
  closed_at TIMESTAMPTZ,
  noted_by UUID REFERENCES persons (id),
  note TEXT NOT NULL DEFAULT '',
  version BIGINT NOT NULL DEFAULT 0,
  CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CHECK ((kind = 'conflict') = (conflict_id IS NOT NULL)),
  CHECK (state <> 'excepted' OR kind = 'conflict')
);
CREATE UNIQUE INDEX findings_one_open ON findings (kind, subject) WHERE state <> 'closed';
CREATE INDEX findings_due ON findings (state, due_at, id);
CREATE INDEX findings_person ON findings (person_id, state);
CREATE INDEX findings_owner ON findings (owner_id, state, due_at, id);
CREATE INDEX findings_conflict ON findings (conflict_id, state);

-- Rules that hold whatever the code does.
CREATE TRIGGER conflicts_fixed BEFORE UPDATE ON conflicts FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.key IS DISTINCT FROM OLD.key)
  EXECUTE FUNCTION latchkey_refuse('a rule keeps its key');
CREATE TRIGGER conflicts_kept BEFORE DELETE ON conflicts FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a rule is retired, never deleted');
CREATE TRIGGER conflicts_whole BEFORE TRUNCATE ON conflicts FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a rule is retired, never deleted');
CREATE TRIGGER exceptions_begin BEFORE INSERT ON exceptions FOR EACH ROW
  WHEN (NEW.state <> 'proposed' OR NEW.accepted_by IS NOT NULL OR NEW.confirmed_by IS NOT NULL)
  EXECUTE FUNCTION latchkey_refuse('an exception begins as a proposal');
CREATE TRIGGER exceptions_legal BEFORE UPDATE ON exceptions FOR EACH ROW
  WHEN (OLD.state = 'ended' OR (NEW.state <> OLD.state AND NEW.state <> 'ended' AND NOT (OLD.state = 'proposed' AND NEW.state = 'accepted') AND NOT (OLD.state = 'accepted' AND NEW.state = 'live')) OR (OLD.accepted_by IS NOT NULL AND NEW.accepted_by IS DISTINCT FROM OLD.accepted_by) OR (OLD.confirmed_by IS NOT NULL AND NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by))
  EXECUTE FUNCTION latchkey_refuse('an exception moves forward only, and an end is final');
CREATE TRIGGER exceptions_fixed BEFORE UPDATE ON exceptions FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.conflict_id IS DISTINCT FROM OLD.conflict_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.proposed_by IS DISTINCT FROM OLD.proposed_by OR NEW.proposed_at IS DISTINCT FROM OLD.proposed_at OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.control IS DISTINCT FROM OLD.control OR NEW.control_owner_id IS DISTINCT FROM OLD.control_owner_id OR NEW.cadence_seconds IS DISTINCT FROM OLD.cadence_seconds OR NEW.falls IS DISTINCT FROM OLD.falls OR NEW.renewals IS DISTINCT FROM OLD.renewals OR NEW.ends_at IS DISTINCT FROM OLD.ends_at)
  EXECUTE FUNCTION latchkey_refuse('what was proposed is fixed');
CREATE TRIGGER exceptions_kept BEFORE DELETE ON exceptions FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('an exception is never deleted');
CREATE TRIGGER exceptions_whole BEFORE TRUNCATE ON exceptions FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('an exception is never deleted');
CREATE FUNCTION attestations_control_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM exceptions WHERE exceptions.id = NEW.exception_id AND exceptions.state = 'live' AND exceptions.control_owner_id = NEW.by_id AND exceptions.person_id <> NEW.by_id) THEN
    RAISE EXCEPTION 'the owner of the control attests, while the exception lives' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attestations_control_owner BEFORE INSERT ON attestations FOR EACH ROW EXECUTE FUNCTION attestations_control_owner();
CREATE TRIGGER attestations_fixed BEFORE UPDATE ON attestations FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('an attestation is never changed');
CREATE TRIGGER attestations_kept BEFORE DELETE ON attestations FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('an attestation is never deleted');
CREATE TRIGGER attestations_whole BEFORE TRUNCATE ON attestations FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('an attestation is never deleted');
CREATE TRIGGER findings_begin BEFORE INSERT ON findings FOR EACH ROW
  WHEN (NEW.state NOT IN ('open', 'excepted'))
  EXECUTE FUNCTION latchkey_refuse('a finding begins open, or excepted');
CREATE TRIGGER findings_legal BEFORE UPDATE ON findings FOR EACH ROW
  WHEN (OLD.state = 'closed')
  EXECUTE FUNCTION latchkey_refuse('a closed finding stays closed');
CREATE TRIGGER findings_fixed BEFORE UPDATE ON findings FOR EACH ROW
  WHEN (NEW.id IS DISTINCT FROM OLD.id OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.subject IS DISTINCT FROM OLD.subject OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.entitlement_id IS DISTINCT FROM OLD.entitlement_id OR NEW.conflict_id IS DISTINCT FROM OLD.conflict_id OR NEW.opened_at IS DISTINCT FROM OLD.opened_at OR NEW.due_at IS DISTINCT FROM OLD.due_at)
  EXECUTE FUNCTION latchkey_refuse('what was found, and by when it is due, is fixed');
CREATE TRIGGER findings_kept BEFORE DELETE ON findings FOR EACH ROW
  EXECUTE FUNCTION latchkey_refuse('a finding is never deleted');
CREATE TRIGGER findings_whole BEFORE TRUNCATE ON findings FOR EACH STATEMENT
  EXECUTE FUNCTION latchkey_refuse('a finding is never deleted');
