package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"parley/platform/flaw"
)

// Prefix is the path under which the built files are served.
const Prefix = "/assets/"

// built is the folder of built files with its manifest; the manifest is empty when nothing was built.
type built struct {
	files    fs.FS
	manifest map[string]string
	known    map[string]bool
}

func openBuilt(files fs.FS) (*built, error) {
	b := &built{files: files, manifest: map[string]string{}, known: map[string]bool{}}
	if files == nil {
		return b, nil
	}
	raw, err := fs.ReadFile(files, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &b.manifest); err != nil {
		return nil, fmt.Errorf("the manifest of the built assets does not parse; run “make assets”: %w", err)
	}
	for _, name := range b.manifest {
		b.known[name] = true
	}
	return b, nil
}

// url is the address of the built file of that plain name, "" when it was not built.
func (b *built) url(name string) string {
	if hashed, ok := b.manifest[name]; ok {
		return Prefix + hashed
	}
	return ""
}

// Missing tells that the styles and scripts were not built.
func (u *UI) Missing() bool { return len(u.built.manifest) == 0 }

// Assets serves the built files. Their names change with their content, so browsers may keep them for a year.
func (u *UI) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, Prefix)
		if !u.built.known[name] {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		if kind := contentType(name); kind != "" {
			h.Set("Content-Type", kind)
		}
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			if _, err := fs.Stat(u.built.files, name+".gz"); err == nil {
				h.Set("Content-Encoding", "gzip")
				name += ".gz"
			}
		}
		http.ServeFileFS(w, r, u.built.files, name)
	})
}

// contentType does not ask the machine's own table first, since some of them call scripts plain text.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	default:
		return mime.TypeByExtension(ext)
	}
}

// policy allows what comes from this server and nothing else: no inline script, no inline style.
const policy = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// Secure sets the headers that pages need against foreign scripts and frames.
func Secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		if flaw.On(flaw.TrackingCookie) {
			h.Add("Set-Cookie", "visitor=1; Path=/")
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), payment=(), usb=()")
		next.ServeHTTP(w, r)
	})
}
