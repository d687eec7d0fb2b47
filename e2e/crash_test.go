//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

const (
	// crashRounds times the number of types is how often the server is killed in
	// each set-up: every type meets as many kills however many types there are.
	crashRounds = 9
	// crashProof is how many acknowledged publishes of a type prove something.
	crashProof = 100
)

// TestCrash kills the server with SIGKILL at a random moment while six clients
// publish packages of all types, starts it again and looks at what is there:
// everything that was acknowledged, whole; nothing in part. Every start is
// within readyWithin (Restart fails otherwise), and doctor has nothing to say.
func TestCrash(t *testing.T) {
	for _, setup := range setups {
		t.Run(setup.Name, func(t *testing.T) {
			s := StartServer(t, setup)
			alice := startOrg(t, s)
			rounds := crashRounds * len(publishers)
			total := map[string]int{}
			var all []Published
			for round := range rounds {
				if round%10 == 9 {
					if err := s.Doctor(t.Context()); err != nil {
						t.Fatalf("before round %d: %v", round, err)
					}
				}
				acknowledged, pending := crashOnce(t, s, alice, round)
				for kind, published := range acknowledged {
					total[kind] += len(published)
					all = append(all, published...)
					verifyAll(t, published, func(p Published) error { return s.verify(t.Context(), alice, p) })
				}
				verifyAll(t, pending, func(p Published) error { return s.verifyWholeOrAbsent(t.Context(), alice, p) })
				if t.Failed() {
					t.Fatalf("round %d of %d", round, rounds)
				}
			}
			verifyAll(t, all, func(p Published) error { return s.verify(t.Context(), alice, p) })
			if err := s.Doctor(t.Context()); err != nil {
				t.Error(err)
			}
			t.Logf("acknowledged and found again after %d kills: %v", rounds, total)
			for kind := range publishers {
				if total[kind] < crashProof {
					t.Errorf("%s: %d publishes in %d rounds are too few to prove anything", kind, total[kind], rounds)
				}
			}
		})
	}
}

// crashKinds is how many types are published at once: each round takes the
// next ones, so that all get as many as they need to prove something.
const crashKinds = 3

// crashOnce lets clients publish, kills the server under them and starts it
// again. It returns what was acknowledged, by type, and what was under way.
func crashOnce(t *testing.T, s *Server, as Account, round int) (acknowledged map[string][]Published, pending []Published) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	var mu sync.Mutex
	acknowledged = map[string][]Published{}
	var clients sync.WaitGroup
	kinds := slices.Sorted(maps.Keys(publishers))
	for i := range crashKinds {
		kind := kinds[(round+i)%len(kinds)]
		for client := range 2 {
			clients.Go(func() {
				name := fmt.Sprintf("crash-%s-%d", kind, client)
				for n := 0; ; n++ {
					published, err := publishers[kind](ctx, s, as, "acme", name, fmt.Sprintf("1.%d.%d", round, n))
					mu.Lock()
					if err != nil {
						pending = append(pending, published...)
					} else {
						acknowledged[kind] = append(acknowledged[kind], published...)
					}
					mu.Unlock()
					if refused := (*StatusError)(nil); errors.As(err, &refused) {
						t.Errorf("the server was up and answered: %v", err)
					}
					if err != nil {
						return
					}
				}
			})
		}
	}
	// The moment is the point of the test; nothing is waited for.
	time.Sleep(time.Duration(50+rand.IntN(450)) * time.Millisecond)
	s.Kill9()
	clients.Wait()
	if err := s.Restart(); err != nil {
		t.Fatalf("round %d: start after the kill: %v", round, err)
	}
	return acknowledged, pending
}

// verifyAll checks many publications, a few at a time.
func verifyAll(t *testing.T, all []Published, verify func(Published) error) {
	t.Helper()
	queue := make(chan Published)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for p := range queue {
				if err := verify(p); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, p := range all {
		queue <- p
	}
	close(queue)
	workers.Wait()
}

// startOrg makes the organization acme (public) and its owner alice, whom it returns.
func startOrg(t *testing.T, s *Server) Account {
	t.Helper()
	alice, err := s.CreateUser(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateOrg(t.Context(), "acme", alice.Name, "public"); err != nil {
		t.Fatal(err)
	}
	return alice
}
