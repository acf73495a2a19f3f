-- The whole house in one migration. The same number and name exist for the other engine; a test compares the tables.
-- Times are instants in UTC with microseconds; ids are UUIDv7; enumerations are words with a CHECK.

-- One row: which installation this is. `starts` counts starts of the process; with `id` it tells a restore apart.
CREATE TABLE installation (
  one INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  id BLOB NOT NULL CHECK (length(id) = 16),
  mode TEXT NOT NULL CHECK (mode IN ('trial', 'production')),
  starts INTEGER NOT NULL DEFAULT 0,
  clock_offset_us INTEGER NOT NULL DEFAULT 0 CHECK (clock_offset_us >= 0),
  created_at INTEGER NOT NULL
) STRICT;

-- Short numbers that people see (AR-1042).
CREATE TABLE counters (
  name TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT;

-- Humans. `version` is written to lock the person for anything that two transactions could decide differently.
CREATE TABLE persons (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL,
  given_name TEXT NOT NULL DEFAULT '',
  mail TEXT NOT NULL DEFAULT '',
  department TEXT NOT NULL DEFAULT '',
  job_title TEXT NOT NULL DEFAULT '',
  country TEXT NOT NULL DEFAULT '',
  office TEXT NOT NULL DEFAULT '',
  company TEXT NOT NULL DEFAULT '',
  employee_id TEXT NOT NULL DEFAULT '',
  employee_type TEXT NOT NULL DEFAULT '',
  user_type TEXT NOT NULL DEFAULT 'member',
  manager_id BLOB REFERENCES persons (id) CHECK (length(manager_id) = 16),
  hired_at INTEGER,
  last_day_at INTEGER,
  state TEXT NOT NULL CHECK (state IN ('active', 'left')),
  left_at INTEGER,
  search_key TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  CHECK ((state = 'left') = (left_at IS NOT NULL))
) STRICT;
CREATE INDEX persons_manager ON persons (manager_id, search_key, id);
CREATE INDEX persons_search ON persons (search_key, id);
CREATE INDEX persons_department ON persons (department, id);
CREATE INDEX persons_last_day ON persons (last_day_at) WHERE state = 'active' AND last_day_at IS NOT NULL;

-- Who answers for somebody who is not an employee.
CREATE TABLE person_sponsors (
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  sponsor_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(sponsor_id) = 16),
  PRIMARY KEY (person_id, sponsor_id)
) STRICT;

