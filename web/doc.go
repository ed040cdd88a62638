// Package web is Vesper's HTTP face: the JSON API described by OpenAPI, resumable uploads, sessions, and the frame in
// which the pages run. It decides nothing about dictations: who may do what is the service's business, and every failure
// becomes one RFC 9457 problem through one mapper.
//
//	request ─▶ id, panic guard, access log ─▶ headers ─▶ same origin? ─▶ session ─▶ API | uploads | pages
//
// No patient text goes into logs, error texts or URLs made here.
package web
