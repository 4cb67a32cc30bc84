/** The store's schema as steps; the database remembers in `user_version` how many it has taken. docs/data-model.md explains it. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    record_reads INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE secrets (
    org TEXT NOT NULL,
    key TEXT NOT NULL,               -- coordinates: name#scope#environment#owner
    revision INTEGER NOT NULL,
    record BLOB NOT NULL,            -- what describes it, authenticated by mac
    mac BLOB NOT NULL,
    sealed BLOB NOT NULL,            -- the current version's envelope
    next_rotation_at TEXT,
    deleted_at TEXT,
    purge_at TEXT,
    UNIQUE (org, key)
  ) STRICT;

  -- When a secret was last resolved. Apart from its row, which is large and would be written again each time.
  CREATE TABLE accesses (
    org TEXT NOT NULL,
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (org, key)
  ) STRICT, WITHOUT ROWID;

  CREATE INDEX secrets_by_purge ON secrets (purge_at) WHERE purge_at IS NOT NULL;

  CREATE TABLE versions (
    org TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    record BLOB NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (org, key, version)
  ) STRICT;

  CREATE TABLE data_keys (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    environment TEXT,
    wrapped BLOB NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (org, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    created_at TEXT NOT NULL,
    record TEXT NOT NULL,            -- signed by the KeyService
    last_used_at TEXT,
    revoked_at TEXT
  ) STRICT;
  CREATE INDEX api_keys_by_org ON api_keys (org, created_at, id);

  CREATE TABLE runs (
    org TEXT NOT NULL,
    run_id TEXT NOT NULL,
    record TEXT NOT NULL,
    ended_at TEXT,
    PRIMARY KEY (org, run_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE replays (
    caller TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    answer TEXT,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (caller, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX replays_by_expiry ON replays (expires_at);

  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL
  ) STRICT;

  CREATE TABLE audit_records (
    org TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (org, sequence),
    UNIQUE (org, event_id)
  ) STRICT;

  -- One row per facet and batch, not per record: see shared/audit/facets.ts.
  CREATE TABLE audit_blocks (
    org TEXT NOT NULL,
    facet TEXT NOT NULL,
    value TEXT NOT NULL,
    last_timestamp TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    sequences TEXT NOT NULL,         -- JSON
    PRIMARY KEY (org, facet, value, last_timestamp, first_sequence)
  ) STRICT, WITHOUT ROWID;
  `,
  // The second wrap of each data key; of those made before there was one, null.
  'ALTER TABLE data_keys ADD COLUMN recovery BLOB',
  `
  ALTER TABLE organizations ADD COLUMN rotation_policies TEXT NOT NULL DEFAULT '[]'; -- JSON
  CREATE INDEX secrets_by_due ON secrets (org, next_rotation_at, key) WHERE next_rotation_at IS NOT NULL;
  `,
  `
  -- What a digest has claimed: a version of a secret in a stage, see announcementId.
  CREATE TABLE announcements (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (org, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX announcements_by_time ON announcements (at);

  CREATE TABLE digests (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    retry_at TEXT,
    digest TEXT NOT NULL             -- JSON
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX digests_by_retry ON digests (retry_at) WHERE retry_at IS NOT NULL;
  CREATE INDEX digests_by_time ON digests (created_at) WHERE retry_at IS NULL;

  CREATE TABLE recipients (
    org TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    token_hash TEXT,
    recipient TEXT NOT NULL,         -- JSON
    PRIMARY KEY (org, id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX recipients_by_token ON recipients (token_hash) WHERE token_hash IS NOT NULL;

  CREATE TABLE reminder_progress (
    org TEXT PRIMARY KEY,
    policies TEXT,
    audit TEXT
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE organizations ADD COLUMN audit_retention_days INTEGER;
  ALTER TABLE organizations ADD COLUMN settings_signature TEXT;   -- by the KeyService
  `,
  `
  -- When something is to be done about a secret: an overlap ends, old versions go, a rotator has its next step.
  CREATE TABLE tending (
    org TEXT NOT NULL,
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (org, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tending_by_time ON tending (at);
  `,
];
