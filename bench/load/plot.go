package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// curve is one line of a plot.
type curve struct {
	name   string
	points [][2]float64
}

// The plot's measures in SVG units, and its colours.
const (
	plotWidth, plotHeight                    = 620, 300
	plotLeft, plotRight, plotTop, plotBottom = 64, 16, 34, 44
)

var plotColours = []string{"#2f6fb0", "#c2572b", "#3d8b57", "#8a5aa8"}

// plot draws curves over linear axes that begin at zero, as an SVG that is readable on light and dark pages.
func plot(title, x, y string, lines ...curve) string {
	var right, top float64
	for _, l := range lines {
		for _, p := range l.points {
			right, top = math.Max(right, p[0]), math.Max(top, p[1])
		}
	}
	right, top = round(right), round(top)
	place := func(p [2]float64) (float64, float64) {
		return plotLeft + p[0]/right*(plotWidth-plotLeft-plotRight), plotHeight - plotBottom - p[1]/top*(plotHeight-plotTop-plotBottom)
	}
	var b strings.Builder
	label := func(x, y float64, anchor, text string) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, html.EscapeString(text))
	}
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s">`, plotWidth, plotHeight, html.EscapeString(title))
	b.WriteString(`<style>text{font:12px sans-serif;fill:#556}</style>`)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`, plotWidth, plotHeight)
	label(plotWidth/2, 20, "middle", title)
	label((plotLeft+plotWidth-plotRight)/2, plotHeight-8, "middle", x)
	fmt.Fprintf(&b, `<text transform="rotate(-90 14 %d)" x="14" y="%d" text-anchor="middle">%s</text>`, plotHeight/2, plotHeight/2, html.EscapeString(y))
	for i := range 5 {
		f := float64(i) / 4
		px, py := place([2]float64{right * f, top * f})
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#dde"/>`, plotLeft, plotWidth-plotRight, py, py)
		label(plotLeft-6, py+4, "end", number(top*f))
		label(px, plotHeight-plotBottom+16, "middle", number(right*f))
	}
	for i, l := range lines {
		colour := plotColours[i%len(plotColours)]
		var path []string
		for _, p := range l.points {
			px, py := place(p)
			path = append(path, fmt.Sprintf("%.1f,%.1f", px, py))
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" stroke-width="1.8" points="%s"/>`, colour, strings.Join(path, " "))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="10" height="10" fill="%s"/>`, plotLeft+8, plotTop+4+16*i, colour)
		label(plotLeft+24, float64(plotTop+13+16*i), "start", l.name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// round is the next number with one figure, so that axes end at one.
func round(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	return math.Ceil(v/unit) * unit
}

func number(v float64) string {
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
