//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// soakFor is how long TestSoak runs in each set-up; ENTREPOT_SOAK=10m makes a
// night of it.
const soakFor = 30 * time.Second

// soakers is how many clients work at once.
const soakers = 8

// TestSoak lets clients push, pull, mount, retag and delete images that share
// their layers, while garbage is collected that is a second old. What was
// acknowledged is there when its client needs it, nothing fails, and at the end
// the database and the store name the same objects, to the byte.
func TestSoak(t *testing.T) {
	period := soakFor
	if long := os.Getenv("ENTREPOT_SOAK"); long != "" {
		var err error
		if period, err = time.ParseDuration(long); err != nil {
			t.Fatal(err)
		}
	}
	for _, setup := range setups {
		t.Run(setup.Name, func(t *testing.T) {
			s := StartServer(t, setup, "ENTREPOT_STORAGE_GRACE=1s", "ENTREPOT_STORAGE_COLLECT=250ms", "ENTREPOT_STORAGE_KEEP_UNNEEDED=10s")
			soak := newSoak(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), period)
			defer cancel()
			var workers sync.WaitGroup
			for range soakers {
				workers.Go(func() { soak.work(ctx, t) })
			}
			workers.Wait()
			t.Logf("done: %v", soak.done)
			for _, what := range []string{"push", "pull", "mount", "retag", "delete tag", "delete image"} {
				if soak.done[what] == 0 {
					t.Errorf("not once: %s", what)
				}
			}
			if err := s.Doctor(t.Context()); err != nil {
				t.Error(err)
			}
			settle(t, s)
		})
	}
}

// soak is what the workers share.
type soak struct {
	*Server
	as     Account
	layers [][]byte // contents that images have in common
	mu     sync.Mutex
	done   map[string]int
}

func newSoak(t *testing.T, s *Server) *soak {
	k := &soak{Server: s, as: startOrg(t, s), done: map[string]int{}}
	for range 12 {
		k.layers = append(k.layers, randomBytes(1+rand.IntN(200<<10)))
	}
	return k
}

func (k *soak) note(what string) {
	k.mu.Lock()
	k.done[what]++
	k.mu.Unlock()
}

// work does one thing after another until the time is over.
func (k *soak) work(ctx context.Context, t *testing.T) {
	actions := []struct {
		name string
		do   func(context.Context) error
	}{
		{"push", k.push}, {"push", k.push}, {"push", k.push}, {"pull", k.pull}, {"pull", k.pull},
		{"mount", k.mount}, {"retag", k.retag}, {"delete tag", k.deleteTag}, {"delete image", k.deleteImage},
	}
	for ctx.Err() == nil {
		action := actions[rand.IntN(len(actions))]
		// What is begun is finished: the end of the test is not a fault.
		err := action.do(context.WithoutCancel(ctx))
		switch {
		case err == nil:
			k.note(action.name)
		case errors.Is(err, errGone):
			k.note("too late to " + action.name)
		default:
			t.Errorf("%s: %v", action.name, err)
			return
		}
	}
}

// errGone tells that somebody else has deleted what was about to be used.
var errGone = errors.New("deleted by another")

func (k *soak) repository() string { return fmt.Sprintf("/v2/acme/soak%d", rand.IntN(4)) }

func (k *soak) tag() string { return fmt.Sprintf("t%d", rand.IntN(12)) }

// image is of one or two of the common layers, and now and then of one that
// nobody else has.
func (k *soak) image() (config []byte, layers [][]byte, manifest []byte, err error) {
	type object = map[string]any
	descriptor := func(mediaType string, b []byte) object {
		return object{"mediaType": mediaType, "digest": digestOf(b), "size": len(b)}
	}
	for range 1 + rand.IntN(2) {
		layers = append(layers, k.layers[rand.IntN(len(k.layers))])
	}
	if rand.IntN(3) == 0 {
		layers = append(layers, randomBytes(1+rand.IntN(64<<10)))
	}
	config = fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","n":%d}`, rand.IntN(40))
	var described []object
	for _, l := range layers {
		described = append(described, descriptor(layerType, l))
	}
	manifest, err = json.Marshal(object{
		"schemaVersion": 2, "mediaType": manifestType, "config": descriptor(configType, config), "layers": described,
	})
	return config, layers, manifest, err
}

// push uploads what is missing, as clients find out by HEAD, then the manifest.
func (k *soak) push(ctx context.Context) error {
	repository := k.repository()
	config, layers, manifest, err := k.image()
	if err != nil {
		return err
	}
	for _, blob := range append(layers, config) {
		head, err := k.Do(ctx, Call{Method: "HEAD", URL: repository + "/blobs/" + digestOf(blob), As: k.as})
		if err != nil {
			return err
		}
		switch head.Status {
		case http.StatusOK:
		case http.StatusNotFound:
			if err := pushBlob(ctx, k.Server, k.as, repository, blob); err != nil {
				return err
			}
		default:
			return fmt.Errorf("HEAD of a blob: %s", head)
		}
	}
	_, err = k.Want(ctx, http.StatusCreated, putManifest(repository+"/manifests/"+k.tag(), k.as, manifest))
	return err
}