-- Sign-in identities, known by tenant and object id only.
CREATE TABLE accounts (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  tenant_id BLOB NOT NULL CHECK (length(tenant_id) = 16),
  object_id BLOB NOT NULL CHECK (length(object_id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('normal', 'admin', 'guest', 'directory')),
  user_name TEXT NOT NULL DEFAULT '',
  enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (tenant_id, object_id)
) STRICT;
CREATE INDEX accounts_person ON accounts (person_id);

-- Portal roles by account: from the directory, refreshed at sign-in, or the first administrator from configuration.
CREATE TABLE portal_roles (
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  role TEXT NOT NULL CHECK (role IN ('administrator', 'security', 'auditor', 'catalogue_owner', 'operator', 'hr')),
  source TEXT NOT NULL CHECK (source IN ('directory', 'configuration')),
  since INTEGER NOT NULL,
  PRIMARY KEY (account_id, role)
) STRICT;
CREATE INDEX portal_roles_role ON portal_roles (role);

-- Server-side sessions. `id` is the SHA-256 of what the cookie holds, so that a copy of this table opens nothing.
CREATE TABLE sessions (
  id BLOB NOT NULL PRIMARY KEY,
  person_id BLOB REFERENCES persons (id) CHECK (length(person_id) = 16),
  account_id BLOB REFERENCES accounts (id) CHECK (length(account_id) = 16),
  data BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_person ON sessions (person_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Sign-ins under way: state, nonce and verifier, bound to one browser, taken out once.
CREATE TABLE sign_ins (
  state_hash BLOB NOT NULL PRIMARY KEY,
  browser_hash BLOB NOT NULL,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL,
  return_to TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);

-- Applications of the catalogue.
CREATE TABLE applications (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  url TEXT NOT NULL DEFAULT '',
  tint TEXT NOT NULL DEFAULT 'a',
  initials TEXT NOT NULL DEFAULT '',
  retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
) STRICT;

-- Systems that a connector reaches, with what is known of their health.
CREATE TABLE targets (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('graph')),
  name TEXT NOT NULL,
  tenant_id BLOB CHECK (length(tenant_id) = 16),
  paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
  not_before INTEGER,
  problem TEXT,
  problem_at INTEGER,
  succeeded_at INTEGER
) STRICT;

-- Concrete rights. `lane` is the object that a write locks at the target.
CREATE TABLE entitlements (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  target_id BLOB NOT NULL REFERENCES targets (id) CHECK (length(target_id) = 16),
  application_id BLOB REFERENCES applications (id) CHECK (length(application_id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('group', 'app_role')),
  external_id TEXT NOT NULL,
  name TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  lane TEXT NOT NULL,
  privileged INTEGER NOT NULL CHECK (privileged IN (0, 1)),
  control_scope TEXT,
  manageable INTEGER NOT NULL CHECK (manageable IN (0, 1)),
  unmanageable_reason TEXT,
  effective_within_seconds INTEGER NOT NULL DEFAULT 0,
  owner_id BLOB REFERENCES persons (id) CHECK (length(owner_id) = 16),
  facts TEXT NOT NULL DEFAULT '',
  UNIQUE (target_id, kind, external_id),
  CHECK (manageable = 1 OR unmanageable_reason IS NOT NULL)
) STRICT;
CREATE INDEX entitlements_application ON entitlements (application_id);

-- Editions of the catalogue files. Who drafts does not confirm.
CREATE TABLE catalogue_versions (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  number INTEGER NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('pending', 'published', 'superseded', 'refused')),
  drafted_by BLOB REFERENCES persons (id) CHECK (length(drafted_by) = 16),
  file_hash TEXT NOT NULL,
  content TEXT NOT NULL,
  difference TEXT NOT NULL,
  widens INTEGER NOT NULL CHECK (widens IN (0, 1)),
  created_at INTEGER NOT NULL,
  decided_by BLOB REFERENCES persons (id) CHECK (length(decided_by) = 16),
  decided_at INTEGER,
  CHECK (drafted_by IS NULL OR decided_by IS NULL OR drafted_by <> decided_by)
) STRICT;
CREATE UNIQUE INDEX catalogue_versions_published ON catalogue_versions (state) WHERE state = 'published';
CREATE INDEX catalogue_versions_pending ON catalogue_versions (number) WHERE state = 'pending';

-- What the catalogue offers. The columns beside `version_id` repeat the current version for lists.
CREATE TABLE packages (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  application_id BLOB NOT NULL REFERENCES applications (id) CHECK (length(application_id) = 16),
  name TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL CHECK (state IN ('offered', 'retired')),
  version_id BLOB CHECK (length(version_id) = 16),
  privileged INTEGER NOT NULL DEFAULT 0 CHECK (privileged IN (0, 1)),
  control_scope TEXT,
  default_seconds INTEGER NOT NULL DEFAULT 0,
  longest_seconds INTEGER NOT NULL DEFAULT 0,
  permanent INTEGER NOT NULL DEFAULT 0 CHECK (permanent IN (0, 1)),
  search_key TEXT NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX packages_list ON packages (state, name, id);
CREATE INDEX packages_application ON packages (application_id, state, name, id);

-- Pinned editions: a request and a grant keep the one that they were made under.
CREATE TABLE package_versions (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  package_id BLOB NOT NULL REFERENCES packages (id) CHECK (length(package_id) = 16),
  number INTEGER NOT NULL,
  catalogue_version_id BLOB NOT NULL REFERENCES catalogue_versions (id) CHECK (length(catalogue_version_id) = 16),
  policy TEXT NOT NULL,
  opens TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (package_id, number)
) STRICT;

CREATE TABLE package_version_entitlements (
  package_version_id BLOB NOT NULL REFERENCES package_versions (id) CHECK (length(package_version_id) = 16),
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  PRIMARY KEY (package_version_id, entitlement_id)
) STRICT;
CREATE INDEX package_version_entitlements_entitlement ON package_version_entitlements (entitlement_id);

CREATE TABLE package_owners (
  package_id BLOB NOT NULL REFERENCES packages (id) CHECK (length(package_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  PRIMARY KEY (package_id, person_id)
) STRICT;
CREATE INDEX package_owners_person ON package_owners (person_id);

-- One person's asking. The key makes fifty identical posts one request.
CREATE TABLE requests (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  number INTEGER NOT NULL UNIQUE,
  asker_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(asker_id) = 16),
  idempotency_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (asker_id, idempotency_key)
) STRICT;

-- One package for one beneficiary and account; decided on its own.
CREATE TABLE lines (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  request_id BLOB NOT NULL REFERENCES requests (id) CHECK (length(request_id) = 16),
  number INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('new', 'extension')),
  package_id BLOB NOT NULL REFERENCES packages (id) CHECK (length(package_id) = 16),
  package_version_id BLOB NOT NULL REFERENCES package_versions (id) CHECK (length(package_version_id) = 16),
  asker_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(asker_id) = 16),
  beneficiary_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(beneficiary_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  extends_grant_id BLOB CHECK (length(extends_grant_id) = 16),
  state TEXT NOT NULL CHECK (state IN ('awaiting_approval', 'approved', 'denied', 'cancelled', 'lapsed', 'superseded', 'withdrawn')),
  reason TEXT NOT NULL,
  answers TEXT NOT NULL,
  start_at INTEGER,
  length_kind TEXT NOT NULL CHECK (length_kind IN ('seconds', 'until', 'permanent')),
  length_seconds INTEGER,
  until_at INTEGER,
  frozen_hash TEXT NOT NULL,
  screening TEXT NOT NULL,
  submitted_at INTEGER NOT NULL,
  lapse_at INTEGER NOT NULL,
  ended_at INTEGER,
  ended_by BLOB REFERENCES persons (id) CHECK (length(ended_by) = 16),
  version INTEGER NOT NULL DEFAULT 0,
  CHECK ((length_kind = 'seconds') = (length_seconds IS NOT NULL)),
  CHECK ((length_kind = 'until') = (until_at IS NOT NULL)),
  CHECK ((state = 'awaiting_approval') = (ended_at IS NULL)),
  CHECK ((kind = 'extension') = (extends_grant_id IS NOT NULL))
) STRICT;
CREATE INDEX lines_request ON lines (request_id);
CREATE INDEX lines_asker ON lines (asker_id, submitted_at, id);
CREATE INDEX lines_beneficiary ON lines (beneficiary_id, submitted_at, id);
CREATE INDEX lines_package ON lines (package_id, submitted_at, id);
CREATE UNIQUE INDEX lines_one_waiting ON lines (beneficiary_id, package_id, account_id) WHERE state = 'awaiting_approval';
CREATE INDEX lines_waiting_asker ON lines (asker_id, submitted_at, id) WHERE state = 'awaiting_approval';
CREATE INDEX lines_waiting_package ON lines (package_id) WHERE state = 'awaiting_approval';
CREATE INDEX lines_over ON lines (ended_at, id) WHERE ended_at IS NOT NULL;

-- The steps of a line's route, with the rule as it was when the line was submitted.
CREATE TABLE stages (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  line_id BLOB NOT NULL REFERENCES lines (id) CHECK (length(line_id) = 16),
  position INTEGER NOT NULL,
  rule TEXT NOT NULL,
  approvers TEXT NOT NULL CHECK (approvers IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'security', 'named')),
  needed INTEGER NOT NULL CHECK (needed >= 1),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'met', 'met_by_asking', 'collapsed', 'denied', 'closed')),
  fallback INTEGER NOT NULL DEFAULT 0 CHECK (fallback IN (0, 1)),
  by_subordinates INTEGER NOT NULL DEFAULT 0 CHECK (by_subordinates IN (0, 1)),
  stuck INTEGER NOT NULL DEFAULT 0 CHECK (stuck IN (0, 1)),
  opened_at INTEGER,
  closed_at INTEGER,
  UNIQUE (line_id, position)
) STRICT;
CREATE INDEX stages_stuck ON stages (opened_at, id) WHERE state = 'open' AND stuck = TRUE;

