-- Separation of duties: the rules of the published edition, what breaks them or needs somebody to look, and who answers
-- for what is tolerated for a time.

INSERT INTO counters (name, value) VALUES ('exception', 0);

-- Rules as the published edition says them. A rule keeps its id while its key stays; one that is gone is retired.
CREATE TABLE conflicts (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  explain TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('low', 'high', 'critical')),
  owner_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(owner_id) = 16),
  catalogue_version_id BLOB NOT NULL REFERENCES catalogue_versions (id) CHECK (length(catalogue_version_id) = 16),
  retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
) STRICT;
CREATE INDEX conflicts_list ON conflicts (retired, name, id);
CREATE INDEX conflicts_owner ON conflicts (owner_id) WHERE retired = FALSE;

-- The rights of each side; packages stand for what they hold. No right is on both sides of a rule.
CREATE TABLE conflict_rights (
  conflict_id BLOB NOT NULL REFERENCES conflicts (id) CHECK (length(conflict_id) = 16),
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  side TEXT NOT NULL CHECK (side IN ('left', 'right')),
  PRIMARY KEY (conflict_id, entitlement_id)
) STRICT;
CREATE INDEX conflict_rights_entitlement ON conflict_rights (entitlement_id, conflict_id);

-- A tolerated breach of one rule by one person, with a control, an owner of that control, and an end.
CREATE TABLE exceptions (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  number INTEGER NOT NULL UNIQUE,
  conflict_id BLOB NOT NULL REFERENCES conflicts (id) CHECK (length(conflict_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  proposed_by BLOB NOT NULL REFERENCES persons (id) CHECK (length(proposed_by) = 16),
  proposed_at INTEGER NOT NULL,
  reason TEXT NOT NULL,
  control TEXT NOT NULL,
  control_owner_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(control_owner_id) = 16),
  cadence_seconds INTEGER NOT NULL CHECK (cadence_seconds >= 86400),
  falls TEXT NOT NULL CHECK (falls IN ('left', 'right')),
  renewals INTEGER NOT NULL DEFAULT 0 CHECK (renewals >= 0),
  state TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'live', 'ended')),
  ends_at INTEGER NOT NULL,
  accepted_by BLOB REFERENCES persons (id) CHECK (length(accepted_by) = 16),
  accepted_at INTEGER,
  confirmed_by BLOB REFERENCES persons (id) CHECK (length(confirmed_by) = 16),
  confirmed_at INTEGER,
  attest_by INTEGER,
  missed_at INTEGER,
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('refused', 'expired', 'revoked', 'missed_attestation', 'renewed', 'person_left')),
  ended_by BLOB REFERENCES persons (id) CHECK (length(ended_by) = 16),
  end_note TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 0,
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
  CHECK (ends_at > proposed_at AND ends_at <= proposed_at + 15552000000000)
) STRICT;
CREATE UNIQUE INDEX exceptions_one_live ON exceptions (conflict_id, person_id) WHERE state = 'live';
CREATE UNIQUE INDEX exceptions_one_waiting ON exceptions (conflict_id, person_id) WHERE state IN ('proposed', 'accepted');
CREATE INDEX exceptions_register ON exceptions (state, ends_at, id);
CREATE INDEX exceptions_person ON exceptions (person_id, state);
CREATE INDEX exceptions_control_owner ON exceptions (control_owner_id, state);

-- What the control owner says each period, with evidence.
CREATE TABLE attestations (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  exception_id BLOB NOT NULL REFERENCES exceptions (id) CHECK (length(exception_id) = 16),
  by_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(by_id) = 16),
  text TEXT NOT NULL CHECK (length(text) >= 5),
  due_at INTEGER NOT NULL,
  attested_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attestations_exception ON attestations (exception_id, attested_at, id);

-- What the standing scan found; one row while it is not closed. `subject` names the breach: who, and which rule or right.
CREATE TABLE findings (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('conflict', 'import', 'orphan', 'standing_privilege', 'role_change')),
  subject TEXT NOT NULL,
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  account_id BLOB REFERENCES accounts (id) CHECK (length(account_id) = 16),
  entitlement_id BLOB REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  conflict_id BLOB REFERENCES conflicts (id) CHECK (length(conflict_id) = 16),
  owner_id BLOB REFERENCES persons (id) CHECK (length(owner_id) = 16),
  state TEXT NOT NULL CHECK (state IN ('open', 'being_removed', 'excepted', 'closed')),
  opened_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  closed_at INTEGER,
  noted_by BLOB REFERENCES persons (id) CHECK (length(noted_by) = 16),
  note TEXT NOT NULL DEFAULT '',
  version INTEGER NOT NULL DEFAULT 0,
  CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
  CHECK ((kind = 'conflict') = (conflict_id IS NOT NULL)),
  CHECK (state <> 'excepted' OR kind = 'conflict')
) STRICT;
CREATE UNIQUE INDEX findings_one_open ON findings (kind, subject) WHERE state <> 'closed';
CREATE INDEX findings_due ON findings (state, due_at, id);
CREATE INDEX findings_person ON findings (person_id, state);
CREATE INDEX findings_owner ON findings (owner_id, state, due_at, id);
CREATE INDEX findings_conflict ON findings (conflict_id, state);

-- Rules that hold whatever the code does.
CREATE TRIGGER conflicts_fixed BEFORE UPDATE ON conflicts
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.key IS DISTINCT FROM OLD.key
BEGIN
  SELECT RAISE(ABORT, 'a rule keeps its key');
