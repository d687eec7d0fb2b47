package debian

import (
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to set apt up, install and upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, "debian")
	at := place{"bookworm", "main"}
	for _, f := range in.Files {
		if p, err := placeOf(f.CompositeKey); err == nil {
			at = p
			break
		}
	}
	list := strings.ToLower(in.Owner)
	keyring := "/etc/apt/keyrings/" + list + ".asc"
	all := []registry.Instructions{{Title: "Set up", Client: "apt", Steps: setUp(in, root, at, list, keyring)}}
	if in.Package != nil {
		name := in.Package.Name
		if in.Version != nil {
			name += "=" + in.Version.Version
		}
		all = append(all, registry.Instructions{Title: "Install", Client: "apt", Steps: []registry.Step{
			{Kind: registry.Shell, Language: "sh", Body: "apt update && apt install " + protocols.ShellQuote(name)},
		}})
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
			Body: "curl --fail-with-body -u USER:TOKEN --upload-file package_1.0_amd64.deb " + protocols.ShellQuote(root+"/"+at.pool("upload"))},
		{Kind: registry.Text, Body: "The path names the distribution and the component; both are made when the first package comes."},
	}})
}

func setUp(in registry.InstructionsInput, root string, at place, list, keyring string) []registry.Step {
	credential, secret := "", ""
	var steps []registry.Step
	if in.Private {
		credential, secret = "-u USER:TOKEN ", "TOKEN"
		host := strings.TrimPrefix(strings.TrimPrefix(root, "https://"), "http://")
		scheme := ""
		if strings.HasPrefix(root, "http://") {
			scheme = "http://" // apt sends credentials over plain HTTP only when told to
		}
		steps = append(steps, registry.Step{
			Kind: registry.FileStep, Path: "/etc/apt/auth.conf.d/" + list + ".conf", SecretPlaceholder: secret,
			Body: "machine " + scheme + host + " login USER password TOKEN\n",
		})
	}
	return append(steps,
		registry.Step{Kind: registry.Shell, Language: "sh", SecretPlaceholder: secret,
			Body: "curl -fsS " + credential + "-o " + protocols.ShellQuote(keyring) + " " + protocols.ShellQuote(root+"/repository.key")},
		registry.Step{Kind: registry.FileStep, Path: "/etc/apt/sources.list.d/" + list + ".list",
			Body: "deb [signed-by=" + keyring + "] " + root + " " + at.distribution + " " + at.component + "\n"},
	)
}
