package rpm

import (
	"strings"

	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
	"entrepot/registry"
)

// instructions say how to set clients up, install and upload.
func instructions(in registry.InstructionsInput) []registry.Instructions {
	root := in.BaseURL + protocols.JoinPath("api", "packages", in.Owner, "rpm")
	group := ""
	for _, f := range in.Files {
		if f.NormalizedName != errataFile {
			group = f.CompositeKey
			break
		}
	}
	repo := root + repoEnding
	if group != "" {
		repo = root + "/" + group + repoEnding
	}
	all := []registry.Instructions{
		{Title: "Set up", Client: "dnf", Steps: setUp(in, root, group, repo)},
		{Title: "Set up", Client: "zypper", Steps: setUpZypper(in, group, repo)},
	}
	if in.Package != nil {
		name := in.Package.Name
		if in.Version != nil {
			name += "-" + rpmfile.WithEpoch(in.Version.Version)
		}
		for _, client := range []string{"dnf", "yum", "zypper"} {
			all = append(all, registry.Instructions{Title: "Install", Client: client, Steps: []registry.Step{
				{Kind: registry.Shell, Language: "sh", Body: client + " install " + protocols.ShellQuote(name)},
			}})
		}
	}
	return append(all, registry.Instructions{Title: "Publish", Client: "curl", Steps: []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
			Body: "curl --fail-with-body -u USER:TOKEN --upload-file package-1.0-1.x86_64.rpm " + protocols.ShellQuote(root+below(group, "upload"))},
		{Kind: registry.Text, Body: "A group is a repository of its own: put its name before upload, as in el9/stable/upload. It is made when the first package comes."},
	}})
}

// setUp is for dnf and yum, both of which read files of this form.
func setUp(in registry.InstructionsInput, root, group, repo string) []registry.Step {
	if !in.Private {
		return []registry.Step{
			{Kind: registry.Shell, Language: "sh", Body: "dnf config-manager --add-repo " + protocols.ShellQuote(repo) + "\n# dnf 5:\ndnf config-manager addrepo --from-repofile=" + protocols.ShellQuote(repo)},
		}
	}
	// The key is fetched without the credential of the file.
	key := "/etc/pki/rpm-gpg/" + section(in.Owner, "") + ".asc"
	body := repoFile(root, in.Owner, group, "0") + "username=USER\npassword=TOKEN\n"
	body = strings.Replace(body, "gpgkey="+root+"/repository.key", "gpgkey=file://"+key, 1)
	return []registry.Step{
		{Kind: registry.Shell, Language: "sh", SecretPlaceholder: "TOKEN",
			Body: "curl -fsS -u USER:TOKEN --create-dirs -o " + protocols.ShellQuote(key) + " " + protocols.ShellQuote(root+"/repository.key")},
		{Kind: registry.FileStep, Language: "ini", SecretPlaceholder: "TOKEN", Path: "/etc/yum.repos.d/" + section(in.Owner, group) + repoEnding, Body: body},
	}
}

func setUpZypper(in registry.InstructionsInput, group, repo string) []registry.Step {
	step := registry.Step{Kind: registry.Shell, Language: "sh", Body: "zypper addrepo " + protocols.ShellQuote(repo) + "\nzypper refresh"}
	if in.Private {
		scheme, rest, _ := strings.Cut(strings.TrimSuffix(repo, repoEnding), "://")
		step.SecretPlaceholder = "TOKEN"
		step.Body = "zypper addrepo --refresh " + protocols.ShellQuote(scheme+"://USER:TOKEN@"+rest) + " " + section(in.Owner, group) + "\nzypper refresh"
	}
	return []registry.Step{step}
}
