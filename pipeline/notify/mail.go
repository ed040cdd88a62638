package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"vesper/internal/fault"
	"vesper/notes/templates"
	"vesper/pipeline"
	"vesper/pipeline/escalation"
)

// smtpTime bounds one connection to the mail server; the courier bounds the whole attempt.
const smtpTime = 15 * time.Second

// MailConfig says how mail is sent.
type MailConfig struct {
	// URL is smtp://USER:PASSWORD@HOST:587 (STARTTLS, which is required), smtps://… (TLS from the start), or
	// smtp+plain://HOST:25 for a server on this machine, without TLS.
	URL  string
	From string // address of the sender
	Base string // public address of Vesper, for links
	TLS  *tls.Config
}

// Mailer sends mail; it implements pipeline.Sender.
type Mailer struct {
	host    string
	options []mail.Option
	from    string
	base    string
}

// NewMailer checks the configuration. It does not connect.
func NewMailer(c MailConfig) (*Mailer, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" {
		return nil, fault.New(fault.Invalid, "smtp_url", "The address of the mail server cannot be read. Use smtp://USER:PASSWORD@HOST:587 or smtps://HOST:465.")
	}
	if !escalation.ValidAddress(c.From) {
		return nil, fault.New(fault.Invalid, "mail_from", "Give the address that mail is sent from, such as vesper@practice.example (--mail-from).")
	}
	m := &Mailer{host: u.Hostname(), from: c.From, base: strings.TrimSuffix(c.Base, "/")}
	m.options = []mail.Option{mail.WithTimeout(smtpTime), mail.WithHELO(m.domain())}
	port := 587
	switch u.Scheme {
	case "smtp":
		m.options = append(m.options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "smtps":
		port = 465
		m.options = append(m.options, mail.WithSSL())
	case "smtp+plain":
		port = 25
		if ip := net.ParseIP(m.host); m.host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fault.New(fault.Invalid, "smtp_plain", "Mail without TLS is sent to a server on this machine only. Use smtp:// or smtps://.")
		}
		m.options = append(m.options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fault.New(fault.Invalid, "smtp_url", "The address of the mail server begins with smtp:// or smtps://.")
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, fault.New(fault.Invalid, "smtp_url", "The port of the mail server is not a number.")
		}
	}
	m.options = append(m.options, mail.WithPort(port))
	if c.TLS != nil {
		m.options = append(m.options, mail.WithTLSConfig(c.TLS))
	}
	if password, given := u.User.Password(); given {
		m.options = append(m.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return m, nil
}

func (m *Mailer) domain() string { return m.from[strings.LastIndex(m.from, "@")+1:] }

// Check connects, signs in and hangs up, for the doctor.
func (m *Mailer) Check(ctx context.Context) error {
	c, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "smtp_url", "The settings of the mail server are wrong.")
	}
	if err := c.DialWithContext(ctx); err != nil {
		return mailFault(err)
	}
	return mailFault(c.Close())
}

// Send implements pipeline.Sender. The Message-ID is that of the message, the same for each attempt.
func (m *Mailer) Send(ctx context.Context, msg pipeline.Message) error {
	letter := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := letter.FromFormat("Vesper", m.from); err != nil {
		return fault.Wrap(err, fault.Invalid, "mail_from", "The sender's address is wrong.")
	}
	if err := letter.To(msg.Address); err != nil {
		return fault.New(fault.Invalid, "mail_address", "The receiver's address is wrong.")
	}
	letter.Subject("Vesper: " + strings.TrimSuffix(msg.Content.Say, "."))
	letter.SetMessageIDWithValue(msg.ID.String() + "@" + m.domain())
	letter.SetDateWithValue(msg.At)
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetBodyString(mail.TypeTextPlain, m.text(msg))
	c, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "smtp_url", "The settings of the mail server are wrong.")
	}
	return mailFault(c.DialAndSendWithContext(ctx, letter))
}

// text is the whole letter: what kind of thing waits, and where to look.
func (m *Mailer) text(msg pipeline.Message) string {
	c := msg.Content
	kind := c.WorkType
	if t, err := templates.Find(c.WorkType); err == nil {
		kind = t.Name
	}
	priority := "routine"
	if c.Priority == pipeline.Stat {
		priority = "STAT"
	}
	loc, err := time.LoadLocation(cmp.Or(c.Zone, "UTC"))
	if err != nil {
		loc = time.UTC
	}
	return fmt.Sprintf("%s\n\n%s, %s, %s. Due %s.\n\n%s/dictations/%s\n\nThis message holds nothing of a patient; look in Vesper.\nWhere you are told: %s/notifications\n",
		c.Say, kind, priority, c.State.Words(), c.DueAt.In(loc).Format("2 Jan 2006, 15:04 MST"), m.base, c.DictationID, m.base)
}

// mailFault sorts what a mail server or the way to it said. A refusal for good (5xx) is not tried again, except of the login:
// its mending is a matter of hours.
func mailFault(err error) error {
	var refused *mail.SendError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused) && refused.ErrorCode() >= 500 && !refused.IsTemp():
		return fault.Wrap(err, fault.Invalid, "mail_refused", "The mail server refused this message for good.")
	default:
		return fault.Wrap(err, fault.Unavailable, "mail_unavailable", "The mail server cannot be reached or does not take mail now.")
	}
}
