package cran

import (
	"fmt"
	"net/url"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set R and its package managers up, install and
// upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	source := root
	if u, err := url.Parse(root); err == nil && in.Private {
		// R sends no other credential. A name with an escape in it would break
		// its cache of indexes, so that the user is called token.
		u.User = url.UserPassword("token", placeholder)
		source = u.String()
	}
	all := []registry.Instructions{
		{Title: "Set up", Client: "R", Steps: []registry.Step{step(registry.FileStep, "r", ".Rprofile",
			fmt.Sprintf("options(repos = c(ent = %q, getOption(\"repos\")))\n", source))}},
		{Title: "Set up", Client: "pak", Steps: []registry.Step{step(registry.Shell, "r", "", fmt.Sprintf("pak::repo_add(ent = %q)", source))}},
	}
	if in.Package != nil {
		name := in.Package.Name
		if in.Version == nil {
			all = append(all, install("R", fmt.Sprintf("install.packages(%q)", name)), install("renv", fmt.Sprintf("renv::install(%q)", name)))
		} else {
			version := in.Version.Version
			all = append(all,
				install("R", fmt.Sprintf("install.packages(%q)", name)),
				install("remotes", fmt.Sprintf("remotes::install_version(%q, %q, repos = %q)", name, version, source)),
				install("renv", fmt.Sprintf("renv::install(%q)", name+"@"+version)))
		}
		all = append(all, install("pak", fmt.Sprintf("pak::pkg_install(%q)", name)))
	}
	return append(all,
		registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
			step(registry.Shell, "sh", "", "R CMD build PACKAGE\ncurl --fail-with-body -u USER:"+placeholder+" --upload-file PACKAGE_1.0.tar.gz "+protocols.ShellQuote(root+"/src")),
			{Kind: registry.Text, Body: "A binary package names the platform and the minor version of R that it was built for:"},
			step(registry.Shell, "sh", "", "curl --fail-with-body -u USER:"+placeholder+" --upload-file PACKAGE_1.0.zip "+protocols.ShellQuote(root+"/bin?platform=windows&rversion=4.2")),
		}},
	)
}

func install(client, code string) registry.Instructions {
	return registry.Instructions{Title: "Install", Client: client, Steps: []registry.Step{step(registry.Shell, "r", "", code)}}
}

// step is a step that may name the token.
func step(k registry.StepKind, language, path, body string) registry.Step {
	s := registry.Step{Kind: k, Language: language, Path: path, Body: body}
	if strings.Contains(body, placeholder) {
		s.SecretPlaceholder = placeholder
	}
	return s
}
