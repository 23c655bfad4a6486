// Command gallery shows every part of the pages on a local port, without a database: go run ./web/ui/gallery
package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"

	"parley/web/assets"
	"parley/web/template"
	"parley/web/ui"
)

func main() {
	addr := flag.String("addr", "localhost:8099", "the address to listen on")
	flag.Parse()
	u, err := ui.New(ui.Options{Templates: template.Files, Assets: assets.Built()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+ui.Prefix, u.Assets())
	mux.Handle("/", u.Gallery())
	fmt.Println("gallery: http://" + *addr + "/")
	if err := http.ListenAndServe(*addr, ui.Secure(mux)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
