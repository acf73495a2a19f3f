-- Stages that the members of a group of the directory decide, and who is in those groups.

-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''role'', ''security''', '''role'', ''group'', ''security''') WHERE type = 'table' AND name IN ('stages', 'seats');
PRAGMA writable_schema = RESET;

-- Which stages wait for the members of a group: those groups are read.
CREATE INDEX stages_group ON stages (state, line_id) WHERE approvers = 'group';

-- The groups that were read, by object id. Without `read_at` none of it was ever read to its end.
CREATE TABLE approver_groups (
  group_id BLOB NOT NULL PRIMARY KEY CHECK (length(group_id) = 16),
  read_at INTEGER,
  unread_since INTEGER
) STRICT;

-- Their direct members, as far as their accounts are known.
CREATE TABLE approver_group_members (
  group_id BLOB NOT NULL REFERENCES approver_groups (group_id) CHECK (length(group_id) = 16),
  account_id BLOB NOT NULL REFERENCES accounts (id) CHECK (length(account_id) = 16),
  PRIMARY KEY (group_id, account_id)
) STRICT;