-- Who may decide in the stages that are open now. Worked out again at the decision; this is the queue.
CREATE TABLE seats (
  stage_id BLOB NOT NULL REFERENCES stages (id) CHECK (length(stage_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  via TEXT NOT NULL CHECK (via IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'security', 'named')),
  opened_at INTEGER NOT NULL,
  PRIMARY KEY (stage_id, person_id)
) STRICT;
CREATE INDEX seats_queue ON seats (person_id, opened_at, stage_id);

-- Votes. One human, one vote a stage; never on their own access (trigger). Each yes takes the next slot of those that the
-- stage needs; a no takes slot 0.
CREATE TABLE decisions (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  stage_id BLOB NOT NULL REFERENCES stages (id) CHECK (length(stage_id) = 16),
  line_id BLOB NOT NULL REFERENCES lines (id) CHECK (length(line_id) = 16),
  decider_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(decider_id) = 16),
  slot INTEGER NOT NULL CHECK (slot >= 0),
  verdict TEXT NOT NULL CHECK (verdict IN ('approve', 'deny')),
  via TEXT NOT NULL,
  note TEXT NOT NULL,
  cap_seconds INTEGER CHECK (cap_seconds > 0),
  signed_hash TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  UNIQUE (stage_id, decider_id),
  UNIQUE (stage_id, slot),
  CHECK ((verdict = 'deny') = (slot = 0))
) STRICT;
CREATE INDEX decisions_line ON decisions (line_id);
CREATE INDEX decisions_decider ON decisions (decider_id, decided_at, id);

