// Command entrepot is a universal package registry: the packages of every
// ecosystem, served to the ecosystems' own clients from one program.
package main

import (
	"os"

	"entrepot/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
