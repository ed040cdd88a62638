package postgres_test

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vesper/storage/postgres"
)

// firstLinted is the first migration that may meet a table with ten million rows and people at work.
const firstLinted = 14

func TestNoMigrationHoldsATableForLong(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(postgres.Migrations(), "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	old := map[string]bool{}
	for _, file := range files {
		text, err := fs.ReadFile(postgres.Migrations(), file)
		if err != nil {
			t.Fatal(err)
		}
		number, _ := strconv.Atoi(path.Base(file)[:3])
		up, _, _ := strings.Cut(string(text), "---- create above / drop below ----")
		if number >= firstLinted {
			for _, complaint := range lint(number, up, old) {
				t.Errorf("%s: %s", path.Base(file), complaint)
			}
		}
		for _, s := range statements(up) {
			if m := createTable.FindStringSubmatch(s.sql); m != nil {
				old[m[1]] = true
			}
		}
	}
	if len(old) < 20 {
		t.Fatalf("only %d tables found: the test does not see the migrations", len(old))
	}
}

const table = `(?:ONLY )?(?:IF EXISTS )?(?:public\.)?"?(\w+)"?`

var (
	createTable  = regexp.MustCompile(`^CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?(?:public\.)?"?(\w+)`)
	createIndex  = regexp.MustCompile(`^CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(?:(\w+) )?ON ` + table)
	alterTable   = regexp.MustCompile(`^ALTER TABLE ` + table)
	changesRows  = regexp.MustCompile(`^(?:UPDATE|DELETE FROM) ` + table)
	takesAway    = regexp.MustCompile(`^DROP TABLE ` + table)
	wholeTable   = regexp.MustCompile(`^(?:LOCK(?: TABLE)?|CLUSTER|VACUUM FULL|REINDEX TABLE|REFRESH MATERIALIZED VIEW) `)
	volatileCall = regexp.MustCompile(`DEFAULT [^,]*\b(?:random|clock_timestamp|gen_random_uuid|nextval|timeofday|uuid_\w+|uuidv\d)\(`)
	waiver       = regexp.MustCompile(`--\s*lock:\s*\S`)
)

// lint says what in a migration would stop people for long, given the tables that stood before it. A comment
// "-- lock: reason" in the statement, or in the lines above it, lets it pass.
func lint(number int, up string, old map[string]bool) (complaints []string) {
	outside := strings.Contains(up, "---- tern: disable-tx ----")
	list := statements(up)
	raises := strings.Contains(up, "oldest_program = "+strconv.Itoa(number))
	for i, s := range list {
		say := func(format string, args ...any) {
			complaints = append(complaints, fmt.Sprintf(format, args...)+
				fmt.Sprintf("\n  in: %.100s\n  or, when it is harmless here, write above it: -- lock: the reason", s.sql))
		}
		if s.waived {
			continue
		}
		if m := createIndex.FindStringSubmatch(s.sql); m != nil && old[m[3]] {
			drop := "DROP INDEX CONCURRENTLY IF EXISTS " + m[2]
			switch {
			case m[1] == "":
				say("CREATE INDEX on %s stops all writing until it is built. Use CREATE INDEX CONCURRENTLY in a step with ---- tern: disable-tx ----", m[3])
			case !outside:
				say("CREATE INDEX CONCURRENTLY wants ---- tern: disable-tx ---- in its file")
			case i == 0 || list[i-1].sql != drop:
				say("a step that was cut short leaves an index that is not valid; before it write: %s;", drop)
			}
		}
		if wholeTable.MatchString(s.sql) {
			say("this holds a whole table")
		}
		if m := changesRows.FindStringSubmatch(s.sql); m != nil && old[m[1]] && m[1] != "schema_compat" {
			say("this may change all rows of %s in one transaction; let the program fill the column as it goes, or a later step by pieces", m[1])
		}
		if m := takesAway.FindStringSubmatch(s.sql); m != nil && old[m[1]] && !raises {
			say("older programs use %s: end this migration with UPDATE schema_compat SET oldest_program = %d;", m[1], number)
		}
		if m := alterTable.FindStringSubmatch(s.sql); m != nil && old[m[1]] {
			if outside && !strings.Contains(s.sql, "VALIDATE CONSTRAINT") {
				say("a step without a transaction waits for its lock on %s as long as it takes, and everyone behind it; give ALTER TABLE a file of its own", m[1])
			}
			for _, action := range actions(s.sql[len(m[0]):]) {
				lintAction(number, m[1], action, outside, raises, say)
			}
		}
	}
	return complaints
}

// lintAction looks at one action of ALTER TABLE on a table that stood before.
func lintAction(number int, table, action string, outside, raises bool, say func(string, ...any)) {
	has := func(words ...string) bool {
		for _, w := range words {
			if !strings.Contains(action, w) {
				return false
			}
		}
		return true
	}
	adds := strings.HasPrefix(action, "ADD ") && !isConstraint(action)
	switch {
	case adds && volatileCall.MatchString(action):
		say("this default differs from row to row, so all of %s is written anew. Add the column without it, then set the default", table)
	case adds && (has("GENERATED") || regexp.MustCompile(`\b(?:small|big)?serial\b`).MatchString(action)):
		say("a generated column writes all of %s anew", table)
	case adds && has("NOT NULL") && !has("DEFAULT"):
		say("rows that are there have no value for this column; give it a constant default")
	case adds && has("CHECK"):
		say("a CHECK on a new column reads all of %s under a lock that stops everyone. Add it apart: ADD CONSTRAINT … NOT VALID", table)
	case isConstraint(action) && !has("NOT VALID") && !has("USING INDEX"):
		say("a new constraint reads all of %s under a lock that stops writing. ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a later step (UNIQUE: CREATE UNIQUE INDEX CONCURRENTLY, then USING INDEX)", table)
	case has("VALIDATE CONSTRAINT") && !outside:
		say("VALIDATE CONSTRAINT in the transaction that added it reads all of %s under that lock; put it into a step with ---- tern: disable-tx ----", table)
	case regexp.MustCompile(`^ALTER (?:COLUMN )?\w+ (?:SET DATA )?TYPE `).MatchString(action):
		say("a new type writes all of %s anew, and older programs may not read it. Add a new column beside it", table)
	case has("SET NOT NULL"):
		say("SET NOT NULL reads all of %s under a lock that stops everyone. ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID does not", table)
	case regexp.MustCompile(`^SET (?:LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)`).MatchString(action):
		say("this writes all of %s anew", table)
	case regexp.MustCompile(`^(?:DROP (?:COLUMN )?\w+|RENAME )`).MatchString(action) && !strings.HasPrefix(action, "DROP CONSTRAINT") && !raises:
		say("older programs use what this takes away: end this migration with UPDATE schema_compat SET oldest_program = %d;", number)
	}
}

func isConstraint(action string) bool {
	return regexp.MustCompile(`^ADD (?:CONSTRAINT|CHECK|UNIQUE|PRIMARY KEY|FOREIGN KEY|EXCLUDE)\b`).MatchString(action)
}

// statement is one statement with single spaces and without comments.
type statement struct {
	sql    string
	waived bool
}

// statements splits SQL as far as migrations need it: quotes, dollar quotes, comments and BEGIN ATOMIC bodies are known.
func statements(sql string) (out []statement) {
	var text strings.Builder
	var waived bool
	flush := func() {
		if s := strings.Join(strings.Fields(text.String()), " "); s != "" {
			out = append(out, statement{s, waived})
			waived = false
		}
		text.Reset()
	}
	for len(sql) > 0 {
		n := token(sql)
		switch part := sql[:n]; {
		case strings.HasPrefix(part, "--"):
			waived = waived || waiver.MatchString(part)
		case part == ";" && !insideAtomic(text.String()):
			flush()
		default:
			text.WriteString(part)
		}
		sql = sql[n:]
	}
	flush()
	return out
}

var (
	dollar = regexp.MustCompile(`^\$\w*\$`)
	atomic = regexp.MustCompile(`(?s)\bBEGIN ATOMIC\b`)
	ended  = regexp.MustCompile(`(?s)\bBEGIN ATOMIC\b.*\bEND\s*$`)
)

func insideAtomic(text string) bool { return atomic.MatchString(text) && !ended.MatchString(text) }

// token is the length of what stands at the beginning: a comment, a quoted text, or one character.
func token(sql string) int {
	upTo := func(end string, from int) int {
		if i := strings.Index(sql[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(sql)
	}
	switch tag := dollar.FindString(sql); {
	case tag != "":
		return upTo(tag, len(tag))
	case strings.HasPrefix(sql, "--"):
		return upTo("\n", 0)
	case strings.HasPrefix(sql, "/*"):
		return upTo("*/", 2)
	case sql[0] == '\'':
		return upTo("'", 1)
	default:
		return 1
	}
}

// actions splits what ALTER TABLE does at commas outside of parentheses.
func actions(text string) (out []string) {
	depth, from := 0, 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out, from = append(out, strings.TrimSpace(text[from:i])), i+1
			}
		}
	}
	return append(out, strings.TrimSpace(text[from:]))
}

