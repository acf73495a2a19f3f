-- How people are told: at once or once a day, as mail; and what a channel of a chat is told.

-- `gathered` waits for the day's digest and then stands in it; `unwanted` is what the person does not want to be told, kept
-- so that its key still counts.
-- SQLite changes a check by this procedure of its documentation (ALTER TABLE, section 7).
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (state IN (''queued'', ''sent'', ''failed''))',
  'CHECK (state IN (''queued'', ''sent'', ''failed'', ''gathered'', ''unwanted''))') WHERE type = 'table' AND name = 'messages';
PRAGMA writable_schema = RESET;
-- The page that the mail leads to, from `/`; the body of a mail without one says it itself.
ALTER TABLE messages ADD COLUMN path TEXT;
-- The digest that it stands in.
ALTER TABLE messages ADD COLUMN digest_id BLOB REFERENCES messages (id) CHECK (length(digest_id) = 16);
CREATE INDEX messages_gathered ON messages (person_id, created_at, id) WHERE state = 'gathered' AND digest_id IS NULL;

-- What somebody said about how they want to be told; no row is at once.
CREATE TABLE notification_settings (
  person_id BLOB NOT NULL REFERENCES persons (id) CHECK (length(person_id) = 16),
  topic TEXT NOT NULL CHECK (topic IN ('decisions', 'requests', 'access')),
  delivery TEXT NOT NULL CHECK (delivery IN ('at_once', 'daily', 'never')),
  PRIMARY KEY (person_id, topic),
  CHECK (topic <> 'decisions' OR delivery <> 'never')
) STRICT;

-- What a channel of a chat is told, each once: the key names the event and the kind of chat.
CREATE TABLE posts (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  key TEXT NOT NULL UNIQUE,
  chat TEXT NOT NULL CHECK (chat IN ('teams', 'slack')),
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  path TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'failed')),
  problem TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER
) STRICT;
CREATE INDEX posts_trouble ON posts (created_at, id) WHERE problem IS NOT NULL;
