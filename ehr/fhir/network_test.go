package fhir

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vesper/ehr"
	"vesper/internal/fault"
)

func TestOnlyAddressesWhereAnEHRMayBeAreDialled(t *testing.T) {
	t.Parallel()
	clinic := []netip.Prefix{
		netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd12::/16"),
		netip.MustParsePrefix("0.0.0.0/0"),
	}
	cases := []struct {
		address string
		allow   []netip.Prefix
		ok      bool
	}{
		{"203.0.113.9:443", nil, true},
		{"[2001:db8::1]:443", nil, true},
		{"10.20.1.1:443", nil, false},
		{"10.20.1.1:443", clinic[:2], true},
		{"10.21.1.1:443", clinic[:2], false},
		{"[::ffff:10.20.1.1]:443", clinic[:2], true},
		{"[::ffff:192.168.1.1]:443", nil, false},
		{"[fd12::1]:443", clinic, true},
		{"[fd13::1]:443", nil, false},
		{"127.0.0.1:80", nil, false},
		{"127.0.0.1:80", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, true},
		{"[::1]:80", nil, false},
		{"169.254.169.254:80", clinic, false},
		{"[::ffff:169.254.169.254]:80", clinic, false},
		{"[64:ff9b::a9fe:a9fe]:80", clinic, false},
		{"[2002:a9fe:a9fe::1]:80", clinic, false},
		{"[fe80::1%eth0]:80", clinic, false},
		{"[fd00:ec2::254]:80", []netip.Prefix{netip.MustParsePrefix("fd00::/8")}, false},
		{"100.100.100.200:80", nil, false},
		{"0.0.0.0:80", clinic, false},
		{"[::]:80", clinic, false},
		{"224.0.0.1:80", clinic, false},
		{"255.255.255.255:80", clinic, false},
		{"not an address", clinic, false},
	}
	for _, c := range cases {
		if err := checkAddress(c.address, c.allow); (err == nil) != c.ok || (err != nil && !errors.Is(err, errForbiddenAddress)) {
			t.Errorf("%s with %v: %v, want ok=%v", c.address, c.allow, err, c.ok)
		}
	}
}

func TestALoopbackServerThatIsNotConfiguredIsNeverReached(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL, PlainHTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Check(t.Context())
	if f := fault.As(err); f == nil || f.Code != "ehr_address_forbidden" || f.Kind != fault.Invalid {
		t.Fatalf("Check: %v", err)
	}
	if _, err := c.resolve(t.Context(), ehr.Identifier{}, err); fault.As(err).Code != "ehr_address_forbidden" {
		t.Fatalf("resolve: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("followed") }))
	t.Cleanup(other.Close)
	srv := httptest.NewServer(http.RedirectHandler(other.URL+"/fhir/metadata", http.StatusTemporaryRedirect))
	t.Cleanup(srv.Close)
	// a client that would follow, given from outside
	c, err := New(Config{BaseURL: srv.URL, PlainHTTP: true, Client: &http.Client{}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context()); fault.As(err).Code != "ehr_redirected" {
		t.Fatalf("got %v", err)
	}
}

func TestBadBaseURLsAreRefused(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"", "ehr.example", "http://ehr.example/fhir", "https://user:pw@ehr.example", "ftp://ehr.example",
		"https://ehr.example/fhir?x=1", "https://ehr.example/#a", "https://",
	} {
		_, err := New(Config{BaseURL: u})
		if fault.KindOf(err) != fault.Invalid || strings.Contains(fault.As(err).Public, "pw") {
			t.Errorf("%q: %v", u, err)
		}
	}
	for _, cfg := range []Config{
		{BaseURL: "https://ehr.example/fhir/"},
		{BaseURL: "http://127.0.0.1:1/fhir", AllowPrivate: true},
		{BaseURL: "http://[::1]/fhir", AllowPrivate: true},
		{BaseURL: "http://ehr.example", PlainHTTP: true},
	} {
		if _, err := New(cfg); err != nil {
			t.Errorf("%s: %v", cfg.BaseURL, err)
		}
	}
	for _, u := range []string{"http://ehr.example/fhir", "http://10.0.0.1/fhir", "http://127.0.0.1.evil.example/fhir"} {
		if _, err := New(Config{BaseURL: u, AllowPrivate: true}); err == nil {
			t.Errorf("%s without TLS was taken", u)
		}
	}
}

func TestANameThatResolvesToAPrivateAddressIsRefused(t *testing.T) {
	t.Parallel()
	c := NewHTTPClient(2*time.Second, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err == nil {
		res.Body.Close()
	}
	if !errors.Is(err, errForbiddenAddress) {
		t.Fatalf("got %v", err)
	}
}
