// Package template holds the HTML of the pages: layout.html around every page, partial/ for the parts they share, and
// pages/ with one file a page, which defines "content" and may define "actions".
package template

import "embed"

// Files are the templates as they lie in this folder.
//
//go:embed *.html partial/*.html pages/*.html
var Files embed.FS
