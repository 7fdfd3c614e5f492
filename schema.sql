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
-- Needs PostgreSQL 15 to 18 and no extension. Applying it again changes nothing; a foreign or newer database is refused.

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
    history        text,                  -- which PostgreSQL this is, and its timeline: another one = it was restored
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
    day_begins       time        NOT NULL DEFAULT '00:00',  -- a session at 02:00 belongs to the night before where this is 06:00
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

-- The programme's version: +1 with every change, however many things it touches. The row is locked by whoever changes the
-- programme, so versions and the changes they stand for come in one order.
CREATE TABLE IF NOT EXISTS schedule (
    event_id   uuid        PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    version    bigint      NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- What made each version.
CREATE TABLE IF NOT EXISTS schedule_version (
    event_id uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    version  bigint      NOT NULL,
    at       timestamptz NOT NULL,
    origin   text        NOT NULL CONSTRAINT schedule_version_origin_is_known CHECK (origin IN ('edit', 'release', 'import')),
    name     text        NOT NULL DEFAULT '',  -- what an organizer, or the imported file, calls it
    note     text        NOT NULL DEFAULT '',
    PRIMARY KEY (event_id, version)
);

-- Everything in the programme as it was from a version on: what changed between any two versions is read from here.
CREATE TABLE IF NOT EXISTS schedule_history (
    event_id uuid   NOT NULL REFERENCES event ON DELETE CASCADE,
    subject  text   NOT NULL CONSTRAINT schedule_history_subject_is_known
                    CHECK (subject IN ('day', 'room', 'track', 'kind', 'speaker', 'session')),
    id       uuid   NOT NULL,
    version  bigint NOT NULL,
    state    jsonb,           -- NULL: it was removed
    PRIMARY KEY (event_id, subject, id, version)
);
CREATE INDEX IF NOT EXISTS schedule_history_by_version ON schedule_history (event_id, version);

-- What an organizer prepares: each row is a thing as it will be once the draft is released.
CREATE TABLE IF NOT EXISTS schedule_draft (
    event_id uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    subject  text        NOT NULL CONSTRAINT schedule_draft_subject_is_known
                         CHECK (subject IN ('day', 'room', 'track', 'kind', 'speaker', 'session')),
    id       uuid        NOT NULL,
    base     jsonb,                   -- as it was when the draft first touched it; NULL: it was not there
    state    jsonb,                   -- NULL: the draft removes it
    revision bigint      NOT NULL,    -- +1 with every edit of this thing in the draft
    at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id, id)
);

-- What a file last said of a thing. The next file changes only what it says otherwise than this one did: what an organizer
-- has changed since stays.
CREATE TABLE IF NOT EXISTS schedule_source (
    event_id uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    subject  text    NOT NULL CONSTRAINT schedule_source_subject_is_known
                     CHECK (subject IN ('day', 'room', 'track', 'kind', 'speaker', 'session')),
    key      text    NOT NULL,
    state    jsonb   NOT NULL,
    missing  boolean NOT NULL DEFAULT false,  -- the last file no longer had it
    PRIMARY KEY (event_id, subject, key)
);

-- `key` in these tables is the source's own name of the thing (frab's guid, say). It stays the same in the next file of the
-- same event, which is how an import knows what it already has. `revision` is the version that last changed the row: two
-- organizers who edit the same thing notice each other by it. `extra` is what the source says beyond what we know of.
CREATE TABLE IF NOT EXISTS day (
    event_id  uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    day_id    uuid        NOT NULL,
    date      date        NOT NULL,  -- in the event's zone
    name      jsonb       NOT NULL DEFAULT '{}',
    starts_at timestamptz,           -- when the doors open
    ends_at   timestamptz,
    revision  bigint      NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, day_id),
    CONSTRAINT day_is_one UNIQUE (event_id, date) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT day_ends_after_start CHECK (ends_at > starts_at)
);

CREATE TABLE IF NOT EXISTS room (
    event_id    uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    room_id     uuid    NOT NULL,
    key         text    NOT NULL,
    name        jsonb   NOT NULL,
    description jsonb   NOT NULL DEFAULT '{}',
    capacity    integer CONSTRAINT room_capacity_is_positive CHECK (capacity > 0),
    floor       text,
    position    integer NOT NULL,  -- the order in which rooms are shown
    extra       jsonb   NOT NULL DEFAULT '{}',
    revision    bigint  NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, room_id),
    CONSTRAINT room_key UNIQUE (event_id, key)
);

