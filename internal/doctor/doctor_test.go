package doctor_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vesper/internal/doctor"
	"vesper/internal/fault"
	"vesper/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

func found(t *testing.T, c doctor.Check) doctor.Finding {
	t.Helper()
	return doctor.Examine(t.Context(), []doctor.Check{c})[0].Found
}

func TestResultsKeepTheOrderOfTheChecksAndSayHowToMend(t *testing.T) {
	t.Parallel()
	slow := make(chan struct{})
	results := doctor.Examine(t.Context(), []doctor.Check{
		{Name: "first", Run: func(context.Context) doctor.Finding { <-slow; return doctor.Finding{OK: true, What: "there"} }},
		{Name: "second one", Run: func(context.Context) doctor.Finding {
			close(slow) // checks run side by side: the first one waits for this one
			return doctor.Finding{What: "gone", Mend: "Bring it back."}
		}},
	})
	if doctor.Healthy(results) {
		t.Error("a bad finding counts as healthy")
	}
	var out bytes.Buffer
	if err := doctor.Print(&out, results); err != nil {
		t.Fatal(err)
	}
	want := "good  first       there\n" +
		"BAD   second one  gone\n" +
		"                  → Bring it back.\n" +
		"\nOne thing needs mending.\n"
	if out.String() != want {
		t.Errorf("printed\n%s\nwanted\n%s", out.String(), want)
	}
}

func TestTheRealRedisIsFoundGoodAndAStoppedOneBad(t *testing.T) {
	t.Parallel()
	own := testkit.Own(t, "redis")
	check := doctor.Redis(func(ctx context.Context) (doctor.RedisFacts, error) { return doctor.AskRedis(ctx, own.RedisURL()) })
	// The kit's Redis writes its append-only file, as the embedded one does.
	if f := found(t, check); !f.OK || !strings.Contains(f.What, "noeviction, append-only file") {
		t.Errorf("found %+v", f)
	}
	own.StopRedis()
	if f := found(t, check); f.OK || f.Mend == "" {
		t.Errorf("a stopped Redis is found %+v", f)
	}
}

func TestAWrongRedisPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	url := strings.Replace(testkit.Redis(t), "redis://:", "redis://:wrong", 1)
	_, err := doctor.AskRedis(t.Context(), url)
	if err == nil || strings.Contains(err.Error(), url) || strings.Contains(err.Error(), "wrong") && !strings.Contains(err.Error(), "WRONGPASS") {
		t.Fatalf("got %v", err)
	}
}

func TestRedisSettingsThatLoseWorkAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts doctor.RedisFacts
		ok    bool
		mend  string
	}{
		"Evicts":       {doctor.RedisFacts{Version: "7.2.1", Policy: "allkeys-lru", AppendOnly: "yes"}, false, "noeviction"},
		"TooOld":       {doctor.RedisFacts{Version: "6.2.14", Policy: "noeviction", AppendOnly: "yes"}, false, "7 or newer"},
		"Forgets":      {doctor.RedisFacts{Version: "7.2.1", Policy: "noeviction", AppendOnly: "no"}, true, "appendonly yes"},
		"Managed":      {doctor.RedisFacts{Version: "8.0.0"}, true, "provider"},
		"NoVersion":    {doctor.RedisFacts{}, false, "7 or newer"},
		"AsItShouldBe": {doctor.RedisFacts{Version: "10.0.0", Policy: "noeviction", AppendOnly: "yes"}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := found(t, doctor.Redis(func(context.Context) (doctor.RedisFacts, error) { return c.facts, nil }))
			if f.OK != c.ok || !strings.Contains(f.Mend, c.mend) || (c.mend == "") != (f.Mend == "") {
				t.Errorf("found %+v", f)
			}
		})
	}
}

func TestOldOrAbsentDatabasesAreFound(t *testing.T) {
	t.Parallel()
	version := func(v string, err error) doctor.Check {
		return doctor.Postgres(func(context.Context) (string, error) { return v, err })
	}
	if f := found(t, version("14.11", nil)); f.OK {
		t.Errorf("PostgreSQL 14 is found %+v", f)
	}
	if f := found(t, version("17.2 (Debian)", nil)); !f.OK {
		t.Errorf("PostgreSQL 17 is found %+v", f)
	}
	if f := found(t, version("", errors.New("connection refused"))); f.OK || f.Mend == "" {
		t.Errorf("no PostgreSQL is found %+v", f)
	}
}

