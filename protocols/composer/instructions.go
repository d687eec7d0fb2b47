package composer

import (
	"net/url"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set Composer up, install a version and publish one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	setUp := []registry.Step{shell("composer config repositories.entrepot composer " + protocols.ShellQuote(root))}
	if u, err := url.Parse(root); err == nil {
		if u.Scheme == "http" {
			setUp = append(setUp, shell("composer config secure-http false"))
		}
		if in.Private {
			setUp = append(setUp, shell("composer config --global http-basic."+u.Host+" USER "+placeholder))
		}
	}
	all := []registry.Instructions{{Title: "Set up", Client: "composer", Steps: setUp}}
	if in.Package != nil {
		spec := in.Package.Name
		if in.Version != nil {
			spec += ":" + in.Version.Version
		}
		all = append(all, registry.Instructions{Title: "Install", Client: "composer", Steps: []registry.Step{
			shell("composer require " + protocols.ShellQuote(spec)),
		}})
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		shell("git archive --format=zip --output=package.zip HEAD"),
		shell("curl --fail-with-body --user USER:" + placeholder + " --upload-file package.zip '" + root + "?version=1.0.0'"),
	}})
}

// shell is a command to run, which may name the token.
func shell(command string) registry.Step {
	s := registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
	if strings.Contains(command, placeholder) {
		s.SecretPlaceholder = placeholder
	}
	return s
}
