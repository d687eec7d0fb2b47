//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/rogpeppe/go-internal/testscript"
)

// pgpkey SECRET PUBLIC
//
// writes a new OpenPGP key of alice, without a passphrase, to two keyrings.
func cmdPGPKey(ts *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: pgpkey SECRET PUBLIC")
	}
	key, err := openpgp.NewEntity("alice", "", "alice@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048})
	if err != nil {
		return err
	}
	var secret, public bytes.Buffer
	if err := key.SerializePrivate(&secret, nil); err != nil {
		return err
	}
	if err := key.Serialize(&public); err != nil {
		return err
	}
	if err := os.WriteFile(ts.MkAbs(args[0]), secret.Bytes(), 0o600); err != nil {
		return err
	}
	return os.WriteFile(ts.MkAbs(args[1]), public.Bytes(), 0o600)
}

// publishHelm uploads a chart of about the size most have.
func publishHelm(ctx context.Context, s *Server, as Account, owner, name, version string) ([]Published, error) {
	body, err := helmChart(name, version, randomBytes(1+rand.IntN(32<<10)))
	if err != nil {
		return nil, err
	}
	root := "/api/packages/" + owner + "/helm/"
	_, err = s.Want(ctx, http.StatusCreated, Call{Method: "POST", URL: root + "api/charts", As: as, Body: reader(body)})
	return []Published{{root + name + "-" + version + ".tgz", sha256.Sum256(body)}}, err
}

// helmChart packs a chart with one file beside its Chart.yaml.
func helmChart(name, version string, file []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range []struct {
		path    string
		content []byte
	}{{"Chart.yaml", []byte(fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version))}, {"files/random", file}} {
		if err := w.WriteHeader(&tar.Header{Name: name + "/" + f.path, Mode: 0o644, Size: int64(len(f.content))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
