// Package static embeds the bundled scripts and styles of the user interface. They are built from web/ui by `make build`
// and are not kept in git; a binary built without them says so instead of showing broken pages.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"

	"vesper/internal/fault"
)

//go:embed all:build
var files embed.FS

// Assets serves the bundles under addresses that change with their content, so that browsers may keep them for ever.
type Assets struct {
	root   fs.FS
	hashes map[string]string // name → first 12 hex digits of its SHA-256
}

// Open hashes the embedded bundles. It fails with ui_not_built when the binary was built without them.
func Open() (*Assets, error) {
	root, err := fs.Sub(files, "build")
	if err != nil {
		return nil, err
	}
	a := &Assets{root: root, hashes: map[string]string{}}
	err = fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		raw, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		a.hashes[path] = hex.EncodeToString(sum[:6])
		return nil
	})
	if err != nil {
		return nil, err
	}
	if a.hashes["vesper.css"] == "" {
		return nil, fault.New(fault.Internal, "ui_not_built", "This binary was built without its pages. Run: make build")
	}
	return a, nil
}

// URL is the address of a bundle.
func (a *Assets) URL(name string) string { return "/static/" + a.hashes[name] + "/" + name }

// ServeHTTP serves /static/HASH/NAME. A wrong hash is not found: it belongs to another version of the server.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hash, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/static/"), "/")
	if base, isMap := strings.CutSuffix(name, ".map"); !isMap && a.hashes[name] != hash || isMap && a.hashes[base] != hash {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, a.root, name)
}
