package container

import (
	"strings"

	"entrepot/protocols"
	"entrepot/registry"
)

// instructions say how to pull and push with each client. Plain HTTP needs a
// switch of its own in most of them.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	c := commands{host: in.BaseURL, owner: strings.ToLower(in.Owner), image: "my-app", tag: "1.0"}
	if host, plain := strings.CutPrefix(in.BaseURL, "http://"); plain {
		c.host, c.plain = host, true
	}
	c.host = strings.TrimPrefix(c.host, "https://")
	if in.Package == nil {
		return append(c.signIn(), c.push(kindImage)...)
	}
	c.image, c.tag = in.Package.NormalizedName, ""
	if len(in.Tags) > 0 {
		c.tag = in.Tags[0]
	}
	kind := kindImage
	if in.Version != nil {
		c.digest = in.Version.Version
		if about, err := decodeMetadata(in.Version); err == nil && about.Kind != "" {
			kind = about.Kind
		}
	}
	all := c.pull(kind)
	if in.Private {
		all = append(c.signIn(), all...)
	}
	return append(all, c.push(kind)...)
}

// commands writes commands for one repository.
type commands struct {
	host, owner, image, tag, digest string
	// plain tells that the server speaks HTTP without TLS.
	plain bool
}

// repository is how clients name it.
func (c commands) repository() string { return c.host + "/" + c.owner + "/" + c.image }

// reference is the tag, if there is one, else the digest.
func (c commands) reference() string {
	switch {
	case c.tag != "":
		return c.repository() + ":" + c.tag
	case c.digest != "":
		return c.byDigest()
	}
	return c.repository()
}

func (c commands) byDigest() string { return c.repository() + "@" + c.digest }

// insecure is the client's switch for plain HTTP, when it is needed.
func (c commands) insecure(flag string) string {
	if c.plain {
		return " " + flag
	}
	return ""
}

func shell(title, client, body, placeholder string) registry.Instructions {
	return registry.Instructions{Title: title, Client: client, Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", Body: body, SecretPlaceholder: placeholder},
	}}
}

func (c commands) signIn() []registry.Instructions {
	const token = "TOKEN"
	docker := registry.Instructions{Title: "Set up", Client: "docker", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", Body: "echo TOKEN | docker login " + c.host + " -u USER --password-stdin", SecretPlaceholder: token},
	}}
	if c.plain {
		docker.Steps = append(docker.Steps, registry.Step{
			Kind: registry.FileStep, Language: "json", Path: "/etc/docker/daemon.json", Body: `{ "insecure-registries": ["` + c.host + `"] }`,
		})
	}
	return []registry.Instructions{
		docker,
		shell("Set up", "podman", "podman login"+c.insecure("--tls-verify=false")+" -u USER -p TOKEN "+c.host, token),
		shell("Set up", "skopeo", "skopeo login"+c.insecure("--tls-verify=false")+" -u USER -p TOKEN "+c.host, token),
		shell("Set up", "crane", "crane auth login "+c.host+" -u USER -p TOKEN", token),
		shell("Set up", "oras", "oras login"+c.insecure("--plain-http")+" -u USER -p TOKEN "+c.host, token),
		shell("Set up", "helm", "helm registry login "+c.host+c.insecure("--plain-http")+" -u USER -p TOKEN", token),
	}
}

func (c commands) pull(kind string) []registry.Instructions {
	ref := protocols.ShellQuote(c.reference())
	switch kind {
	case kindHelm:
		version := ""
		if c.tag != "" {
			// + cannot stand in a tag; helm writes _ for it.
			version = " --version " + protocols.ShellQuote(strings.ReplaceAll(c.tag, "_", "+"))
		}
		chart := protocols.ShellQuote("oci://" + c.repository())
		return []registry.Instructions{
			shell("Install", "helm", "helm install my-release "+chart+version+c.insecure("--plain-http"), ""),
			shell("Pull", "helm", "helm pull "+chart+version+c.insecure("--plain-http"), ""),
			shell("Pull", "oras", "oras pull"+c.insecure("--plain-http")+" "+ref, ""),
		}
	case kindArtifact:
		return append([]registry.Instructions{
			shell("Pull", "oras", "oras pull"+c.insecure("--plain-http")+" "+ref, ""),
		}, c.pullByDigest("oras", "oras pull"+c.insecure("--plain-http")+" ")...)
	}
	all := []registry.Instructions{
		shell("Pull", "docker", "docker pull "+ref, ""),
		shell("Pull", "podman", "podman pull"+c.insecure("--tls-verify=false")+" "+ref, ""),
		shell("Pull", "skopeo", "skopeo copy --all"+c.insecure("--src-tls-verify=false")+" docker://"+ref+" oci:"+c.image[strings.LastIndexByte(c.image, '/')+1:], ""),
		shell("Pull", "crane", "crane pull"+c.insecure("--insecure")+" "+ref+" image.tar", ""),
	}
	return append(all, c.pullByDigest("docker", "docker pull ")...)
}

// pullByDigest pins the version, whatever becomes of its tags.
func (c commands) pullByDigest(client, command string) []registry.Instructions {
	if c.digest == "" {
		return nil
	}
	return []registry.Instructions{shell("Pull by digest", client, command+protocols.ShellQuote(c.byDigest()), "")}
}

func (c commands) push(kind string) []registry.Instructions {
	tag := c.tag
	if tag == "" {
		tag = "1.0"
	}
	ref := protocols.ShellQuote(c.repository() + ":" + tag)
	switch kind {
	case kindHelm:
		// helm adds the chart's name by itself.
		repository := c.repository()
		parent := protocols.ShellQuote("oci://" + repository[:strings.LastIndexByte(repository, '/')])
		return []registry.Instructions{
			shell("Publish", "helm", "helm push CHART.tgz "+parent+c.insecure("--plain-http"), ""),
		}
	case kindArtifact:
		return []registry.Instructions{
			shell("Publish", "oras", "oras push"+c.insecure("--plain-http")+" "+ref+" FILE", ""),
		}
	}
	return []registry.Instructions{
		shell("Publish", "docker", "docker tag IMAGE "+ref+"\ndocker push "+ref, ""),
		shell("Publish", "podman", "podman push"+c.insecure("--tls-verify=false")+" IMAGE "+ref, ""),
		shell("Publish", "skopeo", "skopeo copy --all"+c.insecure("--dest-tls-verify=false")+" oci:FOLDER docker://"+ref, ""),
		shell("Publish", "crane", "crane push"+c.insecure("--insecure")+" IMAGE.tar "+ref, ""),
		shell("Publish", "oras", "oras push"+c.insecure("--plain-http")+" "+ref+" FILE", ""),
		shell("Publish", "helm", "helm push CHART.tgz oci://"+c.host+"/"+c.owner+c.insecure("--plain-http"), ""),
	}
}
