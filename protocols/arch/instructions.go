package arch

import (
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to set pacman up, install and upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, "arch")
	group := ""
	for _, f := range in.Files {
		if at, err := placeOf(f.CompositeKey); err == nil {
			group = at.group
			break
		}
	}
	folder := root
	if group != "" {
		folder += "/" + group
	}
	all := []registry.Instructions{{Title: "Set up", Client: "pacman", Steps: setUp(in, root, folder, group)}}
	if in.Package != nil {
		body := "pacman -Sy " + protocols.ShellQuote(in.Package.Name)
		if in.Version != nil {
			for _, f := range in.Files {
				if at, err := placeOf(f.CompositeKey); err == nil && !in.Private {
					body += "\n# exactly this version, whatever is newest:\npacman -U " + protocols.ShellQuote(root+"/"+at.path(f.Name))
					break
				}
			}
		}
		all = append(all, registry.Instructions{Title: "Install", Client: "pacman", Steps: []registry.Step{
			{Kind: registry.Shell, Language: "sh", Body: body},
		}})
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
			Body: "curl --fail-with-body -u USER:TOKEN -T package-1.0-1-x86_64.pkg.tar.zst " + protocols.ShellQuote(folder)},
		{Kind: registry.Text, Body: "The path names the group, with any number of segments; it is made when the first package comes."},
	}})
}

func setUp(in registry.InstructionsInput, root, folder, group string) []registry.Step {
	section := in.Owner
	if group != "" {
		section += "." + strings.ReplaceAll(group, "/", ".")
	}
	server, credential, secret := folder, "", ""
	if in.Private {
		credential, secret = "-u USER:TOKEN ", "TOKEN"
		if scheme, rest, ok := strings.Cut(folder, "://"); ok {
			server = scheme + "://USER:TOKEN@" + rest
		}
	}
	return []registry.Step{
		{Kind: registry.FileStep, Path: "/etc/pacman.conf", Language: "ini", SecretPlaceholder: secret,
			Body: "[" + section + "]\nSigLevel = Required\nServer = " + server + "/$arch\n"},
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: secret,
			Body: "curl -fsS " + credential + "-o repository.key " + protocols.ShellQuote(root+"/"+keyFile) +
				"\npacman-key --add repository.key\npacman-key --lsign-key " + protocols.ShellQuote(keyAddress(in.Owner))},
	}
}
