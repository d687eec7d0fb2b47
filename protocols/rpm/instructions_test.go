package rpm

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
	const root = "https://example.com/api/packages/acme/rpm"
	for _, tc := range []struct {
		change func()
		want   []string
	}{
		{func() {}, []string{"--add-repo " + root + ".repo\n", "zypper addrepo " + root + ".repo\n", root + "/upload\n"}},
		{func() {
			in.Package = &ent.Pkg{Name: "app"}
			in.Files = []*ent.PackageFile{{NormalizedName: errataFile, CompositeKey: "no"}, {CompositeKey: "el9/stable"}}
		}, []string{"--add-repo " + root + "/el9/stable.repo\n", root + "/el9/stable/upload\n", "dnf install app\n", "yum install app\n", "zypper install app\n"}},
		{func() { in.Version = &ent.PackageVersion{Version: "1-2.0~rc1-3"} }, []string{"dnf install 'app-1:2.0~rc1-3'\n"}},
		{func() { in.Private = true }, []string{
			"/etc/yum.repos.d/entrepot-acme-el9-stable.repo\n", "username=USER\npassword=TOKEN\n", "gpgkey=file:///etc/pki/rpm-gpg/entrepot-acme.asc\n",
			"zypper addrepo --refresh https://USER:TOKEN@example.com/api/packages/acme/rpm/el9/stable entrepot-acme-el9-stable\n",
		}},
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
