package postgres

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// maxConnsGiven reports whether the URL sets the size of the pool itself.
func maxConnsGiven(url string) bool { return strings.Contains(url, "pool_max_conns=") }

// redactedURL drops the text of a parse error, which can quote the URL with its password.
func redactedURL(error) error { return errors.New("parse database url") }
