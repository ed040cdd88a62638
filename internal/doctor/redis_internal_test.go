package doctor

import (
	"bufio"
	"bytes"
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
