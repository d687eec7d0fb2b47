package pub

import (
	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set Dart's and Flutter's clients up, depend on a
// version and publish one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	url := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	var all []registry.Instructions
	for _, client := range []string{"dart", "flutter"} {
		login := []registry.Step{
			{Kind: registry.Shell, Language: "sh", Body: "export ENT_TOKEN=" + placeholder, SecretPlaceholder: placeholder},
			shell(client + " pub token add " + protocols.ShellQuote(url) + " --env-var ENT_TOKEN"),
		}
		all = append(all, registry.Instructions{Title: "Set up", Client: client, Steps: login})
		if in.Package != nil {
			all = append(all, registry.Instructions{Title: "Install", Client: client, Steps: install(client, url, in)})
		}
		all = append(all, registry.Instructions{Title: "Publish", Client: client, Steps: []registry.Step{
			{Kind: registry.FileStep, Language: "yaml", Path: "pubspec.yaml", Body: "publish_to: " + url + "\n"},
			shell(client + " pub publish"),
		}})
	}
	return all
}

func install(client, url string, in registry.InstructionsInput) []registry.Step {
	name, constraint := in.Package.Name, "any"
	source := "hosted: " + url
	if in.Version != nil {
		constraint = "^" + in.Version.Version
		source += ", version: " + constraint
	}
	return []registry.Step{
		shell(client + " pub add " + protocols.ShellQuote(name+"@{"+source+"}")),
		{
			Kind: registry.FileStep, Language: "yaml", Path: "pubspec.yaml",
			Body: "dependencies:\n  " + name + ":\n    hosted: " + url + "\n    version: " + constraint + "\n",
		},
	}
}

func shell(command string) registry.Step {
	return registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
}
