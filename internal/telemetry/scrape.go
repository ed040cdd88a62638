package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Scraped is what one scrape of a process's metrics said.
type Scraped map[string]*dto.MetricFamily

// Scrape reads the metrics of a process at its address.
func Scrape(ctx context.Context, address string) (Scraped, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for metrics: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for metrics: status %d", res.StatusCode)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	out, err := parser.TextToMetricFamilies(http.MaxBytesReader(nil, res.Body, 16<<20))
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return out, nil
}

// Total adds up a metric: the counts of a counter, the observations of a histogram. labels, as name and value by turns,
// choose among its series.
func (s Scraped) Total(name string, labels ...string) (total float64) {
	s.each(name, labels, func(m *dto.Metric) {
		switch {
		case m.GetCounter() != nil:
			total += m.GetCounter().GetValue()
		case m.GetGauge() != nil:
			total += m.GetGauge().GetValue()
		case m.GetHistogram() != nil:
			total += float64(m.GetHistogram().GetSampleCount())
		}
	})
	return total
}

// Mean is the mean of a histogram's observations, 0 when there are none.
func (s Scraped) Mean(name string, labels ...string) float64 {
	var sum float64
	s.each(name, labels, func(m *dto.Metric) { sum += m.GetHistogram().GetSampleSum() })
	if n := s.Total(name, labels...); n > 0 {
		return sum / n
	}
	return 0
}

func (s Scraped) each(name string, labels []string, fn func(*dto.Metric)) {
	for _, m := range s[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		matches := true
		for i := 0; i+1 < len(labels); i += 2 {
			matches = matches && have[labels[i]] == labels[i+1]
		}
		if matches {
			fn(m)
		}
	}
}
