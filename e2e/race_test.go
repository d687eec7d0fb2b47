//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// racers is how many clients do the same thing at once.
const racers = 64

// answer is what one racer got.
type answer struct {
	Response
	err error
}

// count sorts answers by status and fails the test on a lost connection or a 5xx.
func count(t *testing.T, answers []answer) map[int][]Response {
	t.Helper()
	by := map[int][]Response{}
	for i, a := range answers {
		switch {
		case a.err != nil:
			t.Errorf("client %d: %v", i, a.err)
		case a.Status >= 500:
			t.Errorf("client %d: %s", i, a.Response)
		default:
			by[a.Status] = append(by[a.Status], a.Response)
		}
	}
	return by
}

// wantOneWinner checks that one client had status won and all others lost, each
// told so in the client's dialect.
func wantOneWinner(t *testing.T, answers []answer, won, lost int, dialect func(Response) error) {
	t.Helper()
	by := count(t, answers)
	if len(by[won]) != 1 || len(by[lost]) != len(answers)-1 {
		for status, responses := range by {
			t.Errorf("status %d: %d times, such as %s", status, len(responses), responses[0])
		}
		t.Fatalf("want one %d and %d times %d", won, len(answers)-1, lost)
	}
	for _, r := range by[lost] {
		if err := dialect(r); err != nil {
			t.Fatal(err)
		}
	}
}

// contains is a dialect: a sentence somewhere in the body.
func contains(sentence string) func(Response) error {
	return func(r Response) error {
		if !strings.Contains(string(r.Body), sentence) {
			return fmt.Errorf("refused by %s, want %q in it", r, sentence)
		}
		return nil
	}
}

// ociCode is a dialect: the error document of the OCI distribution specification.
func ociCode(codes ...string) func(Response) error {
	return func(r Response) error {
		var document struct{ Errors []struct{ Code string } }
		if err := json.Unmarshal(r.Body, &document); err != nil || len(document.Errors) == 0 {
			return fmt.Errorf("refused by %s, want an OCI error document", r)
		}
		for _, code := range codes {
			if document.Errors[0].Code == code {
				return nil
			}
		}
		return fmt.Errorf("refused by %s, want one of %q", r, codes)
	}
}