func TestAFaultGivesItsOwnAdvice(t *testing.T) {
	t.Parallel()
	f := found(t, doctor.Model(func(context.Context) (string, error) {
		return "", fault.Wrap(errors.New("private"), fault.Unavailable, "model_corrupt", "Fetch the model again.")
	}))
	if f.OK || f.Mend != "Fetch the model again." || strings.Contains(f.What, "private") {
		t.Errorf("found %+v", f)
	}
}

func TestAStoreWithoutVersionsIsBadAndWithoutLockIsAdvice(t *testing.T) {
	t.Parallel()
	store := func(f doctor.StoreFacts) doctor.Check {
		return doctor.Store(func(context.Context) (doctor.StoreFacts, error) { return f, nil })
	}
	if f := found(t, store(doctor.StoreFacts{Bucket: "audio", Lock: true})); f.OK {
		t.Errorf("found %+v", f)
	}
	if f := found(t, store(doctor.StoreFacts{Bucket: "audio", Versioning: true})); !f.OK || f.Mend == "" {
		t.Errorf("found %+v", f)
	}
}

func TestTheEHRAnswersOrIsBad(t *testing.T) {
	t.Parallel()
	if f := found(t, doctor.EHR(func(context.Context) (string, error) { return "Sandbox, FHIR 4.0.1", nil })); !f.OK {
		t.Errorf("found %+v", f)
	}
	if f := found(t, doctor.EHR(func(context.Context) (string, error) { return "", context.DeadlineExceeded })); f.OK || !strings.Contains(f.What, "no answer in time") {
		t.Errorf("found %+v", f)
	}
}

func TestAnUnwritableFolderIsBadAndAFutureOneIsNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if f := found(t, doctor.Folder(filepath.Join(dir, "a", "b"))); !f.OK || !strings.Contains(f.What, "first start") {
		t.Errorf("a folder to be made is found %+v", f)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("the check left %v (%v)", entries, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if f := found(t, doctor.Folder(file)); f.OK {
		t.Errorf("a file is found %+v", f)
	}
}

func TestLittleSpaceIsAdviceAndTooLittleIsBad(t *testing.T) {
	t.Parallel()
	disk := func(free uint64) doctor.Finding {
		return found(t, doctor.Disk(t.TempDir(), 100, func(string) (uint64, error) { return free, nil }))
	}
	if f := disk(99); f.OK {
		t.Errorf("found %+v", f)
	}
	if f := disk(100); !f.OK || f.Mend == "" {
		t.Errorf("found %+v", f)
	}
	if f := disk(500); !f.OK || f.Mend != "" {
		t.Errorf("found %+v", f)
	}
}

func TestAClockThatDiffersFromTheDatabaseIsBad(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func(mine, other time.Time, err error) doctor.Finding {
		return found(t, doctor.Clock(func() time.Time { return mine }, func(context.Context) (time.Time, error) { return other, err }))
	}
	if f := clock(now, now.Add(3*time.Second), nil); !f.OK {
		t.Errorf("found %+v", f)
	}
	if f := clock(now, now.Add(-time.Minute), nil); f.OK || !strings.Contains(f.What, "1m0s") {
		t.Errorf("found %+v", f)
	}
	if f := clock(time.Unix(0, 0), now, nil); f.OK {
		t.Errorf("a clock of 1970 is found %+v", f)
	}
	if f := clock(now, now, errors.New("down")); !f.OK {
		t.Errorf("found %+v", f)
	}
}

func TestFfmpegIsFoundWithItsVersion(t *testing.T) {
	t.Parallel()
	if f := found(t, doctor.Ffmpeg()); !f.OK || !strings.ContainsAny(f.What, "0123456789") {
		t.Errorf("found %+v", f)
	}
	if f := found(t, doctor.Compiler()); !f.OK {
		t.Errorf("found %+v", f)
	}
}
