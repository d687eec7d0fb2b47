package conda

import (
	"fmt"
	"net/url"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set the clients up, install and upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	channel, name := "", "NAME"
	if in.Package != nil {
		channel, name = splitPackage(in.Package.Name)
	}
	below := ""
	if channel != "" {
		below = "/" + channel
	}
	open := root + below
	// conda and micromamba send what is in the URL.
	source := open
	if in.Private {
		source = root + "/" + tokenPath + "/" + placeholder + below
	}
	all := []registry.Instructions{
		{Title: "Set up", Client: "conda", Steps: []registry.Step{step(registry.FileStep, "yaml", ".condarc", "channels:\n  - "+source+"\n")}},
		{Title: "Set up", Client: "mamba", Steps: []registry.Step{step(registry.FileStep, "yaml", ".mambarc", "channels:\n  - "+source+"\n")}},
		{Title: "Set up", Client: "pixi", Steps: pixiSetUp(in, open)},
	}
	if in.Package != nil {
		spec, exact := name, name
		if in.Version != nil {
			spec, exact = name+"="+in.Version.Version, name+"=="+in.Version.Version
		}
		all = append(all,
			install("conda", "conda install -c "+protocols.ShellQuote(source)+" "+protocols.ShellQuote(spec)),
			install("mamba", "mamba install -c "+protocols.ShellQuote(source)+" "+protocols.ShellQuote(spec)),
			install("micromamba", "micromamba create -p ./env -c "+protocols.ShellQuote(source)+" "+protocols.ShellQuote(spec)),
			install("pixi", "pixi add "+protocols.ShellQuote(exact)))
	}
	target := "main"
	if channel != "" {
		target = channel
	}
	return append(all,
		registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
			step(registry.Shell, "sh", "", fmt.Sprintf("curl --fail-with-body -u USER:%s --upload-file %s-1.0-0.conda %s", placeholder, name, protocols.ShellQuote(open+"/"+name+"-1.0-0.conda"))),
		}},
		registry.Instructions{Title: "Publish", Client: "rattler-build", Steps: []registry.Step{
			step(registry.Shell, "sh", "", fmt.Sprintf("rattler-build upload quetz --url %s --channel %s --api-key %s %s-1.0-0.conda", protocols.ShellQuote(root), target, placeholder, name)),
		}},
	)
}

// pixiSetUp makes a project, signed in where that is needed: pixi keeps
// credentials by host.
func pixiSetUp(in registry.InstructionsInput, channel string) []registry.Step {
	var steps []registry.Step
	if u, err := url.Parse(in.BaseURL); err == nil && in.Private {
		steps = append(steps, step(registry.Shell, "sh", "", "pixi auth login "+protocols.ShellQuote(u.Host)+" --token "+placeholder))
	}
	return append(steps, step(registry.Shell, "sh", "", "pixi init -c "+protocols.ShellQuote(channel)))
}

func install(client, command string) registry.Instructions {
	return registry.Instructions{Title: "Install", Client: client, Steps: []registry.Step{step(registry.Shell, "sh", "", command)}}
}

// step is a step that may name the token.
func step(k registry.StepKind, language, path, body string) registry.Step {
	s := registry.Step{Kind: k, Language: language, Path: path, Body: body}
	if strings.Contains(body, placeholder) {
		s.SecretPlaceholder = placeholder
	}
	return s
}
