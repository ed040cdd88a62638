package main

import (
	"encoding/base64"

	"vesper/internal/fault"
	"vesper/pipeline"
	"vesper/pipeline/notify"
)

// noticeFlags say how people and other systems are told of what waits.
type noticeFlags struct {
	SMTPURL      string   `env:"VESPER_SMTP_URL" name:"smtp-url" help:"Mail server for notifications, as smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://HOST:465; empty: no mail." placeholder:"URL"`
	MailFrom     string   `help:"Address that mail is sent from." placeholder:"ADDRESS"`
	WebhookAllow []string `help:"Hosts (or HOST:PORT) that webhooks may reach on a private network or without TLS." placeholder:"HOST"`
}

// masterKey reads the installation's key.
func masterKey(f serviceFlags) ([]byte, error) {
	text, err := readKey(f.MasterKeyFile)
	if err != nil {
		return nil, err
	}
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "master_key", "The master key file must hold 32 bytes in base64url.")
	}
	return key, nil
}

// newHooks builds what signs webhooks. base is the public address, for links.
func newHooks(f serviceFlags, base string) (*notify.Hooks, error) {
	key, err := masterKey(f)
	if err != nil {
		return nil, err
	}
	return notify.NewHooks(notify.HookConfig{Key: key, Allow: f.WebhookAllow, Base: base})
}

// newMailer builds what sends mail; nil where none is set up.
func newMailer(f noticeFlags, base string) (*notify.Mailer, error) {
	if f.SMTPURL == "" {
		return nil, nil
	}
	return notify.NewMailer(notify.MailConfig{URL: f.SMTPURL, From: f.MailFrom, Base: base})
}

// newCourier builds what takes messages out of the house.
func newCourier(rt *runtime, p *parts) (*pipeline.Courier, error) {
	hooks, err := newHooks(p.flags, p.base)
	if err != nil {
		return nil, err
	}
	c := &pipeline.Courier{Store: p.store, Senders: map[pipeline.Channel]pipeline.Sender{pipeline.ByWebhook: hooks}, Log: rt.log, Watch: rt.watch.stages()}
	mail, err := newMailer(p.flags.noticeFlags, p.base)
	if err != nil {
		return nil, err
	}
	if mail != nil {
		c.Senders[pipeline.ByMail] = mail
	}
	return c, nil
}
