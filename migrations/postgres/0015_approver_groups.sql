-- Stages that the members of a group of the directory decide, and who is in those groups.

ALTER TABLE stages DROP CONSTRAINT stages_approvers_check, ADD CONSTRAINT stages_approvers_check
  CHECK (approvers IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'entitlement_owner', 'role', 'group', 'security', 'named'));
ALTER TABLE seats DROP CONSTRAINT seats_via_check, ADD CONSTRAINT seats_via_check
  CHECK (via IN ('manager', 'managers_manager', 'sponsor', 'package_owner', 'entitlement_owner', 'role', 'group', 'security', 'named'));

-- Which stages wait for the members of a group: those groups are read.
CREATE INDEX stages_group ON stages (state, line_id) WHERE approvers = 'group';

-- The groups that were read, by object id. Without `read_at` none of it was ever read to its end.
CREATE TABLE approver_groups (
  group_id UUID NOT NULL PRIMARY KEY,
  read_at TIMESTAMPTZ,
  unread_since TIMESTAMPTZ
);

-- Their direct members, as far as their accounts are known.
CREATE TABLE approver_group_members (
  group_id UUID NOT NULL REFERENCES approver_groups (group_id),
  account_id UUID NOT NULL REFERENCES accounts (id),
  PRIMARY KEY (group_id, account_id)
);
