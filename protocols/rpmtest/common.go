package rpmtest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Common is the ith version of a package of common size for x86_64: 60 files
// and 20 requirements. The same arguments give the same package.
func Common(name string, i int, release string) Package {
	random := rand.New(rand.NewPCG(7, uint64(i)))
	word := func() string { return fmt.Sprintf("lib%s%d", string(rune('a'+random.IntN(26))), random.IntN(400)) }
	p := Package{
		Name: name, Version: fmt.Sprintf("0.%d", i), Release: release, Arch: "x86_64",
		Summary: "a " + word(), Description: strings.Repeat(word()+" ", 40),
		Files: map[string]string{"/etc/" + name + ".conf": "", "/usr/bin/" + name: ""},
	}
	for range 58 {
		p.Files["/usr/share/"+word()+"/"+word()+".so."+word()] = ""
	}
	const greaterOrEqual = 12
	var names, versions []string
	var flags []int32
	for range 20 {
		names, flags = append(names, word()), append(flags, greaterOrEqual)
		versions = append(versions, fmt.Sprintf("%d.%d-%s", random.IntN(9), random.IntN(30), release))
	}
	p.Tags = map[int]any{1049: names, 1048: flags, 1050: versions}
	return p
}
