-- Turn-around: calendars, clocks, escalations, notifications.

-- When the priority was raised to stat: from then on the time of stat work counts. due_cap is a due time that a rule brought
-- forward. Both are NULL for nearly every dictation, so the columns cost nothing and the table is not rewritten.
ALTER TABLE dictations ADD COLUMN raised_at timestamptz, ADD COLUMN due_cap timestamptz;
GRANT UPDATE (due_cap) ON dictations TO vesper_app;
-- A dictation whose priority or due time changes takes its waiting jobs along.
GRANT UPDATE (priority, due_at) ON jobs TO vesper_app;

CREATE FUNCTION note_raise() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    NEW.raised_at := CASE WHEN NEW.priority = 'stat' THEN clock_timestamp() END;
    RETURN NEW;
END
$$;
CREATE TRIGGER note_raise BEFORE UPDATE OF priority ON dictations
    FOR EACH ROW WHEN (NEW.priority <> OLD.priority) EXECUTE FUNCTION note_raise();

-- What a supervisor sets is never changed: the newest number counts, and what held before can be read.
CREATE TABLE turnaround_plans (
    practice_id uuid NOT NULL REFERENCES practices,
    number      int NOT NULL CHECK (number > 0),
    plan        jsonb NOT NULL CHECK (jsonb_typeof(plan) = 'object'),
    set_by      uuid NOT NULL,
    set_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, number),
    FOREIGN KEY (practice_id, set_by) REFERENCES people (practice_id, id)
);
CALL protect('turnaround_plans');
CALL append_only('turnaround_plans');
GRANT SELECT, INSERT ON turnaround_plans TO vesper_app;

CREATE TABLE escalation_rules (
    practice_id uuid NOT NULL REFERENCES practices,
    number      int NOT NULL CHECK (number > 0),
    source      text NOT NULL CHECK (length(source) <= 65536), -- YAML; '' goes back to the rules that come with Vesper
    set_by      uuid NOT NULL,
    set_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, number),
    FOREIGN KEY (practice_id, set_by) REFERENCES people (practice_id, id)
);
CALL protect('escalation_rules');
CALL append_only('escalation_rules');
GRANT SELECT, INSERT ON escalation_rules TO vesper_app;

-- A rule that was carried out. The unique key is the promise that it is done once for a dictation and an episode, whoever
-- looks and however often a process is killed.
CREATE TABLE escalations (
    id           uuid PRIMARY KEY,
    practice_id  uuid NOT NULL,
    dictation_id uuid NOT NULL,
    rule         text NOT NULL CHECK (rule <> ''),
    episode      text NOT NULL,
    rules_number int NOT NULL CHECK (rules_number >= 0), -- 0: the rules that come with Vesper
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (practice_id, id),
    CONSTRAINT escalations_once UNIQUE (dictation_id, rule, episode),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id)
);
CREATE INDEX escalations_newest ON escalations (practice_id, at DESC, id);
CALL protect('escalations');
CALL append_only('escalations');
GRANT SELECT, INSERT ON escalations TO vesper_app;

-- What people are told in the app. It holds the rule's own words and ids, nothing of a patient.
CREATE TABLE notifications (
    id            uuid PRIMARY KEY,
    practice_id   uuid NOT NULL,
    person_id     uuid NOT NULL,
    escalation_id uuid NOT NULL,
    dictation_id  uuid NOT NULL,
    say           text NOT NULL CHECK (say <> ''),
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_at       timestamptz,
    CONSTRAINT notifications_once UNIQUE (escalation_id, person_id),
    FOREIGN KEY (practice_id, person_id) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, escalation_id) REFERENCES escalations (practice_id, id),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id)
);
CREATE INDEX notifications_of_person ON notifications (person_id, at DESC, id);
CREATE INDEX notifications_unread ON notifications (person_id) WHERE read_at IS NULL;
CALL protect('notifications');
GRANT SELECT, INSERT, UPDATE (read_at) ON notifications TO vesper_app;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON notifications FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Where a person wants to be told besides the app.
CREATE TABLE notification_settings (
    person_id   uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    address     text NOT NULL DEFAULT '' CHECK (length(address) <= 200),
    by_mail     boolean NOT NULL DEFAULT false,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_settings_address CHECK (NOT by_mail OR address <> ''),
    FOREIGN KEY (practice_id, person_id) REFERENCES people (practice_id, id)
);
CALL protect('notification_settings');
GRANT SELECT, INSERT, UPDATE (address, by_mail, changed_at) ON notification_settings TO vesper_app;

-- Addresses of other systems that are told. The secret that signs is derived from the installation's master key and the id;
-- it is not here.
CREATE TABLE webhooks (
    id          uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    url         text NOT NULL CHECK (url <> '' AND length(url) <= 500),
    added_by    uuid NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT now(),
    removed_by  uuid,
    removed_at  timestamptz,
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, added_by) REFERENCES people (practice_id, id),
    FOREIGN KEY (practice_id, removed_by) REFERENCES people (practice_id, id),
    CONSTRAINT webhooks_removed_by_somebody CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);
