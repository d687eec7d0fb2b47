package registry

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"entrepot/access"
	"entrepot/ent"
	"entrepot/storage"
)

func sha256Of(s string) string { d := sha256.Sum256([]byte(s)); return hex.EncodeToString(d[:]) }

// chunk is a piece of an upload without any announcement.
func chunk(s string) Chunk { return Chunk{Body: strings.NewReader(s), Offset: -1, Size: -1} }

// publicationOf publishes the content into an internal version.
func publicationOf(name string) func(*Stored) (Publication, error) {
	return func(c *Stored) (Publication, error) {
		return Publication{
			Name: name, NormalizedName: name, Version: ":blobs", NormalizedVersion: ":blobs", Internal: true,
			Policy: CreateOrAdd, Overwrite: OverwriteIdentical,
			Files: []File{{Name: c.Sums.SHA256, NormalizedName: c.Sums.SHA256, Content: c}},
		}, nil
	}
}

func (f *fixture) begin(s *Space) *ent.BlobUpload {
	f.t.Helper()
	u, err := s.BeginUpload(f.t.Context(), "app", 0)
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func (f *fixture) append(s *Space, u *ent.BlobUpload, content string) *ent.BlobUpload {
	f.t.Helper()
	u, err := s.AppendUpload(f.t.Context(), u, chunk(content))
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

// resume looks the upload up as the next request does.
func (f *fixture) resume(s *Space, u *ent.BlobUpload) *ent.BlobUpload {
	f.t.Helper()
	u, err := s.Upload(f.t.Context(), "app", u.Session)
	if err != nil {
		f.t.Fatal(err)
	}
	return u
}

func (f *fixture) objects() int {
	f.t.Helper()
	n := 0
	for _, err := range f.store.List(f.t.Context()) {
		if err != nil {
			f.t.Fatal(err)
		}
		n++
	}
	return n
}

func (f *fixture) content(b *ent.PackageBlob) string {
	f.t.Helper()
	body, err := f.OpenBlob(f.t.Context(), b)
	if err != nil {
		f.t.Fatal(err)
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		f.t.Fatal(err)
	}
	return string(content)
}

func TestUpload(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", smallChunk/8)
	for _, tt := range []struct {
		name   string
		chunks []string
		last   string
	}{
		{"nothing", nil, ""},
		{"one chunk", []string{"hello"}, ""},
		{"with the last request", nil, "hello"},
		{"several chunks", []string{"he", "ll"}, "o"},
		{"several chunks and an empty end", []string{"hel", "", "lo"}, ""},
		{"large chunks", []string{large, large}, large},
		{"large with the last request", nil, large},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			s := f.enter(f.ann, "acme", "plain", access.Write)
			u := f.begin(s)
			for _, c := range tt.chunks {
				f.append(s, f.resume(s, u), c)
			}
			want := strings.Join(tt.chunks, "") + tt.last
			if got := f.resume(s, u).Received; got != int64(len(want)-len(tt.last)) {
				t.Errorf("received = %d, want %d", got, len(want)-len(tt.last))
			}
			done, err := s.FinishUpload(t.Context(), f.resume(s, u), chunk(tt.last), 0, publicationOf("app"))
			if err != nil {
				t.Fatal(err)
			}
			b := done.Files[0].Edges.Blob
			if b.Sha256 != sha256Of(want) || b.Size != int64(len(want)) || f.content(b) != want {
				t.Errorf("blob %s of %d bytes, want %s of %d", b.Sha256, b.Size, sha256Of(want), len(want))
			}
			if n := f.objects(); n != 1 {
				t.Errorf("%d objects are left, want 1", n)
			}
			_, err = s.Upload(t.Context(), "app", u.Session)
			wantCode(t, err, NotFound)
			if done.Package.VersionCount != 0 {
				t.Error("an upload made the package visible")
			}
		})
	}
}

func TestUploadIsAdoptedWithoutCopy(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u := f.append(s, f.begin(s), "hello")
	done, err := s.FinishUpload(t.Context(), u, Chunk{Offset: -1, Size: -1}, 0, publicationOf("app"))
	if err != nil {
		t.Fatal(err)
	}
	if got := done.Files[0].Edges.Blob.StorageKey; got != u.Parts[0].Key {
		t.Errorf("the blob lies under %s, the part under %s", got, u.Parts[0].Key)
	}
}

