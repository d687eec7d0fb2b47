package pypi

import (
	"net/url"
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// placeholder stands for the reader's token.
const placeholder = "TOKEN"

// instructions say how to set the clients up, install a release and publish
// one. They name one index for a project: a second one beside it that strangers
// publish to could answer for the name.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, typeName) + "/"
	index := root + "simple/"
	project, pinned := "example", "example"
	if in.Package != nil {
		project = in.Package.Name
		pinned = project
	}
	if in.Version != nil {
		pinned += "==" + in.Version.Version
	}
	var all []registry.Instructions
	add := func(title, client string, steps ...registry.Step) {
		all = append(all, registry.Instructions{Title: title, Client: client, Steps: steps})
	}
	spec := protocols.ShellQuote(pinned)
	trusted := ""
	if u, err := url.Parse(root); err == nil && u.Scheme == "http" {
		trusted = " --trusted-host " + protocols.ShellQuote(u.Hostname())
	}

	if in.Private {
		add("Set up", "pip", file("ini", "~/.config/pip/pip.conf", "[global]\nindex-url = "+withCredentials(index)+"\n"))
	} else {
		add("Set up", "pip", file("ini", "~/.config/pip/pip.conf", "[global]\nindex-url = "+index+"\n"))
	}
	uvIndex := "[[tool.uv.index]]\nname = \"entrepot\"\nurl = \"" + index + "\"\npublish-url = \"" + root + "\"\nexplicit = true\n\n" +
		"[tool.uv.sources]\n" + normalizeName(project) + " = { index = \"entrepot\" }\n"
	uv := []registry.Step{file("toml", "pyproject.toml", uvIndex)}
	poetry := []registry.Step{shell("poetry source add --priority=explicit entrepot " + index)}
	if in.Private {
		uv = append(uv, shell("export UV_INDEX_ENTREPOT_USERNAME=__token__ UV_INDEX_ENTREPOT_PASSWORD="+placeholder))
		poetry = append(poetry, shell("poetry config http-basic.entrepot __token__ "+placeholder))
	}
	add("Set up", "uv", uv...)
	add("Set up", "poetry", poetry...)

	if in.Package != nil {
		add("Install", "pip", shell("pip install --index-url "+index+trusted+" "+spec))
		add("Install", "uv", shell("uv add "+spec))
		add("Install", "poetry", shell("poetry add --source entrepot "+spec))
	}

	add("Publish", "twine",
		file("ini", "~/.pypirc", "[distutils]\nindex-servers = entrepot\n\n[entrepot]\nrepository = "+root+"\nusername = __token__\npassword = "+placeholder+"\n"),
		shell("twine upload --repository entrepot dist/*"))
	add("Publish", "uv", shell("uv publish --publish-url "+root+" --check-url "+index+" --token "+placeholder))
	add("Publish", "poetry",
		shell("poetry config repositories.entrepot "+root),
		shell("poetry config http-basic.entrepot __token__ "+placeholder),
		shell("poetry publish --build --repository entrepot"))
	return all
}

// withCredentials puts the token into a URL.
func withCredentials(index string) string {
	scheme, rest, _ := strings.Cut(index, "://")
	return scheme + "://__token__:" + placeholder + "@" + rest
}

// shell is a command to run.
func shell(command string) registry.Step {
	step := registry.Step{Kind: registry.Shell, Language: "sh", Body: command}
	return withPlaceholder(step)
}

// file is a file to edit.
func file(language, path, body string) registry.Step {
	return withPlaceholder(registry.Step{Kind: registry.FileStep, Language: language, Path: path, Body: body})
}

// withPlaceholder tells of the token if the step names one.
func withPlaceholder(s registry.Step) registry.Step {
	if strings.Contains(s.Body, placeholder) {
		s.SecretPlaceholder = placeholder
	}
	return s
}