CREATE UNIQUE INDEX webhooks_live ON webhooks (practice_id, url) WHERE removed_at IS NULL;
CALL protect('webhooks');
GRANT SELECT, INSERT, UPDATE (removed_at, removed_by) ON webhooks TO vesper_app;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON webhooks FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Messages on their way out by e-mail or webhook: written in the transaction that decided them, sent by workers under a
-- lease. A message that was sent or given up stays as it is; a person may order one that was given up again.
CREATE TABLE messages (
    id            uuid PRIMARY KEY, -- also Message-ID and webhook-id: the same for each attempt
    practice_id   uuid NOT NULL,
    escalation_id uuid NOT NULL,
    dictation_id  uuid NOT NULL,
    channel       text NOT NULL CHECK (channel IN ('mail', 'webhook')),
    address       text NOT NULL DEFAULT '', -- of mail
    webhook_id    uuid,
    content       jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object'),
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'dead')),
    attempt       int NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    run_after     timestamptz NOT NULL DEFAULT now(),
    lease_token   uuid,
    lease_until   timestamptz,
    error_code    text NOT NULL DEFAULT '',
    at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at      timestamptz,
    UNIQUE (practice_id, id),
    FOREIGN KEY (practice_id, escalation_id) REFERENCES escalations (practice_id, id),
    FOREIGN KEY (practice_id, dictation_id) REFERENCES dictations (practice_id, id),
    FOREIGN KEY (practice_id, webhook_id) REFERENCES webhooks (practice_id, id),
    CONSTRAINT messages_go_somewhere CHECK ((channel = 'mail') = (address <> '') AND (channel = 'webhook') = (webhook_id IS NOT NULL)),
    CONSTRAINT messages_lease CHECK ((state = 'sending') = (lease_token IS NOT NULL) AND (state = 'sending') = (lease_until IS NOT NULL)),
    CONSTRAINT messages_ended CHECK ((state IN ('sent', 'dead')) = (ended_at IS NOT NULL)),
    CONSTRAINT messages_dead_has_reason CHECK (state <> 'dead' OR error_code <> '')
);
-- The same address is told once, even if two of its owners are.
CREATE UNIQUE INDEX messages_once ON messages (escalation_id, channel, lower(address), webhook_id) NULLS NOT DISTINCT;
CREATE INDEX messages_due ON messages (run_after, id) WHERE state = 'waiting';
CREATE INDEX messages_leased ON messages (lease_until) WHERE state = 'sending';
CREATE INDEX messages_dead ON messages (practice_id, ended_at DESC) WHERE state = 'dead';
CALL protect('messages');
CREATE POLICY across_practices ON messages TO vesper_worker
    USING (current_practice() IS NULL) WITH CHECK (current_practice() IS NULL);
CREATE POLICY across_practices ON webhooks FOR SELECT TO vesper_worker USING (current_practice() IS NULL);
GRANT SELECT, INSERT ON messages TO vesper_app;
GRANT UPDATE (state, attempt, run_after, lease_token, lease_until, error_code, ended_at) ON messages TO vesper_app;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON messages FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_message() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF OLD.state = 'sent' OR OLD.state = 'dead' AND NEW.state <> 'waiting' THEN
        RAISE EXCEPTION 'a message that has ended does not change' USING ERRCODE = 'VS002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER guard_message BEFORE UPDATE ON messages FOR EACH ROW EXECUTE FUNCTION guard_message();

-- Messages by state over all practices, for the doctor and for metrics: numbers only.
DO $$
BEGIN
    EXECUTE format('CREATE POLICY counts ON messages FOR SELECT TO %I USING (true)', current_user);
END
$$;
CREATE FUNCTION message_depth() RETURNS TABLE (state text, messages bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
    BEGIN ATOMIC
        -- Each by an index of its own: those that were sent stay for ever, and are not looked at.
        SELECT 'waiting', count(*) FROM public.messages m WHERE m.state = 'waiting' HAVING count(*) > 0
        UNION ALL SELECT 'sending', count(*) FROM public.messages m WHERE m.state = 'sending' HAVING count(*) > 0
        UNION ALL SELECT 'dead', count(*) FROM public.messages m WHERE m.state = 'dead' HAVING count(*) > 0;
    END;
REVOKE EXECUTE ON FUNCTION message_depth() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION message_depth() TO vesper_app;

---- create above / drop below ----

DROP FUNCTION message_depth();
DROP TABLE messages;
DROP FUNCTION guard_message();
DROP TABLE webhooks;
DROP TABLE notification_settings;
DROP TABLE notifications;
DROP TABLE escalations;
DROP TABLE escalation_rules;
DROP TABLE turnaround_plans;
DROP TRIGGER note_raise ON dictations;
DROP FUNCTION note_raise();
REVOKE UPDATE (priority, due_at) ON jobs FROM vesper_app;
REVOKE UPDATE (due_cap) ON dictations FROM vesper_app;
ALTER TABLE dictations DROP COLUMN raised_at, DROP COLUMN due_cap;