-- Rights over a span of time. Exactly one of an end and 'permanent' is said; an end is final.
CREATE TABLE grants (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  package_id BLOB REFERENCES packages (id) CHECK (length(package_id) = 16),
  package_version_id BLOB REFERENCES package_versions (id) CHECK (length(package_version_id) = 16),
  line_id BLOB REFERENCES lines (id) CHECK (length(line_id) = 16),
  source TEXT NOT NULL CHECK (source IN ('request', 'role', 'rule', 'import', 'break_glass')),
  state TEXT NOT NULL CHECK (state IN ('scheduled', 'active', 'suspended', 'ended')),
  valid_from INTEGER NOT NULL,
  end_kind TEXT NOT NULL CHECK (end_kind IN ('at', 'permanent')),
  end_at INTEGER,
  ready_at INTEGER,
  ended_at INTEGER,
  end_reason TEXT CHECK (end_reason IN ('expired', 'returned', 'revoked', 'review', 'mover', 'leaver', 'superseded', 'exception_ended')),
  ended_by BLOB REFERENCES persons (id) CHECK (length(ended_by) = 16),
  end_note TEXT,
  gone_at INTEGER,
  version INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  CHECK ((end_kind = 'at') = (end_at IS NOT NULL)),
  CHECK (end_at IS NULL OR end_at >= valid_from),
  CHECK ((state = 'ended') = (ended_at IS NOT NULL)),
  CHECK ((state = 'ended') = (end_reason IS NOT NULL)),
  CHECK (gone_at IS NULL OR state = 'ended'),
  CHECK (source <> 'request' OR line_id IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX grants_line ON grants (line_id) WHERE line_id IS NOT NULL;
CREATE INDEX grants_person ON grants (person_id, state, valid_from, id);
CREATE INDEX grants_package ON grants (package_id, state, valid_from, id);
CREATE INDEX grants_ending ON grants (end_at, id) WHERE state IN ('scheduled', 'active', 'suspended') AND end_at IS NOT NULL;
CREATE INDEX grants_ending_person ON grants (person_id, end_at, id) WHERE state IN ('scheduled', 'active', 'suspended') AND end_at IS NOT NULL;
CREATE INDEX grants_held ON grants (person_id, package_id) WHERE state = 'active';
CREATE INDEX grants_holders ON grants (package_id, valid_from, id) WHERE state <> 'ended';
CREATE INDEX grants_account ON grants (account_id, package_id) WHERE state <> 'ended';
CREATE INDEX grants_ready ON grants (package_id, ready_at) WHERE ready_at IS NOT NULL AND line_id IS NOT NULL;
CREATE INDEX grants_began ON grants (valid_from, id);
CREATE INDEX grants_over ON grants (ended_at, id) WHERE ended_at IS NOT NULL;
CREATE INDEX grants_over_person ON grants (person_id, ended_at, id) WHERE ended_at IS NOT NULL;

-- What a grant contains, frozen as approved. Import grants have one row and no package.
-- `removed_at` says that a new catalogue version took the right out of the held package.
CREATE TABLE grant_entitlements (
  grant_id BLOB NOT NULL REFERENCES grants (id) CHECK (length(grant_id) = 16),
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  removed_at INTEGER,
  PRIMARY KEY (grant_id, entitlement_id)
) STRICT;
CREATE INDEX grant_entitlements_pair ON grant_entitlements (account_id, entitlement_id);
CREATE INDEX grant_entitlements_entitlement ON grant_entitlements (entitlement_id, grant_id);

-- One (account, entitlement) pair: what should be, what is. The unit of work of the provisioner.
CREATE TABLE assignments (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  entitlement_id BLOB NOT NULL REFERENCES entitlements (id) CHECK (length(entitlement_id) = 16),
  target_id BLOB NOT NULL REFERENCES targets (id) CHECK (length(target_id) = 16),
  lane TEXT NOT NULL,
  desired INTEGER NOT NULL CHECK (desired IN (0, 1)),
  only_imports INTEGER NOT NULL DEFAULT 0 CHECK (only_imports IN (0, 1)),
  desired_since INTEGER NOT NULL,
  observed TEXT NOT NULL CHECK (observed IN ('unknown', 'present', 'absent')),
  observed_at INTEGER,
  origin TEXT CHECK (origin IN ('ours', 'found')),
  phase TEXT NOT NULL CHECK (phase IN ('settled', 'due', 'settling', 'attention')),
  settle_reads INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER,
  problem TEXT,
  added_at INTEGER,
  removed_at INTEGER,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  UNIQUE (account_id, entitlement_id)
) STRICT;
CREATE INDEX assignments_unsettled ON assignments (target_id, phase, id) WHERE phase <> 'settled';
CREATE INDEX assignments_oldest ON assignments (target_id, desired_since, id) WHERE phase <> 'settled';
CREATE INDEX assignments_attention ON assignments (desired_since, id) WHERE phase = 'attention';
CREATE INDEX assignments_entitlement ON assignments (entitlement_id, account_id);

-- Evidence: every call that was made at a target for an assignment.
CREATE TABLE operations (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  assignment_id BLOB NOT NULL REFERENCES assignments (id) CHECK (length(assignment_id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('read', 'add', 'remove')),
  outcome TEXT NOT NULL CHECK (outcome IN ('present', 'absent', 'done', 'already', 'later', 'never', 'misconfigured')),
  status INTEGER,
  request_id TEXT,
  client_request_id TEXT,
  detail TEXT NOT NULL DEFAULT '',
  at INTEGER NOT NULL,
  took_us INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX operations_assignment ON operations (assignment_id, at, id);

-- Outbox, timer and schedule in one. A key has one row; a timer is a job that is due later.
CREATE TABLE jobs (
  key TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  subject BLOB CHECK (length(subject) = 16),
  lane TEXT,
  priority INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  wanted INTEGER NOT NULL DEFAULT 1,
  attempt INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  leased_until INTEGER,
  leased_by BLOB CHECK (length(leased_by) = 16),
  problem TEXT
) STRICT;
CREATE INDEX jobs_due ON jobs (priority, due_at, key);
CREATE INDEX jobs_lane ON jobs (lane, leased_until) WHERE lane IS NOT NULL AND leased_until IS NOT NULL;
CREATE INDEX jobs_subject ON jobs (subject);
CREATE INDEX jobs_trouble ON jobs (failures, key) WHERE failures > 0;

-- Mails, each once: the key names the event and the person.
CREATE TABLE messages (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
  problem TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT;
CREATE INDEX messages_person ON messages (person_id, created_at, id);
CREATE INDEX messages_trouble ON messages (created_at, id) WHERE problem IS NOT NULL;

-- Where reading the directory stands.
CREATE TABLE directory_state (
  tenant_id BLOB NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
  delta_link TEXT,
  full_at INTEGER,
  delta_at INTEGER,
  people INTEGER NOT NULL DEFAULT 0,
  problem TEXT,
  problem_at INTEGER
) STRICT;

-- Mass changes that wait for a human. `version` counts changes of whom it is about: one confirms what one saw.
CREATE TABLE holds (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('mass_leave')),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'confirmed', 'dismissed')),
  placed_at INTEGER NOT NULL,
  counted INTEGER NOT NULL,
  allowed INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  decided_by BLOB REFERENCES persons (id) CHECK (length(decided_by) = 16),
  decided_at INTEGER
) STRICT;
CREATE UNIQUE INDEX holds_one_waiting ON holds (kind) WHERE state = 'waiting';
-- Whom a hold is about. Who is seen working again meanwhile is taken out; an instant says that the change was applied.
CREATE TABLE hold_people (
  hold_id BLOB NOT NULL REFERENCES holds (id) CHECK (length(hold_id) = 16),
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  cause TEXT NOT NULL CHECK (cause IN ('disabled', 'deleted', 'last_day')),
  last_day_at INTEGER,
  applied_at INTEGER,
  PRIMARY KEY (hold_id, person_id)
) STRICT;
CREATE INDEX hold_people_person ON hold_people (person_id);

-- The audit log: canonical text, chained by SHA-256. Triggers refuse everything but the next entry.
CREATE TABLE audit_head (
  one INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (one = 1),
  seq INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE TABLE audit_events (
  seq INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  actor_id BLOB CHECK (length(actor_id) = 16),
  entry TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
CREATE INDEX audit_events_kind ON audit_events (kind, seq);
CREATE INDEX audit_events_actor ON audit_events (actor_id, seq);
CREATE INDEX audit_events_at ON audit_events (at, seq);
CREATE TABLE audit_subjects (
  subject TEXT NOT NULL,
  seq INTEGER NOT NULL REFERENCES audit_events (seq),
  PRIMARY KEY (subject, seq)
) STRICT;

INSERT INTO audit_head (seq, hash) VALUES (0, zeroblob(32));
INSERT INTO counters (name, value) VALUES ('request', 1000), ('catalogue', 0);

-- Rules that hold whatever the code does.
-- `_whole` refuses to replace a row: REPLACE deletes what is in its way without running any delete trigger. PostgreSQL has
-- the same names for TRUNCATE. The order of triggers says nothing; each holds by itself.
-- Votes.
CREATE TRIGGER decisions_four_eyes BEFORE INSERT ON decisions
  WHEN EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND (lines.asker_id = NEW.decider_id OR lines.beneficiary_id = NEW.decider_id))
BEGIN
  SELECT RAISE(ABORT, 'nobody decides on their own access');
END;
CREATE TRIGGER decisions_open_stage BEFORE INSERT ON decisions
  WHEN NOT EXISTS (SELECT 1 FROM stages JOIN lines ON lines.id = stages.line_id WHERE stages.id = NEW.stage_id AND stages.line_id = NEW.line_id AND stages.state = 'open' AND lines.state = 'awaiting_approval')
BEGIN
  SELECT RAISE(ABORT, 'only an open stage of a waiting line is decided');
END;
CREATE TRIGGER decisions_slot BEFORE INSERT ON decisions
  WHEN NEW.slot > (SELECT stages.needed FROM stages WHERE stages.id = NEW.stage_id)
BEGIN
  SELECT RAISE(ABORT, 'a stage has as many slots as it needs yeses');
END;
CREATE TRIGGER decisions_fixed BEFORE UPDATE ON decisions
BEGIN
  SELECT RAISE(ABORT, 'a decision is never changed');
END;
CREATE TRIGGER decisions_kept BEFORE DELETE ON decisions
BEGIN
  SELECT RAISE(ABORT, 'a decision is never deleted');
END;
CREATE TRIGGER decisions_whole BEFORE INSERT ON decisions
  WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id OR (stage_id = NEW.stage_id AND (decider_id = NEW.decider_id OR slot = NEW.slot)))
BEGIN
  SELECT RAISE(ABORT, 'a decision is never deleted');
END;
-- Lines: what is asked stays as it is; the end follows from the stages, and is final.
CREATE TRIGGER lines_begin BEFORE INSERT ON lines
  WHEN NEW.state <> 'awaiting_approval'
BEGIN
  SELECT RAISE(ABORT, 'a line begins by waiting');
END;
CREATE TRIGGER lines_legal BEFORE UPDATE ON lines
  WHEN OLD.state <> 'awaiting_approval' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.ended_by IS DISTINCT FROM OLD.ended_by)
BEGIN
  SELECT RAISE(ABORT, 'a line that has ended stays ended');
END;
CREATE TRIGGER lines_decided BEFORE UPDATE ON lines
  WHEN (NEW.state = 'approved' AND OLD.state <> 'approved' AND EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state NOT IN ('met', 'met_by_asking', 'collapsed'))) OR (NEW.state = 'denied' AND OLD.state <> 'denied' AND NOT EXISTS (SELECT 1 FROM stages WHERE stages.line_id = NEW.id AND stages.state = 'denied'))
