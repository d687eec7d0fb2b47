package conan

import (
	"entrepot/protocols"
	"entrepot/registry"
)

// remote is the name under which the instructions add the server.
const remote = "ent"

// instructions say how to set up, publish and install with Conan 2 and 1.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := protocols.ShellQuote(in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName))
	shell := func(body string) registry.Step {
		return registry.Step{Kind: registry.Shell, Language: "sh", Body: body}
	}
	secret := func(body string) registry.Step {
		return registry.Step{Kind: registry.Shell, Language: "sh", Body: body, SecretPlaceholder: "TOKEN"}
	}
	set := registry.Instructions{Title: "Set up", Client: "Conan 2", Steps: []registry.Step{shell("conan remote add " + remote + " " + root)}}
	set1 := registry.Instructions{Title: "Set up", Client: "Conan 1", Steps: []registry.Step{shell("conan remote add " + remote + " " + root)}}
	login, login1 := secret("conan remote login "+remote+" USER -p TOKEN"), secret("conan user -r "+remote+" -p TOKEN USER")
	if in.Private {
		set.Steps, set1.Steps = append(set.Steps, login), append(set1.Steps, login1)
	}
	name, version := "my-lib", "1.0"
	if in.Package != nil {
		name = in.Package.Name
	}
	if in.Version != nil {
		version = in.Version.Version
	}
	spec := name + "/" + version
	all := []registry.Instructions{set}
	if in.Package != nil {
		all = append(all, registry.Instructions{Title: "Install", Client: "Conan 2", Steps: []registry.Step{
			shell("conan install --requires=" + protocols.ShellQuote(spec) + " -r " + remote),
			{Kind: registry.FileStep, Language: "ini", Path: "conanfile.txt", Body: "[requires]\n" + spec + "\n"},
			shell("conan download " + protocols.ShellQuote(spec+":*") + " -r " + remote),
		}})
	}
	all = append(all, registry.Instructions{Title: "Publish", Client: "Conan 2", Steps: []registry.Step{
		login, shell("conan create ."), shell("conan upload " + protocols.ShellQuote(spec) + " -r " + remote + " -c"),
	}}, set1)
	if in.Package != nil {
		all = append(all, registry.Instructions{Title: "Install", Client: "Conan 1", Steps: []registry.Step{
			shell("conan install " + protocols.ShellQuote(spec+"@") + " -r " + remote),
		}})
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "Conan 1", Steps: []registry.Step{
		login1, shell("conan create . " + spec + "@"), shell("conan upload " + protocols.ShellQuote(spec+"@") + " --all -r " + remote),
	}})
}
