package vagrant

import (
	"fmt"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to add a box, by its URL and by its short name, and how
// to publish one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	var all []registry.Instructions
	name, version := "my-box", "1.0.0"
	if in.Package != nil {
		name = in.Package.Name
		all = append(all, registry.Instructions{Title: "Install", Client: "vagrant", Steps: install(root, name, in)})
	}
	if in.Version != nil {
		version = in.Version.Version
	}
	for _, p := range []struct{ provider, architecture string }{{"virtualbox", ""}, {"libvirt", "arm64"}} {
		all = append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
			shell("curl --fail-with-body -u USER:" + placeholder + " -T out.box " +
				protocols.ShellQuote(root+boxPath(name, version, p.provider, p.architecture))),
		}})
	}
	return all
}

func install(root, name string, in registry.InstructionsInput) []registry.Step {
	short := protocols.ShellQuote(in.Owner + "/" + name)
	environment := "VAGRANT_SERVER_URL=" + protocols.ShellQuote(in.BaseURL)
	if in.Private {
		environment += " VAGRANT_CLOUD_TOKEN=" + placeholder
	}
	pin, setting := "", ""
	if in.Version != nil {
		pin = " --box-version " + protocols.ShellQuote(in.Version.Version)
		setting = fmt.Sprintf("  config.vm.box_version = %q\n", in.Version.Version)
	}
	var steps []registry.Step
	for _, provider := range providersOf(in.Files) {
		add := " vagrant box add " + short + pin + " --provider " + protocols.ShellQuote(provider)
		steps = append(steps, shell(environment+add))
	}
	if len(steps) == 0 {
		steps = append(steps, shell(environment+" vagrant box add "+short+pin))
	}
	for _, f := range in.Files {
		if f.MediaType == mediaOldBox {
			steps = append(steps, registry.Step{Kind: registry.Text, Body: f.Name + " has no metadata.json, " + oldBox + "."})
		}
	}
	file := fmt.Sprintf("Vagrant.configure(\"2\") do |config|\n  config.vm.box = %q\n  config.vm.box_url = %q\n%send\n", name, root+protocols.JoinPath(name), setting)
	if in.Private {
		file = fmt.Sprintf("# with %s in the environment\nVagrant.configure(\"2\") do |config|\n  config.vm.box = %q\n%send\n", environment, in.Owner+"/"+name, setting)
	}
	step := registry.Step{Kind: registry.FileStep, Language: "ruby", Path: "Vagrantfile", Body: file}
	if in.Private {
		step.SecretPlaceholder = placeholder
	}
	return append(steps, step)
}

// providersOf are the providers a version has boxes for, each once.
func providersOf(files []*ent.PackageFile) []string {
	var all []string
	for _, f := range files {
		provider, _, _ := strings.Cut(f.CompositeKey, "/")
		known := false
		for _, p := range all {
			known = known || p == provider
		}
		if !known && provider != "" {
			all = append(all, provider)
		}
	}
	return all
}

// shell is a command to run, which may name the token.
func shell(command string) registry.Step {
	s := registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
	if strings.Contains(command, placeholder) {
		s.SecretPlaceholder = placeholder
	}
	return s
}