BEGIN
  SELECT RAISE(ABORT, 'the stages of a line decide it');
END;
CREATE TRIGGER lines_frozen BEFORE UPDATE ON lines
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.request_id IS DISTINCT FROM OLD.request_id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.package_version_id IS DISTINCT FROM OLD.package_version_id OR NEW.asker_id IS DISTINCT FROM OLD.asker_id OR NEW.beneficiary_id IS DISTINCT FROM OLD.beneficiary_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.extends_grant_id IS DISTINCT FROM OLD.extends_grant_id OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.answers IS DISTINCT FROM OLD.answers OR NEW.start_at IS DISTINCT FROM OLD.start_at OR NEW.length_kind IS DISTINCT FROM OLD.length_kind OR NEW.length_seconds IS DISTINCT FROM OLD.length_seconds OR NEW.until_at IS DISTINCT FROM OLD.until_at OR NEW.frozen_hash IS DISTINCT FROM OLD.frozen_hash OR NEW.screening IS DISTINCT FROM OLD.screening OR NEW.submitted_at IS DISTINCT FROM OLD.submitted_at OR NEW.lapse_at IS DISTINCT FROM OLD.lapse_at
BEGIN
  SELECT RAISE(ABORT, 'what was asked is frozen');
END;
CREATE TRIGGER lines_kept BEFORE DELETE ON lines
BEGIN
  SELECT RAISE(ABORT, 'a line is never deleted');