// Of 64 uploads of one file one is stored, and it is the one that was told so.
func TestRaceGeneric(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		alice := startOrg(t, s)
		path := genericPath("acme", "app", "1.0.0", "app.bin")
		bodies := make([][]byte, racers)
		for i := range bodies {
			bodies[i] = randomBytes(10_000)
		}
		answers := together(racers, func(i int) answer {
			r, err := s.Do(t.Context(), Call{Method: "PUT", URL: path, As: alice, Body: reader(bodies[i])})
			return answer{r, err}
		})
		wantOneWinner(t, answers, http.StatusCreated, http.StatusConflict, contains("already exists"))
		stored, err := s.Want(t.Context(), http.StatusOK, Call{Method: "GET", URL: path})
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range answers {
			if a.Status == http.StatusCreated && !bytes.Equal(stored.Body, bodies[i]) {
				t.Errorf("client %d was told 201, but the bytes are another's", i)
			}
		}

		// Different files of one new version do not stand in each other's way.
		answers = together(racers, func(i int) answer {
			r, err := s.Do(t.Context(), Call{Method: "PUT", URL: genericPath("acme", "many", "1.0.0", fmt.Sprint(i)), As: alice, Body: reader(bodies[i])})
			return answer{r, err}
		})
		if by := count(t, answers); len(by[http.StatusCreated]) != racers {
			t.Errorf("%d of %d files of one version were stored", len(by[http.StatusCreated]), racers)
		}
		// Nor do two who delete the same.
		answers = together(racers, func(int) answer {
			r, err := s.Do(t.Context(), Call{Method: "DELETE", URL: path, As: alice})
			return answer{r, err}
		})
		wantOneWinner(t, answers, http.StatusNoContent, http.StatusNotFound, func(Response) error { return nil })
		if err := s.Doctor(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Of 64 publishes of one version one is stored; the others get the sentence that release tools look for.
func TestRaceNpm(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		alice := startOrg(t, s)
		documents := make([][]byte, racers)
		for i := range documents {
			tarball, err := npmTarball("hello", "1.0.0")
			if err != nil {
				t.Fatal(err)
			}
			if documents[i], err = npmDocument("hello", "1.0.0", tarball); err != nil {
				t.Fatal(err)
			}
		}
		answers := together(racers, func(i int) answer {
			r, err := s.Do(t.Context(), npmPublish(npmPath("acme", "hello"), alice, documents[i]))
			return answer{r, err}
		})
		wantOneWinner(t, answers, http.StatusCreated, http.StatusConflict,
			contains("You cannot publish over the previously published versions: 1.0.0."))
		if err := s.Doctor(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Pushing an image is meant to be repeatable: what has a digest can be pushed
// any number of times and a tag goes to whoever comes last. So 64 equal pushes
// all succeed; only who asks for a new tag, by If-None-Match, or who writes to
// another's upload session can lose.
func TestRaceContainer(t *testing.T) {
	eachSetup(t, func(t *testing.T, s *Server) {
		alice := startOrg(t, s)
		img, err := randomImage()
		if err != nil {
			t.Fatal(err)
		}

		t.Run("same image", func(t *testing.T) {
			answers := together(racers, func(int) answer {
				if err := pushBlobs(t.Context(), s, alice, "/v2/acme/same", img); err != nil {
					return answer{err: err}
				}
				r, err := s.Do(t.Context(), putManifest("/v2/acme/same/manifests/1.0", alice, img.manifest))
				return answer{r, err}
			})
			if by := count(t, answers); len(by[http.StatusCreated]) != racers {
				t.Errorf("%d of %d equal pushes succeeded", len(by[http.StatusCreated]), racers)
			}
		})

		t.Run("one tag, many images", func(t *testing.T) {
			images := make([]image, racers)
			for i := range images {
				if images[i], err = randomImage(); err != nil {
					t.Fatal(err)
				}
				if err := pushBlobs(t.Context(), s, alice, "/v2/acme/moved", images[i]); err != nil {
					t.Fatal(err)
				}
			}
			answers := together(racers, func(i int) answer {
				r, err := s.Do(t.Context(), putManifest("/v2/acme/moved/manifests/latest", alice, images[i].manifest))
				return answer{r, err}
			})
			if by := count(t, answers); len(by[http.StatusCreated]) != racers {
				t.Errorf("%d of %d pushes to one tag succeeded", len(by[http.StatusCreated]), racers)
			}
			latest, err := s.Want(t.Context(), http.StatusOK, Call{Method: "GET", URL: "/v2/acme/moved/manifests/latest"})
			if err != nil {
				t.Fatal(err)
			}
			known := false
			for _, img := range images {
				known = known || bytes.Equal(latest.Body, img.manifest)
				url := "/v2/acme/moved/manifests/" + digestOf(img.manifest)
				if _, err := s.Want(t.Context(), http.StatusOK, Call{Method: "HEAD", URL: url}); err != nil {
					t.Errorf("an image that lost the tag is gone: %v", err)
				}
			}
			if !known {
				t.Error("the tag leads to none of the images")
			}
		})

		t.Run("new tag only", func(t *testing.T) {
			if err := pushBlobs(t.Context(), s, alice, "/v2/acme/new", img); err != nil {
				t.Fatal(err)
			}
			call := func() Call {
				c := putManifest("/v2/acme/new/manifests/1.0", alice, img.manifest)
				c.Header["If-None-Match"] = "*"
				return c
			}
			answers := together(racers, func(int) answer {
				r, err := s.Do(t.Context(), call())
				return answer{r, err}
			})
			wantOneWinner(t, answers, http.StatusCreated, http.StatusPreconditionFailed, ociCode("PRECONDITION_FAILED"))
		})

		t.Run("one upload session", func(t *testing.T) {
			session, err := openUpload(t.Context(), s, alice, "/v2/acme/session")
			if err != nil {
				t.Fatal(err)
			}
			chunk := randomBytes(10_000)
			answers := together(racers, func(int) answer {
				r, err := s.Do(t.Context(), Call{Method: "PATCH", URL: session, As: alice, Body: reader(chunk), Header: map[string]string{
					"Content-Type": "application/octet-stream", "Content-Range": fmt.Sprintf("0-%d", len(chunk)-1)}})
				return answer{r, err}
			})
			by := count(t, answers)
			if len(by[http.StatusAccepted]) != 1 {
				t.Errorf("%d clients wrote the same chunk of one session, want 1", len(by[http.StatusAccepted]))
			}
			// Busy session, or a chunk that is there already.
			for _, r := range append(by[http.StatusConflict], by[http.StatusRequestedRangeNotSatisfiable]...) {
				if err := ociCode("BLOB_UPLOAD_INVALID")(r); err != nil {
					t.Error(err)
				}
			}
			if lost := len(by[http.StatusConflict]) + len(by[http.StatusRequestedRangeNotSatisfiable]); lost != racers-1 {
				t.Errorf("%d clients were refused, want %d", lost, racers-1)
			}
			status, err := s.Want(t.Context(), http.StatusNoContent, Call{Method: "GET", URL: session, As: alice})
			if err != nil {
				t.Fatal(err)
			}
			session, err = s.location("/", status)
			if err != nil {
				t.Fatal(err)
			}
			finish, err := withDigest(session, digestOf(chunk))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Want(t.Context(), http.StatusCreated, Call{Method: "PUT", URL: finish, As: alice}); err != nil {
				t.Errorf("the chunk did not arrive exactly once: %v", err)
			}
		})

		if err := s.Doctor(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
