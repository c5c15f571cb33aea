// Command orrery trains, evaluates and shows agents that learn a world model
// from pixels and plan with it.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
