package alt

import (
	"strings"
	"testing"

	"entrepot/ent"
	"entrepot/registry"
)

func TestInstructions(t *testing.T) {
	all := func(in registry.InstructionsInput) string {
		var b strings.Builder
		for _, i := range instructions(in) {
			for _, s := range i.Steps {
				b.WriteString(i.Title + " " + i.Client + ": " + s.Path + "\n" + s.Body + "\n")
				if strings.Contains(s.Body, "TOKEN") != (s.SecretPlaceholder != "") {
					t.Errorf("%s: the placeholder %q", s.Body, s.SecretPlaceholder)
				}
			}
		}
		return b.String()
	}
	in := registry.InstructionsInput{BaseURL: "https://example.com", Owner: "acme"}
	const root = "https://example.com/api/packages/acme/alt"
	for _, tc := range []struct {
		change func()
		want   []string
	}{
		{func() {}, []string{
			"\ncurl -fsS " + root + "/repository.key | gpg --homedir /usr/lib/alt-gpgkeys --import\n", "curl -fsS -o /etc/apt/vendors.list.d/acme.list " + root + "/vendors.list\n",
			"/etc/apt/sources.list.d/acme.list\nrpm [acme] " + root + "/alt.repo x86_64 classic\nrpm [acme] " + root + "/alt.repo noarch classic\n", " " + root + "/upload\n",
		}},
		{func() {
			in.Package = &ent.Pkg{Name: "app"}
			in.Files = []*ent.PackageFile{{CompositeKey: "p11/stable", Name: "app-1-1.noarch.rpm"}, {CompositeKey: "other", Name: "app-1-1.i586.rpm"}}
		}, []string{"\nrpm [acme] " + root + "/p11/stable.repo noarch classic\n\n", root + "/p11/stable/upload\n", "apt-get install app\n"}},
		{func() { in.Version = &ent.PackageVersion{Version: "1-2.0~rc1-alt3"} }, []string{"apt-get install 'app=1:2.0~rc1-alt3'\n"}},
		{func() { in.Private = true }, []string{
			"curl -fsS -u USER:TOKEN " + root + "/repository.key |", "\nrpm [acme] https://USER:TOKEN@example.com/api/packages/acme/alt/p11/stable.repo noarch classic\n",
		}},
		{func() { in.Files = []*ent.PackageFile{{Name: "app-1-1.src.rpm"}} }, []string{"\nrpm-src [acme] https://USER:TOKEN@example.com/api/packages/acme/alt/alt.repo src classic\n", "apt-get source "}},
	} {
		tc.change()
		got := all(in)
		for _, want := range tc.want {
			if !strings.Contains(got, want) {
				t.Errorf("the instructions lack %q:\n%s", want, got)
			}
		}
	}
}
