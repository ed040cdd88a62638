package doctor

import (
	"bufio"
	"bytes"
	"slices"
	"testing"
)

func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "-NOAUTH no\r\n", "$3\r\nabc\r\n", "*2\r\n$1\r\na\r\n$-1\r\n", ":1\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+x\r\n", "$99999999\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		answer, err := readReply(bufio.NewReader(bytes.NewReader(text)), 0)
		total := 0
		for _, part := range answer {
			total += len(part)
		}
		if err == nil && total > len(text) {
			t.Fatalf("%d bytes were read out of %d", total, len(text))
		}
	})
}

func TestEachHostOfAListIsAskedByItself(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][]string{
		"redis://:secret@one:6379/0":                         {"redis://:secret@one:6379"},
		"rediss://:secret@one:6379/0":                        {"rediss://:secret@one:6379"},
		"redis-cluster://u:s@one:7000,two:7001":              {"redis://u:s@one:7000", "redis://u:s@two:7001"},
		"rediss-cluster://:s@one:7000":                       {"rediss://:s@one:7000"},
		"redis-sentinel://:s@one:26379,two:26379/0?master=m": {"redis://one:26379", "redis://two:26379"},
	} {
		if got := eachHost(address); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}