// mount takes the layers from another repository where it can.
func (k *soak) mount(ctx context.Context) error {
	from, to := k.repository(), k.repository()
	config, layers, manifest, err := k.image()
	if err != nil {
		return err
	}
	for _, blob := range append(layers, config) {
		path := fmt.Sprintf("%s/blobs/uploads/?mount=%s&from=%s", to, digestOf(blob), strings.TrimPrefix(from, "/v2/"))
		response, err := k.Do(ctx, Call{Method: "POST", URL: path, As: k.as})
		if err != nil {
			return err
		}
		switch response.Status {
		case http.StatusCreated:
		case http.StatusAccepted:
			session, err := k.location(path, response)
			if err != nil {
				return err
			}
			finish, err := withDigest(session, digestOf(blob))
			if err != nil {
				return err
			}
			if _, err := k.Want(ctx, http.StatusCreated, Call{Method: "PUT", URL: finish, As: k.as, Body: reader(blob)}); err != nil {
				return err
			}
		default:
			return fmt.Errorf("mount: %s", response)
		}
	}
	_, err = k.Want(ctx, http.StatusCreated, putManifest(to+"/manifests/"+k.tag(), k.as, manifest))
	return err
}

// manifestOf fetches what a tag names; errGone when it names nothing.
func (k *soak) manifestOf(ctx context.Context, repository, reference string) (Response, error) {
	response, err := k.Do(ctx, Call{Method: "GET", URL: repository + "/manifests/" + reference, As: k.as,
		Header: map[string]string{"Accept": manifestType}})
	switch {
	case err != nil:
		return response, err
	case response.Status == http.StatusNotFound:
		return response, errGone
	case response.Status != http.StatusOK:
		return response, fmt.Errorf("GET manifest: %s", response)
	}
	return response, nil
}

// pull fetches an image. A layer may be missing only if the image is, too.
func (k *soak) pull(ctx context.Context) error {
	repository := k.repository()
	found, err := k.manifestOf(ctx, repository, k.tag())
	if err != nil {
		return err
	}
	var m struct {
		Config struct{ Digest string }
		Layers []struct{ Digest string }
	}
	if err := json.Unmarshal(found.Body, &m); err != nil {
		return err
	}
	for _, l := range append(m.Layers, m.Config) {
		blob, err := k.Do(ctx, Call{Method: "GET", URL: repository + "/blobs/" + l.Digest, As: k.as})
		if err != nil {
			return err
		}
		if blob.Status == http.StatusNotFound {
			if _, err := k.manifestOf(ctx, repository, digestOf(found.Body)); err != nil {
				return err // errGone if all is well
			}
			return fmt.Errorf("%s lacks %s while its manifest %s is there", repository, l.Digest, digestOf(found.Body))
		}
		if blob.Status != http.StatusOK || digestOf(blob.Body) != l.Digest {
			return fmt.Errorf("GET blob %s: %s, digest %s", l.Digest, blob, digestOf(blob.Body))
		}
	}
	return nil
}

// retag gives an image another name by pushing its manifest again.
func (k *soak) retag(ctx context.Context) error {
	repository := k.repository()
	found, err := k.manifestOf(ctx, repository, k.tag())
	if err != nil {
		return err
	}
	put, err := k.Do(ctx, putManifest(repository+"/manifests/"+k.tag(), k.as, found.Body))
	if err != nil {
		return err
	}
	if put.Status == http.StatusNotFound { // deleted since, and its layers with it
		return errGone
	}
	if put.Status != http.StatusCreated {
		return fmt.Errorf("PUT manifest: %s", put)
	}
	return nil
}

func (k *soak) deleteTag(ctx context.Context) error { return k.delete(ctx, k.repository(), k.tag()) }

func (k *soak) deleteImage(ctx context.Context) error {
	repository := k.repository()
	found, err := k.manifestOf(ctx, repository, k.tag())
	if err != nil {
		return err
	}
	return k.delete(ctx, repository, digestOf(found.Body))
}

func (k *soak) delete(ctx context.Context, repository, reference string) error {
	response, err := k.Do(ctx, Call{Method: "DELETE", URL: repository + "/manifests/" + reference, As: k.as})
	switch {
	case err != nil:
		return err
	case response.Status == http.StatusNotFound:
		return errGone
	case response.Status != http.StatusAccepted:
		return fmt.Errorf("DELETE manifest: %s", response)
	}
	return nil
}
