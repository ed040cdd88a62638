package tasks

import (
	"crypto/tls"
	"net"
	"net/url"
	"strings"

	"github.com/hibiken/asynq"

	"vesper/internal/fault"
)

// options says where Redis is:
//
//	redis://:PASSWORD@HOST:PORT/DB                                      one server; rediss:// for TLS
//	redis-sentinel://:PASSWORD@HOST:PORT,HOST:PORT/DB?master=NAME       sentinels, which know the server
//	redis-cluster://USER:PASSWORD@HOST:PORT,HOST:PORT                   some nodes of a cluster; rediss-cluster:// for TLS
//
// Sentinels may have a password of their own: &sentinel_password=….
func options(address string) (asynq.RedisConnOpt, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return nil, badAddress()
	}
	switch scheme {
	case "redis-sentinel", "redis-cluster", "rediss-cluster":
	default:
		opt, err := asynq.ParseRedisURI(address)
		if err != nil {
			return nil, badAddress() // its text may hold the password
		}
		return opt, nil
	}
	// A list of hosts is no URL: it is taken out, and the first host stands for it.
	hosts, u, err := splitHosts(rest)
	if err != nil {
		return nil, err
	}
	password, _ := u.User.Password()
	if scheme == "redis-sentinel" {
		return sentinel(hosts, password, u)
	}
	opt := asynq.RedisClusterClientOpt{Addrs: hosts, Username: u.User.Username(), Password: password}
	if scheme == "rediss-cluster" {
		name, _, _ := net.SplitHostPort(hosts[0])
		opt.TLSConfig = &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	}
	return opt, nil
}

func sentinel(hosts []string, password string, u *url.URL) (asynq.RedisConnOpt, error) {
	opt := asynq.RedisFailoverClientOpt{
		MasterName: u.Query().Get("master"), SentinelAddrs: hosts, Username: u.User.Username(), Password: password,
		SentinelPassword: u.Query().Get("sentinel_password"),
	}
	if opt.MasterName == "" {
		return nil, fault.New(fault.Invalid, "redis_url", "The address of the sentinels must end with ?master=NAME, the name that they know the server by.")
	}
	switch db := strings.Trim(u.Path, "/"); {
	case db == "":
	case len(db) <= 2 && strings.Trim(db, "0123456789") == "":
		for _, digit := range db {
			opt.DB = 10*opt.DB + int(digit-'0')
		}
	default:
		return nil, badAddress()
	}
	return opt, nil
}

// splitHosts takes "USER:PASSWORD@HOST:PORT,HOST:PORT/PATH?QUERY" apart.
func splitHosts(rest string) (hosts []string, u *url.URL, err error) {
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	at := strings.LastIndex(rest[:end], "@") + 1
	for host := range strings.SplitSeq(rest[at:end], ",") {
		if _, port, err := net.SplitHostPort(host); err != nil || port == "" {
			return nil, nil, badAddress()
		}
		hosts = append(hosts, host)
	}
	if u, err = url.Parse("redis://" + rest[:at] + hosts[0] + rest[end:]); err != nil {
		return nil, nil, badAddress()
	}
	return hosts, u, nil
}

func badAddress() error {
	return fault.New(fault.Invalid, "redis_url", "The Redis address cannot be read. Use redis://:PASSWORD@HOST:PORT/DB, "+
		"redis-sentinel://:PASSWORD@HOST:PORT,HOST:PORT/DB?master=NAME or redis-cluster://:PASSWORD@HOST:PORT,HOST:PORT.")
}