func TestUploadOfKnownContentLeavesOneObject(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	for _, parts := range [][]string{{"hello"}, {"hello"}, {"hel", "lo"}} {
		u := f.begin(s)
		for _, p := range parts {
			u = f.append(s, u, p)
		}
		if _, err := s.FinishUpload(t.Context(), u, chunk(""), 0, publicationOf("app")); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.objects(); n != 1 {
		t.Errorf("%d objects, want 1", n)
	}
}

func TestUploadGoesOnAtAnotherReplica(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u := f.append(s, f.begin(s), "from the first ")
	other, err := New(Options{Database: f.db, Store: f.store, Types: f.Types()})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	s2, err := other.Enter(f.as(f.ann), "acme", "plain", access.Write)
	if err != nil {
		t.Fatal(err)
	}
	done, err := s2.FinishUpload(t.Context(), f.resume(s2, u), chunk("to the second"), 0, publicationOf("app"))
	if err != nil {
		t.Fatal(err)
	}
	if b := done.Files[0].Edges.Blob; b.Sha256 != sha256Of("from the first to the second") {
		t.Errorf("sha256 = %s", b.Sha256)
	}
}

func TestUploadKeepsWhatACutConnectionBrought(t *testing.T) {
	large := strings.Repeat("x", 3*smallChunk)
	for name, arrived := range map[string]string{"little": "hel", "much": large, "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			s := f.enter(f.ann, "acme", "plain", access.Write)
			u := f.begin(s)
			ctx, hangUp := context.WithCancel(t.Context())
			cut := io.MultiReader(strings.NewReader(arrived), readerFunc(func([]byte) (int, error) {
				hangUp() // as the server does when the connection breaks
				return 0, errors.New("connection reset")
			}))
			_, err := s.AppendUpload(ctx, u, Chunk{Body: cut, Offset: 0, Size: int64(len(arrived)) + 10})
			wantCode(t, err, Invalid)
			u = f.resume(s, u)
			if u.Received != int64(len(arrived)) || u.ClaimedUntil != nil {
				t.Fatalf("received %d, claimed until %v; want %d and free", u.Received, u.ClaimedUntil, len(arrived))
			}
			done, err := s.FinishUpload(t.Context(), u, chunk("rest"), 0, publicationOf("app"))
			if err != nil {
				t.Fatal(err)
			}
			if b := done.Files[0].Edges.Blob; b.Sha256 != sha256Of(arrived+"rest") {
				t.Errorf("sha256 = %s", b.Sha256)
			}
		})
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestUploadRefusesChunks(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	large := strings.Repeat("x", 2*smallChunk)
	for _, tt := range []struct {
		name  string
		chunk Chunk
		want  Code
	}{
		{"a gap", Chunk{Body: strings.NewReader("x"), Offset: 6, Size: 1}, Precondition},
		{"again", Chunk{Body: strings.NewReader("x"), Offset: 0, Size: 1}, Precondition},
		{"shorter than announced", Chunk{Body: strings.NewReader("x"), Offset: 5, Size: 2}, Mismatch},
		{"longer than announced", Chunk{Body: strings.NewReader("xyz"), Offset: 5, Size: 2}, Mismatch},
		{"empty and announced", Chunk{Offset: 5, Size: 2}, Mismatch},
		{"much longer than announced", Chunk{Body: strings.NewReader(large), Offset: 5, Size: smallChunk}, Mismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u := f.append(s, f.begin(s), "hello")
			before := f.objects()
			_, err := s.AppendUpload(t.Context(), u, tt.chunk)
			wantCode(t, err, tt.want)
			if u = f.resume(s, u); u.Received != 5 || u.ClaimedUntil != nil {
				t.Errorf("received %d, claimed until %v; want 5 and free", u.Received, u.ClaimedUntil)
			}
			if n := f.objects(); n != before {
				t.Errorf("%d objects more", n-before)
			}
			f.append(s, u, " world")
		})
	}
}

