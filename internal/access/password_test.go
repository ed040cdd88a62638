package access_test

import (
	"strings"
	"testing"

	"vesper/internal/access"
	"vesper/internal/fault"
)

func TestAPasswordIsKnownByItsHashOnly(t *testing.T) {
	t.Parallel()
	const password = "correct horse battery"
	a, err := access.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	b, err := access.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if a == b {
		t.Error("two hashes of one password are the same: there is no salt")
	}
	if !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(a, password) {
		t.Errorf("hash %s", a)
	}
	if !access.CheckPassword(a, password) || !access.CheckPassword(b, password) {
		t.Error("the password is not recognised")
	}
	for _, wrong := range []string{"", "correct horse battery ", "Correct horse battery", "correct horse batter", a} {
		if access.CheckPassword(a, wrong) {
			t.Errorf("%q passes", wrong)
		}
	}
}

func TestShortPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	_, err := access.HashPassword(strings.Repeat("x", access.MinPassword-1))
	if f := fault.As(err); err == nil || f.Kind != fault.Invalid || f.Code != "password_short" || !strings.Contains(f.Public, "12") {
		t.Errorf("%v", err)
	}
	if _, err := access.HashPassword(strings.Repeat("x", access.MinPassword)); err != nil {
		t.Error(err)
	}
}

func TestABrokenHashLetsNobodyIn(t *testing.T) {
	t.Parallel()
	const password = "correct horse battery"
	good, err := access.HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, "$")
	with := func(i int, s string) string {
		p := append([]string(nil), parts...)
		p[i] = s
		return strings.Join(p, "$")
	}
	for _, bad := range []string{
		"", "$", password, "$argon2id$", strings.TrimSuffix(good, good[len(good)-1:]) + "!", good + "$", with(1, "argon2i"), with(2, "v=18"), with(2, "v=x"),
		with(3, "m=19456,t=0,p=1"), with(3, "m=19456,t=2,p=0"), with(3, "m=19456"), with(4, "###"), with(5, ""), with(5, "AAAA"),
	} {
		if access.CheckPassword(bad, password) || access.CheckPassword(bad, "") {
			t.Errorf("%q lets somebody in", bad)
		}
	}
}

func FuzzABrokenHashLetsNobodyIn(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U", "x")
	f.Add("$argon2id$v=19$m=8,t=1,p=1$$", "")
	f.Fuzz(func(t *testing.T, hash, password string) {
		if strings.Contains(hash, "m=") && !strings.Contains(hash, "m=8,t=1,p=1") {
			return // parameters come from our own database; large ones would only make the fuzzer slow
		}
		if access.CheckPassword(hash, password) {
			t.Fatalf("%q lets %q in", hash, password)
		}
	})
}