END;
CREATE TRIGGER conflicts_kept BEFORE DELETE ON conflicts
BEGIN
  SELECT RAISE(ABORT, 'a rule is retired, never deleted');
END;
CREATE TRIGGER conflicts_whole BEFORE INSERT ON conflicts
  WHEN EXISTS (SELECT 1 FROM conflicts WHERE id = NEW.id OR key = NEW.key)
BEGIN
  SELECT RAISE(ABORT, 'a rule is retired, never deleted');
END;
CREATE TRIGGER exceptions_begin BEFORE INSERT ON exceptions
  WHEN NEW.state <> 'proposed' OR NEW.accepted_by IS NOT NULL OR NEW.confirmed_by IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'an exception begins as a proposal');
END;
CREATE TRIGGER exceptions_legal BEFORE UPDATE ON exceptions
  WHEN OLD.state = 'ended' OR (NEW.state <> OLD.state AND NEW.state <> 'ended' AND NOT (OLD.state = 'proposed' AND NEW.state = 'accepted') AND NOT (OLD.state = 'accepted' AND NEW.state = 'live')) OR (OLD.accepted_by IS NOT NULL AND NEW.accepted_by IS DISTINCT FROM OLD.accepted_by) OR (OLD.confirmed_by IS NOT NULL AND NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by)
BEGIN
  SELECT RAISE(ABORT, 'an exception moves forward only, and an end is final');
END;
CREATE TRIGGER exceptions_fixed BEFORE UPDATE ON exceptions
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.conflict_id IS DISTINCT FROM OLD.conflict_id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.proposed_by IS DISTINCT FROM OLD.proposed_by OR NEW.proposed_at IS DISTINCT FROM OLD.proposed_at OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.control IS DISTINCT FROM OLD.control OR NEW.control_owner_id IS DISTINCT FROM OLD.control_owner_id OR NEW.cadence_seconds IS DISTINCT FROM OLD.cadence_seconds OR NEW.falls IS DISTINCT FROM OLD.falls OR NEW.renewals IS DISTINCT FROM OLD.renewals OR NEW.ends_at IS DISTINCT FROM OLD.ends_at
BEGIN
  SELECT RAISE(ABORT, 'what was proposed is fixed');
END;
CREATE TRIGGER exceptions_kept BEFORE DELETE ON exceptions
BEGIN
  SELECT RAISE(ABORT, 'an exception is never deleted');
END;
CREATE TRIGGER exceptions_whole BEFORE INSERT ON exceptions
  WHEN EXISTS (SELECT 1 FROM exceptions WHERE id = NEW.id OR number = NEW.number OR (conflict_id = NEW.conflict_id AND person_id = NEW.person_id AND state IN ('proposed', 'accepted')))
BEGIN
  SELECT RAISE(ABORT, 'an exception is never deleted');
END;
CREATE TRIGGER attestations_control_owner BEFORE INSERT ON attestations
  WHEN NOT EXISTS (SELECT 1 FROM exceptions WHERE exceptions.id = NEW.exception_id AND exceptions.state = 'live' AND exceptions.control_owner_id = NEW.by_id AND exceptions.person_id <> NEW.by_id)
BEGIN
  SELECT RAISE(ABORT, 'the owner of the control attests, while the exception lives');
END;
CREATE TRIGGER attestations_fixed BEFORE UPDATE ON attestations
BEGIN
  SELECT RAISE(ABORT, 'an attestation is never changed');
END;
CREATE TRIGGER attestations_kept BEFORE DELETE ON attestations
BEGIN
  SELECT RAISE(ABORT, 'an attestation is never deleted');
END;
CREATE TRIGGER attestations_whole BEFORE INSERT ON attestations
  WHEN EXISTS (SELECT 1 FROM attestations WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'an attestation is never deleted');
END;
CREATE TRIGGER findings_begin BEFORE INSERT ON findings
  WHEN NEW.state NOT IN ('open', 'excepted')
BEGIN
  SELECT RAISE(ABORT, 'a finding begins open, or excepted');
END;
CREATE TRIGGER findings_legal BEFORE UPDATE ON findings
  WHEN OLD.state = 'closed'
BEGIN
  SELECT RAISE(ABORT, 'a closed finding stays closed');
END;
CREATE TRIGGER findings_fixed BEFORE UPDATE ON findings
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.subject IS DISTINCT FROM OLD.subject OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.entitlement_id IS DISTINCT FROM OLD.entitlement_id OR NEW.conflict_id IS DISTINCT FROM OLD.conflict_id OR NEW.opened_at IS DISTINCT FROM OLD.opened_at OR NEW.due_at IS DISTINCT FROM OLD.due_at
BEGIN
  SELECT RAISE(ABORT, 'what was found, and by when it is due, is fixed');
END;
CREATE TRIGGER findings_kept BEFORE DELETE ON findings
BEGIN
  SELECT RAISE(ABORT, 'a finding is never deleted');
END;
CREATE TRIGGER findings_whole BEFORE INSERT ON findings
  WHEN EXISTS (SELECT 1 FROM findings WHERE id = NEW.id OR (state <> 'closed' AND kind = NEW.kind AND subject = NEW.subject))
BEGIN
  SELECT RAISE(ABORT, 'a finding is never deleted');
END;
