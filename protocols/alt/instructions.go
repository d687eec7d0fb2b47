package alt

import (
	"strings"

	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// keyFolder is where the client has its keys.
const keyFolder = "/usr/lib/alt-gpgkeys"

// instructions say how to set apt up, install and upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, "alt")
	group := ""
	var archs []string
	if len(in.Files) > 0 {
		group = in.Files[0].CompositeKey
		archs = archsOf(in, group)
	}
	all := []registry.Instructions{{Title: "Set up", Client: "apt-rpm", Steps: setUp(in, root, group, archs)}}
	if in.Package != nil {
		name := in.Package.Name
		if in.Version != nil {
			name += "=" + rpmfile.WithEpoch(in.Version.Version)
		}
		install := "apt-get install "
		if len(archs) == 1 && archs[0] == rpmfile.SourceArch {
			install = "apt-get source "
		}
		all = append(all, registry.Instructions{Title: "Install", Client: "apt-rpm", Steps: []registry.Step{
			{Kind: registry.Shell, Language: "sh", Body: "apt-get update && " + install + protocols.ShellQuote(name)},
		}})
	}
	path := uploadWord
	if group != "" {
		path = group + "/" + uploadWord
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
			Body: "curl --fail-with-body -u USER:TOKEN --upload-file package-1.0-alt1.x86_64.rpm " + protocols.ShellQuote(root+"/"+path)},
		{Kind: registry.Text, Body: "A group is a repository of its own: put its name before upload, as in p11/stable/upload. It is made when the first package comes."},
	}})
}

// archsOf are the architectures of the version in a group.
func archsOf(in registry.InstructionsInput, group string) []string {
	var archs []string
	for _, f := range in.Files {
		if f.CompositeKey == group {
			archs = append(archs, rpmfile.ArchOf(f.Name))
		}
	}
	return archs
}

// setUp has the client check signatures: it believes a repository whose line
// names a vendor only if that vendor's key has signed it.
func setUp(in registry.InstructionsInput, root, group string, archs []string) []registry.Step {
	file := listFile(in.Owner)
	credential, secret, place := "", "", root
	if in.Private {
		credential, secret = "-u USER:TOKEN ", "TOKEN"
		if scheme, rest, ok := strings.Cut(root, "://"); ok {
			place = scheme + "://USER:TOKEN@" + rest
		}
	}
	get := func(name, to string) string {
		return "curl -fsS " + credential + to + protocols.ShellQuote(root+"/"+name)
	}
	return []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: secret,
			Body: get(keyFile, "") + " | gpg --homedir " + keyFolder + " --import\n" +
				get(vendorsFile, "-o "+protocols.ShellQuote("/etc/apt/vendors.list.d/"+file)+" ")},
		{Kind: registry.FileStep, Path: "/etc/apt/sources.list.d/" + file, SecretPlaceholder: secret, Body: lines(place, in.Owner, group, archs)},
	}
}
