-- The database of the Digital Now companion, whole. Read from top to bottom it explains the product.
--
-- One server holds many events (conferences). Every row belongs to one event and `event_id` leads every key: nothing of
-- one event is reachable through another, and the data can be spread over databases by event.
--
-- Conventions
--   * Identifiers are UUIDv7, made by the server, so that they sort by the time they were made.
--   * A text in several languages is a JSON object {"fr": "…", "ar": "…", "en": "…"}; keys are BCP 47 tags.
--   * Times are timestamptz, stored in UTC; an event has the zone in which people read them.
--   * Secrets are stored as SHA-256 of a 256-bit random token: whoever reads this database can act as nobody.
--     A code that people type is shorter and so is stored at a price (scrypt), and is worth something for minutes only.
--   * Constraints are named by what they mean; the code turns a violation into an answer by that name.
--
-- Needs PostgreSQL 15 to 18 and no extension. Applying it again changes nothing; a database that belongs to something
-- else, or to a newer release, is refused before the first line is carried out.

BEGIN;
-- Two servers that start at once wait for each other here: CREATE TABLE IF NOT EXISTS alone is not safe against itself.
SELECT pg_advisory_xact_lock(4407163512);

DO $guard$
DECLARE
    found integer;
BEGIN
    IF to_regclass('digitalnow_installation') IS NOT NULL THEN
        SELECT schema_version INTO found FROM digitalnow_installation;
        IF found > 1 THEN
            RAISE EXCEPTION 'the database has schema version %, newer than this release''s 1', found
                USING ERRCODE = 'DN001';
        END IF;
    ELSIF EXISTS (SELECT FROM pg_class AS thing
                  WHERE thing.relnamespace = current_schema()::regnamespace AND thing.relkind IN ('r', 'p', 'v', 'm')) THEN
        RAISE EXCEPTION 'the database already holds tables of something else' USING ERRCODE = 'DN002';
    END IF;
END
$guard$;

SET LOCAL client_min_messages = warning;  -- silences "already exists, skipping" when applied again

-- What this database is. One row.
CREATE TABLE IF NOT EXISTS digitalnow_installation (
    only_one       boolean     PRIMARY KEY DEFAULT true CONSTRAINT installation_is_one CHECK (only_one),
    schema_version integer     NOT NULL,
    fingerprint    text,                  -- SHA-256 of this file without comments: tells two unreleased states apart
    ticket_key     bytea       NOT NULL,  -- signs the feed's 60-second tickets, so that a gateway needs no query to trust one
    created_at     timestamptz NOT NULL DEFAULT now()
);
INSERT INTO digitalnow_installation (schema_version, ticket_key)
VALUES (1, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))
ON CONFLICT DO NOTHING;