END;
CREATE TRIGGER lines_whole BEFORE INSERT ON lines
  WHEN EXISTS (SELECT 1 FROM lines WHERE id = NEW.id OR (state = 'awaiting_approval' AND beneficiary_id = NEW.beneficiary_id AND package_id = NEW.package_id AND account_id = NEW.account_id))
BEGIN
  SELECT RAISE(ABORT, 'a line is never deleted');
END;
-- Stages: met by votes, denied by a vote, and only then.
CREATE TRIGGER stages_begin BEFORE INSERT ON stages
  WHEN NEW.state NOT IN ('waiting', 'open', 'met_by_asking') OR NOT EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.state = 'awaiting_approval' AND (NEW.state <> 'met_by_asking' OR lines.asker_id <> lines.beneficiary_id))
BEGIN
  SELECT RAISE(ABORT, 'a stage begins undecided, on a waiting line');
END;
CREATE TRIGGER stages_legal BEFORE UPDATE ON stages
  WHEN (OLD.state NOT IN ('waiting', 'open') AND (NEW.state <> OLD.state OR NEW.needed <> OLD.needed)) OR (OLD.state = 'waiting' AND NEW.state IN ('met', 'denied')) OR (OLD.state = 'open' AND NEW.state IN ('waiting', 'met_by_asking', 'collapsed'))
BEGIN
  SELECT RAISE(ABORT, 'a stage moves forward only, and one that is decided stays decided');
END;
CREATE TRIGGER stages_decided BEFORE UPDATE ON stages
  WHEN NEW.state <> OLD.state AND ((NEW.state = 'met' AND (SELECT COUNT(*) FROM decisions WHERE decisions.stage_id = NEW.id AND decisions.verdict = 'approve') < NEW.needed) OR (NEW.state = 'denied' AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.stage_id = NEW.id AND decisions.verdict = 'deny')) OR (NEW.state = 'collapsed' AND NOT EXISTS (SELECT 1 FROM decisions WHERE decisions.line_id = NEW.line_id AND decisions.verdict = 'approve')) OR (NEW.state = 'met_by_asking' AND EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.asker_id = lines.beneficiary_id)))
BEGIN
  SELECT RAISE(ABORT, 'votes decide a stage');
