package swift

import (
	"fmt"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set SwiftPM up, depend on a package and publish one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	quoted := protocols.ShellQuote(root)
	set := "swift package-registry set " + quoted
	if strings.HasPrefix(in.BaseURL, "http:") {
		set += " --allow-insecure-http"
	}
	login := shell("swift package-registry login " + quoted + " --token " + placeholder)
	setUp := []registry.Step{shell(set)}
	if in.Private {
		setUp = append(setUp, login)
	}
	all := []registry.Instructions{{Title: "Set up", Client: "swift", Steps: setUp}}
	id, version := identifier{"acme", "LinkedList"}, "1.0.0"
	if in.Version != nil {
		version = in.Version.Version
	}
	if in.Package != nil {
		id = split(in.Package.Name)
		requirement := `from: "` + version + `"`
		if strings.Contains(version, "-") {
			requirement = `exact: "` + version + `"`
		}
		manifest := fmt.Sprintf("dependencies: [\n    .package(id: %q, %s),\n],\ntargets: [\n    .target(name: \"App\", dependencies: [\n        .product(name: %q, package: %q),\n    ]),\n]\n",
			id, requirement, id.name, id)
		all = append(all, registry.Instructions{Title: "Install", Client: "swift", Steps: []registry.Step{
			{Kind: registry.FileStep, Language: "swift", Path: manifestName, Body: manifest},
			shell("swift package resolve"),
		}})
	}
	publish := []registry.Step{login, shell(fmt.Sprintf("swift package-registry publish %s %s", id, version))}
	curl := shell("curl --fail-with-body -u USER:" + placeholder + " -X PUT -H 'Accept: " + vendorType + ".v1+json' -F source-archive=@package.zip " +
		protocols.ShellQuote(releaseURL(root, id, version)))
	return append(all,
		registry.Instructions{Title: "Publish", Client: "swift", Steps: publish},
		registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
			shell("git archive --format=zip --output=package.zip HEAD"), curl,
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