-- ─── The event ──────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE IF NOT EXISTS event (
    event_id         uuid        PRIMARY KEY,
    slug             text        NOT NULL CONSTRAINT event_slug UNIQUE
                                 CONSTRAINT event_slug_fits_a_url CHECK (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name             jsonb       NOT NULL,
    theme            jsonb       NOT NULL DEFAULT '{}',
    organiser        jsonb       NOT NULL DEFAULT '{}',
    venue            jsonb       NOT NULL DEFAULT '{}',  -- {"name": {…}, "address": {…}, "city": {…}, "latitude": …, "longitude": …}
    timezone         text        NOT NULL,               -- IANA name
    languages        text[]      NOT NULL,
    default_language text        NOT NULL CONSTRAINT event_default_language_is_offered CHECK (default_language = ANY (languages)),
    starts_on        date        NOT NULL,
    ends_on          date        NOT NULL CONSTRAINT event_ends_after_start CHECK (ends_on >= starts_on),
    created_at       timestamptz NOT NULL DEFAULT now()
);

-- Who may change an event: moves sessions, sends announcements.
CREATE TABLE IF NOT EXISTS organizer (
    event_id     uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    organizer_id uuid        NOT NULL,
    name         text        NOT NULL,
    token_hash   bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    PRIMARY KEY (event_id, organizer_id),
    CONSTRAINT organizer_token UNIQUE (event_id, token_hash)
);


-- ─── The programme ──────────────────────────────────────────────────────────────────────────────────────────────────

-- The programme's version: +1 with every change. The row is locked by whoever changes the programme, so versions and the
-- changes they stand for come in one order.
CREATE TABLE IF NOT EXISTS schedule (
    event_id   uuid        PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- `key` in these tables is the source's own name of the thing (frab's guid, say). It stays the same in the next file of
-- the same event, which is how an import knows what it already has.
CREATE TABLE IF NOT EXISTS room (
    event_id uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    room_id  uuid    NOT NULL,
    key      text    NOT NULL,
    name     jsonb   NOT NULL,
    capacity integer CONSTRAINT room_capacity_is_positive CHECK (capacity > 0),
    floor    text,
    position integer NOT NULL,  -- the order in which rooms are shown
    PRIMARY KEY (event_id, room_id),
    CONSTRAINT room_key UNIQUE (event_id, key)
);

CREATE TABLE IF NOT EXISTS track (
    event_id uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    track_id uuid    NOT NULL,
    key      text    NOT NULL,
    name     jsonb   NOT NULL,
    color    text    CONSTRAINT track_color_is_hex CHECK (color ~ '^#[0-9a-fA-F]{6}$'),
    position integer NOT NULL,
    PRIMARY KEY (event_id, track_id),
    CONSTRAINT track_key UNIQUE (event_id, key)
);

CREATE TABLE IF NOT EXISTS speaker (
    event_id     uuid  NOT NULL REFERENCES event ON DELETE CASCADE,
    speaker_id   uuid  NOT NULL,
    key          text  NOT NULL,
    name         jsonb NOT NULL,  -- one name in several scripts: {"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}
    organisation jsonb NOT NULL DEFAULT '{}',
    bio          jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (event_id, speaker_id),
    CONSTRAINT speaker_key UNIQUE (event_id, key)
);

CREATE TABLE IF NOT EXISTS session (
    event_id    uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    session_id  uuid        NOT NULL,
    key         text        NOT NULL,
    title       jsonb       NOT NULL,
    subtitle    jsonb       NOT NULL DEFAULT '{}',
    abstract    jsonb       NOT NULL DEFAULT '{}',
    description jsonb       NOT NULL DEFAULT '{}',
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    room_id     uuid,
    track_id    uuid,
    kind        text        NOT NULL DEFAULT '',  -- Keynote, Atelier, Pause…, in the source's words
    language    text,                             -- spoken on stage
    url         text,
    status      text        NOT NULL DEFAULT 'scheduled'
                            CONSTRAINT session_status_is_known CHECK (status IN ('scheduled', 'moved', 'delayed', 'cancelled')),
    PRIMARY KEY (event_id, session_id),
    CONSTRAINT session_key UNIQUE (event_id, key),
    CONSTRAINT session_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT session_room FOREIGN KEY (event_id, room_id) REFERENCES room,
    CONSTRAINT session_track FOREIGN KEY (event_id, track_id) REFERENCES track
);
CREATE INDEX IF NOT EXISTS session_by_room ON session (event_id, room_id);    -- lets a room be deleted without reading every session
CREATE INDEX IF NOT EXISTS session_by_track ON session (event_id, track_id);  -- the same for a track

CREATE TABLE IF NOT EXISTS session_speaker (
    event_id   uuid    NOT NULL,
    session_id uuid    NOT NULL,
    speaker_id uuid    NOT NULL,
    position   integer NOT NULL,  -- the order in which a session names its speakers
    PRIMARY KEY (event_id, session_id, speaker_id),
    CONSTRAINT session_speaker_session FOREIGN KEY (event_id, session_id) REFERENCES session ON DELETE CASCADE,
    CONSTRAINT session_speaker_speaker FOREIGN KEY (event_id, speaker_id) REFERENCES speaker
);
CREATE INDEX IF NOT EXISTS session_speaker_by_speaker ON session_speaker (event_id, speaker_id);


-- ─── People and their badges ────────────────────────────────────────────────────────────────────────────────────────

-- Kinds of ticket an event gives out (visitor, vip, press…). A check-in list names those it admits.
CREATE TABLE IF NOT EXISTS ticket_type (
    event_id uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    ticket   text    NOT NULL,
    name     jsonb   NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (event_id, ticket)
);

CREATE TABLE IF NOT EXISTS attendee (
    event_id    uuid NOT NULL REFERENCES event ON DELETE CASCADE,
    attendee_id uuid NOT NULL,
    name        text NOT NULL,             -- in Latin script, as printed
    name_ar     text NOT NULL DEFAULT '',  -- in Arabic script
    email       text NOT NULL,
    company     text NOT NULL DEFAULT '',
    language    text NOT NULL,             -- in which the app and the door speak to this person
    ticket      text NOT NULL,
    token_hash  bytea NOT NULL,            -- of the token the mobile app holds
    PRIMARY KEY (event_id, attendee_id),
    CONSTRAINT attendee_token UNIQUE (event_id, token_hash),
    CONSTRAINT attendee_ticket FOREIGN KEY (event_id, ticket) REFERENCES ticket_type
);

-- What is scanned. An attendee may hold several: a lost badge is revoked and another one printed.
CREATE TABLE IF NOT EXISTS badge (
    event_id    uuid        NOT NULL,
    code        text        NOT NULL,  -- in the QR: 128 random bits
    short_code  text        NOT NULL,  -- printed beneath it for humans to type: 7 characters and a check character
    attendee_id uuid        NOT NULL,
    revoked_at  timestamptz,
    PRIMARY KEY (event_id, code),
    CONSTRAINT badge_short_code UNIQUE (event_id, short_code),
    CONSTRAINT badge_attendee FOREIGN KEY (event_id, attendee_id) REFERENCES attendee ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS badge_by_attendee ON badge (event_id, attendee_id);


-- ─── The door ───────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE IF NOT EXISTS gate (
    event_id uuid  NOT NULL REFERENCES event ON DELETE CASCADE,
    gate_id  uuid  NOT NULL,
    name     text  NOT NULL,
    PRIMARY KEY (event_id, gate_id),
    CONSTRAINT gate_name UNIQUE (event_id, name)
);

-- A scanner in somebody's hand, standing at a gate. It is in one of three states:
--   waiting   an organizer has made it; the phone that brings the pairing code in time becomes it
--   paired    it holds a token. It may carry a pairing code too: whoever brings that takes its place, and until then it works
--   revoked   for ever: it holds neither. The row stays, because scans name it
CREATE TABLE IF NOT EXISTS device (
    event_id           uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    device_id          uuid        NOT NULL,
    gate_id            uuid        NOT NULL,
    name               text        NOT NULL,
    profile            text        NOT NULL CONSTRAINT device_profile_is_known
                                   CHECK (profile IN ('scan', 'scan+search', 'kiosk', 'supervisor')),  -- what it may do
    pairing_hash       bytea,        -- scrypt of a code of 35 random bits; null: there is none
    pairing_expires_at timestamptz,
    token_hash         bytea,
    paired_at          timestamptz,  -- when its token was given out: tells it from those before, which were given out earlier
    last_seen_at       timestamptz,  -- to a few seconds
    app                text CONSTRAINT device_app_is_short CHECK (length(app) <= 200),            -- its User-Agent
    platform           text CONSTRAINT device_platform_is_short CHECK (length(platform) <= 200),  -- the phone, as it says itself
    created_at         timestamptz NOT NULL DEFAULT now(),
    revoked_at         timestamptz,
    PRIMARY KEY (event_id, device_id),
    CONSTRAINT device_token UNIQUE (event_id, token_hash),
    CONSTRAINT device_pairing UNIQUE (event_id, pairing_hash),
    CONSTRAINT device_gate FOREIGN KEY (event_id, gate_id) REFERENCES gate,
    CONSTRAINT device_pairing_ends CHECK ((pairing_hash IS NULL) = (pairing_expires_at IS NULL)),
    CONSTRAINT device_token_has_a_date CHECK (token_hash IS NULL OR paired_at IS NOT NULL),
    CONSTRAINT device_holds_nothing_when_revoked CHECK ((revoked_at IS NOT NULL) = (pairing_hash IS NULL AND token_hash IS NULL))
);
-- A lost phone's successor may take its name.
CREATE UNIQUE INDEX IF NOT EXISTS device_name ON device (event_id, name) WHERE revoked_at IS NULL;

-- Something one is let into: the building, the VIP lounge. A person is admitted once per list.
CREATE TABLE IF NOT EXISTS checkin_list (
    event_id uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    list_id  uuid    NOT NULL,
    key      text    NOT NULL,  -- what scanners call it; the main door is `main`
    name     jsonb   NOT NULL,
    position integer NOT NULL,
    PRIMARY KEY (event_id, list_id),
    CONSTRAINT checkin_list_key UNIQUE (event_id, key)
);

-- Which tickets a list admits.
CREATE TABLE IF NOT EXISTS checkin_list_ticket (
    event_id uuid NOT NULL,
    list_id  uuid NOT NULL,
    ticket   text NOT NULL,
    PRIMARY KEY (event_id, list_id, ticket),
    CONSTRAINT checkin_list_ticket_list FOREIGN KEY (event_id, list_id) REFERENCES checkin_list ON DELETE CASCADE,
    CONSTRAINT checkin_list_ticket_ticket FOREIGN KEY (event_id, ticket) REFERENCES ticket_type
);

-- Every scan that was ever answered, with its answer. Rows are only added, never changed: this is the door's evidence, and
-- a scanner that asks again gets the answer that stands here.
--
-- The person's way through a list is a row of stays, numbered from 1: admitted 1, exited 1, admitted 2 … What makes two doors
-- unable to admit one badge twice is `scan_one_admission`: of all scans that claim to begin (or to end) the same stay, the
-- database takes one.
--
-- No foreign keys, on purpose: the log outlives a device that is removed and a person who asks to be forgotten, and each key
-- would cost a look-up for every scan at the busiest moment of the day. Deleting an event deletes its scans by `event_id`.
CREATE TABLE IF NOT EXISTS scan (
    event_id    uuid        NOT NULL,
    device_id   uuid        NOT NULL,
    scan_id     text        NOT NULL,  -- the scanner's own id of this scan: a retry brings the same one
    list_id     uuid        NOT NULL,
    gate_id     uuid        NOT NULL,  -- where the device stood
    attendee_id uuid,                  -- null: nobody has this code
    code        text        NOT NULL,  -- as scanned; beyond 120 characters its beginning and a digest of the whole
    direction   text        NOT NULL CONSTRAINT scan_direction_is_known CHECK (direction IN ('entry', 'exit')),
    scanned_at  timestamptz,           -- what the device's clock said, if it said anything
    received_at timestamptz NOT NULL DEFAULT now(),
    outcome     text        NOT NULL CONSTRAINT scan_outcome_is_known
                            CHECK (outcome IN ('admitted', 'already_admitted', 'refused', 'exited')),
    reason      text        CONSTRAINT scan_reason_goes_with_refusal CHECK ((reason IS NOT NULL) = (outcome = 'refused')),
    stay        integer     CONSTRAINT scan_stay_unless_refused CHECK ((stay IS NULL) = (outcome = 'refused')),
                                       -- already_admitted: the stay that stood in the way
    PRIMARY KEY (event_id, device_id, scan_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS scan_one_admission ON scan (event_id, list_id, attendee_id, stay, outcome)
    WHERE outcome IN ('admitted', 'exited');


-- ─── Exhibitors ─────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE IF NOT EXISTS exhibitor (
    event_id     uuid  NOT NULL REFERENCES event ON DELETE CASCADE,
    exhibitor_id uuid  NOT NULL,
    key          text  NOT NULL,
    name         text  NOT NULL,
    booth        text  NOT NULL,
    pavilion     jsonb NOT NULL DEFAULT '{}',  -- the group of booths it belongs to, if any
    sector       jsonb NOT NULL DEFAULT '{}',
    city         jsonb NOT NULL DEFAULT '{}',
    description  jsonb NOT NULL DEFAULT '{}',
    website      text,
    PRIMARY KEY (event_id, exhibitor_id),
    CONSTRAINT exhibitor_key UNIQUE (event_id, key),
    CONSTRAINT exhibitor_booth UNIQUE (event_id, booth)
);

-- People who work at a booth, each with a token of their own.
CREATE TABLE IF NOT EXISTS exhibitor_staff (
    event_id     uuid        NOT NULL,
    staff_id     uuid        NOT NULL,
    exhibitor_id uuid        NOT NULL,
    name         text        NOT NULL,
    token_hash   bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    PRIMARY KEY (event_id, staff_id),
    CONSTRAINT exhibitor_staff_token UNIQUE (event_id, token_hash),
    CONSTRAINT exhibitor_staff_exhibitor FOREIGN KEY (event_id, exhibitor_id) REFERENCES exhibitor ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS exhibitor_staff_by_exhibitor ON exhibitor_staff (event_id, exhibitor_id);


-- ─── Announcements ──────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE IF NOT EXISTS announcement (
    event_id        uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    announcement_id uuid        NOT NULL,
    title           jsonb       NOT NULL,
    body            jsonb       NOT NULL DEFAULT '{}',
    urgent          boolean     NOT NULL DEFAULT false,
    published_at    timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz CONSTRAINT announcement_expires_after_publication CHECK (expires_at > published_at),
    PRIMARY KEY (event_id, announcement_id)
);
CREATE INDEX IF NOT EXISTS announcement_newest ON announcement (event_id, published_at DESC, announcement_id DESC);


-- ─── The live feed ──────────────────────────────────────────────────────────────────────────────────────────────────

-- A channel is a log. `seq` counts its events from 1 without a gap, in the order in which they were committed: the row is
-- locked from the counting to the commit, so nobody can read event 6 while 5 is still being written. (A sequence would hand
-- out numbers before the commit, and a reader would skip the late one for ever.)
CREATE TABLE IF NOT EXISTS feed_channel (
    event_id uuid   NOT NULL REFERENCES event ON DELETE CASCADE,
    channel  text   NOT NULL,
    epoch    text   NOT NULL,           -- another epoch = the log may have lost something: readers start over
    seq      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (event_id, channel)
);

CREATE TABLE IF NOT EXISTS feed_event (
    event_id uuid        NOT NULL,
    channel  text        NOT NULL,
    seq      bigint      NOT NULL,
    id       uuid        NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    kind     text        NOT NULL,      -- announcement.published, session.changed …
    data     json        NOT NULL,      -- as sent: json, not jsonb, keeps it to the letter
    PRIMARY KEY (event_id, channel, seq),
    CONSTRAINT feed_event_channel FOREIGN KEY (event_id, channel) REFERENCES feed_channel ON DELETE CASCADE
);

COMMIT;
