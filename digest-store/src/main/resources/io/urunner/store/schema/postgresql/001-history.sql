CREATE TABLE cluster (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    -- Left by whoever wrote sightings last: see KnownTags.
    mark BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE media_type (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);

CREATE TABLE reference (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id BIGINT NOT NULL REFERENCES cluster,
    text       TEXT NOT NULL,
    UNIQUE (cluster_id, text)
);

CREATE TABLE workload (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cluster_id BIGINT NOT NULL REFERENCES cluster,
    text       TEXT NOT NULL,
    UNIQUE (cluster_id, text)
);

-- What a reference has now; every pass writes last_seen of every row: with room in its pages, so that the new row fits
-- beside the old one and no index is touched. Digests are texts here and everywhere: nearly every one is of one stay
-- alone, and an index over all of them would cost more than they do. Neither table has foreign keys, which would be
-- looked up for each row of a pass: the numbers that go in were read in the same transaction.
CREATE TABLE tag_now (
    reference_id  BIGINT PRIMARY KEY,
    digest        TEXT NOT NULL,
    media_type_id BIGINT,
    first_seen    BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL
) WITH (fillfactor = 45);

-- What it had before: written once, when the tag moves, at the end of the table.
CREATE TABLE tag_past (
    reference_id  BIGINT NOT NULL,
    digest        TEXT NOT NULL,
    media_type_id BIGINT,
    first_seen    BIGINT NOT NULL,
    last_seen     BIGINT NOT NULL
);
CREATE INDEX tag_past_reference ON tag_past (reference_id);

CREATE VIEW tag_stay AS
    SELECT reference_id, digest, media_type_id, first_seen, last_seen FROM tag_now
    UNION ALL
    SELECT reference_id, digest, media_type_id, first_seen, last_seen FROM tag_past;

CREATE TABLE image_label (
    reference_id BIGINT NOT NULL REFERENCES reference ON DELETE CASCADE,
    digest       TEXT NOT NULL,
    revision     TEXT,
    version      TEXT,
    created      BIGINT,
    PRIMARY KEY (reference_id, digest)
);

CREATE TABLE remembered (
    workload_id  BIGINT NOT NULL REFERENCES workload,
    container    TEXT NOT NULL,
    reference_id BIGINT NOT NULL REFERENCES reference,
    digest       TEXT NOT NULL,
    PRIMARY KEY (workload_id, container, reference_id)
);
CREATE INDEX remembered_reference ON remembered (reference_id);
CREATE INDEX remembered_digest ON remembered (digest);

CREATE TABLE rollout (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workload_id BIGINT NOT NULL REFERENCES workload,
    name        TEXT NOT NULL,
    why         TEXT NOT NULL,
    requested   BIGINT NOT NULL,
    finished    BIGINT,
    outcome     TEXT,
    message     TEXT,
    UNIQUE (workload_id, name)
);
CREATE INDEX rollout_workload ON rollout (workload_id, requested);
CREATE INDEX rollout_unfinished ON rollout (requested) WHERE finished IS NULL;

CREATE TABLE rollout_change (
    rollout_id   BIGINT NOT NULL REFERENCES rollout ON DELETE CASCADE,
    place        BIGINT NOT NULL,
    container    TEXT NOT NULL,
    reference_id BIGINT NOT NULL REFERENCES reference,
    from_digest  TEXT,
    to_digest    TEXT NOT NULL,
    PRIMARY KEY (rollout_id, place)
);
CREATE INDEX rollout_change_reference ON rollout_change (reference_id, to_digest);
