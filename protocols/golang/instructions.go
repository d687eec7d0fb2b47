package golang

import (
	"encoding/json"
	"net/url"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to point the go command here, use a version and upload
// one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	pattern := "example.com/*"
	if in.Package != nil {
		pattern = in.Package.Name
	}
	setUp := []registry.Step{shell("go env -w GOPROXY=" + root + ",direct\ngo env -w GONOSUMDB=" + protocols.ShellQuote(pattern))}
	if in.Private {
		host := root
		if u, err := url.Parse(root); err == nil {
			host = u.Host // with the port, if it has one
		}
		setUp = append(setUp, registry.Step{
			Kind: registry.FileStep, Path: "~/.netrc", SecretPlaceholder: placeholder,
			Body: "machine " + host + " login token password " + placeholder + "\n",
		})
	}
	all := []registry.Instructions{{Title: "Set up", Client: typeName, Steps: setUp}}
	if in.Package != nil {
		version := "latest"
		var md metadata
		if in.Version != nil {
			version = in.Version.Version
			_ = json.Unmarshal(in.Version.Metadata, &md) // without it no command is named
		}
		steps := []registry.Step{shell("go get " + in.Package.Name + "@" + version)}
		if len(md.Commands) > 0 {
			steps = append(steps, shell("go install "+md.Commands[0]+"@"+version))
		}
		all = append(all, registry.Instructions{Title: "Install", Client: typeName, Steps: steps})
	}
	upload := shell("curl --fail-with-body --user token:" + placeholder + " --upload-file module.zip " + strings.TrimSuffix(root, "/") + "/upload")
	upload.SecretPlaceholder = placeholder
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		{Kind: registry.Text, Body: "Make a module zip whose entries lie in module@version/, as golang.org/x/mod/zip does, and upload it."},
		upload,
	}})
}

func shell(command string) registry.Step {
	return registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
}
