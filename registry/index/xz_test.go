package index

import (
	"bytes"
	"io"
	"os/exec"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func TestXZOfManyBlocks(t *testing.T) {
	for _, chunks := range []int{0, 1, 5} {
		file := bytes.Clone(XZHeader)
		var blocks []XZBlock
		var want []byte
		for i := range chunks {
			text := prose(5000+i, uint64(i))
			part, err := CompressXZ(text)
			if err != nil {
				t.Fatal(err)
			}
			b, err := FindXZBlock(part)
			if err != nil {
				t.Fatal(err)
			}
			blocks, want = append(blocks, b), append(want, text...)
			file = append(file, part[b.Skip:b.Skip+b.Size]...)
		}
		file = append(file, XZTrailer(blocks)...)
		r, err := xz.ReaderConfig{SingleStream: true}.NewReader(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d blocks: %d bytes, want %d; %v", chunks, len(got), len(want), err)
		}
		if tool, err := exec.LookPath("xz"); err == nil {
			cmd := exec.Command(tool, "-dc")
			cmd.Stdin = bytes.NewReader(file)
			if got, err := cmd.Output(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("xz reads %d blocks: %d bytes, want %d; %v", chunks, len(got), len(want), err)
			}
		}
	}
	if _, err := FindXZBlock([]byte("no xz file at all, but long enough")); err == nil {
		t.Error("something else passed for an xz file")
	}
}

func TestZstdOfManyFrames(t *testing.T) {
	var file, want []byte
	for i := range 3 {
		text := prose(4000, uint64(i))
		frame, err := CompressZstd(text)
		if err != nil {
			t.Fatal(err)
		}
		file, want = append(file, frame...), append(want, text...)
	}
	r, err := zstd.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d; %v", len(got), len(want), err)
	}
}