func TestUploadInUse(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u := f.begin(s)
	first := strings.Repeat("x", smallChunk+1)
	var second error
	body := io.MultiReader(strings.NewReader(first), readerFunc(func([]byte) (int, error) {
		if second == nil {
			_, second = s.AppendUpload(t.Context(), f.resume(s, u), chunk("second"))
			_, third := s.FinishUpload(t.Context(), f.resume(s, u), chunk(""), 0, publicationOf("app"))
			wantCode(t, third, Conflict)
		}
		return 0, io.EOF
	}))
	got, err := s.AppendUpload(t.Context(), u, Chunk{Body: body, Offset: -1, Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, second, Conflict)
	if got.Received != int64(len(first)) {
		t.Errorf("received = %d, want %d", got.Received, len(first))
	}
	// Who read the row before that commit is too late.
	_, err = s.AppendUpload(t.Context(), u, chunk("late"))
	wantCode(t, err, Conflict)
	if n := f.objects(); n != 1 {
		t.Errorf("%d objects, want 1", n)
	}
}

func TestUploadClaimLapses(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u := f.begin(s)
	first := strings.Repeat("x", smallChunk+1)
	body := io.MultiReader(strings.NewReader(first), readerFunc(func([]byte) (int, error) {
		// The process slept beyond its claim, and another took over.
		f.db.BlobUpload.UpdateOneID(u.ID).SetClaimedUntil(now().Add(-time.Second)).ExecX(access.SystemContext(t.Context()))
		f.append(s, f.resume(s, u), "taken over")
		return 0, io.EOF
	}))
	_, err := s.AppendUpload(t.Context(), u, Chunk{Body: body, Offset: -1, Size: -1})
	wantCode(t, err, Conflict)
	done, err := s.FinishUpload(t.Context(), f.resume(s, u), chunk(""), 0, publicationOf("app"))
	if err != nil {
		t.Fatal(err)
	}
	if b := done.Files[0].Edges.Blob; b.Sha256 != sha256Of("taken over") || f.objects() != 1 {
		t.Errorf("sha256 = %s, %d objects", b.Sha256, f.objects())
	}
}

func TestUploadIsTheViewersAlone(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u := f.begin(s)
	root := f.user("root")
	root.SiteAdmin = true
	for _, other := range []struct {
		name  string
		space *Space
		pkg   string
	}{
		{"another account", f.enter(root, "acme", "plain", access.Write), "app"},
		{"another package", s, "other"},
		{"another type", f.enter(f.ann, "acme", "tagged", access.Write), "app"},
		{"another owner", f.enter(f.ann, "ann", "plain", access.Write), "app"},
	} {
		t.Run(other.name, func(t *testing.T) {
			_, err := other.space.Upload(t.Context(), other.pkg, u.Session)
			wantCode(t, err, NotFound)
		})
	}
	f.db.BlobUpload.UpdateOneID(u.ID).SetExpiresAt(now().Add(-time.Second)).ExecX(access.SystemContext(t.Context()))
	_, err := s.Upload(t.Context(), "app", u.Session)
	wantCode(t, err, NotFound)
}

func TestUploadEnds(t *testing.T) {
	wrong := Errorf(Mismatch, "wrong digest")
	for _, tt := range []struct {
		name   string
		chunks []string
		end    func(f *fixture, s *Space, u *ent.BlobUpload) error
		want   Code
	}{
		{"cancelled", []string{"he", "llo"}, func(f *fixture, s *Space, u *ent.BlobUpload) error {
			return s.CancelUpload(f.t.Context(), u)
		}, ""},
		{"cancelled with an old row", []string{"he", "llo"}, func(f *fixture, s *Space, u *ent.BlobUpload) error {
			old := *u
			f.append(s, u, "more")
			return s.CancelUpload(f.t.Context(), &old)
		}, ""},
		{"refused", []string{"hello"}, func(f *fixture, s *Space, u *ent.BlobUpload) error {
			_, err := s.FinishUpload(f.t.Context(), u, chunk(""), 0, func(*Stored) (Publication, error) { return Publication{}, wrong })
			return err
		}, Mismatch},
		{"refused in parts", []string{"hel", "lo"}, func(f *fixture, s *Space, u *ent.BlobUpload) error {
			_, err := s.FinishUpload(f.t.Context(), u, chunk("!"), 0, func(*Stored) (Publication, error) { return Publication{}, wrong })
			return err
		}, Mismatch},
		{"refused at once", nil, func(f *fixture, s *Space, u *ent.BlobUpload) error {
			_, err := s.FinishUpload(f.t.Context(), u, chunk("!"), 0, func(*Stored) (Publication, error) { return Publication{}, wrong })
			return err
		}, Mismatch},
		{"too large", []string{"hello"}, func(f *fixture, s *Space, u *ent.BlobUpload) error {
			f.maxSize = 10
			_, err := s.AppendUpload(f.t.Context(), u, chunk(strings.Repeat("x", 2*smallChunk)))
			return err
		}, TooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			s := f.enter(f.ann, "acme", "plain", access.Write)
			u := f.begin(s)
			for _, c := range tt.chunks {
				u = f.append(s, u, c)
			}
			wantCode(t, tt.end(f, s, u), tt.want)
			_, err := s.Upload(t.Context(), "app", u.Session)
			wantCode(t, err, NotFound)
			if n := f.objects(); n != 0 {
				t.Errorf("%d objects are left", n)
			}
		})
	}
}

