package alt

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"entrepot/ent"
	"entrepot/protocols"
	"entrepot/protocols/internal/rpmfile"
)

// armoredKey serves the owner's keys: that which signs, and one it has
// replaced for as long as that is kept.
func armoredKey(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.OpenPGPKeys(w, r, keyFile, true)
}

// vendors serves the file that makes a machine check signatures: it names the
// key that signs.
func vendors(w http.ResponseWriter, r *protocols.Request) error {
	keys, err := r.Space.Keys(r.Context())
	if err != nil {
		return err
	}
	owner := r.Space.Owner.Name
	var b strings.Builder
	for _, k := range keys {
		if k.Current {
			b.WriteString("simple-key \"" + owner + "\" {\n\tFingerPrint \"" + strings.ToUpper(k.Fingerprint) + "\";\n\tName \"" + owner + "\";\n}\n")
		}
	}
	return sendText(w, r, b.String(), listFile(owner))
}

// listFile is what the owner's files of settings are called on a machine.
func listFile(owner string) string { return owner + ".list" }

// list serves the lines by which a machine uses a group, as sources.list has
// them: one an architecture, and those of most machines as long as there is
// none.
func list(w http.ResponseWriter, r *protocols.Request) error {
	group, err := repoGroup(r.Params)
	if err != nil {
		return err
	}
	roots, err := r.Space.Indexes(r.Context())
	if err != nil {
		return err
	}
	var archs []string
	for _, root := range roots {
		if root.Family == group {
			archs = append(archs, root.Member)
		}
	}
	owner := r.Space.Owner.Name
	return sendText(w, r, "# Packages of "+owner+" for apt-rpm. The name in brackets is that of the key in /etc/apt/vendors.list.d/"+listFile(owner)+",\n"+
		"# which "+r.Root()+"/"+vendorsFile+" is; without the name, signatures are not checked.\n"+
		lines(r.Root(), owner, group, archs), listFile(owner))
}

// lines are those of a group's architectures in sources.list.
func lines(root, owner, group string, archs []string) string {
	if len(archs) == 0 {
		archs = []string{"x86_64", rpmfile.EveryArch}
	}
	var b strings.Builder
	for _, arch := range archs {
		kind := "rpm"
		if arch == rpmfile.SourceArch {
			kind = "rpm-src"
		}
		b.WriteString(kind + " [" + owner + "] " + root + "/" + repoOf(group) + " " + arch + " " + component + "\n")
	}
	return b.String()
}

func sendText(w http.ResponseWriter, r *protocols.Request, body, name string) error {
	h := w.Header()
	h.Set("Content-Type", textType)
	h.Set("Content-Disposition", protocols.Attachment(name))
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		io.WriteString(w, body) // the client has it or is gone
	}
	return nil
}

// repositoryDescription is an architecture of a group as repository.json has
// it.
type repositoryDescription struct {
	// Group is its name; that of the group without one is empty.
	Group        string `json:"group"`
	Architecture string `json:"architecture"`
}

// describe tells the keys and the architectures of all groups.
func describe(w http.ResponseWriter, r *protocols.Request) error {
	return protocols.DescribeIndexes(w, r, "repositories", func(root *ent.IndexRoot) repositoryDescription {
		return repositoryDescription{root.Family, root.Member}
	})
}

// remove gives a group up that holds no package any more. Until then an empty
// one is served, for clients stop at one that is not there.
func remove(w http.ResponseWriter, r *protocols.Request) error {
	group, err := repoGroup(r.Params)
	if err != nil {
		return err
	}
	if err := r.Space.RemoveIndex(r.Context(), group); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