CREATE TABLE IF NOT EXISTS track (
    event_id    uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    track_id    uuid    NOT NULL,
    key         text    NOT NULL,
    name        jsonb   NOT NULL,
    description jsonb   NOT NULL DEFAULT '{}',
    color       text    CONSTRAINT track_color_is_hex CHECK (color ~ '^#[0-9a-fA-F]{6}$'),
    position    integer NOT NULL,
    extra       jsonb   NOT NULL DEFAULT '{}',
    revision    bigint  NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, track_id),
    CONSTRAINT track_key UNIQUE (event_id, key)
);

-- Sorts of session: keynote, workshop, break…
CREATE TABLE IF NOT EXISTS kind (
    event_id uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    kind_id  uuid    NOT NULL,
    key      text    NOT NULL,
    name     jsonb   NOT NULL,
    position integer NOT NULL,
    revision bigint  NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, kind_id),
    CONSTRAINT kind_key UNIQUE (event_id, key)
);

CREATE TABLE IF NOT EXISTS speaker (
    event_id     uuid   NOT NULL REFERENCES event ON DELETE CASCADE,
    speaker_id   uuid   NOT NULL,
    key          text   NOT NULL,
    name         jsonb  NOT NULL,  -- one name in several scripts: {"fr": "Salma Idrissi", "ar": "سلمى الإدريسي"}
    organisation jsonb  NOT NULL DEFAULT '{}',
    tagline      jsonb  NOT NULL DEFAULT '{}',
    bio          jsonb  NOT NULL DEFAULT '{}',
    photo_url    text,
    links        jsonb  NOT NULL DEFAULT '[]',  -- [{"url": "https://…", "title": {…}, "kind": "link"}]
    extra        jsonb  NOT NULL DEFAULT '{}',
    revision     bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, speaker_id),
    CONSTRAINT speaker_key UNIQUE (event_id, key)
);

-- A time in a room: a range of these is where a session is, so that PostgreSQL itself can refuse two in one place.
DO $types$
BEGIN
    IF to_regtype('place_in_time') IS NULL THEN
        CREATE TYPE place_in_time AS (event_id uuid, room_id uuid, at timestamptz);
        CREATE TYPE occupation AS RANGE (subtype = place_in_time);
    END IF;
END
$types$;

CREATE TABLE IF NOT EXISTS session (
    event_id      uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    session_id    uuid        NOT NULL,
    key           text        NOT NULL,
    number        integer     NOT NULL CONSTRAINT session_number_is_positive CHECK (number > 0),  -- what apps of frab's world know it by
    title         jsonb       NOT NULL,
    subtitle      jsonb       NOT NULL DEFAULT '{}',
    abstract      jsonb       NOT NULL DEFAULT '{}',
    description   jsonb       NOT NULL DEFAULT '{}',
    starts_at     timestamptz NOT NULL,
    ends_at       timestamptz NOT NULL,
    room_id       uuid,
    track_id      uuid,
    kind_id       uuid,
    roles         jsonb       NOT NULL DEFAULT '{}',    -- of those who are more than speakers there: {"<speaker_id>": "moderator"}
    languages     text[]      NOT NULL DEFAULT '{}',    -- spoken on stage, the main one first
    service       boolean     NOT NULL DEFAULT false,   -- a break, a meal: nothing that somebody presents
    url           text,
    logo_url      text,
    links         jsonb       NOT NULL DEFAULT '[]',
    license       text        NOT NULL DEFAULT '',      -- of its recording
    do_not_record boolean     NOT NULL DEFAULT false,
    shares_room   boolean     NOT NULL DEFAULT false,   -- an organizer said that others may be in its room at the same time
    status        text        NOT NULL DEFAULT 'scheduled'
                              CONSTRAINT session_status_is_known CHECK (status IN ('scheduled', 'moved', 'delayed', 'cancelled')),
    extra         jsonb       NOT NULL DEFAULT '{}',
    revision      bigint      NOT NULL DEFAULT 1,
    PRIMARY KEY (event_id, session_id),
    CONSTRAINT session_key UNIQUE (event_id, key),
    CONSTRAINT session_number UNIQUE (event_id, number) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT session_ends_after_start CHECK (ends_at > starts_at),
    CONSTRAINT session_room FOREIGN KEY (event_id, room_id) REFERENCES room,
    CONSTRAINT session_track FOREIGN KEY (event_id, track_id) REFERENCES track,
    CONSTRAINT session_kind FOREIGN KEY (event_id, kind_id) REFERENCES kind,
    -- Deferred: two sessions that change places are in each other's for a moment.
    CONSTRAINT session_room_is_free EXCLUDE USING gist (
        occupation(ROW(event_id, room_id, starts_at)::place_in_time, ROW(event_id, room_id, ends_at)::place_in_time) WITH &&
    ) WHERE (room_id IS NOT NULL AND status <> 'cancelled' AND NOT shares_room) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX IF NOT EXISTS session_by_room ON session (event_id, room_id);    -- lets a room be deleted without reading every session
CREATE INDEX IF NOT EXISTS session_by_track ON session (event_id, track_id);  -- the same for a track
CREATE INDEX IF NOT EXISTS session_by_kind ON session (event_id, kind_id);

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
    position integer NOT NULL,  -- signed badges carry it: it must not change once they are printed
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
    cancelled_at timestamptz,              -- the registration was taken back: no door lets this person in
    speaker_id  uuid,                      -- as whom this person speaks here
    rights_at   timestamptz,               -- when one of these last changed: tickets from before say something else
    PRIMARY KEY (event_id, attendee_id),
    CONSTRAINT attendee_token UNIQUE (event_id, token_hash),
    CONSTRAINT attendee_is_one_speaker UNIQUE (event_id, speaker_id),
    CONSTRAINT attendee_speaker FOREIGN KEY (event_id, speaker_id) REFERENCES speaker,
    CONSTRAINT attendee_ticket FOREIGN KEY (event_id, ticket) REFERENCES ticket_type
);