END;
CREATE TRIGGER stages_rule_fixed BEFORE UPDATE ON stages
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.position IS DISTINCT FROM OLD.position OR NEW.rule IS DISTINCT FROM OLD.rule OR NEW.approvers IS DISTINCT FROM OLD.approvers
BEGIN
  SELECT RAISE(ABORT, 'the rules of a submitted route are fixed');
END;
CREATE TRIGGER stages_kept BEFORE DELETE ON stages
BEGIN
  SELECT RAISE(ABORT, 'a stage is never deleted');
END;
CREATE TRIGGER stages_whole BEFORE INSERT ON stages
  WHEN EXISTS (SELECT 1 FROM stages WHERE id = NEW.id OR (line_id = NEW.line_id AND position = NEW.position))
BEGIN
  SELECT RAISE(ABORT, 'a stage is never deleted');
END;
-- Grants: what was approved, for whom it was approved; an end is final.
CREATE TRIGGER grants_approved BEFORE INSERT ON grants
  WHEN (NEW.source = 'request' OR NEW.line_id IS NOT NULL) AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.id = NEW.line_id AND lines.state = 'approved' AND lines.beneficiary_id = NEW.person_id AND lines.account_id = NEW.account_id AND lines.package_version_id = NEW.package_version_id)
BEGIN
  SELECT RAISE(ABORT, 'a grant from a request needs its approved line');
END;
CREATE TRIGGER grants_legal BEFORE UPDATE ON grants
  WHEN (OLD.state = 'ended' AND (NEW.state IS DISTINCT FROM OLD.state OR NEW.end_kind IS DISTINCT FROM OLD.end_kind OR NEW.end_at IS DISTINCT FROM OLD.end_at OR NEW.ended_at IS DISTINCT FROM OLD.ended_at OR NEW.end_reason IS DISTINCT FROM OLD.end_reason OR NEW.ended_by IS DISTINCT FROM OLD.ended_by OR NEW.end_note IS DISTINCT FROM OLD.end_note)) OR (OLD.state = 'scheduled' AND NEW.state = 'suspended') OR (OLD.state IN ('active', 'suspended') AND NEW.state = 'scheduled')
BEGIN
  SELECT RAISE(ABORT, 'a grant moves forward only, and an end is final');
END;
CREATE TRIGGER grants_fixed BEFORE UPDATE ON grants
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.person_id IS DISTINCT FROM OLD.person_id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.package_id IS DISTINCT FROM OLD.package_id OR NEW.package_version_id IS DISTINCT FROM OLD.package_version_id OR NEW.line_id IS DISTINCT FROM OLD.line_id OR NEW.source IS DISTINCT FROM OLD.source OR NEW.valid_from IS DISTINCT FROM OLD.valid_from OR NEW.created_at IS DISTINCT FROM OLD.created_at
BEGIN
  SELECT RAISE(ABORT, 'whose grant it is and where it comes from is fixed');
END;
CREATE TRIGGER grants_kept BEFORE DELETE ON grants
BEGIN
  SELECT RAISE(ABORT, 'a grant is never deleted');
END;
CREATE TRIGGER grants_whole BEFORE INSERT ON grants
  WHEN EXISTS (SELECT 1 FROM grants WHERE id = NEW.id OR line_id = NEW.line_id)
BEGIN
  SELECT RAISE(ABORT, 'a grant is never deleted');
END;
CREATE TRIGGER grant_entitlements_fixed BEFORE UPDATE ON grant_entitlements
  WHEN OLD.removed_at IS NOT NULL OR NEW.grant_id IS DISTINCT FROM OLD.grant_id OR NEW.entitlement_id IS DISTINCT FROM OLD.entitlement_id OR NEW.account_id IS DISTINCT FROM OLD.account_id
BEGIN
  SELECT RAISE(ABORT, 'what a grant contains is only ever taken out, once');
END;
CREATE TRIGGER grant_entitlements_kept BEFORE DELETE ON grant_entitlements
BEGIN
  SELECT RAISE(ABORT, 'what a grant contained is never deleted');
END;
CREATE TRIGGER grant_entitlements_whole BEFORE INSERT ON grant_entitlements
  WHEN EXISTS (SELECT 1 FROM grant_entitlements WHERE grant_id = NEW.grant_id AND entitlement_id = NEW.entitlement_id)
BEGIN
  SELECT RAISE(ABORT, 'what a grant contained is never deleted');
END;
CREATE TRIGGER operations_fixed BEFORE UPDATE ON operations
BEGIN
  SELECT RAISE(ABORT, 'evidence is never changed');
END;
CREATE TRIGGER operations_kept BEFORE DELETE ON operations
BEGIN
  SELECT RAISE(ABORT, 'evidence is never deleted');
END;
CREATE TRIGGER operations_whole BEFORE INSERT ON operations
  WHEN EXISTS (SELECT 1 FROM operations WHERE id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'evidence is never deleted');
END;
-- The catalogue: what widens needs a second person; what was published is kept.
CREATE TRIGGER catalogue_versions_begin BEFORE INSERT ON catalogue_versions
  WHEN NEW.state NOT IN ('pending', 'published') OR (NEW.state = 'published' AND NEW.widens = TRUE AND EXISTS (SELECT 1 FROM catalogue_versions))