func TestTheLockRuleFindsWhatHoldsATableAndLetsTheRestPass(t *testing.T) {
	t.Parallel()
	old := map[string]bool{"jobs": true}
	const outside = "---- tern: disable-tx ----\n"
	for sql, word := range map[string]string{
		`CREATE INDEX a ON jobs (id)`:                                                                      "CONCURRENTLY",
		`CREATE UNIQUE INDEX a ON ONLY jobs (id)`:                                                          "CONCURRENTLY",
		`CREATE INDEX CONCURRENTLY a ON jobs (id)`:                                                         "disable-tx",
		outside + `CREATE INDEX CONCURRENTLY a ON jobs (id)`:                                               "DROP INDEX CONCURRENTLY IF EXISTS a;",
		`ALTER TABLE jobs ADD COLUMN a uuid NOT NULL DEFAULT gen_random_uuid()`:                            "row to row",
		`ALTER TABLE jobs ADD COLUMN a int, ADD COLUMN b timestamptz DEFAULT clock_timestamp()`:            "row to row",
		`ALTER TABLE jobs ADD COLUMN a bigserial`:                                                          "generated",
		`ALTER TABLE jobs ADD COLUMN a text GENERATED ALWAYS AS (lower(kind)) STORED`:                      "generated",
		`ALTER TABLE jobs ADD COLUMN a text NOT NULL`:                                                      "constant default",
		`ALTER TABLE jobs ADD COLUMN a text NOT NULL DEFAULT '' CHECK (a <> 'x')`:                          "NOT VALID",
		`ALTER TABLE jobs ADD CONSTRAINT c CHECK (id IS NOT NULL)`:                                         "NOT VALID",
		`ALTER TABLE jobs ADD FOREIGN KEY (id) REFERENCES people`:                                          "NOT VALID",
		`ALTER TABLE jobs ADD CONSTRAINT c CHECK (true) NOT VALID; ALTER TABLE jobs VALIDATE CONSTRAINT c`: "VALIDATE",
		`ALTER TABLE jobs ALTER COLUMN kind TYPE varchar(9)`:                                               "new type",
		`ALTER TABLE jobs ALTER kind SET NOT NULL`:                                                         "SET NOT NULL",
		`ALTER TABLE jobs SET UNLOGGED`:                                                                    "anew",
		`ALTER TABLE jobs DROP COLUMN kind`:                                                                "oldest_program = 30",
		`ALTER TABLE jobs RENAME kind TO sort`:                                                             "oldest_program = 30",
		`DROP TABLE jobs`:                                                                                  "oldest_program = 30",
		`UPDATE jobs SET kind = ''`:                                                                        "all rows",
		`LOCK TABLE jobs`:                                                                                  "whole table",
		outside + `ALTER TABLE jobs ADD COLUMN a int`:                                                      "a file of its own",
	} {
		if got := strings.Join(lint(30, sql, old), "\n"); !strings.Contains(got, word) {
			t.Errorf("%s: found %q, want %q", sql, got, word)
		}
	}
	for _, sql := range []string{
		`CREATE TABLE new (id int); CREATE INDEX a ON new (id)`,
		outside + "DROP INDEX CONCURRENTLY IF EXISTS a; CREATE INDEX CONCURRENTLY a ON jobs (id)",
		outside + `ALTER TABLE jobs VALIDATE CONSTRAINT c`,
		`ALTER TABLE jobs ADD COLUMN a int NOT NULL DEFAULT 0, ADD COLUMN b timestamptz NOT NULL DEFAULT now()`,
		`ALTER TABLE jobs ADD CONSTRAINT c CHECK (kind <> '') NOT VALID`,
		`ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check`,
		`ALTER TABLE jobs DROP COLUMN kind; UPDATE schema_compat SET oldest_program = 30`,
		"-- lock: the table has one row for each practice\nCREATE INDEX a ON jobs (id)",
		"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE jobs SET kind = ''; LOCK jobs; END $$",
		"CREATE FUNCTION f() RETURNS void BEGIN ATOMIC UPDATE jobs SET kind = ''; END; SELECT 1",
		`INSERT INTO jobs VALUES ('; LOCK TABLE jobs')`,
	} {
		if got := lint(30, sql, old); len(got) > 0 {
			t.Errorf("%s: %s", sql, strings.Join(got, "\n"))
		}
	}
	if got := lint(30, "-- lock: harmless\nLOCK TABLE jobs; LOCK TABLE people", old); len(got) != 1 {
		t.Errorf("a reason stands for its own statement only: %q", got)
	}
}
