// Command parley keeps and explains the calls of a business whose people work by phone.
package main

import (
	"os"

	"parley/app"
)

func main() {
	os.Exit(app.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
