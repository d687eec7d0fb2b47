package rubygems

import (
	"fmt"
	"net/url"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set gem and Bundler up, install a version and publish
// one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName)
	source := root + "/"
	bundler := []registry.Step{}
	if u, err := url.Parse(source); err == nil && in.Private {
		u.User = url.UserPassword("USER", placeholder)
		source = u.String()
		bundler = append(bundler, shell("bundle config set --global "+protocols.ShellQuote(root)+" USER:"+placeholder))
	}
	all := []registry.Instructions{
		{Title: "Set up", Client: "gem", Steps: []registry.Step{shell("gem sources --add " + protocols.ShellQuote(source))}},
	}
	if len(bundler) > 0 {
		all = append(all, registry.Instructions{Title: "Set up", Client: "bundler", Steps: bundler})
	}
	if in.Package != nil {
		name := in.Package.Name
		command, line := "gem install "+name, fmt.Sprintf("  gem %q", name)
		if in.Version != nil {
			command += " -v " + in.Version.Version
			line += fmt.Sprintf(", %q", in.Version.Version)
		}
		all = append(all,
			registry.Instructions{Title: "Install", Client: "gem", Steps: []registry.Step{shell(command)}},
			registry.Instructions{Title: "Install", Client: "bundler", Steps: []registry.Step{
				{Kind: registry.FileStep, Language: "ruby", Path: "Gemfile", Body: fmt.Sprintf("source %q do\n%s\nend", root, line)},
				shell("bundle install"),
			}},
		)
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "gem", Steps: []registry.Step{
		shell("gem build NAME.gemspec"),
		shell("GEM_HOST_API_KEY=" + placeholder + " gem push --host " + protocols.ShellQuote(root) + " NAME-1.0.0.gem"),
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
