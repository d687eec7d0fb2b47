package index

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
)

// A ladder is the states of a SHA-256 after some of the parts of a file. The
// next generation of the file, whose first parts are mostly the same, is
// hashed from the highest rung that stands on parts it has as well.

// rung is the state after the first Parts parts, and those of further digests.
type rung struct {
	Parts int      `json:"parts"`
	State []byte   `json:"state"`
	More  [][]byte `json:"more,omitempty"`
}

// Step is how many parts lie between two rungs. The last parts, which change
// next, have a rung each.
const (
	ladderStep = 16
	ladderLast = 3
)

// Sum is the SHA-256 of the file in hexadecimal, and a ladder for the next
// generation. before and ladder are those of an earlier generation, or empty.
func (r Recipe) Sum(source Source, before Recipe, ladder []byte) (sum string, next []byte, err error) {
	sums, next, err := r.Sums(source, before, ladder)
	if err != nil {
		return "", nil, err
	}
	return sums[0], next, nil
}

// Sums is Sum with further digests, in the same order behind the SHA-256. Their
// states can be marshalled, as those of the standard library can. A ladder made
// with other digests is as good as none.
func (r Recipe) Sums(source Source, before Recipe, ladder []byte, more ...func() hash.Hash) (sums []string, next []byte, err error) {
	shared := 0
	for shared < len(r.parts) && shared < len(before.parts) && r.parts[shared].same(before.parts[shared]) {
		shared++
	}
	var old []rung
	if len(ladder) > 0 {
		if err := json.Unmarshal(ladder, &old); err != nil {
			return nil, nil, fmt.Errorf("read ladder: %w", err)
		}
	}
	hashes := []hash.Hash{sha256.New()}
	for _, h := range more {
		hashes = append(hashes, h())
	}
	var rungs []rung
	from := 0
	for _, step := range slices.Backward(old) {
		if step.Parts <= shared && len(step.More) == len(more) {
			if err := step.resume(hashes); err != nil {
				return nil, nil, fmt.Errorf("resume hash: %w", err)
			}
			from = step.Parts
			break
		}
	}
	for _, step := range old {
		if step.Parts <= from && r.keepsRung(step.Parts) {
			rungs = append(rungs, step)
		}
	}
	for i, p := range r.parts[from:] {
		content, err := p.content(source)
		if err != nil {
			return nil, nil, err
		}
		for _, h := range hashes {
			h.Write(content)
		}
		if n := from + i + 1; r.keepsRung(n) {
			step, err := rungAt(n, hashes)
			if err != nil {
				return nil, nil, fmt.Errorf("keep hash: %w", err)
			}
			rungs = append(rungs, step)
		}
	}
	if len(rungs) > 0 {
		if next, err = json.Marshal(rungs); err != nil {
			return nil, nil, err
		}
	}
	for _, h := range hashes {
		sums = append(sums, hex.EncodeToString(h.Sum(nil)))
	}
	return sums, next, nil
}

// rungAt keeps the states of the hashes, the SHA-256 first, after n parts.
func rungAt(n int, hashes []hash.Hash) (rung, error) {
	step := rung{Parts: n}
	for i, h := range hashes {
		state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
		if err != nil {
			return step, err
		}
		if i == 0 {
			step.State = state
		} else {
			step.More = append(step.More, state)
		}
	}
	return step, nil
}

// resume brings hashes into the states that were kept.
func (s rung) resume(hashes []hash.Hash) error {
	for i, state := range append([][]byte{s.State}, s.More...) {
		if err := hashes[i].(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
			return err
		}
	}
	return nil
}

// keepsRung tells whether there is a rung after n parts. A file of few parts
// is hashed whole.
func (r Recipe) keepsRung(n int) bool {
	return len(r.parts) > ladderLast && (n%ladderStep == 0 || n > len(r.parts)-1-ladderLast)
}

func (p Part) same(q Part) bool {
	return p.Data == q.Data && p.Inflate == q.Inflate && p.Skip == q.Skip && p.Size == q.Size && (p.Data != 0 || bytes.Equal(p.Literal, q.Literal))
}
