package fhir

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Time limits of one exchange with the EHR. Config.Timeout bounds the whole.
const (
	dialTimeout   = 5 * time.Second
	tlsTimeout    = 10 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeaderSize = 64 << 10
)

// errForbiddenAddress is what a connection to an address outside the policy ends with.
var errForbiddenAddress = errors.New("address is not allowed for an EHR")

// carrierGrade is shared address space (RFC 6598), where some clouds keep their metadata service.
var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// privateNetworks are what Config.AllowPrivate stands for.
var privateNetworks = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
}

// nat64 and sixToFour carry an IPv4 address inside an IPv6 one.
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
	ec2IPv6   = netip.MustParseAddr("fd00:ec2::254")
)

// NewHTTPClient returns a client for a server chosen by configuration: it checks the address after the name was
// resolved and at the very moment of connecting, so that a name that changes its address in between gains nothing.
// allow lists the private or loopback networks where the EHR may be; public addresses are always allowed, link-local
// and metadata addresses never.
func NewHTTPClient(timeout time.Duration, allow []netip.Prefix) *http.Client {
	d := &net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		return checkAddress(address, allow)
	}}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would connect for us, past the check
			DialContext:            d.DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  timeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    4,
			MaxResponseHeaderBytes: maxHeaderSize,
		},
	}
}

func checkAddress(address string, allow []netip.Prefix) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: cannot be read", errForbiddenAddress)
	}
	ip := plain(ap.Addr())
	switch {
	case ip.IsLinkLocalUnicast(), ip.IsMulticast(), ip.IsUnspecified(), ip == ec2IPv6, ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%w: link-local, multicast or metadata", errForbiddenAddress)
	case !ip.IsPrivate() && !ip.IsLoopback() && !carrierGrade.Contains(ip) && ip.IsGlobalUnicast():
		return nil
	}
	for _, p := range allow {
		if p.Contains(ip) {
			return nil
		}
	}
	return fmt.Errorf("%w: private network that is not configured", errForbiddenAddress)
}

// plain unwraps IPv4 addresses that hide in IPv6 ones.
func plain(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	b := ip.As16()
	switch {
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6]))
	default:
		return ip
	}
}
