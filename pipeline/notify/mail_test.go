package notify_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post is a real SMTP server with STARTTLS that keeps what it gets.
type post struct {
	mu      sync.Mutex
	letters []letter
	refuse  error // answers RCPT
	tls     *tls.Config
	address string
}

type letter struct {
	from, to, data string
	secure         bool
}

type session struct {
	p    *post
	conn *smtp.Conn
	letter
	signedIn bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "vesper" || password != "s3cret/pass" {
			return smtp.ErrAuthFailed
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signedIn {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.refuse
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	_, s.secure = s.conn.TLSConnectionState()
	s.data = string(raw)
	s.p.mu.Lock()
	s.p.letters = append(s.p.letters, s.letter)
	s.p.mu.Unlock()
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// newPost starts the server; implicit speaks TLS from the start.
func newPost(t *testing.T, implicit bool) *post {
	t.Helper()
	server, client := certificates(t)
	p := &post{tls: client}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{p: p, conn: c}, nil }))
	s.Domain, s.TLSConfig, s.ReadTimeout, s.WriteTimeout = "localhost", server, 10*time.Second, 10*time.Second
	s.ErrorLog = quiet{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, server)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return p
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func certificates(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"}
}

func message() pipeline.Message {
	id := uuid.Must(uuid.NewV7())
	return pipeline.Message{
		ID: id, DictationID: uuid.Must(uuid.NewV7()), Channel: pipeline.ByMail, Address: "theo@practice.example", At: time.Now().UTC().Truncate(time.Second), Attempt: 1,
		Content: pipeline.Content{
			Rule: "overdue", Say: "A note is overdue.", DictationID: id, State: pipeline.InReview, Priority: pipeline.Stat, WorkType: "progress",
			DueAt: time.Date(2026, 11, 24, 19, 30, 0, 0, time.UTC), Zone: "America/New_York", At: time.Now().UTC(),
		},
	}
}

func mailer(t *testing.T, scheme string, p *post, login string) *notify.Mailer {
	t.Helper()
	m, err := notify.NewMailer(notify.MailConfig{URL: scheme + "://" + login + p.address, From: "vesper@practice.example", Base: "https://vesper.example/", TLS: p.tls})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const login = "vesper:s3cret%2Fpass@"

func TestALetterGoesOutOverTLSWithTheSameIDEachTime(t *testing.T) {
	t.Parallel()
	for scheme, implicit := range map[string]bool{"smtp": false, "smtps": true} {
		p := newPost(t, implicit)
		m, msg := mailer(t, scheme, p, login), message()
		for range 2 {
			if err := m.Send(t.Context(), msg); err != nil {
				t.Fatalf("%s: %v", scheme, err)
			}
		}
		if err := m.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
		if len(p.letters) != 2 {
			t.Fatalf("%s: %d letters", scheme, len(p.letters))
		}
		for _, l := range p.letters {
			got, err := mail.ReadMessage(strings.NewReader(l.data))
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(got.Body)
			if l.from != "vesper@practice.example" || l.to != msg.Address || !l.secure {
				t.Errorf("%s: envelope %+v", scheme, l)
			}
			if id := got.Header.Get("Message-Id"); id != "<"+msg.ID.String()+"@practice.example>" {
				t.Errorf("%s: Message-ID %s", scheme, id)
			}
			if got.Header.Get("Subject") != "Vesper: A note is overdue" || got.Header.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("%s: headers %v", scheme, got.Header)
			}
			for _, want := range []string{"Progress Note, STAT, in review. Due 24 Nov 2026, 14:30 EST.", "https://vesper.example/dictations/" + msg.Content.DictationID.String()} {
				if !strings.Contains(strings.ReplaceAll(string(body), "=\r\n", ""), want) {
					t.Errorf("%s: the letter lacks %q:\n%s", scheme, want, body)
				}
			}
		}
	}
}

func TestWhatAMailServerSaysDecidesWhetherItIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := newPost(t, false)
	m := mailer(t, "smtp", p, login)
	for code, again := range map[int]bool{550: false, 450: true} {
		p.mu.Lock()
		p.refuse = &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no"}
		p.mu.Unlock()
		if err := m.Send(t.Context(), message()); err == nil || fault.Retryable(err) != again {
			t.Errorf("%d: %v", code, err)
		}
	}
	if err := mailer(t, "smtp", p, "vesper:wrong@").Send(t.Context(), message()); !fault.Retryable(err) {
		t.Errorf("wrong password: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := &post{address: l.Addr().String(), tls: p.tls}
	_ = l.Close()
	if err := mailer(t, "smtp", gone, login).Send(t.Context(), message()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a server that is away: %v", err)
	}
	if strings.Contains(fault.As(mailer(t, "smtp", gone, login).Check(t.Context())).Public, "s3cret") {
		t.Error("the password is told")
	}
}

func TestAServerWithoutTLSOrThatIsNotItselfGetsNothing(t *testing.T) {
	t.Parallel()
	p := newPost(t, false)
	stranger, _ := certificates(t)
	p.tls = &tls.Config{RootCAs: x509.NewCertPool(), ServerName: "127.0.0.1", Certificates: stranger.Certificates}
	if err := mailer(t, "smtp", p, login).Send(t.Context(), message()); err == nil || len(p.letters) != 0 {
		t.Errorf("an unknown certificate: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return nil, errors.New("nobody is let in") }))
	done := make(chan struct{})
	go func() { defer close(done); _ = plain.Serve(l) }()
	t.Cleanup(func() { _ = plain.Close(); <-done })
	if err := mailer(t, "smtp", &post{address: l.Addr().String()}, login).Send(t.Context(), message()); err == nil {
		t.Error("mail went without TLS")
	}
}

func TestAMailServerThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never says a word
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := mailer(t, "smtp", &post{address: l.Addr().String()}, "").Send(ctx, message()); !fault.Retryable(err) {
		t.Errorf("got %v", err)
	}
}

func TestMailSettingsThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []notify.MailConfig{
		{URL: "", From: "a@b.example"},
		{URL: "http://mail.example", From: "a@b.example"},
		{URL: "smtp://mail.example", From: "Vesper"},
		{URL: "smtp+plain://mail.example:25", From: "a@b.example"},
		{URL: "smtp://:587", From: "a@b.example"},
	} {
		if _, err := notify.NewMailer(c); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := notify.NewMailer(notify.MailConfig{URL: "smtp+plain://127.0.0.1:25", From: "a@b.example"}); err != nil {
		t.Error(err)
	}
}