func TestUploadOutlivesAFailedPublish(t *testing.T) {
	for name, parts := range map[string][]string{"one part": {"hello"}, "two parts": {"hel", "lo"}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			s := f.enter(f.ann, "acme", "plain", access.Write)
			u := f.begin(s)
			for _, p := range parts {
				u = f.append(s, u, p)
			}
			_, err := s.FinishUpload(t.Context(), u, chunk(""), 0, func(c *Stored) (Publication, error) {
				p, err := publicationOf("app")(c)
				p.Check = func(context.Context, Holdings) error { return Errorf(Unavailable, "not now") }
				return p, err
			})
			wantCode(t, err, Unavailable)
			done, err := s.FinishUpload(t.Context(), f.resume(s, u), chunk(""), 0, publicationOf("app"))
			if err != nil {
				t.Fatal(err)
			}
			if got := f.content(done.Files[0].Edges.Blob); got != "hello" || f.objects() != 1 {
				t.Errorf("content %q, %d objects", got, f.objects())
			}
		})
	}
}

func TestUploadDigests(t *testing.T) {
	sum := sha512.Sum512([]byte("hello"))
	for _, tt := range []struct {
		name        string
		begin, want storage.Algorithm
		chunks      []string
		last        string
	}{
		{"announced", storage.SHA512, storage.SHA512, []string{"hello"}, ""},
		{"asked for at the end", 0, storage.SHA512, []string{"hello"}, ""},
		{"asked for with all bytes", 0, storage.SHA512, nil, "hello"},
		{"asked for at the end of parts", 0, storage.SHA512, []string{"hel", "lo"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			s := f.enter(f.ann, "acme", "plain", access.Write)
			u, err := s.BeginUpload(t.Context(), "app", tt.begin)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range tt.chunks {
				u = f.append(s, u, c)
			}
			done, err := s.FinishUpload(t.Context(), u, chunk(tt.last), tt.want, publicationOf("app"))
			if err != nil {
				t.Fatal(err)
			}
			if b := done.Files[0].Edges.Blob; b.Sha512 != hex.EncodeToString(sum[:]) || b.Sha256 != sha256Of("hello") {
				t.Errorf("sha512 = %q, sha256 = %q", b.Sha512, b.Sha256)
			}
		})
	}
}

func TestUploadReadsSlowBodies(t *testing.T) {
	f := newFixture(t)
	s := f.enter(f.ann, "acme", "plain", access.Write)
	u, err := s.AppendUpload(t.Context(), f.begin(s), Chunk{Body: iotest.OneByteReader(strings.NewReader("hello")), Offset: -1, Size: 5})
	if err != nil || u.Received != 5 {
		t.Errorf("received %v, error %v", u, err)
	}
}
