package nemesis_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vesper/bench/nemesis"
	"vesper/ehr/sandbox"
)

// The EHR runs in a process of its own, this test binary again, so that it can be killed. Beside its own address it listens
// on another one, for what goes wrong with its answers.
const (
	ehrVariable     = "VESPER_NEMESIS_EHR"
	ehrPortVariable = "VESPER_NEMESIS_EHR_PORTS"
)

// ehrMood is what goes wrong with each n-th request for documents.
type ehrMood struct {
	Fault sandbox.Fault `json:"fault"`
	Every int           `json:"every"`
}

// ehrMain is the EHR's process.
func ehrMain(dir string) {
	var mu sync.Mutex
	var mood ehrMood
	var seen int
	s, err := sandbox.Open(sandbox.Config{Dir: dir, Token: "nemesis", Faults: func(r *http.Request) sandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		if mood.Every == 0 || !strings.Contains(r.URL.Path, "DocumentReference") {
			return sandbox.Fault{}
		}
		if seen++; seen%mood.Every != 0 {
			return sandbox.Fault{}
		}
		return mood.Fault
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "EHR:", err)
		os.Exit(1)
	}
	ports := strings.Split(os.Getenv(ehrPortVariable), ",")
	control := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		mood = ehrMood{}
		if err := json.NewDecoder(r.Body).Decode(&mood); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
	go func() {
		fmt.Fprintln(os.Stderr, "EHR:", http.ListenAndServe("127.0.0.1:"+ports[1], control))
		os.Exit(1)
	}()
	fmt.Fprintln(os.Stderr, "EHR:", http.ListenAndServe("127.0.0.1:"+ports[0], s.Handler()))
	os.Exit(1)
}

// setMood tells the EHR how to answer from now on.
func (p *practice) setMood(m ehrMood) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, p.ehrControl, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// documents reads what stands in the EHR from its journal, not from the EHR.
func documents(t *testing.T, dir string) []nemesis.Document {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	byID := map[string]*nemesis.Document{}
	var order []string
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var line struct {
			Type     string `json:"type"`
			ID       string `json:"id"`
			Resource struct {
				Identifier []struct {
					Value string `json:"value"`
				} `json:"identifier"`
				Content []struct {
					Attachment struct {
						Data string `json:"data"`
					} `json:"attachment"`
				} `json:"content"`
			} `json:"resource"`
		}
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatalf("the EHR's journal: %v", err)
		}
		if line.Type != "DocumentReference" {
			continue
		}
		id := line.Type + "/" + line.ID
		if byID[id] == nil {
			byID[id] = &nemesis.Document{ID: id}
			order = append(order, id)
		}
		d := byID[id]
		d.Versions++
		if len(line.Resource.Identifier) == 0 || len(line.Resource.Content) == 0 {
			t.Fatalf("the EHR's %s has no identifier or no text", id)
		}
		body, err := base64.StdEncoding.DecodeString(line.Resource.Content[0].Attachment.Data)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		d.Identifier, d.BodySHA256 = line.Resource.Identifier[0].Value, hex.EncodeToString(sum[:])
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	out := make([]nemesis.Document, 0, len(order))
	for _, id := range order {
		out = append(out, *byID[id])
	}
	return out
}
