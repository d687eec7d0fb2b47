package generic

import (
	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to fetch and publish files with curl.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, "generic")
	credential := ""
	if in.Private {
		credential = " -u USER:TOKEN"
	}
	name, version := "my-app", "1.0.0"
	if in.Package != nil {
		name = in.Package.Name
	}
	if in.Version != nil {
		version = in.Version.Version
	}
	var fetch []registry.Step
	for _, f := range in.Files {
		fetch = append(fetch, registry.Step{
			Kind: registry.Shell, Language: "sh", SecretPlaceholder: secretIn(credential),
			Body: "curl -fLO" + credential + " " + protocols.ShellQuote(root+protocols.JoinPath(name, version, f.Name)),
		})
	}
	publish := registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{{
		Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
		Body: "curl --fail-with-body -u USER:TOKEN -T app.tar.gz " + protocols.ShellQuote(root+protocols.JoinPath(name, version, "app.tar.gz")),
	}}}
	if len(fetch) == 0 {
		return []registry.Instructions{publish}
	}
	return []registry.Instructions{{Title: "Install", Client: "curl", Steps: fetch}, publish}
}

func secretIn(credential string) string {
	if credential == "" {
		return ""
	}
	return "TOKEN"
}
