// Package telemetry is how operators see Vesper from outside: metrics in a registry of its own, served for Prometheus on an
// address apart from the public one; traces by OTLP/HTTP where the standard OTEL_ variables name a receiver; and a log
// handler that names request and trace in each line and withholds what could be a person's words. It implements what the
// rooms say they want watched and keeps no global state. Labels come from fixed lists or codes, never from people: no id,
// no name, no path.
package telemetry