BEGIN
  SELECT RAISE(ABORT, 'a version that widens begins by waiting');
END;
CREATE TRIGGER catalogue_versions_legal BEFORE UPDATE ON catalogue_versions
  WHEN (OLD.state IN ('superseded', 'refused') AND NEW.state <> OLD.state) OR (OLD.state = 'published' AND NEW.state NOT IN ('published', 'superseded')) OR (NEW.state = OLD.state AND (NEW.decided_by IS DISTINCT FROM OLD.decided_by OR NEW.decided_at IS DISTINCT FROM OLD.decided_at))
BEGIN
  SELECT RAISE(ABORT, 'a catalogue version moves forward only');
END;
CREATE TRIGGER catalogue_versions_second BEFORE UPDATE ON catalogue_versions
  WHEN NEW.state = 'published' AND OLD.state <> 'published' AND ((NEW.widens = TRUE AND NEW.decided_by IS NULL) OR EXISTS (SELECT 1 FROM catalogue_versions WHERE catalogue_versions.state = 'published'))
BEGIN
  SELECT RAISE(ABORT, 'a version that widens is published by a second person, in place of the one before');
END;
CREATE TRIGGER catalogue_versions_fixed BEFORE UPDATE ON catalogue_versions
  WHEN NEW.id IS DISTINCT FROM OLD.id OR NEW.number IS DISTINCT FROM OLD.number OR NEW.drafted_by IS DISTINCT FROM OLD.drafted_by OR NEW.file_hash IS DISTINCT FROM OLD.file_hash OR NEW.content IS DISTINCT FROM OLD.content OR NEW.difference IS DISTINCT FROM OLD.difference OR NEW.widens IS DISTINCT FROM OLD.widens OR NEW.created_at IS DISTINCT FROM OLD.created_at
BEGIN
  SELECT RAISE(ABORT, 'a catalogue version is never rewritten');
END;
CREATE TRIGGER catalogue_versions_kept BEFORE DELETE ON catalogue_versions
BEGIN
  SELECT RAISE(ABORT, 'a catalogue version is never deleted');
END;
CREATE TRIGGER catalogue_versions_whole BEFORE INSERT ON catalogue_versions
  WHEN EXISTS (SELECT 1 FROM catalogue_versions WHERE id = NEW.id OR number = NEW.number OR (NEW.state = 'published' AND state = 'published'))
BEGIN
  SELECT RAISE(ABORT, 'a catalogue version is never deleted');
END;
CREATE TRIGGER package_versions_fixed BEFORE UPDATE ON package_versions
BEGIN
  SELECT RAISE(ABORT, 'a package version is never changed');
END;
CREATE TRIGGER package_versions_kept BEFORE DELETE ON package_versions
BEGIN
  SELECT RAISE(ABORT, 'a package version is never deleted');
END;
CREATE TRIGGER package_versions_whole BEFORE INSERT ON package_versions
  WHEN EXISTS (SELECT 1 FROM package_versions WHERE id = NEW.id OR (package_id = NEW.package_id AND number = NEW.number))
BEGIN
  SELECT RAISE(ABORT, 'a package version is never deleted');
END;
CREATE TRIGGER package_version_entitlements_fixed BEFORE UPDATE ON package_version_entitlements
BEGIN
  SELECT RAISE(ABORT, 'what a package version contains is never changed');
END;
CREATE TRIGGER package_version_entitlements_kept BEFORE DELETE ON package_version_entitlements
BEGIN
  SELECT RAISE(ABORT, 'what a package version contains is never deleted');
END;
-- The audit log: append-only, without gaps, and its head only goes forward.
CREATE TRIGGER audit_events_next BEFORE INSERT ON audit_events
  WHEN NEW.seq <> COALESCE((SELECT MAX(seq) FROM audit_events), 0) + 1
BEGIN
  SELECT RAISE(ABORT, 'the audit log has no gaps');
END;
CREATE TRIGGER audit_events_fixed BEFORE UPDATE ON audit_events
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_subjects_fixed BEFORE UPDATE ON audit_subjects
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_subjects_kept BEFORE DELETE ON audit_subjects
BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON audit_head
  WHEN NEW.seq <= OLD.seq OR NOT EXISTS (SELECT 1 FROM audit_events WHERE audit_events.seq = NEW.seq AND audit_events.hash = NEW.hash)
BEGIN
  SELECT RAISE(ABORT, 'the head of the audit log only moves forward, to an entry');
END;
CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head
BEGIN
  SELECT RAISE(ABORT, 'the head of the audit log is never deleted');
END;
CREATE TRIGGER audit_head_whole BEFORE INSERT ON audit_head
  WHEN EXISTS (SELECT 1 FROM audit_head WHERE one = NEW.one)
BEGIN
  SELECT RAISE(ABORT, 'the head of the audit log is never deleted');
END;
