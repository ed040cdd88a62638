package fhir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"vesper/ehr"
	"vesper/internal/fault"
)

// DefaultTimeout bounds one request to the EHR, answer included.
const DefaultTimeout = 30 * time.Second

// TokenSource gives the bearer token for the next request. It is asked every time, so that it may renew.
type TokenSource func(context.Context) (string, error)

// Config says which EHR and how to speak to it.
type Config struct {
	Name    string // ehr.Target's name; "" means "fhir"
	BaseURL string // FHIR base: "https://ehr.example/fhir"; plain http only as AllowPrivate and PlainHTTP say
	Token   string // bearer token that never changes; "" sends no Authorization
	// Tokens replaces Token where tokens are renewed; nil means Token.
	Tokens TokenSource
	// AllowPrivate lets the EHR be on any private or loopback address, and on loopback without TLS.
	AllowPrivate bool
	// AllowNetworks lists the private or loopback networks where the EHR may be, where AllowPrivate is too much.
	AllowNetworks []netip.Prefix
	PlainHTTP     bool          // allow a base URL without TLS anywhere; patient text then travels in the clear
	Timeout       time.Duration // of one request; 0 means DefaultTimeout
	// Client replaces the HTTP client, and with it the rules on addresses; nil means NewHTTPClient. Redirects are never
	// followed, whatever the client says.
	Client *http.Client
	// Wrap is put around the client's transport, to count and trace what goes through; may be nil.
	Wrap func(http.RoundTripper) http.RoundTripper
	Now  func() time.Time // nil means time.Now
}

// withDefaults fills in what was left out.
func (cfg Config) withDefaults() Config {
	if cfg.Name == "" {
		cfg.Name = "fhir"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.AllowPrivate {
		cfg.AllowNetworks = append(slices.Clone(cfg.AllowNetworks), privateNetworks...)
	}
	if cfg.Client == nil {
		cfg.Client = NewHTTPClient(cfg.Timeout, cfg.AllowNetworks)
	}
	if token := cfg.Token; cfg.Tokens == nil && token != "" {
		cfg.Tokens = func(context.Context) (string, error) { return token, nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return cfg
}

// Format keeps the token out of every fmt verb.
func (cfg Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "FHIR target %q (token withheld)", cfg.Name)
}

// Client is an ehr.Target that speaks FHIR R4.
type Client struct {
	name  string
	base  *url.URL
	http  *http.Client
	token TokenSource
	now   func() time.Time

	mu          sync.Mutex
	conditional *bool // what the CapabilityStatement said; nil until it was read
}

// New checks the configuration and returns a client. It does not connect; Check does.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(cfg.BaseURL, "/"))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" || !cfg.mayUse(base) {
		return nil, fault.New(fault.Invalid, "ehr_url_invalid", "The EHR's address must be an https URL without user name, "+
			"query or fragment. Correct it in the configuration.")
	}
	cfg = cfg.withDefaults()
	own := *cfg.Client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if cfg.Wrap != nil {
		own.Transport = cfg.Wrap(cmp.Or[http.RoundTripper](own.Transport, http.DefaultTransport))
	}
	if own.Timeout == 0 {
		own.Timeout = cfg.Timeout
	}
	return &Client{name: cfg.Name, base: base, http: &own, token: cfg.Tokens, now: cfg.Now}, nil
}

// mayUse says whether the base URL's scheme is allowed: https always, http only where it was asked for or where it does
// not leave this machine.
func (cfg Config) mayUse(base *url.URL) bool {
	if base.Scheme != "http" {
		return base.Scheme == "https"
	}
	ip, err := netip.ParseAddr(base.Hostname())
	local := base.Hostname() == "localhost" || (err == nil && ip.IsLoopback())
	return cfg.PlainHTTP || (cfg.AllowPrivate && local)
}

// Name is the target's name in the configuration.
func (c *Client) Name() string { return c.name }

// Capabilities is what the EHR says about itself.
type Capabilities struct {
	Software, FHIRVersion string
	ConditionalCreate     bool
}

// Check reads the CapabilityStatement. It is for the doctor and for start-up; Deliver reads it by itself when needed.
func (c *Client) Check(ctx context.Context) (Capabilities, error) {
	a, err := c.do(ctx, http.MethodGet, "metadata", nil, nil)
	if err != nil {
		return Capabilities{}, unreachable(err)
	}
	if a.status != http.StatusOK {
		return Capabilities{}, a.refusal("read metadata")
	}
	var s capabilityStatement
	if err := a.decode("CapabilityStatement", &s); err != nil {
		return Capabilities{}, fault.Wrap(err, fault.Invalid, "ehr_not_fhir", "The configured address does not answer like "+
			"a FHIR server. Correct the EHR's base URL in the configuration.")
	}
	caps := Capabilities{Software: s.Software.Name, FHIRVersion: s.FHIRVersion, ConditionalCreate: s.conditionalCreate()}
	if !strings.HasPrefix(caps.FHIRVersion, "4.") {
		return caps, fault.New(fault.Invalid, "ehr_fhir_version", "The EHR does not speak FHIR R4. Configure its R4 address.")
	}
	c.mu.Lock()
	c.conditional = &caps.ConditionalCreate
	c.mu.Unlock()
	return caps, nil
}

// createsConditionally says whether the EHR keeps If-None-Exist. An EHR that cannot be asked is taken for one that does
// not, which costs a search and risks nothing.
func (c *Client) createsConditionally(ctx context.Context) bool {
	c.mu.Lock()
	known := c.conditional
	c.mu.Unlock()
	if known != nil {
		return *known
	}
	caps, err := c.Check(ctx)
	return err == nil && caps.ConditionalCreate
}

type capabilityStatement struct {
	ResourceType string `json:"resourceType"`
	FHIRVersion  string `json:"fhirVersion"`
	Software     struct {
		Name string `json:"name"`
	} `json:"software"`
	Rest []struct {
		Mode     string `json:"mode"`
		Resource []struct {
			Type              string `json:"type"`
			ConditionalCreate bool   `json:"conditionalCreate"`
		} `json:"resource"`
	} `json:"rest"`
}

func (s capabilityStatement) conditionalCreate() bool {
	for _, rest := range s.Rest {
		for _, r := range rest.Resource {
			if rest.Mode == "server" && r.Type == "DocumentReference" {
				return r.ConditionalCreate
			}
		}
	}
	return false
}

// unreachable is the fault of an exchange that changed nothing and did not come to an end.
func unreachable(err error) error {
	if errors.Is(err, errForbiddenAddress) {
		return fault.Wrap(err, fault.Invalid, "ehr_address_forbidden", "The EHR's address is in a network that is not "+
			"allowed. Correct the address, or allow its network in the configuration.")
	}
	return fault.Wrap(err, fault.Unavailable, "ehr_unreachable", "The EHR cannot be reached. The note is safe here and "+
		"will be sent when it answers again.")
}

// receipt makes a receipt of a resource id.
func (c *Client) receipt(id, version string, o ehr.Outcome) ehr.Receipt {
	return ehr.Receipt{Target: c.name, ID: "DocumentReference/" + id, VersionID: version, At: c.now().UTC(), Outcome: o}
}

func (c *Client) String() string { return fmt.Sprintf("FHIR target %q", c.name) }
