package chef

import (
	"fmt"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set the clients up, use a cookbook and share one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	reading := root
	if in.Private {
		reading += "/" + tokenPath + "/" + placeholder
	}
	step := func(kind registry.StepKind, language, path, body string) registry.Step {
		s := registry.Step{Kind: kind, Language: language, Path: path, Body: body}
		if strings.Contains(body, placeholder) {
			s.SecretPlaceholder = placeholder
		}
		return s
	}
	shell := func(body string) registry.Step { return step(registry.Shell, "sh", "", body) }
	setUp := []registry.Instructions{
		{Title: "Set up", Client: "knife", Steps: []registry.Step{
			shell("curl --fail-with-body -u USER:" + placeholder + " -X PUT --output ~/.chef/USER.priv " + protocols.ShellQuote(root+"/keys/knife")),
			step(registry.FileStep, "ruby", "~/.chef/config.rb", fmt.Sprintf("knife[:supermarket_site] = %q\nnode_name \"USER\"\nclient_key File.expand_path(\"~/.chef/USER.priv\")\n", reading)),
		}},
		{Title: "Set up", Client: "berkshelf", Steps: []registry.Step{step(registry.FileStep, "ruby", "Berksfile", fmt.Sprintf("source %q\n", reading))}},
		{Title: "Set up", Client: "chef-cli", Steps: []registry.Step{step(registry.FileStep, "ruby", "Policyfile.rb", fmt.Sprintf("default_source :supermarket, %q\n", reading))}},
	}
	if in.Package != nil {
		name, version, cookbook := in.Package.Name, "", fmt.Sprintf("cookbook %q", in.Package.Name)
		if in.Version != nil {
			version = " " + in.Version.Version
			cookbook += fmt.Sprintf(", %q", "~> "+in.Version.Version)
		}
		setUp = append(setUp,
			registry.Instructions{Title: "Install", Client: "knife", Steps: []registry.Step{shell("knife supermarket download " + name + version)}},
			registry.Instructions{Title: "Install", Client: "berkshelf", Steps: []registry.Step{step(registry.FileStep, "ruby", "Berksfile", cookbook+"\n"), shell("berks install")}},
			registry.Instructions{Title: "Install", Client: "chef-cli", Steps: []registry.Step{step(registry.FileStep, "ruby", "Policyfile.rb", cookbook+"\n"), shell("chef install")}},
		)
	}
	name := "NAME"
	if in.Package != nil {
		name = in.Package.Name
	}
	return append(setUp,
		registry.Instructions{Title: "Publish", Client: "knife", Steps: []registry.Step{shell("knife supermarket share " + name + " -o cookbooks")}},
		registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
			shell("curl --fail-with-body -u USER:" + placeholder + " -F tarball=@" + name + ".tar.gz " + protocols.ShellQuote(root+"/"+api+"/cookbooks")),
		}},
	)
}
