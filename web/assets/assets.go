// Package assets holds what build.mjs makes of src: styles, scripts, icons and fonts. It is empty but for a marker when
// they were not built.
package assets

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Built is the folder of built files; manifest.json in it maps plain names to those with hashes.
func Built() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("assets: " + err.Error()) // the name is a constant, so this cannot happen
	}
	return sub
}
