package index

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
)

// A ladder is the states of a SHA-256 after some of the parts of a file. The
// next generation of the file, whose first parts are mostly the same, is
// hashed from the highest rung that stands on parts it has as well.

// rung is the state after the first Parts parts.
type rung struct {
	Parts int    `json:"parts"`
	State []byte `json:"state"`
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
	shared := 0
	for shared < len(r.parts) && shared < len(before.parts) && r.parts[shared].same(before.parts[shared]) {
		shared++
	}
	var old []rung
	if len(ladder) > 0 {
		if err := json.Unmarshal(ladder, &old); err != nil {
			return "", nil, fmt.Errorf("read ladder: %w", err)
		}
	}
	h := sha256.New()
	var rungs []rung
	from := 0
	for _, step := range slices.Backward(old) {
		if step.Parts <= shared {
			if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(step.State); err != nil {
				return "", nil, fmt.Errorf("resume hash: %w", err)
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
			return "", nil, err
		}
		h.Write(content)
		if n := from + i + 1; r.keepsRung(n) {
			state, err := h.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				return "", nil, fmt.Errorf("keep hash: %w", err)
			}
			rungs = append(rungs, rung{n, state})
		}
	}
	if len(rungs) > 0 {
		if next, err = json.Marshal(rungs); err != nil {
			return "", nil, err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), next, nil
}

// keepsRung tells whether there is a rung after n parts. A file of few parts
// is hashed whole.
func (r Recipe) keepsRung(n int) bool {
	return len(r.parts) > ladderLast && (n%ladderStep == 0 || n > len(r.parts)-1-ladderLast)
}

func (p Part) same(q Part) bool {
	return p.Data == q.Data && p.Inflate == q.Inflate && p.Skip == q.Skip && p.Size == q.Size && (p.Data != 0 || bytes.Equal(p.Literal, q.Literal))
}
