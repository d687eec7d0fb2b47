package cargo

import (
	"regexp"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to set cargo up, depend on a version and publish one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	index := "sparse+" + in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName) + "/"
	alias := registryAlias(in.Owner)
	login := registry.Step{
		Kind: registry.FileStep, Language: "toml", Path: "~/.cargo/credentials.toml", SecretPlaceholder: placeholder,
		Body: "[registries." + alias + "]\ntoken = \"" + placeholder + "\"\n",
	}
	setUp := []registry.Step{configStep(alias, index, in.Private)}
	publish := []registry.Step{shell("cargo publish --registry " + alias)}
	if in.Private {
		setUp = append(setUp, login)
	} else {
		publish = []registry.Step{configStep(alias, index, true), login, publish[0]}
	}
	all := []registry.Instructions{{Title: "Set up", Client: typeName, Steps: setUp}}
	if in.Package != nil {
		name := in.Package.Name
		spec, requirement := name, "*"
		if in.Version != nil {
			plain := identity(in.Version.Version)
			spec, requirement = name+"@"+plain, plain
		}
		steps := []registry.Step{shell("cargo add " + spec + " --registry " + alias)}
		if in.Version != nil {
			steps = append(steps, registry.Step{
				Kind: registry.FileStep, Language: "toml", Path: "Cargo.toml",
				Body: "[dependencies]\n" + name + " = { version = \"" + requirement + "\", registry = \"" + alias + "\" }\n",
			})
		}
		all = append(all, registry.Instructions{Title: "Install", Client: typeName, Steps: steps})
	}
	return append(all, registry.Instructions{Title: "Publish", Client: typeName, Steps: publish})
}

// configStep names the registry. With the token's provider cargo may send it
// wherever the registry asks for it.
func configStep(alias, index string, token bool) registry.Step {
	body := "[registries." + alias + "]\nindex = \"" + index + "\"\n"
	if token {
		body += "credential-provider = [\"cargo:token\"]\n"
	}
	return registry.Step{Kind: registry.FileStep, Language: "toml", Path: "~/.cargo/config.toml", Body: body}
}

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

var noAlias = regexp.MustCompile(`[^a-z0-9_-]+`)

// registryAlias is a name for the owner's registry that cargo takes: letters,
// digits, "-" and "_".
func registryAlias(owner string) string {
	alias := noAlias.ReplaceAllString(strings.ToLower(owner), "-")
	if alias == "" || !strings.ContainsAny(alias[:1], "abcdefghijklmnopqrstuvwxyz") {
		alias = "registry-" + alias
	}
	return alias
}

func shell(command string) registry.Step {
	return registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
}
