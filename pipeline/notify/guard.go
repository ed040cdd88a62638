package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Time limits of one webhook; the courier bounds the whole attempt.
const (
	dialTime   = 5 * time.Second
	answerTime = 15 * time.Second
)

var errForbidden = errors.New("address is not allowed for a webhook")

// reserved are ranges that no public receiver has, beside those that the standard library knows.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

// guardedClient connects to public addresses, and to what the hosts in allow are. It looks at the address after the name was
// resolved and at the very moment of connecting, follows no redirect, and uses no proxy.
func guardedClient(allow []string) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		d := &net.Dialer{Timeout: dialTime, Control: func(_, to string, _ syscall.RawConn) error {
			return mayReach(to, allowed(allow, address))
		}}
		return d.DialContext(ctx, network, address)
	}
	return &http.Client{
		Timeout:       answerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial, TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: answerTime, IdleConnTimeout: 30 * time.Second,
			MaxIdleConnsPerHost: 2, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
		},
	}
}

// allowed reports whether HOST:PORT is one of the hosts that may be private.
func allowed(allow []string, address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	return slices.ContainsFunc(allow, func(a string) bool { return strings.EqualFold(a, address) || strings.EqualFold(a, host) })
}

// mayReach decides about one resolved address. Link-local addresses, where clouds keep their secrets, are never reached.
func mayReach(address string, private bool) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: cannot be read", errForbidden)
	}
	ip := ap.Addr().Unmap().WithZone("")
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified():
		return fmt.Errorf("%w: link-local or multicast", errForbidden)
	case private:
		return nil
	case ip.IsPrivate(), ip.IsLoopback(), !ip.IsGlobalUnicast(), slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return fmt.Errorf("%w: not a public address", errForbidden)
	default:
		return nil
	}
}
