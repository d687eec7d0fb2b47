package npm

import (
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to set the clients up, install a version and publish
// one.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName) + "/"
	// Without a package the organization's own scope is the example.
	name := "@" + strings.ToLower(in.Owner) + "/example"
	spec := name
	if in.Package != nil {
		name = in.Package.Name
		spec = name
	}
	if in.Version != nil {
		spec += "@" + in.Version.Version
	}
	scope, _, scoped := strings.Cut(name, "/")
	if !scoped {
		scope = ""
	}
	var all []registry.Instructions
	add := func(title, client string, steps ...registry.Step) {
		all = append(all, registry.Instructions{Title: title, Client: client, Steps: steps})
	}
	for _, c := range clients {
		add("Set up", c.name, c.configure(root, scope, in.Private))
		if in.Package != nil {
			add("Install", c.name, shell(c.install+" "+protocols.ShellQuote(spec)))
		}
		publish := []registry.Step{shell(c.publish)}
		if !in.Private {
			publish = []registry.Step{c.configure(root, scope, true), shell(c.publish)}
		}
		add("Publish", c.name, publish...)
	}
	return all
}

// clients are the programs, with their commands and the way they are set up.
var clients = []struct {
	name, install, publish string
	configure              func(root, scope string, token bool) registry.Step
}{
	{"npm", "npm install", "npm publish", npmrc},
	{"pnpm", "pnpm add", "pnpm publish", npmrc},
	{"yarn", "yarn add", "yarn npm publish", yarnrc},
	{"yarn classic", "yarn add", "yarn publish", classicRC},
	{"bun", "bun add", "bun publish", npmrc},
}

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

func shell(command string) registry.Step {
	return registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
}

// npmrc is the file that npm, pnpm and bun read. The scope is "" to ask this
// registry for everything.
func npmrc(root, scope string, token bool) registry.Step {
	body := "registry=" + root + "\n"
	if scope != "" {
		body = scope + ":" + body
	}
	step := registry.Step{Kind: registry.FileStep, Language: "ini", Path: ".npmrc"}
	if token {
		_, address, _ := strings.Cut(root, ":")
		body += address + ":_authToken=" + placeholder + "\n"
		step.SecretPlaceholder = placeholder
	}
	step.Body = body
	return step
}

// classicRC is npmrc for yarn 1, which otherwise sends the token only to
// publish.
func classicRC(root, scope string, token bool) registry.Step {
	step := npmrc(root, scope, token)
	if token {
		step.Body += "always-auth=true\n"
	}
	return step
}

// yarnrc is the file that yarn 2 and later read.
func yarnrc(root, scope string, token bool) registry.Step {
	step := registry.Step{Kind: registry.FileStep, Language: "yaml", Path: ".yarnrc.yml"}
	lines := []string{`npmRegistryServer: "` + root + `"`}
	if token {
		lines = append(lines, `npmAuthToken: "`+placeholder+`"`, "npmAlwaysAuth: true")
		step.SecretPlaceholder = placeholder
	}
	if scope == "" {
		step.Body = strings.Join(lines, "\n") + "\n"
	} else {
		step.Body = "npmScopes:\n  " + strings.TrimPrefix(scope, "@") + ":\n    " + strings.Join(lines, "\n    ") + "\n"
	}
	if strings.HasPrefix(root, "http://") {
		host, _, _ := strings.Cut(strings.TrimPrefix(root, "http://"), "/")
		host, _, _ = strings.Cut(host, ":")
		step.Body += "unsafeHttpWhitelist: [\"" + host + "\"]\n"
	}
	return step
}