-- What an event signs its badges with (Ed25519), so that a scanner without a network can verify one: it holds the public keys,
-- which everybody may know. The newest key signs. Older ones verify what was printed with them, until they are retired: their
-- badges are then believed only by the server, which knows each badge by its code and needs no signature.
--
-- `private_seed` is the one secret that is stored as it is, because it must sign. Who steals it can make badges that offline
-- scanners believe; a new key and the old one's retirement end that.
CREATE TABLE IF NOT EXISTS badge_key (
    event_id     uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    key_id       integer     NOT NULL CONSTRAINT badge_key_fits_a_code CHECK (key_id BETWEEN 0 AND 15),  -- four bits; never used again
    public_key   bytea       NOT NULL CONSTRAINT badge_key_public_length CHECK (octet_length(public_key) = 32),
    private_seed bytea       NOT NULL CONSTRAINT badge_key_seed_length CHECK (octet_length(private_seed) = 32),
    created_at   timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz,  -- scanners stop believing its signatures
    PRIMARY KEY (event_id, key_id)
);

-- What is scanned. An attendee may hold several: a lost badge is revoked and another one printed.
CREATE TABLE IF NOT EXISTS badge (
    event_id    uuid        NOT NULL,
    code        text        NOT NULL,  -- in the QR: number, ticket type's position and signature, 114 characters
    short_code  text        NOT NULL,  -- printed beneath it for humans to type: 7 characters and a check character
    attendee_id uuid        NOT NULL,
    revoked_at  timestamptz,
    number      integer     NOT NULL CONSTRAINT badge_number_is_positive CHECK (number > 0),  -- what the code says of whose it is
    PRIMARY KEY (event_id, code),
    CONSTRAINT badge_short_code UNIQUE (event_id, short_code),
    CONSTRAINT badge_number UNIQUE (event_id, number),
    CONSTRAINT badge_attendee FOREIGN KEY (event_id, attendee_id) REFERENCES attendee ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS badge_by_attendee ON badge (event_id, attendee_id);

-- The words by which a person is found: of the names and the company, folded (`server.folding`): no accents, one alef.
CREATE TABLE IF NOT EXISTS attendee_word (
    event_id    uuid NOT NULL,
    word        text NOT NULL COLLATE "C",  -- so that the words with one beginning lie side by side
    attendee_id uuid NOT NULL,
    PRIMARY KEY (event_id, word, attendee_id),
    CONSTRAINT attendee_word_attendee FOREIGN KEY (event_id, attendee_id) REFERENCES attendee ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS attendee_word_by_attendee ON attendee_word (event_id, attendee_id);

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
    profile            text NOT NULL CONSTRAINT device_profile_is_known CHECK (profile IN ('scan', 'scan+search', 'kiosk', 'supervisor')),
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

-- Something one is let into: the building, one of its days, a workshop's room, lunch. A room's list is open for the session that
-- runs there by the programme of this moment, from `early_minutes` before its start on, and counts each session anew.
CREATE TABLE IF NOT EXISTS checkin_list (
    event_id      uuid    NOT NULL REFERENCES event ON DELETE CASCADE,
    list_id       uuid    NOT NULL,
    key           text    NOT NULL,  -- what scanners call it; the main door is `main`
    name          jsonb   NOT NULL,
    kind          text    NOT NULL DEFAULT 'door' CONSTRAINT checkin_list_kind_is_known CHECK (kind IN ('door', 'day', 'room', 'meal')),
    room_id       uuid,
    opens_at      timestamptz,       -- nobody is let in before, nor from `closes_at` on; null: no limit
    closes_at     timestamptz,
    capacity      integer CONSTRAINT checkin_list_capacity_is_positive CHECK (capacity > 0),  -- people inside at a time
    reentry       text    NOT NULL DEFAULT 'after_exit'  -- always: every scan admits, nobody needs to leave first
                          CONSTRAINT checkin_list_reentry_is_known CHECK (reentry IN ('never', 'after_exit', 'always')),
    early_minutes integer NOT NULL DEFAULT 15 CONSTRAINT checkin_list_early_is_a_day CHECK (early_minutes BETWEEN 0 AND 1440),
    position      integer NOT NULL,
    PRIMARY KEY (event_id, list_id),
    CONSTRAINT checkin_list_key UNIQUE (event_id, key),
    CONSTRAINT checkin_list_room FOREIGN KEY (event_id, room_id) REFERENCES room,
    CONSTRAINT checkin_list_of_a_room CHECK ((kind = 'room') = (room_id IS NOT NULL)),
    CONSTRAINT checkin_list_closes_after_opening CHECK (closes_at > opens_at)
);
CREATE INDEX IF NOT EXISTS checkin_list_by_room ON checkin_list (event_id, room_id);

-- Which tickets a list admits.
CREATE TABLE IF NOT EXISTS checkin_list_ticket (
    event_id uuid NOT NULL,
    list_id  uuid NOT NULL,
    ticket   text NOT NULL,
    PRIMARY KEY (event_id, list_id, ticket),
    CONSTRAINT checkin_list_ticket_list FOREIGN KEY (event_id, list_id) REFERENCES checkin_list ON DELETE CASCADE,
    CONSTRAINT checkin_list_ticket_ticket FOREIGN KEY (event_id, ticket) REFERENCES ticket_type
);

-- How many are inside a list that has a capacity, or a room's session: changed in the transaction that logs the scan, so that
-- `within_capacity` settles who gets the last seat. (Others are counted from the log: no scan at the main door locks a row.)
CREATE TABLE IF NOT EXISTS checkin_count (
    event_id   uuid    NOT NULL,
    list_id    uuid    NOT NULL,
    session_id uuid    NOT NULL,  -- all zeros for a list that follows no session
    granted    integer NOT NULL,  -- let in by the server
    merged     integer NOT NULL,  -- let in by a scanner that was offline: bodies in the room all the same
    ceiling    integer,           -- what `granted` may reach: the capacity less `merged`, or what it was where that is more
    PRIMARY KEY (event_id, list_id, session_id),
    CONSTRAINT within_capacity CHECK (granted <= ceiling)
);

-- Every scan that was ever answered, with its answer, which whoever asks again gets. Rows are only added; an undo is one too.
--
-- What scanners did with a person in one area (a list; all rooms together) is numbered: turn 1, 2, 3 … for each time somebody
-- passed, in or out, or a passing was undone. Whoever wants to add one reads those that stand and takes the next number; of two
-- who take the same, `scan_turn` lets one through and the other reads again. That is what makes two doors unable to admit one
-- badge twice. Where the person is follows from the turns alone, put in the order of `at`: a scan that comes from an offline
-- scanner hours later takes the next number and its own place in time.
--
-- No foreign keys, on purpose: the log outlives devices and people, and each key would cost a look-up for every scan.
CREATE TABLE IF NOT EXISTS scan (
    event_id    uuid        NOT NULL,
    device_id   uuid        NOT NULL,
    scan_id     text        NOT NULL,  -- the scanner's own id of this scan: a retry brings the same one
    list_id     uuid        NOT NULL,
    area_id     uuid        NOT NULL,  -- in an area one is in one place at a time: the list's id, for rooms the event's
    gate_id     uuid        NOT NULL,  -- where the device stood
    attendee_id uuid,                  -- null: nobody has this code
    session_id  uuid,                  -- what ran in the room
    code        text        NOT NULL,  -- as scanned; beyond 120 characters its beginning and a digest of the whole
    direction   text        NOT NULL CONSTRAINT scan_direction_is_known CHECK (direction IN ('entry', 'exit')),
    scanned_at  timestamptz,           -- what the device's clock said, if it said anything
    received_at timestamptz NOT NULL DEFAULT now(),
    at          timestamptz NOT NULL DEFAULT now(),  -- when it counts as having happened: see `checkin.policy.believed`
    decided     text        CONSTRAINT scan_decided_is_known  -- by an offline scanner; null: the server was asked
                            CHECK (decided IN ('admitted', 'exited', 'refused')),
    number      integer,               -- the device's own count of its scans
    outcome     text        NOT NULL CONSTRAINT scan_outcome_is_known
                            CHECK (outcome IN ('admitted', 'already_admitted', 'refused', 'exited', 'undone')),
    reason      text        CONSTRAINT scan_reason_goes_with_refusal CHECK ((reason IS NOT NULL) = (outcome = 'refused')),
    conflict    boolean     NOT NULL DEFAULT false,  -- as it was answered; what stands now is in `checkin_conflict`
    turn        integer     CONSTRAINT scan_turn_of_who_passed CHECK (COALESCE(turn > 0, outcome IN ('already_admitted', 'refused'))),
    against     integer     CONSTRAINT scan_against_what_was_before
                            CHECK ((against IS NOT NULL) = (outcome = 'already_admitted')),  -- the turn in its way
    undoes      text        CONSTRAINT scan_undoes_goes_with_undone CHECK ((undoes IS NOT NULL) = (outcome = 'undone')),
    undone_by   uuid,                  -- who took back `undoes`, a scan of the same device; null: the device itself
    PRIMARY KEY (event_id, device_id, scan_id)
);
CREATE UNIQUE INDEX IF NOT EXISTS scan_turn ON scan (event_id, area_id, attendee_id, turn) WHERE turn IS NOT NULL;
CREATE INDEX IF NOT EXISTS scan_number ON scan (event_id, device_id, number) WHERE number IS NOT NULL;
CREATE INDEX IF NOT EXISTS scan_refused ON scan (event_id, received_at DESC, device_id, scan_id) WHERE outcome = 'refused';

-- What was logged and not yet told: a row a batch, deleted in the transaction that counts it and tells the feed, so once.
CREATE TABLE IF NOT EXISTS scan_news (
    event_id     uuid        NOT NULL,
    news_id      bigint      GENERATED ALWAYS AS IDENTITY,
    at           timestamptz NOT NULL DEFAULT now(),
    device_ids   uuid[]      NOT NULL,
    scan_ids     text[],               -- null: the row says all there is to say, of people who came for the first time
    list_ids     uuid[],               -- and the gates, the attendees
    gate_ids     uuid[],
    attendee_ids uuid[],
    reasons      text[],               -- null for those who were admitted
    ats          timestamptz[],        -- when each happened; null: at `at`, all of them
    PRIMARY KEY (event_id, news_id)
);

-- Who counts and tells at the moment holds the event's row; `told_at` keeps messages a tenth of a second apart.
CREATE TABLE IF NOT EXISTS checkin_desk (
    event_id uuid        PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    told_at  timestamptz NOT NULL DEFAULT 'epoch'
);

-- The log, counted. Who passed counts as what the scan turned out to be among the person's others, not as what was answered.
CREATE TABLE IF NOT EXISTS checkin_tally (
    event_id uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    list_id  uuid        NOT NULL,
    bucket   timestamptz NOT NULL,  -- the five minutes that begin here, by `scan.at`
    gate_id  uuid        NOT NULL,
    ticket   text        NOT NULL,  -- empty: nobody has the code
    outcome  text        NOT NULL,
    reason   text        NOT NULL,  -- empty: not refused
    scans    bigint      NOT NULL,
    PRIMARY KEY (event_id, list_id, bucket, gate_id, ticket, outcome, reason)
);

-- What offline scanners did that does not go together. A later upload may resolve it: the exit between two entries, say.
CREATE TABLE IF NOT EXISTS checkin_conflict (
    event_id        uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    conflict_id     uuid        NOT NULL,
    kind            text        NOT NULL CONSTRAINT conflict_kind_is_known CHECK (kind IN ('double_admission', 'not_entitled')),
    list_id         uuid        NOT NULL,
    attendee_id     uuid,
    device_id       uuid        NOT NULL,  -- the scan that should not have let anybody in …
    scan_id         text        NOT NULL,
    first_device_id uuid,                  -- … and the admission it contradicts
    first_scan_id   text,
    detected_at     timestamptz NOT NULL DEFAULT now(),
    resolved_at     timestamptz,
    PRIMARY KEY (event_id, conflict_id),
    CONSTRAINT checkin_conflict_scans
        UNIQUE NULLS NOT DISTINCT (event_id, device_id, scan_id, kind, first_device_id, first_scan_id)
);
CREATE INDEX IF NOT EXISTS checkin_conflict_of_person ON checkin_conflict (event_id, attendee_id);
CREATE INDEX IF NOT EXISTS checkin_conflict_standing ON checkin_conflict (event_id, list_id) WHERE resolved_at IS NULL;

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

-- ─── Search ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What sessions, speakers and exhibitors are found by: words, folded (`server.folding`). Written in the transaction that changes
-- what they are made from. The vectors are cast from words that the server has folded itself, so neither a parser nor a locale of
-- the database has a say, and each word has the last digits of its event's id before it: a GIN index of several columns would
-- need an extension to begin with the event, and so its every key does.
CREATE TABLE IF NOT EXISTS search_entry (
    event_id uuid     NOT NULL REFERENCES event ON DELETE CASCADE,
    about    text     NOT NULL CONSTRAINT search_entry_about_is_known CHECK (about IN ('session', 'speaker', 'exhibitor')),
    id       uuid     NOT NULL,
    head     tsvector NOT NULL,  -- title and names, weighted: what ranks
    whole    tsvector NOT NULL,  -- these and all long texts, without weights or places
    PRIMARY KEY (event_id, about, id)
);
-- Without statistics every search counts as one that finds little: the planner never reads the table instead, whatever is asked.
ALTER TABLE search_entry ALTER COLUMN head SET STATISTICS 0;
ALTER TABLE search_entry ALTER COLUMN whole SET STATISTICS 0;
-- Whoever writes leaves their pending lists short, because every search reads them (`server.search.storing`).
CREATE INDEX IF NOT EXISTS search_entry_by_head ON search_entry USING gin (head);
CREATE INDEX IF NOT EXISTS search_entry_by_whole ON search_entry USING gin (whole);

-- The words of the heads, each under its beginning and under what is left of that without any one letter: two words that differ by
-- one typing error have one of these in common (`server.search.spelling`).
CREATE TABLE IF NOT EXISTS search_spelling (
    event_id uuid NOT NULL REFERENCES event ON DELETE CASCADE,
    spelling text NOT NULL COLLATE "C",
    word     text NOT NULL COLLATE "C",
    PRIMARY KEY (event_id, spelling, word)
);

-- ─── Announcements ──────────────────────────────────────────────────────────────────────────────────────────────────

-- What the organizers tell, everybody or an audience. Its life, each step at most once and with an event in its channel:
--   scheduled   nobody hears of it before `publish_at`; until then all of it may change
--   published   told, `announcement.published`. Its text may still change: `announcement.edited`
--   withdrawn   taken back by an organizer: `announcement.withdrawn`, if anybody had heard of it
--   expired     `expires_at` has come: `announcement.expired`, if anybody had heard of it
-- The row is locked by whoever takes a step, and the step, its event and `seq` are one transaction: so an announcement goes out
-- once, however many processes see that its time has come, and whichever of them dies.
CREATE TABLE IF NOT EXISTS announcement (
    event_id        uuid        NOT NULL REFERENCES event ON DELETE CASCADE,
    announcement_id uuid        NOT NULL,  -- the client's own, if it gave one: sent again it is the same announcement
    channel         text        NOT NULL,  -- where it is told, and so to whom: `announcements`, `announcements:staff`
    title           jsonb       NOT NULL,
    body            jsonb       NOT NULL DEFAULT '{}',
    urgent          boolean     NOT NULL DEFAULT false,
    content         bytea       NOT NULL,  -- SHA-256 of the request that made it: tells a repetition from another one of its id
    publish_at      timestamptz NOT NULL,  -- when it shall go out
    published_at    timestamptz,           -- when it did
    seq             bigint,                -- of the event that told it first, in its channel
    edited_at       timestamptz,           -- when what had been told was last changed
    expires_at      timestamptz CONSTRAINT announcement_expires_after_publication CHECK (expires_at > publish_at),
    withdrawn_at    timestamptz,
    expired_at      timestamptz,
    changed_at      timestamptz NOT NULL DEFAULT now(),  -- by any of these, or by being made
    created_at      timestamptz NOT NULL DEFAULT now(),
    status          text        GENERATED ALWAYS AS (
                                    CASE
                                        WHEN withdrawn_at IS NOT NULL THEN 'withdrawn'
                                        WHEN expired_at IS NOT NULL THEN 'expired'
                                        WHEN published_at IS NOT NULL THEN 'published'
                                        ELSE 'scheduled'
                                    END) STORED,
    due_at          timestamptz GENERATED ALWAYS AS (  -- when its next step comes by itself; null: never
                                    CASE
                                        WHEN withdrawn_at IS NOT NULL OR expired_at IS NOT NULL THEN NULL
                                        WHEN published_at IS NULL THEN publish_at
                                        ELSE expires_at
                                    END) STORED,
    listed_at       timestamptz GENERATED ALWAYS AS (COALESCE(published_at, publish_at)) STORED,  -- its place in lists
    PRIMARY KEY (event_id, announcement_id),
    CONSTRAINT announcement_is_told_with_a_number CHECK ((published_at IS NULL) = (seq IS NULL)),
    CONSTRAINT announcement_is_edited_once_told CHECK (edited_at IS NULL OR published_at IS NOT NULL),
    CONSTRAINT announcement_ends_in_one_way CHECK (withdrawn_at IS NULL OR expired_at IS NULL)
);
CREATE INDEX IF NOT EXISTS announcement_newest
    ON announcement (event_id, channel, status, urgent, listed_at DESC, announcement_id DESC);
CREATE INDEX IF NOT EXISTS announcement_changes ON announcement (event_id, channel, changed_at, announcement_id);
CREATE INDEX IF NOT EXISTS announcement_due ON announcement (event_id, due_at) WHERE due_at IS NOT NULL;

-- ─── The live feed ──────────────────────────────────────────────────────────────────────────────────────────────────

-- A channel is a log. `seq` counts its events from 1 without a gap, in the order in which they were committed: the row is
-- locked from the counting to the commit, so nobody can read event 6 while 5 is still being written. (A sequence would hand
-- out numbers before the commit, and a reader would skip the late one for ever.)
--
-- Thousands of people have a log of their own, and nobody wants to look at thousands of rows every second to see whether one has
-- grown. Channel `me` counts for all of them: each of its events only names the personal log that has grown, and how far.
CREATE TABLE IF NOT EXISTS feed_channel (
    event_id uuid   NOT NULL REFERENCES event ON DELETE CASCADE,
    channel  text   NOT NULL,
    epoch    text   NOT NULL,           -- another epoch = the log may have lost something: readers start over
    seq      bigint NOT NULL DEFAULT 0,
    personal boolean NOT NULL DEFAULT false,  -- one person's own: `me:{id}`. Made when there is something to tell
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

-- A state channel (how full the halls are) is no log: it keeps the latest value of each key and nothing of what came before.
-- Its row in feed_channel counts the changes, in the order of their commits as for a log; `version` is the count at which a
-- value was last changed. No index on it: a channel has some hundred keys, and their updates then write to no index at all.
CREATE TABLE IF NOT EXISTS feed_state (
    event_id uuid        NOT NULL,
    channel  text        NOT NULL,      -- occupancy
    key      text        NOT NULL,      -- list:main
    version  bigint      NOT NULL,
    at       timestamptz NOT NULL,      -- of the last change
    data     json,                      -- NULL: taken away; the row stays, for those who have not heard of it yet
    PRIMARY KEY (event_id, channel, key),
    CONSTRAINT feed_state_channel FOREIGN KEY (event_id, channel) REFERENCES feed_channel ON DELETE CASCADE
) WITH (fillfactor = 50);               -- room for the next version of a row beside it

COMMIT;
