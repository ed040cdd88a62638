package nemesis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// networkFaults strike one link at a time, another one each time.
func (p *practice) networkFaults() []fault {
	toxic := func(kind, toxic string, attributes func(*rand.Rand) map[string]any) fault {
		return fault{kind: "network " + kind, part: "network", affects: []string{"op", "stage"}, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			k, stream := pick(r, p.links.all), pick(r, []string{"upstream", "downstream"})
			mend, err := k.poison(toxic, stream, attributes(r))
			if err != nil {
				return k.name, err
			}
			defer mend()
			wait(ctx, between(r, 2*time.Second, 6*time.Second))
			return fmt.Sprintf("%s %s", k.name, strings.TrimSuffix(stream, "stream")), nil
		}}
	}
	return []fault{
		toxic("slow", "latency", func(r *rand.Rand) map[string]any {
			return map[string]any{"latency": 200 + r.IntN(1000), "jitter": 200}
		}),
		toxic("silent", "timeout", func(*rand.Rand) map[string]any { return map[string]any{"timeout": 0} }),
		toxic("reset", "reset_peer", func(r *rand.Rand) map[string]any { return map[string]any{"timeout": r.IntN(300)} }),
		toxic("ends after some bytes", "limit_data", func(r *rand.Rand) map[string]any {
			return map[string]any{"bytes": 50 + r.IntN(20000)}
		}),
		toxic("in small slices", "slicer", func(*rand.Rand) map[string]any {
			return map[string]any{"average_size": 200, "size_variation": 100, "delay": 200}
		}),
		toxic("narrow", "bandwidth", func(r *rand.Rand) map[string]any { return map[string]any{"rate": 4 + r.IntN(20)} }),
		{kind: "network down", part: "network", affects: []string{"op", "stage"}, do: func(ctx context.Context, r *rand.Rand) (string, error) {
			k := pick(r, p.links.all)
			up := k.down()
			wait(ctx, between(r, time.Second, 5*time.Second))
			return k.name, up()
		}},
	}
}
