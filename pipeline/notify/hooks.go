package notify

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"vesper/internal/fault"
	"vesper/pipeline"
)

// HookConfig says how webhooks are sent.
type HookConfig struct {
	Key   []byte   // from which the secret of each webhook is derived: the installation's master key
	Allow []string // hosts (or HOST:PORT) that may be on a private network or without TLS
	Base  string   // public address of Vesper, for links
	Now   func() time.Time
}

// Hooks sends webhooks; it implements pipeline.Sender and pipeline.Hooks. Bodies are signed as Standard Webhooks has it.
type Hooks struct {
	HookConfig
	client *http.Client
}

// secretSize is that of a webhook's secret, bytes.
const secretSize = 32

// NewHooks returns a sender of webhooks.
func NewHooks(c HookConfig) (*Hooks, error) {
	if len(c.Key) < 16 {
		return nil, fault.New(fault.Invalid, "webhook_key", "The key that signs webhooks is missing or too short.")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Hooks{c, guardedClient(c.Allow)}, nil
}

// Check implements pipeline.Hooks.
func (h *Hooks) Check(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil, u.Hostname() == "", u.Opaque != "", len(raw) > 500:
		return fault.New(fault.Invalid, "webhook_url", "This address cannot be read. Write it as https://HOST/PATH.")
	case u.User != nil, u.Fragment != "":
		return fault.New(fault.Invalid, "webhook_url", "A webhook's address has no user, password or fragment: what it gets is signed.")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowed(h.Allow, u.Host)):
		return fault.New(fault.Invalid, "webhook_url", "A webhook's address begins with https://. Other hosts must be allowed by whoever runs the server (--webhook-allow).")
	default:
		return nil
	}
}

// Secret implements pipeline.Hooks. It is derived, so no table holds it.
func (h *Hooks) Secret(webhook uuid.UUID) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(h.secret(webhook))
}

func (h *Hooks) secret(webhook uuid.UUID) []byte {
	key, err := hkdf.Key(sha256.New, h.Key, nil, "vesper webhook "+webhook.String(), secretSize)
	if err != nil {
		panic(err) // only a size beyond what HKDF gives
	}
	return key
}

// event is the body of a webhook.
type event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      eventData `json:"data"`
}

type eventData struct {
	pipeline.Content
	URL string `json:"url"`
}

// Send implements pipeline.Sender. webhook-id is that of the message, the same for each attempt.
func (h *Hooks) Send(ctx context.Context, m pipeline.Message) error {
	if m.WebhookID == nil {
		return fault.New(fault.Invalid, "webhook_url", "The message has no webhook.")
	}
	if err := h.Check(m.URL); err != nil { // what may be told can have changed since the address was added
		return err
	}
	body, err := json.Marshal(event{"dictation.escalated", m.At, eventData{m.Content, strings.TrimSuffix(h.Base, "/") + "/dictations/" + m.DictationID.String()}})
	if err != nil {
		return fmt.Errorf("encode webhook: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Invalid, "webhook_url", "This address cannot be read.")
	}
	id, at := "msg_"+m.ID.String(), strconv.FormatInt(h.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Vesper")
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", sign(h.secret(*m.WebhookID), id, at, body))
	resp, err := h.client.Do(req)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "webhook_unreachable", "The receiver cannot be reached.")
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return answer(resp.StatusCode)
}

// sign is the signature of a body: v1,BASE64(HMAC-SHA256(secret, ID.TIMESTAMP.BODY)).
func sign(secret []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, at, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// answer says what a status means. A receiver that is set up wrongly may be mended within hours; one that is gone says so.
func answer(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return fault.New(fault.Invalid, "webhook_redirected", "The receiver sends on to another address. Add that address instead.")
	case status == http.StatusGone:
		return fault.New(fault.Invalid, "webhook_gone", "The receiver is gone. Remove the webhook.")
	default:
		return fault.Wrap(fmt.Errorf("status %d", status), fault.Unavailable, "webhook_refused", "The receiver did not take the message.")
	}
}
