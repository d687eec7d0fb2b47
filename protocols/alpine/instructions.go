package alpine

import (
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to set apk up, install and upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, "alpine")
	at := place{"v3.22", "main"}
	for _, f := range in.Files {
		if p, _, err := placeOf(f.CompositeKey); err == nil {
			at = p
			break
		}
	}
	credential, secret, repository := "", "", root+"/"+at.String()
	if in.Private {
		credential, secret = "-u USER:TOKEN ", "TOKEN"
		if scheme, rest, ok := strings.Cut(repository, "://"); ok {
			repository = scheme + "://USER:TOKEN@" + rest
		}
	}
	all := []registry.Instructions{{Title: "Set up", Client: "apk", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: secret,
			Body: "(cd /etc/apk/keys && curl " + credential + "-fsSJO " + protocols.ShellQuote(root+"/key") + ")\n" +
				"echo " + protocols.ShellQuote(repository) + " >> /etc/apk/repositories"},
	}}}
	if in.Package != nil {
		name := in.Package.Name
		if in.Version != nil {
			name += "=" + in.Version.Version
		}
		all = append(all, registry.Instructions{Title: "Install", Client: "apk", Steps: []registry.Step{
			{Kind: registry.Shell, Language: "sh", Body: "apk update && apk add " + protocols.ShellQuote(name)},
		}})
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
			Body: "curl --fail-with-body -u USER:TOKEN --upload-file package-1.0-r0.apk " + protocols.ShellQuote(root+"/"+at.String())},
		{Kind: registry.Text, Body: "The path names the branch and the repository; both are made when the first package comes."},
	}})
}
